"""Skeletons in metres, as depth cameras track them, become hands."""

from collections.abc import Sequence
from math import nan

import numpy as np

from handlore.landmarks.hands import Hand

from ._imported import Numbers, require_within
from .registry import LandmarkClip

FARTHEST = 100.0
"""Metres; no tracker sees a hand from there."""


def skeleton_clip(
    joints: Numbers, turn: Sequence[float], fps: float, *, handedness: float, sha256: str
) -> LandmarkClip:
    """Make a clip of tracked skeletons.

    Parameters
    ----------
    joints
        (n_frames, 21, 3) in MediaPipe's order, in metres; all zeros where there is no hand.
    turn
        The factors (3,), each 1 or -1, that turn the tracker's axes to x right, y down, z away
        as a camera in front of the person sees it, not mirrored.
    fps
        Frames a second.
    handedness
        1 for a right hand, 0 for a left one, NaN where it is not known.
    sha256
        Digest of what the joints were read from.
    """
    require_within(joints, FARTHEST, "metres")
    turned = (joints * turn).astype(np.float32)
    frames = [
        (number / fps, [skeleton_hand(hand, handedness)] if hand.any() else [])
        for number, hand in enumerate(turned)
    ]
    return LandmarkClip(sha256, frames)


def skeleton_hand(joints: np.ndarray, handedness: float = nan) -> Hand:
    """Return a hand: image in metres of the camera's frame, world about the mean of its joints."""
    return Hand(joints, joints - joints.mean(axis=0, dtype=np.float32), handedness)
