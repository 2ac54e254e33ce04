"""Whether labels differ by the direction in which the hand points, such as thumbs up and down.

Features are independent of the rotation of the hand in the picture, so that a tilted hand is still
recognised. Where that would make two labels one, the direction has to be a feature.
"""

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.features import FEATURE_GROUPS
from handlore.landmarks.hands import FloatArray
from handlore.models.pose_encoder import PoseEncoder

from .projection import Projection

DIRECTION = ("orientation", "heights")
"""The groups of features that change when the hand is turned in the picture."""
_MAX_SAMPLES = 4000
_N_FOLDS = 4
_MIN_CORRECTED, _LEAST_SHARE, _LEAST_NUMBER = 0.1, 0.01, 5
"""What the direction has to correct: a share of the errors, of the samples, and a number."""


def direction_matters(dataset: LandmarkDataset, seed: int = 0) -> bool:
    """Say whether fewer left-out samples are confused if the direction is among the features.

    Both ways a small linear discriminant is tested on a quarter of the samples at a time.
    """
    if dataset.header.kind != "pose":
        return False
    rows = np.flatnonzero(dataset.has_hand & (dataset.samples.view == 0))
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[:_MAX_SAMPLES])
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
    n_before, n_after = _n_errors(without, codes, seed), _n_errors(with_direction, codes, seed)
    least = max(_MIN_CORRECTED * n_before, _LEAST_SHARE * len(rows), _LEAST_NUMBER)
    return n_before - n_after >= least


def _n_errors(X: FloatArray, codes: NDArray[np.int64], seed: int) -> int:
    """Return how many samples are nearer to the mean of another class, each left out once."""
    fold = np.random.default_rng(seed).permutation(len(X)) % _N_FOLDS
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
