"""Labels that differ only in the direction of the hand, such as thumbs up and thumbs down.

Features are independent of the rotation of the hand in the picture, so that a tilted hand is still
recognised. Where that makes two labels one, scores do not show why, and the direction has to be a
feature.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.splits import groups_of
from handlore.landmarks.features import FEATURE_GROUPS
from handlore.landmarks.geometry import canonicalize, rotation_deg
from handlore.landmarks.hands import FloatArray
from handlore.models.encoders import Encoder, PoseEncoder

from .evaluation.scores import Predictions
from .projection import Projection

_MIN_MISTAKES, _MIN_SHARE = 3, 0.05
"""Fewer errors between two labels, or a smaller share of their items, may be chance."""
_MIN_SEPARATED, _MIN_CORRECTED = 0.9, 2 / 3
"""Minimum accuracy of the direction alone on the items of two labels, and on the errors."""
_MAX_NAMED = 3

POINTING_FEATURES = ("world", "image", "orientation")
"""Without the distances: beside hundreds of them, the two features of direction have no effect."""

DIRECTION = ("orientation", "heights")
"""The groups of features that change when the hand is turned in the picture."""
_MAX_SAMPLES = 4000
_N_FOLDS = 4
_LEAST_CORRECTED, _LEAST_SHARE, _LEAST_NUMBER = 0.1, 0.01, 5
"""What the direction has to correct: a share of the errors, of the samples, and a number."""


class _PointingPair(NamedTuple):
    """Two labels that differ in direction."""

    labels: tuple[str, str]

    n_errors: int
    """Items of one that were confused with the other."""


def _find_pointing_pairs(predictions: Predictions, dataset: LandmarkDataset) -> list[_PointingPair]:
    """Return pairs of labels that are confused although their directions differ, worst first.

    The typical direction of a label is computed from other groups.
    """
    found = [
        _PointingPair((one, other), n)
        for one, other, n in _confused(predictions)
        if _differ(predictions, dataset, one, other)
    ]
    return sorted(found, key=lambda pair: (-pair.n_errors, pair.labels))


def pointing_advice(
    predictions: Predictions, dataset: LandmarkDataset, encoder: Encoder
) -> str | None:
    """Return advice in one line, if labels differ in direction and direction is not a feature."""
    if not isinstance(encoder, PoseEncoder) or "orientation" in encoder.groups:
        return None
    pairs = _find_pointing_pairs(predictions, dataset)
    if not pairs:
        return None
    named = ", ".join(" and ".join(pair.labels) for pair in pairs[:_MAX_NAMED])
    more = f" (and {len(pairs) - _MAX_NAMED} more pairs)" if len(pairs) > _MAX_NAMED else ""
    n = sum(pair.n_errors for pair in pairs)
    # Without world landmarks the advice must do without them, too.
    worldless = "world" not in encoder.groups and "world_distances" not in encoder.groups
    groups = (*encoder.groups, "orientation") if worldless else POINTING_FEATURES
    return (
        f"{named}{more} were confused {n} times and point in different directions; try"
        f" --features {','.join(groups)}"
    )


def _confused(predictions: Predictions) -> Iterator[tuple[str, str, int]]:
    truth, predicted = predictions.truth, predictions.predicted
    wrong = ~(predictions.right | predictions.no_hand)
    for one, other in combinations(sorted(set(truth[wrong]) | set(predicted[wrong])), 2):
        errors = wrong & np.isin(truth, (one, other)) & np.isin(predicted, (one, other))
        n, of = int(errors.sum()), int(np.isin(truth, (one, other)).sum())
        if n >= _MIN_MISTAKES and n >= _MIN_SHARE * of:
            yield str(one), str(other), n


def _differ(predictions: Predictions, dataset: LandmarkDataset, one: str, other: str) -> bool:
    """Return whether directions separate two labels, each group tested with the other groups."""
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
    accuracy = [right[is_other == which].mean() for which in (False, True)]
    errors = predictions.truth[items] != predictions.predicted[items]
    errors &= np.isin(predictions.predicted[items], (one, other))
    return bool(min(accuracy) >= _MIN_SEPARATED and right[errors].mean() >= _MIN_CORRECTED)


def _directions(dataset: LandmarkDataset, samples: NDArray[np.int64]) -> NDArray[np.complex128]:
    """Return the direction of the first hand of samples as complex numbers of length 1."""
    slot = dataset.detected[samples].argmax(axis=1)
    image, side = dataset.image[samples, slot], dataset.handedness[samples, slot]
    radians = np.radians(rotation_deg(canonicalize(image, side)).astype(np.float64))
    return np.exp(1j * radians)


def direction_matters(dataset: LandmarkDataset) -> bool:
    """Say whether fewer left-out samples are confused if the direction is among the features.

    Both ways a small linear discriminant is tested on a quarter of the samples at a time.
    """
    if dataset.header.kind != "pose":
        return False
    rows = np.flatnonzero(dataset.has_hand & (dataset.samples.view == 0))
    rows = np.sort(np.random.default_rng(0).permutation(rows)[:_MAX_SAMPLES])
    codes = np.unique(dataset.samples.label[rows], return_inverse=True)[1]
    if len(rows) < _N_FOLDS * 2 or not codes.any():
        return False
    seen = dataset.select(rows)
    finite = np.isfinite(seen.world[seen.detected]).all()
    groups = tuple(
        g for g in ("world", "image") if finite or FEATURE_GROUPS[g].landmarks == "image"
    )
    with_direction = PoseEncoder((*groups, *DIRECTION), dataset.n_hands).encode_samples(seen)
    without = PoseEncoder(groups, dataset.n_hands).encode_samples(seen)
    n_before, n_after = _n_errors(without, codes), _n_errors(with_direction, codes)
    least = max(_LEAST_CORRECTED * n_before, _LEAST_SHARE * len(rows), _LEAST_NUMBER)
    return n_before - n_after >= least


def _n_errors(X: FloatArray, codes: NDArray[np.int64]) -> int:
    """Return how many samples are nearer to the mean of another class, each left out once."""
    fold = np.random.default_rng(0).permutation(len(X)) % _N_FOLDS
    wrong = 0
    for number in range(_N_FOLDS):
        kept, out = fold != number, fold == number
        known, renumbered = np.unique(codes[kept], return_inverse=True)
        if len(known) < 2:
            continue
        projection = Projection.fit(X[kept], renumbered)
        places, tested = projection(X[kept]), projection(X[out])
        means = np.stack([places[renumbered == one].mean(axis=0) for one in range(len(known))])
        apart = ((tested[:, None] - means) ** 2).sum(axis=2)
        wrong += int((known[apart.argmin(axis=1)] != codes[out]).sum())
    return wrong
