"""The mean hand of each label: what a class looks like, without its people and places."""

from collections.abc import Mapping

import numpy as np

from handlore.classifiers.movements import N_COORDINATES, MovementEncoder
from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.geometry import canonicalize, palm_length, rotate, rotation_deg
from handlore.landmarks.hands import FloatArray

MOMENTS = 24
"""So many points in time a mean movement has."""


def typical_hands(dataset: LandmarkDataset) -> dict[str, FloatArray]:
    """Return the mean hand of each label that shows one, see :func:`mean_hand`."""
    return {label: mean_hand(hands) for label, hands in aligned_hands(dataset).items()}


def mean_hand(hands: FloatArray) -> FloatArray:
    """Return the median (n_frames, n_hands, 21, 3) of aligned hands (n, n_frames, ...).

    A hand that most samples lack is NaN.
    """
    mean = np.full(hands.shape[1:], np.nan, np.float32)
    seen = ~np.isnan(hands[:, 0, :, 0, 0])
    for slot in np.flatnonzero(seen.mean(axis=0) >= 0.5):
        mean[:, slot] = np.median(hands[seen[:, slot], :, slot], axis=0)
    return mean


def aligned_hands(dataset: LandmarkDataset) -> Mapping[str, FloatArray]:
    """Bring the samples of each label into one frame of reference, so that they can be compared.

    Parameters
    ----------
    dataset
        Poses or movements; views and samples without a hand are left out.

    Returns
    -------
    By label (n_samples, n_frames, n_hands, 21, 3) in palm lengths, NaN for a missing hand. Poses
    have one frame; a single hand is a right one, turned as most hands of its label are. Movements
    have :data:`MOMENTS` frames and start where the wrist is first seen.
    """
    shown = dataset.select(dataset.has_hand & (dataset.samples.view == 0))
    labels = shown.samples.label
    aligned = _movements if shown.header.kind == "sequence" else _poses
    return {label: aligned(shown.select(labels == label)) for label in np.unique(labels).tolist()}


def _poses(dataset: LandmarkDataset) -> FloatArray:
    image = _with_z(dataset.image)
    if dataset.n_hands == 2:
        middle = np.nanmean(image[:, :, 0], axis=1)[:, None, None]
        scale = np.nanmean(palm_length(image), axis=1)[:, None, None, None]
        return np.asarray((image - middle) / scale, np.float32)[:, None]
    hands = canonicalize(image[:, 0], dataset.handedness[:, 0])
    turn = rotation_deg(hands)
    # All are turned as most are: thumbs up is not thumbs down.
    radians = np.radians(turn[~np.isnan(turn)])
    usual = np.degrees(np.arctan2(np.sin(radians).mean(), np.cos(radians).mean()))
    return rotate(hands, usual - turn)[:, None, None]


def _movements(dataset: LandmarkDataset) -> FloatArray:
    encoder = MovementEncoder(dataset.n_hands, MOMENTS)
    made = np.stack([_block(dataset, encoder, sample) for sample in range(dataset.n_samples)])
    hands = made.reshape(len(made), dataset.n_hands, -1, MOMENTS)
    marks = hands[:, :, :N_COORDINATES].reshape(len(made), dataset.n_hands, 21, 3, MOMENTS)
    unseen = hands[:, :, N_COORDINATES].max(axis=2) == 0
    marks[unseen] = np.nan
    return np.moveaxis(marks, -1, 1)


def _block(dataset: LandmarkDataset, encoder: MovementEncoder, sample: int) -> FloatArray:
    frames = slice(*dataset.offsets[sample : sample + 2])
    image = _with_z(dataset.image[frames])
    return encoder.encode(image, dataset.handedness[frames], dataset.time[frames])


def _with_z(image: FloatArray) -> FloatArray:
    """Return landmarks with 0 for a z that is unknown; missing hands stay NaN."""
    unknown = np.isnan(image) & ~np.isnan(image[..., :1])
    return np.where(unknown, np.float32(0), image)
