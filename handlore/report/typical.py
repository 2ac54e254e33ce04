"""The mean hand of each label: what a class looks like, without its people and places."""

import numpy as np
from numpy.typing import NDArray

from handlore.classifiers.movements import N_COORDINATES, MovementEncoder
from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.geometry import canonicalize, palm_length, rotate, rotation_deg
from handlore.landmarks.hands import FloatArray

MOMENTS = 24
"""Into so many points in time a mean movement is taken."""


def typical_hands(dataset: LandmarkDataset) -> dict[str, FloatArray]:
    """Return the mean hand of each label that shows one, in palm lengths.

    Parameters
    ----------
    dataset
        Poses or movements; views and samples without a hand are left out.

    Returns
    -------
    By label (n_frames, n_hands, 21, 3): one frame for poses, else the mean way. A second hand that
    most samples lack is NaN.
    """
    shown = dataset.select(dataset.has_hand & (dataset.samples.view == 0))
    if not shown.n_samples:
        return {}
    mean = _movement if shown.header.kind == "sequence" else _pose
    labels = shown.samples.label
    return {label: mean(shown.select(labels == label)) for label in shown.labels}


def _pose(dataset: LandmarkDataset) -> FloatArray:
    if dataset.n_hands == 2:
        return _two_handed(dataset)
    hands = canonicalize(_with_z(dataset.image)[:, 0], dataset.handedness[:, 0])
    turn = rotation_deg(hands)
    # The mean is taken upright, then turned as most hands are: thumbs up is not thumbs down.
    upright = np.nanmedian(rotate(hands, -turn), axis=0)
    radians = np.radians(turn[~np.isnan(turn)])
    usual = np.degrees(np.arctan2(np.sin(radians).mean(), np.cos(radians).mean()))
    return rotate(upright, usual)[None, None]


def _two_handed(dataset: LandmarkDataset) -> FloatArray:
    """Return the median of both hands about their middle, the palm lengths' mean being 1."""
    image = _with_z(dataset.image)
    middle = np.nanmean(image[:, :, 0], axis=1)[:, None, None]
    scale = np.nanmean(palm_length(image), axis=1)[:, None, None, None]
    placed, seen = (image - middle) / scale, dataset.detected
    mean = np.full((1, 2, 21, 3), np.nan, np.float32)
    for slot in np.flatnonzero(seen.mean(axis=0) >= 0.5):
        mean[0, slot] = np.nanmedian(placed[seen[:, slot], slot], axis=0)
    return mean


def _movement(dataset: LandmarkDataset) -> FloatArray:
    encoder = MovementEncoder(dataset.n_hands, MOMENTS)
    blocks = np.stack([_block(dataset, encoder, sample) for sample in range(dataset.n_samples)])
    hands = blocks.reshape(len(blocks), dataset.n_hands, -1, MOMENTS)
    marks = hands[:, :, :N_COORDINATES].reshape(len(blocks), dataset.n_hands, 21, 3, MOMENTS)
    seen = hands[:, :, N_COORDINATES].max(axis=2) > 0
    mean = np.full((MOMENTS, dataset.n_hands, 21, 3), np.nan, np.float32)
    for slot in np.flatnonzero(seen.mean(axis=0) >= 0.5):
        mean[:, slot] = np.moveaxis(np.median(marks[seen[:, slot], slot], axis=0), -1, 0)
    return mean


def _block(dataset: LandmarkDataset, encoder: MovementEncoder, sample: int) -> FloatArray:
    frames = slice(*dataset.offsets[sample : sample + 2])
    image = _with_z(dataset.image[frames])
    return encoder.encode(image, dataset.handedness[frames], dataset.time[frames])


def _with_z(image: FloatArray) -> FloatArray:
    """Return landmarks with 0 for a z that is unknown; missing hands stay NaN."""
    missing: NDArray[np.bool_] = np.isnan(image[..., :1])
    return np.where(np.isnan(image) & ~missing, np.float32(0), image)
