"""Keys: their names, and where they come from without a window."""
