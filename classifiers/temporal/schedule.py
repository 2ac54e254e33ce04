"""Schedule and history of training a network; nothing here needs PyTorch."""

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
    """One row of the history; an epoch is one pass over all movements."""

    epoch: int
    """From 1."""

    loss: float
    """Cross-entropy in training, on augmented and mixed movements."""

    accuracy: float
    """Share of correct predictions on them."""

    val_loss: float | None
    """Cross-entropy on the validation set; None without one."""

    val_accuracy: float | None

    learning_rate: float
    """At the end of the epoch."""


@dataclass(frozen=True)
class TrainingSchedule:
    """The hyperparameters of training."""

    epochs: int
    batch_size: int
    learning_rate: float
    """The maximum; it rises in the first tenth and then falls along a cosine to almost 0."""

    augment: bool
    patience: int
    """Epochs without a lower validation loss after which training stops."""

    seed: int


def batch_size_for(n: int, wanted: int) -> int:
    """Return the batch size for n movements: 64, or 32 for few clips, if none is given."""
    return min(wanted or (64 if n >= _FEW_CLIPS else 32), n)


def epochs_for(n: int, batch: int, wanted: int) -> int:
    """Return the number of epochs if none is given: 60, 100 for many movements, more for few."""
    usual = _EPOCHS_LARGE if n >= _FEW_CLIPS else _EPOCHS
    return wanted or min(max(usual, -(-_MIN_STEPS // (n // batch))), _MAX_EPOCHS)


def validation_mask(
    codes: IntArray, groups: NDArray[np.str_] | None, share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return which movements (n,) are in the validation set, about ``share`` of them.

    They are whole groups if there are enough, else a sample of each class; none if there are too
    few movements. At least one movement of each class remains for training.
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
