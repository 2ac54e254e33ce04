"""Playing, discarding and relabelling recordings."""
