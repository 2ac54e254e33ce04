"""The format ``.pose`` of the sign language community, version 0.2, one clip a file.

Specification: ``docs/specs/v0.2.md`` of sign-language-processing/pose. The header is some lines of
fixed layout, so it is written here; the library (pose-format) would bring tools for videos along.
"""

import struct
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import HAND_CONNECTIONS, HandLandmark

from ..dataset import LandmarkDataset

_VERSION = 0.2
_WIDTH = 1000
"""Pixels in a picture width; the format has pixels, a dataset has not."""

_COMPONENTS = ("LEFT_HAND_LANDMARKS", "RIGHT_HAND_LANDMARKS")
_COLOURS = ((0, 255, 0), (255, 128, 0))


def write_pose(dataset: LandmarkDataset, stream: BinaryIO) -> None:
    """Write the only clip of a dataset; the label is not in the format.

    Raises
    ------
    HandloreError
        If there are several clips, or its landmarks are in metres.
    """
    if dataset.n_samples != 1:
        raise HandloreError(
            f"a .pose file holds one clip, and the dataset has {dataset.n_samples}; choose one"
            " with --clip"
        )
    if dataset.header.image_unit != "width":
        raise HandloreError("a .pose file holds pixels of a picture, and the dataset has metres")
    points, confidence = _points(dataset)
    height = _WIDTH * max(1, int(np.ceil(points[..., 1].max(initial=0) / _WIDTH)))
    stream.write(struct.pack("<f4H", _VERSION, _WIDTH, min(height, 65535), 0, len(_COMPONENTS)))
    for name, colour in zip(_COMPONENTS, _COLOURS, strict=True):
        stream.write(_component(name, colour))
    stream.write(struct.pack("<fIH", _frame_rate(dataset), dataset.n_frames, 1))
    stream.write(points.astype("<f4").tobytes())
    stream.write(confidence.astype("<f4").tobytes())


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<H", len(data)) + data


def _component(name: str, colour: tuple[int, int, int]) -> bytes:
    counts = struct.pack("<3H", len(HandLandmark), len(HAND_CONNECTIONS), 1)
    limbs = [struct.pack("<2H", *limb) for limb in HAND_CONNECTIONS]
    points = [_text(one.name) for one in HandLandmark]
    painted = struct.pack("<3H", *colour)
    return b"".join([_text(name), _text("XYZC"), counts, *points, *limbs, painted])


def _points(dataset: LandmarkDataset) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (n_frames, 42, 3) pixels, and (n_frames, 42) confidence, 0 = not found."""
    points = np.zeros((dataset.n_frames, 2, 21, 3), np.float32)
    confidence = np.zeros((dataset.n_frames, 2, 21), np.float32)
    for slot in range(dataset.n_hands):
        right = dataset.handedness[:, slot] >= 0.5
        if dataset.n_hands == 2:
            right = np.full(dataset.n_frames, slot == 1)
        for side in (0, 1):
            rows = dataset.detected[:, slot] & (right == bool(side))
            points[rows, side] = np.nan_to_num(dataset.image[rows, slot]) * _WIDTH
            scores = dataset.score[rows, slot]
            confidence[rows, side] = np.where(np.isnan(scores), 1, scores)[:, None]
    return points.reshape(-1, 42, 3), confidence.reshape(-1, 42)


def _frame_rate(dataset: LandmarkDataset) -> float:
    steps = np.diff(dataset.time)
    return float(1 / np.median(steps)) if len(steps) and np.median(steps) > 0 else 30.0
