"""Copies of poses as a camera in another place would see them.

The hands of one data set are often all seen from one side by one camera. In copies that are tilted,
and whose landmarks are less exact, a classifier finds out what of a pose remains in another data
set.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.geometry import palm_length
from handlore.landmarks.hands import FloatArray

_TILT = 20.0
"""Standard deviation of the angle about each of the two axes in the picture, in degrees."""
_NOISE = 0.03
"""Standard deviation of the shift of each landmark along each axis, in palm lengths."""


def tilted(dataset: LandmarkDataset, rng: np.random.Generator) -> LandmarkDataset:
    """Return the same samples with each hand tilted about its wrist, and landmarks shifted.

    Unknown depth (NaN) counts as 0 and stays unknown.
    """
    turns = _turns(rng.normal(0, np.radians(_TILT), (2, *dataset.detected.shape)))
    return replace(
        dataset,
        image=_moved(dataset.image, turns, rng),
        world=_moved(dataset.world, turns, rng),
    )


def _turns(angles: NDArray[np.float64]) -> FloatArray:
    """Return rotations (..., 3, 3): about x by the first of two angles (2, ...), then about y."""
    (sin_x, sin_y), (cos_x, cos_y), zero = (
        np.sin(angles),
        np.cos(angles),
        np.zeros(angles.shape[1:]),
    )
    rows = [
        [cos_y, sin_x * sin_y, cos_x * sin_y],
        [zero, cos_x, -sin_x],
        [-sin_y, sin_x * cos_y, cos_x * cos_y],
    ]
    return np.moveaxis(np.array(rows, np.float32), (0, 1), (-2, -1))


def _moved(landmarks: FloatArray, turns: FloatArray, rng: np.random.Generator) -> FloatArray:
    wrist, unknown = landmarks[..., :1, :], np.isnan(landmarks)
    off = landmarks - wrist
    off[..., 2] = np.nan_to_num(off[..., 2])
    shift = rng.normal(0, _NOISE, off.shape) * palm_length(landmarks)[..., None, None]
    turned = np.einsum("...ij,...lj->...li", turns, off)
    moved: FloatArray = (wrist + turned + shift).astype(np.float32)
    moved[unknown] = np.nan
    return moved
