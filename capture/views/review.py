"""A review: recordings played as videos or drawn hands, and what is known of them.

:class:`ReviewWindow` is for a display, :class:`ReviewTerminal` for machines without one, with the
hands in dots.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TextIO

import cv2
import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.recorded import RecordingEntry
from handlore.datasets.videos import read_video
from handlore.landmarks.drawing import (
    BLACK,
    ORANGE,
    PALM,
    RED,
    TEAL,
    WHITE,
    Color,
    Points,
    color_at,
    draw_hand,
    draw_outline,
    draw_path,
    fitted,
)
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Pixels
from handlore.landmarks.untrusted import printable

from ..keys import Keys
from ..review import KEY_BINDINGS, Review
from ..window import Drawn, Screen, Size
from .painting import (
    HEIGHT,
    MARGIN,
    PANEL,
    Canvas,
    fitting_part,
    paint_centered,
    paint_labels,
    paint_panel,
    paint_typing_or_help,
    paint_value,
)
from .status_line import cut, terminal_size, typed_line

TITLE = "handlore review"
USUAL_SIZE: Size = (760 + PANEL, HEIGHT)
_BANNER = 70
"""Height of the banner along the lower edge of the picture, in units."""
_FEW_HANDS = 0.8
"""A smaller share of frames with a hand is marked."""
_MOST_POINTS = 300


def _draw_review(
    state: Review,
    recording: LandmarkDataset | None,
    now: float,
    film: Callable[[int], Pixels | None] = lambda frame: None,
    size: Size | None = None,
) -> Drawn:
    """Draw the window at a time of the state's clock; ``size`` is its width and height in pixels.

    The recording is None if it cannot be read. ``film`` returns a frame of its video
    (height, width, 3), if there is one, on which the hands are drawn then.
    """
    canvas = Canvas.blank(size or USUAL_SIZE)
    picture, panel = canvas.beside_panel()
    if recording is None:
        paint_centered(picture, "this file can no longer be read", _middle(picture), 22, ORANGE)
    else:
        frame = _frame_at(recording, state, now)
        pixels = film(frame)
        if pixels is not None:
            _show(picture, pixels, recording, frame)
        elif recording.detected.any():
            _play(picture, recording, frame)
        if not recording.detected.any():
            paint_centered(picture, "no hand in this recording", _middle(picture), 22, ORANGE)
    _banner(picture, state, now)
    if state.entry.discarded:
        picture.frame(RED, 8)
    paint_typing_or_help(picture, state.typed, KEY_BINDINGS, show_help=state.help)
    _paint_panel(panel, state)
    return canvas.drawn()


def _middle(picture: Canvas) -> float:
    return picture.height / 2 - 35


def _frame_at(recording: LandmarkDataset, state: Review, now: float) -> int:
    """Return the number of the frame to show; those of a pose are spread evenly."""
    seconds = state.seconds(now)
    if recording.header.kind == "pose":
        share = seconds / state.entry.seconds if state.entry.seconds > 0 else 1.0
        return round(share * (recording.n_frames - 1))
    time = recording.time[0] + seconds + 1e-9
    return max(0, int(np.searchsorted(recording.time, time, side="right")) - 1)


def _show(picture: Canvas, pixels: Pixels, recording: LandmarkDataset, frame: int) -> None:
    """Show a frame of the video with its hands."""
    above = picture.part((0, 0, picture.width, picture.height - _BANNER))
    part = fitting_part(above.pixels, pixels)
    shown = np.asarray(cv2.resize(pixels, part.shape[1::-1]), np.uint8)
    for image in recording.image[frame]:
        draw_hand(shown, image)
    part[:] = shown


def _play(picture: Canvas, recording: LandmarkDataset, frame: int) -> None:
    """Draw the hands of a frame, and their paths up to it."""
    height, width = picture.pixels.shape[:2]
    banner, margin, thin, thick = picture.px(_BANNER, 40, 2, 5)
    points = fitted(recording.image[..., :2], width, height - banner, margin)
    for slot in range(recording.n_hands):
        seen = np.flatnonzero(recording.detected[:, slot])
        frames = seen[seen <= frame]
        if recording.header.kind == "sequence" and len(frames):
            thicknesses = (max(thin, 1), max(thick, 1))
            _paths(picture.pixels, points[:, slot], frames, recording.n_frames, thicknesses)
        if recording.detected[frame, slot]:
            color = color_at(frame / max(recording.n_frames - 1, 1), dark=True)
            draw_outline(picture.pixels, points[frame, slot], color, BLACK, max(thick - 1, 1))


def _paths(
    picture: Pixels, hand: Points, frames: np.ndarray, n_frames: int, thick: tuple[int, int]
) -> None:
    frames = frames[-_MOST_POINTS:]
    share = frames / max(n_frames - 1, 1)
    palm = hand[frames][:, PALM].mean(axis=1)
    draw_path(picture, hand[frames, 0], share, frames, thick[0], dark=True)
    draw_path(picture, palm, share, frames, thick[1], dark=True)


def _banner(picture: Canvas, state: Review, now: float) -> None:
    """Write the label and the last message along the lower edge, with a bar for the time."""
    entry, (width, height) = state.entry, (picture.width, picture.height)
    middle = height - 36
    picture.shade((0, height - 66, width, height), BLACK, 0.62)
    share = state.seconds(now) / entry.seconds if entry.seconds > 0 else 1.0
    picture.box((0, height - _BANNER, width * share, height - 66), TEAL)
    at, room = (MARGIN, middle), width / 2
    x = MARGIN + 18 + picture.text(entry.label, at, 26, WHITE, bold=True, width=room)
    message = state.message or ("discarded: k restores it" if entry.discarded else "")
    color = RED if entry.discarded else TEAL
    picture.text(message, (x, middle), 18, color, width=width - x - MARGIN)


def _paint_panel(panel: Canvas, state: Review) -> None:
    entry = state.entry
    place = f"{state.at + 1} of {len(state.entries)}"
    paint_panel(panel, "n next   u discard   h help", (place, RED if entry.discarded else TEAL))
    share = entry.share_with_hand
    rows = (
        ("recording", str(entry.number), WHITE),
        ("seconds", f"{entry.seconds:.2f}", WHITE),
        ("frames", str(entry.n_frames), WHITE),
        ("with a hand", f"{share:.0%}", ORANGE if share < _FEW_HANDS else WHITE),
        ("subject", entry.subject, WHITE),
        ("session", entry.session, WHITE),
        ("camera", entry.camera, WHITE),
        *_event_rows(entry),
    )
    for number, (name, value, color) in enumerate(rows):
        paint_value(panel, name, value, color, 88 + 24 * number)
    top = 88 + 24 * len(rows)
    paint_labels(panel, state.labels, entry.label, top, panel.height - 64)


def _event_rows(entry: RecordingEntry) -> Iterator[tuple[str, str, Color]]:
    if entry.recognised:
        yield "recognised", entry.recognised, WHITE
    if entry.probability is not None:
        yield "probability", f"{entry.probability:.0%}", WHITE
    if entry.recognised_at:
        yield "at", entry.recognised_at, WHITE


class _Film:
    """The video of a recording, read frame by frame as it is played."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._frames: Iterator[tuple[float, Pixels]] = iter(())
        self._at = -1
        self._read: Pixels | None = None
        self._is_broken = False

    def __call__(self, frame: int) -> Pixels | None:
        """Return a frame by its number; None if it cannot be read."""
        try:
            if not self._is_broken:
                self._go_to(frame)
        except HandloreError:
            self._is_broken = True
        return None if self._is_broken else self._read

    def _go_to(self, frame: int) -> None:
        if frame < self._at or self._at < 0:
            self._frames, self._at = read_video(self._path)[0], -1
        while self._at < frame:
            following = next(self._frames, None)
            self._at += 1
            if following is not None:
                self._read = following[1]


class ReviewWindow(Screen):
    """Shows a review and gives its keys."""

    def __init__(self) -> None:
        super().__init__(TITLE)
        self._film: tuple[Path | None, Callable[[int], Pixels | None]] = (None, lambda frame: None)

    def show(self, state: Review, recording: LandmarkDataset | None, now: float) -> None:
        """Show a recording at a time."""
        path = state.entry.video
        if path != self._film[0]:
            self._film = (path, (lambda frame: None) if path is None else _Film(path))
        self.draw(
            lambda size: _draw_review(state, recording, now, self._film[1], size),
            USUAL_SIZE,
            full_screen=state.full_screen,
        )


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
        room = columns - 1
        parts = [wrap(line, max(room, 1)) or [""] for line in self._lines(state, recording, room)]
        lines = [cut(line, room) for part in parts for line in part]
        size = min(room, _MOST_COLUMNS), min(rows - len(lines) - 2, _MOST_ROWS)
        known = len(parts[0]) + len(parts[1])
        lines[known:known] = [] if state.help else self._dots(state, recording, now, size)
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
        drawn = _covered(recording, _frame_at(recording, state, now), (columns * wide, rows * high))
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


def _covered(recording: LandmarkDataset, frame: int, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which dots (height, width) the hands of a frame cover."""
    width, height = size
    pixels: Pixels = np.zeros((height, width, 3), np.uint8)
    points = fitted(recording.image[..., :2], width, height, 1)
    for slot in np.flatnonzero(recording.detected[frame]):
        draw_outline(pixels, points[frame, slot], WHITE, BLACK, 1)
    return np.asarray(pixels[..., 0] > 96)
