"""Labels that are one shape of the hand pointing different ways, such as thumbs up and thumbs down.

Features leave out which way a hand points unless they are told, so these are taken for each other,
and nothing in the scores says why.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.splits import groups_of
from handlore.landmarks.geometry import canonicalize, rotation_deg

from .scores import Predictions

_MIN_MISTAKES, _MIN_SHARE = 3, 0.05
"""Fewer mistakes between two labels, or a smaller share of their items, may be chance."""

_MIN_SEPARATED, _MIN_CORRECTED = 0.9, 2 / 3
"""The direction alone tells this share of two labels' items apart, and of the mistakes."""

_MAX_NAMED = 3

POINTING_FEATURES = ("world", "image", "orientation")
"""Beside hundreds of distances the two numbers that say where a hand points are hardly heard."""


@dataclass(frozen=True)
class PointingPair:
    """Two labels that point different ways."""

    labels: tuple[str, str]

    n_mistakes: int
    """How many items of one were taken for the other."""


def find_pointing_pairs(predictions: Predictions, dataset: LandmarkDataset) -> list[PointingPair]:
    """Return labels that are taken for each other though their hands point different ways.

    Parameters
    ----------
    predictions, dataset
        What was answered for poses. What is usual for a label is learned from the other groups.

    Returns
    -------
    Most mistakes first.
    """
    found = [
        PointingPair((one, other), n)
        for one, other, n in _confused(predictions)
        if _differ(predictions, dataset, one, other)
    ]
    return sorted(found, key=lambda pair: (-pair.n_mistakes, pair.labels))


def pointing_advice(pairs: Sequence[PointingPair]) -> str:
    """Say what to do about it, in one line."""
    named = ", ".join(" and ".join(pair.labels) for pair in pairs[:_MAX_NAMED])
    more = f" (and {len(pairs) - _MAX_NAMED} pairs more)" if len(pairs) > _MAX_NAMED else ""
    n = sum(pair.n_mistakes for pair in pairs)
    return (
        f"{named}{more} were taken for each other {n} times and point different ways; try"
        f" --features {','.join(POINTING_FEATURES)}"
    )


def _confused(predictions: Predictions) -> Iterator[tuple[str, str, int]]:
    truth, answer = predictions.truth, predictions.predicted
    wrong = (truth != answer) & ~predictions.no_hand
    for one, other in combinations(sorted(set(truth[wrong]) | set(answer[wrong])), 2):
        mistakes = wrong & np.isin(truth, (one, other)) & np.isin(answer, (one, other))
        n, of = int(mistakes.sum()), int(np.isin(truth, (one, other)).sum())
        if n >= _MIN_MISTAKES and n >= _MIN_SHARE * of:
            yield str(one), str(other), n


def _differ(predictions: Predictions, dataset: LandmarkDataset, one: str, other: str) -> bool:
    """Say whether directions tell two labels apart, on groups that were not looked at."""
    items = np.flatnonzero(np.isin(predictions.truth, (one, other)) & ~predictions.no_hand)
    samples = predictions.sample[items]
    is_other, direction = predictions.truth[items] == other, _directions(dataset, samples)
    group = groups_of(dataset)[samples]
    if len(np.unique(group)) == 1:
        group = np.arange(len(items)).astype(np.str_)
    right = np.zeros(len(items), bool)
    for name in np.unique(group):
        out = group == name
        usual = [direction[~out & (is_other == which)].sum() for which in (False, True)]
        if not all(usual):
            return False
        nearer = [(direction[out] * np.conj(mean / abs(mean))).real for mean in usual]
        right[out] = (nearer[1] > nearer[0]) == is_other[out]
    told = [right[is_other == which].mean() for which in (False, True)]
    mistakes = predictions.truth[items] != predictions.predicted[items]
    mistakes &= np.isin(predictions.predicted[items], (one, other))
    return bool(min(told) >= _MIN_SEPARATED and right[mistakes].mean() >= _MIN_CORRECTED)


def _directions(dataset: LandmarkDataset, samples: NDArray[np.int64]) -> NDArray[np.complex128]:
    """Return which way the first hand of samples points: complex numbers of length 1."""
    slot = dataset.detected[samples].argmax(axis=1)
    image, side = dataset.image[samples, slot], dataset.handedness[samples, slot]
    radians = np.radians(rotation_deg(canonicalize(image, side)).astype(np.float64))
    return np.exp(1j * radians)
