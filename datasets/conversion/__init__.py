"""Turning any source of pictures, videos or landmarks into a landmark dataset."""
