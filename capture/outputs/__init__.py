"""Landmarks and events for other programs: one small file per way of sending them."""
