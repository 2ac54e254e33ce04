"""What a model file remembers of its training data, so that a test can tell what it has seen."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from handlore.classifiers.assessment.leaks import Leak, Leaks, find_leaks
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.splits import training_samples

from .card import ModelCard

MOST_REMEMBERED = 4096
"""More items are not remembered: their digests would take more than 40 KB of a model file."""

_LENGTH = 10
"""Hexadecimal digits of a digest that are kept; 40 bits mix up one of 60,000 tests of 4,096."""


def remembered(dataset: LandmarkDataset) -> str:
    """Return the shortened digests of the items of a dataset, one after the other.

    Empty where there are too many items, or none has a digest.
    """
    digests = sorted({_short(digest) for digest in dataset.samples.sha256.tolist() if digest})
    return "" if len(digests) > MOST_REMEMBERED else "".join(digests)


def leaks_of(card: ModelCard, tested: LandmarkDataset, loaded: LandmarkDataset) -> Leaks | None:
    """Look for what a model was both trained and tested on.

    Parameters
    ----------
    card
        Of the model.
    tested
        What it is tested on.
    loaded
        All of the file that this comes from. Where the model was trained on its training split,
        landmarks are compared too.

    Returns
    -------
    None where nothing can be known.
    """
    pairs = _split(card, tested, loaded)
    if pairs is not None:
        return find_leaks(loaded, [pairs])
    text = card.training.get("item_digests")
    if not isinstance(text, str) or not text:
        return None
    known = {text[start : start + _LENGTH] for start in range(0, len(text), _LENGTH)}
    samples = tested.samples
    digests = [bool(digest) and _short(digest) in known for digest in samples.sha256.tolist()]
    seen = np.flatnonzero(np.array(digests) & (samples.view == 0))
    examples = [Leak(str(samples.source[at]), "a training item", None) for at in seen[:5]]
    return Leaks(len(seen), 0, tuple(examples), by_landmarks=False)


def _split(
    card: ModelCard, tested: LandmarkDataset, loaded: LandmarkDataset
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return the samples that the model was trained and is tested on, if one file has both."""
    split = loaded.samples.split
    trains = np.isin(split, ["train", ""])
    tests = np.isin(split, np.unique(tested.samples.split))
    if not trains.any() or (trains & tests).any():
        return None
    if training_samples(loaded).digest() != card.training.get("data_digest"):
        return None
    return np.flatnonzero(trains), np.flatnonzero(tests)


def _short(digest: str) -> str:
    # Hashed once more: whatever a source writes there, these digits tell items apart.
    return hashlib.sha256(digest.encode("utf-8", "surrogateescape")).hexdigest()[:_LENGTH]
