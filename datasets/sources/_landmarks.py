"""What the sources with landmarks share: damaged items, numbers in text, options, skeletons."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import HandloreError, InvalidDataError, OptionError
from handlore.landmarks.hands import Hand

from ..files import file_stamp, files_of, read_bytes
from ..tables.units import height_in_widths
from .base import Item, LandmarkClip, Source

Numbers = NDArray[np.float64]

_MAX_FILES_SEEN = 50_000
"""How many names are listed to recognise a layout."""

FRAME_RATE_HELP = "Frames per second of the recordings, default 30; sets the times."
ASPECT_HELP = "Aspect W:H of the pictures the landmarks were found in, default 4:3."

_SPACES = b" \t\r\n"


@dataclass(frozen=True)
class BadItem(Item):
    """An item that is known to be damaged when it is listed; it is counted as a failure."""

    reason: str = ""


@dataclass(frozen=True)
class LandmarkSource(Source):
    """A source of landmarks instead of pictures."""

    brings_landmarks: ClassVar[bool] = True
    specificity: ClassVar[int] = 10

    def read(self, item: Item) -> LandmarkClip:
        """Read the landmarks of one item."""
        if isinstance(item, BadItem):
            raise InvalidDataError(item.reason)
        return self.read_landmarks(item)

    def read_landmarks(self, item: Item) -> LandmarkClip:
        """Read the landmarks of an item that is not known to be damaged."""
        raise NotImplementedError


def first_files(root: Path, ending: str) -> Iterator[tuple[str, Path]]:
    """Yield the files with an ending among the first ones: enough to recognise a layout."""
    files = islice(files_of(root), _MAX_FILES_SEEN)
    return ((name, path) for name, path in files if name.lower().endswith(ending))


def lines_of(path: Path) -> list[bytes]:
    """Return the lines of a text file, without blank ones at its end.

    The last two files are kept in memory, because the rows of one file are read one by one.
    """
    return _lines(path, file_stamp(path))


@lru_cache(maxsize=2)
def _lines(path: Path, _stamp: tuple[int, int]) -> list[bytes]:
    return lines_in(read_bytes(path))


def lines_in(data: bytes) -> list[bytes]:
    """Return the lines of a text, without blank ones at its end."""
    return data.removeprefix(b"\xef\xbb\xbf").rstrip().splitlines()


def number_rows(
    lines: Iterable[bytes], count: int, separator: bytes | None = None, *, first: int = 1
) -> Numbers:
    """Return the finite numbers (n_rows, count) in lines of text, one row each.

    The separator between them may also be at the end; None: blanks. ``first`` is the number of the
    first line, for error messages.
    """
    rows = [_row(line, count, separator, number) for number, line in enumerate(lines, first)]
    return np.array(rows, np.float64).reshape(-1, count)


def _row(line: bytes, count: int, separator: bytes | None, number: int) -> list[float]:
    line = line.strip(_SPACES + (separator or b""))
    words = line.split(separator) if line else []
    if len(words) != count:
        raise InvalidDataError(f"line {number} has {len(words)} numbers, expected {count}")
    try:
        # Python would read 1_0 as ten.
        row = [math.nan if b"_" in word else float(word) for word in words]
    except ValueError:
        row = [math.nan]
    if not all(map(math.isfinite, row)):
        raise InvalidDataError(f"line {number} must hold finite numbers only")
    return row


def require_within(values: Numbers, limit: float, expected: str) -> Numbers:
    """Return the values, if all are finite and within a limit."""
    values = np.asarray(values, np.float64)
    wrong = values[~(np.abs(values) <= limit)]
    if wrong.size:
        raise InvalidDataError(f"a coordinate is {wrong[0]:g}, expected {expected}")
    return values


def require_frame_rate(frame_rate: float) -> float:
    """Return frames a second, if they are in a sensible range."""
    if not 0.001 <= frame_rate <= 100_000:
        raise OptionError(f"--frame-rate is {frame_rate:g}, expected frames a second such as 30")
    return frame_rate


def require_aspect(aspect: str) -> None:
    """Refuse an aspect that is not W:H."""
    try:
        height_in_widths(aspect)
    except HandloreError as error:
        raise OptionError(str(error)) from error


_FARTHEST = 100.0
"""Metres; no tracker sees a hand from there."""


def skeleton_clip(
    joints: Numbers, turn: Sequence[float], fps: float, *, handedness: float, sha256: str
) -> LandmarkClip:
    """Make a clip of tracked skeletons, all of one side.

    The joints (n_frames, 21, 3) are in MediaPipe's order, in metres; all zeros where there is no
    hand. The factors of ``turn`` (3,), each 1 or -1, turn the tracker's axes to x right, y down, z
    away as a camera in front of the person sees it, not mirrored. World landmarks are about the
    mean of the joints.
    """
    require_within(joints, _FARTHEST, "metres")
    turned = (joints * turn).astype(np.float32)
    frames = []
    for number, image in enumerate(turned):
        world = image - image.mean(axis=0, dtype=np.float32)
        hands = [Hand(image, world, handedness)] if image.any() else []
        frames.append((number / fps, hands))
    return LandmarkClip(sha256, frames)
