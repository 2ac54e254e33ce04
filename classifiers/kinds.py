"""The two kinds of samples, as people call them."""

WORDS = {"pose": "poses (single pictures)", "sequence": "movements (clips)"}

DEFAULT_ESTIMATOR = {"pose": "forest", "sequence": "rocket"}
"""What ``train`` takes unless told."""
