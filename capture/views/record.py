"""A recording session in a window: picture, labels and counts, and a tone for each cue."""

import sys
import time
from collections.abc import Sequence
from math import ceil
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.drawing import (
    AMBER,
    BLACK,
    BLUE,
    GREY,
    GROUND,
    ORANGE,
    RED,
    TEAL,
    WHITE,
    Color,
)
from handlore.landmarks.hands import Hand, Pixels

from ..recording.loop import Moment, Status
from ..recording.session import KEY_BINDINGS, State
from ..window import Drawn, Screen, Size
from .painting import (
    MARGIN,
    PANEL,
    Canvas,
    paint_camera_problem,
    paint_centered,
    paint_labels,
    paint_panel,
    paint_scene,
    paint_typing_or_help,
    paint_value,
    usual_size,
)

_TITLE = "handlore capture"
_BORDER = 6
_INSET = 180
"""Longer side of the camera's picture during a replay."""
_MOST_LINES = 4
"""Of a message."""
_COLORS = {State.IDLE: GREY, State.COUNTDOWN: AMBER, State.RECORDING: RED, State.REVIEW: TEAL}


def _draw_session(
    pixels: Pixels | None, hands: Sequence[Hand], status: Status, size: Size | None = None
) -> Drawn:
    """Draw the window; ``size`` is its width and height in pixels.

    ``pixels`` are (height, width, 3) RGB as the camera saw it; None while it gives no picture.
    """
    canvas = Canvas.blank(size or usual_size(pixels))
    picture, panel = canvas.beside_panel()
    if status.replay is None:
        paint_scene(picture, pixels, hands, mirrored=status.mirrored)
    else:
        _replay(picture, status.replay, pixels, hands, mirrored=status.mirrored)
    color = ORANGE if status.flagged or status.problem else _COLORS[status.state]
    if status.problem:
        paint_camera_problem(picture, status.problem, dim=pixels is not None)
    _state(picture, status, color)
    paint_typing_or_help(picture, status.typed, KEY_BINDINGS, show_help=status.help)
    if status.message and not (status.question and status.question in status.message):
        _message(picture, status.message)
    picture.frame(color, 2 * _BORDER)
    _paint_panel(panel, status, color)
    return canvas.drawn()


def _replay(
    picture: Canvas,
    replay: Moment,
    pixels: Pixels | None,
    hands: Sequence[Hand],
    *,
    mirrored: bool,
) -> None:
    """Show the recording that may be discarded, and the camera small in a corner."""
    paint_scene(picture, replay.pixels, replay.hands, mirrored=mirrored)
    top = 48  # below a message of one line
    picture.box((MARGIN, top, MARGIN + 84, top + 28), TEAL, 8)
    picture.text("replay", (MARGIN + 42, top + 14), 17, GROUND, bold=True, anchor="middle")
    if pixels is not None:
        share = _INSET / max(pixels.shape[:2])
        width, height = pixels.shape[1] * share, pixels.shape[0] * share
        right = picture.width - MARGIN
        box = (right - width, top, right, top + height)
        inset = picture.part(box)
        paint_scene(inset, pixels, hands, mirrored=mirrored)
        inset.frame(GROUND, 3)


def _state(picture: Canvas, status: Status, color: Color) -> None:
    width, height = picture.width, picture.height
    match status.state:
        case State.IDLE:
            _banner(picture, "space records", status.label, color)
        case State.COUNTDOWN:
            _banner(picture, "get ready", status.label, color)
            _countdown(picture, ceil((status.left or 0.0) - 1e-6), color)
        case State.RECORDING:
            action = "sampling" if status.pose else "recording"
            _banner(picture, f"{action}  {status.recorded:.1f} s", status.label, color, dot=True)
        case State.REVIEW if status.flagged:
            _banner(picture, status.question, status.label, color)
            _large_keys(picture, (("k", "keep"), ("u", "discard")))
        case State.REVIEW:
            _banner(picture, f"kept in {status.left or 0.0:.1f} s", status.label, color)
            _large_keys(picture, (("u", "discard"), ("k", "keep now")))
    if status.progress:
        right = _BORDER + (width - 2 * _BORDER) * min(1.0, status.progress)
        picture.box((_BORDER, height - 72, right, height - 66), color)
    coming = [f"{status.burst_left} more"] if status.burst_left else []
    coming += [f"next: {status.next_label}"] if status.next_label else []
    at, room = (width - MARGIN, height - 84), width / 2
    picture.text(", ".join(coming), at, 18, WHITE, anchor="right", width=room)


def _message(picture: Canvas, text: str) -> None:
    lines = picture.wrapped(text, 18, picture.width - 2 * MARGIN)[:_MOST_LINES]
    picture.shade((0, 0, picture.width, 16 + 25 * len(lines)), BLACK, 0.72)
    for number, line in enumerate(lines):
        paint_centered(picture, line, 22 + 25 * number, 18, WHITE)


def _banner(picture: Canvas, text: str, label: str, color: Color, *, dot: bool = False) -> None:
    width, height = picture.width, picture.height
    picture.shade((0, height - 66, width, height), BLACK, 0.62)
    middle, x = height - 36, MARGIN + _BORDER
    if dot:
        picture.dot((x + 8, middle), 9, color)
        x += 28
    x += picture.text(label, (x, middle), 26, WHITE, bold=True, width=width / 2) + 18
    shown = WHITE if color in (GREY, RED) else color
    picture.text(text, (x, middle), 18, shown, width=width - x - MARGIN)


def _countdown(picture: Canvas, number: int, color: Color) -> None:
    middle = (picture.width / 2, picture.height / 2 - 30)
    before = picture.pixels.copy()
    picture.dot(middle, 92, BLACK)
    cv2.addWeighted(picture.pixels, 0.55, before, 0.45, 0, dst=before)
    picture.pixels[:] = before
    picture.text(str(max(number, 1)), middle, 120, color, bold=True, anchor="middle")


def _large_keys(picture: Canvas, keys: Sequence[tuple[str, str]]) -> None:
    x, y = MARGIN + _BORDER, picture.height - 100
    for key, action in keys:
        picture.box((x, y - 19, x + 38, y + 19), WHITE, 8)
        picture.text(key, (x + 19, y), 22, GROUND, bold=True, anchor="middle")
        width = picture.text(action, (x + 50, y), 20, BLACK)
        picture.text(action, (x + 49, y - 1), 20, WHITE)
        picture.target((x, y - 19, x + 50 + width, y + 19), key)
        x += 84 + width


def _paint_panel(panel: Canvas, status: Status, color: Color) -> None:
    heading = {State.IDLE: "ready", State.REVIEW: "review"}.get(status.state, status.state.value)
    heading = "decide" if status.flagged else "no camera" if status.problem else heading
    paint_panel(panel, "space record   u undo   h help", (heading, color))
    rows = _rows(status)
    below = panel.height - 56 - 24 * len(rows)
    names, numbers = [name for name, _ in status.counts], [number for _, number in status.counts]
    advice = panel.wrapped(status.advice, 15, PANEL - 2 * MARGIN)[:3]
    bottom = below - 16 - 21 * len(advice)
    y = paint_labels(panel, names, status.label, 70, bottom, numbers) + 16
    for line in advice:
        panel.text(line, (MARGIN, y), 15, BLUE)
        y += 21
    for place, (name, value, shade_of_value) in enumerate(rows):
        paint_value(panel, name, value, shade_of_value, below + 24 * place)


def _rows(status: Status) -> list[tuple[str, str, Color]]:
    gone = status.problem is not None and not status.fps
    hand = "" if gone else "yes" if status.hand else "no"
    share = "" if status.share is None else f"{100 * status.share:.0f} %"
    rows = [
        ("hand", hand, TEAL if status.hand else ORANGE),
        ("hand in the last recording", share, WHITE),
        ("frames per second", f"{status.fps:.0f}" if status.fps else "", WHITE),
    ]
    unsaved = ("not written: k tries again", str(status.unsaved), ORANGE)
    return [unsaved, *rows] if status.unsaved else rows


class SessionWindow(Screen):
    """Shows a session, gives its keys, plays its cues unless it is ``quiet``."""

    def __init__(self, *, quiet: bool = False) -> None:
        super().__init__(_TITLE)
        self._quiet = quiet
        mixer = self._mixer = None if quiet else _open_mixer()
        self._sounds = {cue: mixer.Sound(_samples(cue)) for cue in _TONES} if mixer else {}

    def show(self, pixels: Pixels | None, hands: Sequence[Hand], status: Status) -> None:
        """Show the session after a frame; where drawing is slow, not after each."""
        drawn = self.draw(
            lambda size: _draw_session(pixels, hands, status, size),
            usual_size(pixels),
            full_screen=status.full_screen,
        )
        if drawn:
            self.set_title(f"{_TITLE} - {status.state.value} {status.label}")

    def say(self, text: str) -> None:
        """Do nothing: the picture contains the message."""

    def cue(self, what: str) -> None:
        """Play a tone; without sound the terminal's bell rings."""
        if what in self._sounds:
            self._sounds[what].play()
        elif not self._quiet:
            _bell()

    def close(self) -> None:
        """Close the window, after the last tone."""
        if self._mixer is not None:
            if self._mixer.get_busy():
                time.sleep(_LONGEST_TONE)
            self._mixer.quit()
        super().close()


_RATE = 16_000
_TONES = {"count": (660, 0.09), "go": (990, 0.22), "end": (520, 0.16), "flag": (220, 0.35)}
"""Hertz and seconds of each cue."""
_LONGEST_TONE = 0.35
"""Seconds."""


def _samples(cue: str) -> NDArray[np.int16]:
    """Return the tone of a cue at the rate of ``_RATE``."""
    hertz, seconds = _TONES[cue]
    k = np.arange(round(_RATE * seconds))
    # Faded in and out, or it clicks.
    loud = np.minimum(1, np.minimum(k / 160, (len(k) - k) / 800))
    return np.round(9000 * loud * np.sin(2 * np.pi * hertz * k / _RATE)).astype(np.int16)


def _open_mixer() -> Any:
    """Return the mixer of SDL; None if this computer plays no sound."""
    import pygame

    try:
        pygame.mixer.init(_RATE, -16, 1, allowedchanges=0)
    except (pygame.error, NotImplementedError):  # no device, or a build without sound
        return None
    return pygame.mixer


def _bell() -> None:
    if sys.stderr is not None and sys.stderr.isatty():
        sys.stderr.write("\a")
        sys.stderr.flush()
