"""A recording session in a window: picture, labels and counts, and a tone for each cue."""

import math
import shutil
import struct
import subprocess
import sys
import wave
from collections.abc import Callable, Sequence
from functools import lru_cache
from io import BytesIO
from math import ceil
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread

import cv2
import numpy as np

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
    draw_text,
    rounded,
    shade,
    wrap_text,
)
from handlore.landmarks.hands import Hand, Pixels

from ..recording.loop import Status
from ..recording.session import KEY_BINDINGS, State
from ..window import TYPING_WAIT, Screen
from .painting import (
    HEIGHT,
    MARGIN,
    PANEL,
    new_panel,
    paint_camera_problem,
    paint_centered,
    paint_labels,
    paint_scene,
    paint_typing_or_help,
    paint_value,
)

TITLE = "handlore capture"
_BORDER = 6
MOST_LINES = 4
"""Of a message."""
_COLORS = {State.IDLE: GREY, State.COUNTDOWN: AMBER, State.RECORDING: RED, State.REVIEW: TEAL}


def _draw_session(pixels: Pixels | None, hands: Sequence[Hand], status: Status) -> Pixels:
    """Draw the window, (:data:`~.painting.HEIGHT`, width, 3) RGB.

    ``pixels`` are (height, width, 3) RGB as the camera saw it; None while it gives no picture.
    """
    picture = paint_scene(pixels, hands, mirrored=status.mirrored)
    color = ORANGE if status.flagged or status.problem else _COLORS[status.state]
    if status.problem:
        paint_camera_problem(picture, status.problem, dim=pixels is not None)
    _state(picture, status, color)
    paint_typing_or_help(picture, status.typed, KEY_BINDINGS, show_help=status.help)
    if status.message and not (status.question and status.question in status.message):
        _message(picture, status.message)
    height, width = picture.shape[:2]
    cv2.rectangle(picture, (0, 0), (width - 1, height - 1), color, 2 * _BORDER)
    return np.hstack([picture, _panel(status, color)])


def _state(picture: Pixels, status: Status, color: Color) -> None:
    height, width = picture.shape[:2]
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
        right = _BORDER + round((width - 2 * _BORDER) * min(1.0, status.progress))
        cv2.rectangle(picture, (_BORDER, height - 72), (right, height - 66), color, -1)
    coming = [f"{status.burst_left} more"] if status.burst_left else []
    coming += [f"next: {status.next_label}"] if status.next_label else []
    at, room = (width - MARGIN, height - 84), width // 2
    draw_text(picture, ", ".join(coming), at, 18, WHITE, anchor="right", width=room)


def _message(picture: Pixels, text: str) -> None:
    width = picture.shape[1]
    lines = wrap_text(text, 18, width - 2 * MARGIN)[:MOST_LINES]
    shade(picture, (0, 0), (width, 16 + 25 * len(lines)), BLACK, 0.72)
    for number, line in enumerate(lines):
        paint_centered(picture, line, 22 + 25 * number, 18, WHITE)


def _banner(picture: Pixels, text: str, label: str, color: Color, *, dot: bool = False) -> None:
    height, width = picture.shape[:2]
    shade(picture, (0, height - 66), (width, height), BLACK, 0.62)
    middle, x = height - 36, MARGIN + _BORDER
    if dot:
        cv2.circle(picture, (x + 8, middle), 9, color, -1, cv2.LINE_AA)
        x += 28
    x += draw_text(picture, label, (x, middle), 26, WHITE, bold=True, width=width // 2) + 18
    shown = WHITE if color in (GREY, RED) else color
    draw_text(picture, text, (x, middle), 18, shown, width=width - x - MARGIN)


def _countdown(picture: Pixels, number: int, color: Color) -> None:
    height, width = picture.shape[:2]
    middle = (width // 2, height // 2 - 30)
    disc = picture.copy()
    cv2.circle(disc, middle, 92, BLACK, -1, cv2.LINE_AA)
    cv2.addWeighted(disc, 0.55, picture, 0.45, 0, dst=picture)
    draw_text(picture, str(max(number, 1)), middle, 120, color, bold=True, anchor="middle")


def _large_keys(picture: Pixels, keys: Sequence[tuple[str, str]]) -> None:
    x, y = MARGIN + _BORDER, picture.shape[0] - 100
    for key, action in keys:
        rounded(picture, (x, y - 19), (x + 38, y + 19), WHITE, 8)
        draw_text(picture, key, (x + 19, y), 22, GROUND, bold=True, anchor="middle")
        width = draw_text(picture, action, (x + 50, y), 20, BLACK)
        draw_text(picture, action, (x + 49, y - 1), 20, WHITE)
        x += 84 + width


def _panel(status: Status, color: Color) -> Pixels:
    heading = {State.IDLE: "ready", State.REVIEW: "review"}.get(status.state, status.state.value)
    heading = "decide" if status.flagged else "no camera" if status.problem else heading
    gone = status.problem is not None and not status.fps
    hand = "" if gone else "yes" if status.hand else "no"
    share = "" if status.share is None else f"{100 * status.share:.0f} %"
    rows = [
        ("hand", hand, TEAL if status.hand else ORANGE),
        ("hand in the last recording", share, WHITE),
        ("frames per second", f"{status.fps:.0f}" if status.fps else "", WHITE),
    ]
    if status.unsaved:
        rows.insert(0, ("not written: k tries again", str(status.unsaved), ORANGE))
    return _painted_panel((heading, color), status.counts, status.label, status.advice, tuple(rows))


@lru_cache(8)
def _painted_panel(
    heading: tuple[str, Color],
    counts: tuple[tuple[str, int], ...],
    label: str,
    advice: str,
    rows: tuple[tuple[str, str, Color], ...],
) -> Pixels:
    """Paint the panel; it seldom changes from one frame to the next."""
    panel = new_panel("space record   u undo   h help", heading)
    names, numbers = [name for name, _ in counts], [number for _, number in counts]
    y = paint_labels(panel, names, label, 88, numbers)
    for line in wrap_text(advice, 15, PANEL - 2 * MARGIN)[:3]:
        draw_text(panel, line, (MARGIN, y), 15, BLUE)
        y += 21
    y = HEIGHT - 56 - 24 * len(rows)
    for name, value, shade_of_value in rows:
        paint_value(panel, name, value, shade_of_value, y)
        y += 24
    panel.flags.writeable = False
    return panel


class SessionWindow(Screen):
    """Shows a session, gives its keys, plays its cues unless it is ``quiet``."""

    def __init__(self, *, quiet: bool = False) -> None:
        super().__init__(TITLE)
        self._sound = _Sound(quiet=quiet)

    def show(self, pixels: Pixels | None, hands: Sequence[Hand], status: Status) -> None:
        """Show the session after a frame; where drawing is slow, not after each."""
        wait = 0.0 if status.typed is None else TYPING_WAIT
        if self.draw(lambda: _draw_session(pixels, hands, status), wait):
            self.set_title(f"{TITLE} - {status.state.value} {status.label}")

    def say(self, text: str) -> None:
        """Do nothing: the picture contains the message."""

    def cue(self, what: str) -> None:
        """Play a tone."""
        self._sound.cue(what)

    def close(self) -> None:
        """Close the window and stop the sounds."""
        self._sound.close()
        super().close()


_RATE = 16_000
_TONES = {"count": (660, 0.09), "go": (990, 0.22), "end": (520, 0.16), "flag": (220, 0.35)}
"""Hertz and seconds of each cue."""
_PLAYERS = (("pw-play",), ("paplay",), ("aplay", "-q"), ("afplay",))
"""Programs that play a WAV file, on Linux and macOS."""


class _Sound:
    """Plays cues in its own thread; without a player the terminal's bell rings."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._cues: SimpleQueue[str | None] = SimpleQueue()
        self._quiet = quiet
        self._thread = Thread(target=self._work, name="handlore-sound", daemon=True)
        self._thread.start()

    def cue(self, what: str) -> None:
        self._cues.put(what)

    def close(self) -> None:
        self._cues.put(None)
        self._thread.join(1.0)

    def _work(self) -> None:
        with TemporaryDirectory(prefix="handlore-") as folder:
            play = (lambda cue: None) if self._quiet else _player(Path(folder))
            while (cue := self._cues.get()) is not None:
                play(cue)


def _tone(cue: str) -> bytes:
    """Return the tone of a cue as a WAV file."""
    hertz, seconds = _TONES[cue]
    n = round(_RATE * seconds)
    # Faded in and out, or it clicks.
    loud = [min(1.0, k / 160, (n - k) / 800) for k in range(n)]
    samples = [round(9000 * loud[k] * math.sin(2 * math.pi * hertz * k / _RATE)) for k in range(n)]
    file = BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_RATE)
        out.writeframes(struct.pack(f"<{n}h", *samples))
    return file.getvalue()


def _player(folder: Path) -> Callable[[str], None]:
    if sys.platform == "win32":
        import winsound

        return lambda cue: winsound.PlaySound(_tone(cue), winsound.SND_MEMORY)
    for command in _PLAYERS:
        if shutil.which(command[0]):
            for cue in _TONES:
                (folder / cue).write_bytes(_tone(cue))
            return lambda cue: _play([*command, str(folder / cue)])
    return lambda cue: _bell()


def _play(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, timeout=3, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return
    if done.returncode:
        _bell()


def _bell() -> None:
    if sys.stderr is not None and sys.stderr.isatty():
        sys.stderr.write("\a")
        sys.stderr.flush()
