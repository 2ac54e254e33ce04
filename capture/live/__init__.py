"""Live recognition: frames in, events out, and who is told."""
