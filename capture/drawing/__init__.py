"""Painting on pictures: text and shapes, a hand, a hand over time."""
