"""A typical hand of a label: its samples in one frame of reference, and their median."""

import numpy as np

from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.geometry import mirror, palm_length, rotate, rotation_deg
from handlore.landmarks.hands import FloatArray
from handlore.models.encoders import clip_slices


def aligned_hands(samples: LandmarkDataset, n_moments: int) -> tuple[FloatArray, float]:
    """Bring samples of one label, each of which shows a hand, into one frame of reference.

    Returns
    -------
    hands
        (n_samples, n_moments, n_hands, 21, 3) in palm lengths, NaN for a missing hand. A single
        hand is a right one, an unknown z is 0. Poses have one moment, and are turned upright.
        Movements start where a wrist is first seen.
    usual
        The rotation of poses in degrees, on average; 0 for movements, which are not turned.
    """
    image = _right_hands(samples)
    if samples.header.kind == "pose":
        placed = _placed(image)
        angles = np.radians(rotation_deg(_first_hand(placed)).astype(np.float64))
        usual = np.degrees(np.angle(np.exp(1j * angles).mean()))
        return rotate(placed, -np.degrees(angles)[:, None])[:, None], float(usual)
    clips = [_at_moments(image[frames], n_moments) for frames in clip_slices(samples)]
    return np.stack(clips), 0.0


def median_hand(hands: FloatArray) -> FloatArray:
    """Return the median (..., 21, 3) of hands (n, ..., 21, 3), NaN where most are missing."""
    rarely = np.isnan(hands).mean(axis=0) > 0.5
    median: FloatArray = np.nanmedian(np.where(rarely, 0, hands), axis=0)
    return np.where(rarely, np.float32(np.nan), median)


def _right_hands(samples: LandmarkDataset) -> FloatArray:
    """Return the image landmarks, single left hands as right ones; an unknown z is 0."""
    image = np.where(np.isnan(samples.image), np.float32(0), samples.image)
    image[~samples.detected] = np.nan
    if samples.n_hands == 1:
        left = samples.handedness[:, 0] < 0.5
        # In shape only: a swipe to the left is one with either hand.
        wrist = image[left, 0, :1]
        image[left, 0] = wrist + mirror(image[left, 0] - wrist)
    return image


def _first_hand(image: FloatArray) -> FloatArray:
    there = ~np.isnan(image[..., 0, 0])
    chosen: FloatArray = image[np.arange(len(image)), there.argmax(axis=1)]
    return chosen


def _placed(image: FloatArray) -> FloatArray:
    """Return frames with the mean of their wrists at the origin, in palm lengths."""
    origin = np.nanmean(image[:, :, :1], axis=1, keepdims=True)
    size = np.nanmean(palm_length(image), axis=1)
    placed: FloatArray = (image - origin) / np.maximum(size, 1e-6)[:, None, None, None]
    return placed


def _at_moments(clip: FloatArray, n_moments: int) -> FloatArray:
    """Return a clip (n_frames, n_hands, 21, 3) at some moments, from its first wrist on."""
    seen = np.flatnonzero(~np.isnan(clip[..., 0, 0]).all(axis=1))
    moments = clip[seen[np.linspace(0, len(seen) - 1, n_moments).round().astype(int)]]
    size = max(float(np.nanmedian(palm_length(clip[seen]))), 1e-6)
    placed: FloatArray = (moments - np.nanmean(moments[:1, :, :1], axis=1, keepdims=True)) / size
    return placed
