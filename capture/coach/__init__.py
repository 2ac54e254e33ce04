"""What to record next, worked out beside the camera."""
