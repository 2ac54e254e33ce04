"""How long a model takes to answer, one sample at a time as in use."""

import time

import numpy as np

from handlore.datasets.dataset import LandmarkDataset
from handlore.models.runtime import Model

MOST_SAMPLES = 100


def answer_time(model: Model, dataset: LandmarkDataset) -> float | None:
    """Return the median seconds from landmarks to probabilities; None where there is no hand."""
    samples = np.flatnonzero(dataset.has_hand)[:MOST_SAMPLES]
    if not len(samples):
        return None
    ones = [dataset.select(np.array([sample])) for sample in samples]
    seconds = []
    for one in (ones[0], *ones):  # the first time, memory is made ready
        started = time.perf_counter()
        model.predict_proba(model.encoder.encode_samples(one))
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds[1:]))
