"""Live recognition: frames in; events and actions out."""
