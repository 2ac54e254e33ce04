"""How long a network is trained, on what, and what became of it; none of it needs PyTorch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

_EPOCHS, _EPOCHS_LARGE = 60, 100
_MIN_STEPS, _MAX_EPOCHS = 600, 300
_FEW_CLIPS = 1000
_MIN_CLIPS_TO_SPLIT, _MIN_GROUPS = 60, 4


@dataclass(frozen=True)
class Epoch:
    """One line of the history; times of training go by epochs, once through all movements."""

    epoch: int
    """From 1."""

    loss: float
    """Cross-entropy in training, of movements that were changed and mixed."""

    accuracy: float
    """The share of them that was answered right."""

    val_loss: float | None
    """Cross-entropy of what is held back; None if nothing is."""

    val_accuracy: float | None

    learning_rate: float
    """At the end of the epoch."""


@dataclass(frozen=True)
class TrainingSchedule:
    """How to train."""

    epochs: int
    batch_size: int
    learning_rate: float
    """The highest; it rises in the first tenth and then falls as a cosine does, to almost 0."""

    augment: bool
    patience: int
    """Stop after so many epochs without a lower loss on what is held back."""

    seed: int


def batch_size_for(n: int, wanted: int) -> int:
    """Return how many of n movements a step sees: 64, of few clips 32, unless told."""
    return min(wanted or (64 if n >= _FEW_CLIPS else 32), n)


def epochs_for(n: int, batch: int, wanted: int) -> int:
    """Return 60 unless told, 100 of many movements, and more of few: they make few steps."""
    usual = _EPOCHS_LARGE if n >= _FEW_CLIPS else _EPOCHS
    return wanted or min(max(usual, -(-_MIN_STEPS // (n // batch))), _MAX_EPOCHS)


def validation_mask(
    codes: IntArray, groups: NDArray[np.str_] | None, share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Choose about a share of the movements (n,) to stop training by.

    They are whole groups where there are enough groups, else a sample of each class; none if
    there are too few movements. At least one movement of each class is left to learn from.
    """
    held = np.zeros(len(codes), bool)
    grouped = groups is not None and len(np.unique(groups)) >= _MIN_GROUPS
    if not share or (not grouped and len(codes) < _MIN_CLIPS_TO_SPLIT):
        return held
    wanted = share * len(codes)
    if groups is None or not grouped:
        for code in np.unique(codes):
            own = rng.permutation(np.flatnonzero(codes == code))
            held[own[: int(share * len(own))]] = True
        return held
    for group in rng.permutation(np.unique(groups)):
        more = held | (groups == group)
        if len(np.unique(codes[~more])) == len(np.unique(codes)):
            held = more
        if held.sum() >= wanted:
            break
    return held
