"""The format ``.pose`` of the sign language community: version 0.2 out, 0.1 and 0.2 in.

One clip a file. Specification: ``docs/specs/v0.2.md`` of sign-language-processing/pose. The header
is some lines of fixed layout, so it is read and written here; the library (pose-format) would bring
tools for videos along.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.hands import HAND_CONNECTIONS, HandLandmark
from handlore.landmarks.untrusted import damage_as, printable

from ..dataset import LandmarkDataset
from ..files import read_bytes
from .rows import NumberTable, RawTable, Reader

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


def _pose_tables(path: Path, name: str) -> list[RawTable]:
    """Read the hands of the first person of a clip."""
    data = read_bytes(path)
    with damage_as("it is not a .pose file, or damaged"):
        reader = _PoseReader(data)
        version = round(reader.take("<f")[0], 3)
        if version not in (0.1, 0.2):
            raise InvalidDataError(
                f"it is a .pose file of version {version:g}, expected 0.1 or 0.2"
            )
        width, height, _, n_components = reader.take("<4H")
        components = [reader.component() for _ in range(n_components)]
        rate, points = _body(reader, version, components)
    texts = {
        "width": [str(width)] * len(points),
        "height": [str(height)] * len(points),
        "time": [repr(frame / rate) for frame in range(len(points))],
    }
    names = [f"{side}_{axis}{k}" for side in ("left", "right") for k in range(21) for axis in "xyz"]
    flat = points.reshape(len(points), -1)
    return [NumberTable.of(name, flat, texts, names=names, is_clip=True)]


@dataclass(frozen=True)
class _Component:
    name: str
    n_axes: int
    n_points: int


class _PoseReader:
    """Takes values off the bytes of a file, in order."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(layout, self.data, self.place)
        self.place += struct.calcsize(layout)
        return values

    def text(self) -> str:
        (size,) = self.take("<H")
        self.place += size
        return self.data[self.place - size : self.place].decode("utf-8", "backslashreplace")

    def component(self) -> _Component:
        name, form = self.text(), self.text()
        n_points, n_limbs, n_colours = self.take("<3H")
        for _ in range(n_points):
            self.text()
        self.place += 4 * n_limbs + 6 * n_colours
        return _Component(name, len(form) - 1, n_points)


def _body(
    reader: _PoseReader, version: float, components: Sequence[_Component]
) -> tuple[float, NDArray[np.float32]]:
    """Return frames a second, and (n_frames, 2, 21, 3) pixels, NaN where there is no hand."""
    rate, n_frames, n_people = reader.take("<fIH" if version == 0.2 else "<3H")
    n_axes = max((one.n_axes for one in components), default=0)
    n_points = sum(one.n_points for one in components)
    rest = np.frombuffer(reader.data, "<f4", offset=reader.place)
    a_frame = n_people * n_points * (n_axes + 1)
    if version == 0.1:  # whose number of frames is too small for long clips
        n_frames = len(rest) // max(a_frame, 1)
    if not 0 < n_frames * a_frame <= len(rest) or n_axes not in (2, 3) or not rate > 0:
        raise InvalidDataError(f"it declares {n_frames} frames, and holds less")
    size = n_frames * n_people * n_points
    points = rest[: size * n_axes].reshape(n_frames, n_people, n_points, n_axes)[:, 0]
    confidence = rest[size * n_axes : size * (n_axes + 1)].reshape(n_frames, n_people, -1)[:, 0]
    return float(rate), _hands_of(points, confidence, components)


def _hands_of(
    points: NDArray[Any], confidence: NDArray[Any], components: Sequence[_Component]
) -> NDArray[np.float32]:
    hands = np.full((len(points), 2, 21, 3), np.nan, np.float32)
    first, known = 0, False
    for one in components:
        rows = slice(first, first + one.n_points)
        if one.name in _COMPONENTS and one.n_points == 21:
            side, known = _COMPONENTS.index(one.name), True
            there = (confidence[:, rows] > 0).any(axis=1)
            hands[there, side, :, : one.n_axes] = points[there, rows, : one.n_axes]
        first += one.n_points
    if not known:
        names = ", ".join(printable(one.name) for one in components[:6])
        raise InvalidDataError(f"it has no hands of 21 landmarks, but {names or 'nothing'}")
    return hands


READERS: dict[str, Reader] = {".pose": _pose_tables}
