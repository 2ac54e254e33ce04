"""A review in a terminal, for machines without a display: the hands in dots, and what is known."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.recordings import RecordingEntry
from handlore.landmarks.drawing import BLACK, WHITE, draw_outline, fitted
from handlore.landmarks.hands import Pixels
from handlore.landmarks.untrusted import printable

from ..keys import Keys
from ..review import KEY_BINDINGS, Review
from .review import frame_at
from .status_line import cut, terminal_size, typed_line

_KEYS = "n right, next  p previous  u discard  k restore  + new label  h help  q quit"
_LEAST_WAIT = 0.08
"""Seconds between two pictures, which may have to go over a network."""
_MOST_COLUMNS, _MOST_ROWS = 60, 16
"""Of the picture."""
_BRAILLE = (
    np.array([[1, 8], [2, 16], [4, 32], [64, 128]]),
    [" ", *map(chr, range(0x2801, 0x2900))],
)
_PLAIN = (np.array([[1], [2]]), " '.:")
"""Dots of a character with the bits of its number, and the characters. The console of Linux has no
Braille."""


class ReviewTerminal:
    """Shows a review in a terminal; the keys come from elsewhere."""

    def __init__(self, keys: Keys, stream: TextIO | None = None) -> None:
        self.pressed = keys.pressed
        self._stream = stream or sys.stderr
        self._shown: list[str] = []
        self._state: Review | None = None
        self._at = 0.0
        self._picture = _BRAILLE if _has_braille(self._stream) else _PLAIN

    def show(self, state: Review, recording: LandmarkDataset | None, now: float) -> None:
        """Show a recording at a time, over what was shown before."""
        if state == self._state and now - self._at < _LEAST_WAIT:
            return
        self._state, self._at = state, now
        columns, rows = terminal_size(self._stream)
        lines = [cut(line, columns - 1) for line in self._lines(state, recording, columns - 1)]
        size = min(columns - 1, _MOST_COLUMNS), min(rows - len(lines) - 2, _MOST_ROWS)
        lines[2:2] = [] if state.help else self._dots(state, recording, now, size)
        # The last line is what is typed, or the answer to it: it is one of however few.
        above = max(rows - 2, 0)
        self._write([*lines[:above], *lines[above:][-1:]])

    def _lines(
        self, state: Review, recording: LandmarkDataset | None, columns: int
    ) -> Iterator[str]:
        """Yield all but the picture."""
        entry = state.entry
        gone = "DISCARDED" if entry.discarded else ""
        place = f"{state.at + 1} of {len(state.entries)}"
        yield "   ".join(filter(None, (place, printable(entry.label), gone, _facts(entry))))
        yield _recognised(entry) if recording is not None else "this file can no longer be read"
        if state.help:
            yield from (f"{keys:>10}  {action}" for keys, action in KEY_BINDINGS)
        *others, none = map(printable, state.labels)
        yield "   ".join([*(f"{k} {label}" for k, label in enumerate(others[:9], 1)), f"0 {none}"])
        yield _KEYS
        typed = "" if state.typed is None else typed_line(printable(state.typed), columns)
        yield typed or printable(state.message)

    def _dots(
        self, state: Review, recording: LandmarkDataset | None, now: float, size: tuple[int, int]
    ) -> list[str]:
        """Return the hands at a time as lines of text."""
        weights, characters = self._picture
        (columns, rows), (high, wide) = size, weights.shape
        if recording is None or not recording.detected.any() or min(size) < 4:
            return []
        drawn = _drawn(recording, frame_at(recording, state, now), (columns * wide, rows * high))
        cells = drawn.reshape(rows, high, columns, wide)
        numbers = np.einsum("rhcw,hw->rc", cells.astype(int), weights)
        return ["".join(characters[k] for k in row).rstrip() for row in numbers]

    def _write(self, lines: Sequence[str]) -> None:
        if lines != self._shown:
            up = f"\x1b[{len(self._shown)}A" if self._shown else ""
            self._stream.write(up + "".join(f"\r\x1b[K{line}\n" for line in lines) + "\x1b[J")
            self._stream.flush()
            self._shown = list(lines)


def _has_braille(stream: TextIO) -> bool:
    try:
        _BRAILLE[1][255].encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return os.environ.get("TERM") != "linux"


def _facts(entry: RecordingEntry) -> str:
    length = f"{entry.seconds:.1f} s, hand in {entry.share_with_hand:.0%}"
    of = printable(" ".join(filter(None, (entry.session, entry.subject))))
    return "   ".join(filter(None, (f"recording {entry.number}", length, of)))


def _recognised(entry: RecordingEntry) -> str:
    if not entry.recognised:
        return ""
    share = "" if entry.probability is None else f", {entry.probability:.0%}"
    at = f", at {printable(entry.recognised_at)}" if entry.recognised_at else ""
    return f"recognised as {printable(entry.recognised)}{share}{at}"


def _drawn(recording: LandmarkDataset, frame: int, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which dots (height, width) the hands of a frame cover."""
    width, height = size
    pixels: Pixels = np.zeros((height, width, 3), np.uint8)
    points = fitted(recording.image[..., :2], width, height, 1)
    for slot in np.flatnonzero(recording.detected[frame]):
        draw_outline(pixels, points[frame, slot], WHITE, BLACK, 1)
    return np.asarray(pixels[..., 0] > 96)
