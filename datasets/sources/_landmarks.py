"""What the sources that bring landmarks share: damaged items, numbers in text, their options."""

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from math import nan
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.hands import Hand

from .base import Item, LandmarkClip, Source, files_of

Numbers = NDArray[np.float64]

MOST_FILES_SEEN = 50_000
"""How far a look at a folder goes that only has to say whether it has a layout."""

FRAME_RATE_HELP = "Frames a second that were recorded, default 30; sets the times."
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

    def ignored(self, root: Path) -> list[str]:
        """Name nothing: pictures beside landmarks are what the landmarks were made of."""
        return []

    def read(self, item: Item) -> LandmarkClip:
        """Read the landmarks of one item."""
        if isinstance(item, BadItem):
            raise InvalidDataError(item.reason)
        return self.read_landmarks(item)

    def read_landmarks(self, item: Item) -> LandmarkClip:
        """Read the landmarks of an item that is not known to be damaged."""
        raise NotImplementedError


def first_files(root: Path, ending: str) -> Iterator[tuple[str, Path]]:
    """Yield files with an ending, out of the first so many: enough to recognise a layout."""
    files = islice(files_of(root), MOST_FILES_SEEN)
    return ((name, path) for name, path in files if name.lower().endswith(ending))


def head_of(path: Path, n_bytes: int = 65536) -> bytes:
    """Return the start of a file, nothing where it cannot be read."""
    # Opening a pipe waits for somebody who writes into it.
    if not path.is_file():
        return b""
    try:
        with path.open("rb") as stream:
            return stream.read(n_bytes)
    except OSError:
        return b""


def bytes_of(path: Path) -> bytes:
    """Return a file's bytes; what goes wrong is damage of the data."""
    if path.exists() and not path.is_file():
        raise InvalidDataError("it is no regular file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidDataError(f"cannot be read: {error.strerror}") from error


def lines_of(path: Path) -> list[bytes]:
    """Return the lines of a text, without blank ones at its end.

    The last two files are kept, because the rows of one file are asked for one by one.
    """
    return _lines(path, *version_of(path))


def version_of(path: Path) -> tuple[int, int]:
    """Return size and time of a file: what was kept of another version must not be used."""
    try:
        stat = path.stat()
    except OSError as error:
        raise InvalidDataError(f"cannot be read: {error.strerror}") from error
    return stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=2)
def _lines(path: Path, _size: int, _time: int) -> list[bytes]:
    return lines_in(bytes_of(path))


def lines_in(data: bytes) -> list[bytes]:
    """Return the lines of a text, without blank ones at its end."""
    return data.removeprefix(b"\xef\xbb\xbf").rstrip().splitlines()


def number_rows(
    lines: Iterable[bytes], count: int, separator: bytes | None = None, *, first: int = 1
) -> Numbers:
    """Return the numbers in lines of text.

    Parameters
    ----------
    lines
        One row each.
    count
        How many numbers a row holds.
    separator
        What stands between them, and may stand at the end; None: blanks.
    first
        The number of the first line, for what is said about damage.

    Returns
    -------
    ndarray of shape (n_rows, count)
        Finite numbers.
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
        raise InvalidDataError(f"line {number} holds something else than finite numbers")
    return row


def require_within(values: Numbers, limit: float, expected: str) -> Numbers:
    """Return the values, unless one is not finite or beyond what can be.

    Raises
    ------
    InvalidDataError
        If so; the message says which and what was expected.
    """
    values = np.asarray(values, np.float64)
    wrong = values[~(np.abs(values) <= limit)]
    if wrong.size:
        raise InvalidDataError(f"a coordinate is {wrong[0]:g}, expected {expected}")
    return values


def require_frame_rate(frame_rate: float) -> float:
    """Return frames a second, unless they make no sense."""
    if not 0.001 <= frame_rate <= 100_000:
        raise HandloreError(f"--frame-rate is {frame_rate:g}, expected frames a second such as 30")
    return frame_rate


def height_in_widths(aspect: str) -> float:
    """Return H / W of an aspect given as W:H."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*:\s*(\d+(?:\.\d+)?)\s*", aspect, re.ASCII)
    width, height = (float(side) for side in match.groups()) if match else (0.0, 0.0)
    if not (width and height and 0.01 <= height / width <= 100):
        raise HandloreError(f"--aspect is {aspect!r}, expected width:height such as 4:3 or 16:9")
    return height / width


def sha256_of(*parts: bytes) -> str:
    """Return the digest of some bytes."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts 2 before 10."""
    words = re.findall(r"[0-9]+|[^0-9]+", name)
    # Digits are counted before they are compared: int() refuses more than 4300 of them.
    return tuple(
        (0, len(word.lstrip("0")), word.lstrip("0")) if "0" <= word[0] <= "9" else (1, 0, word)
        for word in words
    )


# Skeletons in metres, as depth cameras track them, become hands.


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
