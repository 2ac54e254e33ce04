"""What all parts call the same: the two kinds of samples, and the ends of a model's graph."""

INPUT, OUTPUT = "X", "probabilities"
"""What goes into the graph of a model and what comes out."""

FAMILIARITY = "familiarity"
"""What else comes out of the graph of a model of poses: how like its training data a hand is."""

WORDS = {"pose": "poses (single pictures)", "sequence": "movements (clips)"}

DEFAULT_ESTIMATOR = {"pose": "forest", "sequence": "rocket"}
"""What ``train`` takes unless told."""
