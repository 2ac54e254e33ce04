"""A typical hand of each label: the median over its training samples, kept in the card to be drawn.

It is nobody's hand, and a right one. Poses are upright, unless the classifier uses their direction.
"""

from typing import Any

import numpy as np

from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset
from handlore.landmarks.geometry import mirror, palm_length, rotate, rotation_deg
from handlore.landmarks.hands import FloatArray
from handlore.models.movement_encoder import clip_slices
from handlore.models.pose_encoder import Encoder, PoseEncoder

_MOMENTS = 7
"""Moments of a movement."""
_MOST_SAMPLES = 400
"""Samples of a label that the median is taken of."""
_DIGITS = 3


def typical_hands(dataset: LandmarkDataset, encoder: Encoder) -> dict[str, Any]:
    """Return a typical hand of each label but ``none``, as nested lists with None for NaN.

    Each is (n_moments, n_hands, 21, 3) in palm lengths. Samples without a hand are left out.
    """
    own = dataset.select(dataset.has_hand & (dataset.samples.view == 0))
    upright = isinstance(encoder, PoseEncoder) and "orientation" not in encoder.groups
    hands = {}
    for label in sorted({*own.labels} - {NONE_LABEL}):
        places = np.flatnonzero(own.samples.label == label)
        samples = own.select(places[:: -(-len(places) // _MOST_SAMPLES)])
        image = _right_hands(samples)
        if samples.header.kind == "pose":
            hands[label] = _as_lists(_median_pose(image, upright)[None])
        else:
            clips = [_at_moments(image[frames]) for frames in clip_slices(samples)]
            hands[label] = _as_lists(_median(np.stack(clips)))
    return hands


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


def _median_pose(image: FloatArray, upright: bool) -> FloatArray:
    """Return the median (n_hands, 21, 3) of poses (n, n_hands, 21, 3)."""
    placed = _placed(image)
    angles = np.radians(rotation_deg(_first_hand(placed)).astype(np.float64))
    usual = np.degrees(np.angle(np.exp(1j * angles).mean()))
    median = _median(rotate(placed, -np.degrees(angles)[:, None]))
    return median if upright else rotate(median, usual)


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


def _at_moments(clip: FloatArray) -> FloatArray:
    """Return a clip (n_frames, n_hands, 21, 3) at a few moments, from its first wrist on."""
    seen = np.flatnonzero(~np.isnan(clip[..., 0, 0]).all(axis=1))
    moments = clip[seen[np.linspace(0, len(seen) - 1, _MOMENTS).round().astype(int)]]
    size = max(float(np.nanmedian(palm_length(clip[seen]))), 1e-6)
    placed: FloatArray = (moments - np.nanmean(moments[:1, :, :1], axis=1, keepdims=True)) / size
    return placed


def _median(hands: FloatArray) -> FloatArray:
    """Return the median over the first axis; a hand that is mostly missing is NaN."""
    rarely = np.isnan(hands).mean(axis=0) > 0.5
    median: FloatArray = np.nanmedian(np.where(rarely, 0, hands), axis=0)
    return np.where(rarely, np.float32(np.nan), median)


def _as_lists(hand: FloatArray) -> Any:
    rounded = np.round(hand.astype(np.float64), _DIGITS) + 0.0  # no -0.0
    lists = rounded.astype(object)
    lists[np.isnan(rounded)] = None
    return lists.tolist()
