"""The page that shows live recognition in a browser: for a computer without a display."""
