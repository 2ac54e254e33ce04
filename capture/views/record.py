"""What the window of a session shows: the picture with the hand, and beside it what is known."""

from collections.abc import Sequence
from functools import lru_cache
from math import ceil
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from handlore.landmarks.drawing import (
    AMBER,
    BLACK,
    BLUE,
    GREY,
    GROUND,
    ORANGE,
    RAISED,
    RED,
    TEAL,
    WHITE,
    Color,
    draw_hands,
    draw_text,
    rounded,
    shade,
    wrap_text,
)
from handlore.landmarks.hands import Hand, Pixels

from ..keys import HELP
from ..recording.session import State
from ..recording.sound import Sound
from ..window import TYPING_WAIT, Screen, typing_hint
from .status import Status

HEIGHT = 600
PANEL = 300
"""Height of the window and width of the panel beside the picture, in pixels."""

BORDER = 6
ROW = 38
MOST_ROWS = 8
MARGIN = 20
MOST_LINES = 4


_COLORS = {
    State.IDLE: GREY,
    State.COUNTDOWN: AMBER,
    State.RECORDING: RED,
    State.REVIEW: TEAL,
}


def draw_preview(pixels: Pixels | None, hands: Sequence[Hand], status: Status) -> Pixels:
    """Draw the window.

    Parameters
    ----------
    pixels
        (height, width, 3) RGB as the camera saw it; None where it gives nothing.
    hands
        What was found in it.
    status
        Everything else.

    Returns
    -------
    (:data:`HEIGHT`, width, 3) RGB.
    """
    picture = _scene(pixels, hands, status)
    color = _color_of(status)
    if status.trouble:
        _trouble(picture, status.trouble, dark=pixels is None)
    _state(picture, status, color)
    if status.typed is not None:
        _typing(picture, status.typed)
    elif status.help:
        _help(picture)
    if status.message and not (status.question and status.question in status.message):
        _notice(picture, status.message)
    height, width = picture.shape[:2]
    cv2.rectangle(picture, (0, 0), (width - 1, height - 1), color, 2 * BORDER)
    return np.hstack([picture, _panel(status, color)])


def _color_of(status: Status) -> Color:
    if status.flagged or status.trouble:
        return ORANGE
    return _COLORS[status.state]


def _scene(pixels: Pixels | None, hands: Sequence[Hand], status: Status) -> Pixels:
    """Return the picture at the window's height, mirrored if wanted, with its hands."""
    if pixels is None:
        return np.full((HEIGHT, HEIGHT * 4 // 3, 3), GROUND, np.uint8)
    height, width = pixels.shape[:2]
    # A phone's upright picture would leave no room for words.
    size = (max(HEIGHT * 3 // 4, round(width * HEIGHT / height)), HEIGHT)
    scaled = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    picture = np.asarray(cv2.flip(scaled, 1) if status.mirrored else scaled, np.uint8)
    draw_hands(picture, hands, mirrored=status.mirrored)
    return picture


def _state(picture: Pixels, status: Status, color: Color) -> None:
    height, width = picture.shape[:2]
    match status.state:
        case State.IDLE:
            _banner(picture, "space records", status.label, color)
        case State.COUNTDOWN:
            _banner(picture, "get ready", status.label, color)
            _number(picture, ceil((status.left or 0.0) - 1e-6), color)
        case State.RECORDING:
            word = "sampling" if status.pose else "recording"
            _banner(picture, f"{word}  {status.recorded:.1f} s", status.label, color, dot=True)
        case State.REVIEW if status.flagged:
            _banner(picture, status.question, status.label, color)
            _keys(picture, (("k", "keep"), ("u", "discard")))
        case State.REVIEW:
            _banner(picture, f"kept in {status.left or 0.0:.1f} s", status.label, color)
            _keys(picture, (("u", "discard"), ("k", "keep now")))
    if status.length:
        _bar(picture, status.length, color)
    coming = [f"{status.burst_left} more"] if status.burst_left else []
    coming += [f"next: {status.next_label}"] if status.next_label else []
    draw_text(picture, ", ".join(coming), (width - MARGIN, height - 84), 18, WHITE, anchor="right",
          width=width // 2)  # fmt: skip


def _notice(picture: Pixels, words: str) -> None:
    """Write what was said last along the upper edge; it is never hidden."""
    width = picture.shape[1]
    lines = wrap_text(words, 18, width - 2 * MARGIN)[:MOST_LINES]
    shade(picture, (0, 0), (width, 16 + 25 * len(lines)), BLACK, 0.72)
    for number, line in enumerate(lines):
        draw_text(picture, line, (width // 2, 22 + 25 * number), 18, WHITE, anchor="middle",
              width=width - 2 * MARGIN)  # fmt: skip


def _banner(picture: Pixels, words: str, label: str, color: Color, *, dot: bool = False) -> None:
    """Write label and state along the lower edge."""
    height, width = picture.shape[:2]
    shade(picture, (0, height - 66), (width, height), BLACK, 0.62)
    middle, x = height - 36, MARGIN + BORDER
    if dot:
        cv2.circle(picture, (x + 8, middle), 9, color, -1, cv2.LINE_AA)
        x += 28
    x += draw_text(picture, label, (x, middle), 26, WHITE, bold=True, width=width // 2) + 18
    draw_text(picture, words, (x, middle), 18, WHITE if color in (GREY, RED) else color,
          width=width - x - MARGIN)  # fmt: skip


def _bar(picture: Pixels, share: float, color: Color) -> None:
    height, width = picture.shape[:2]
    right = BORDER + round((width - 2 * BORDER) * min(1.0, share))
    cv2.rectangle(picture, (BORDER, height - 72), (right, height - 66), color, -1)


def _number(picture: Pixels, number: int, color: Color) -> None:
    height, width = picture.shape[:2]
    middle = (width // 2, height // 2 - 30)
    disc = picture.copy()
    cv2.circle(disc, middle, 92, BLACK, -1, cv2.LINE_AA)
    cv2.addWeighted(disc, 0.55, picture, 0.45, 0, dst=picture)
    draw_text(picture, str(max(number, 1)), middle, 120, color, bold=True, anchor="middle")


def _keys(picture: Pixels, keys: Sequence[tuple[str, str]]) -> None:
    """Show large keys with what they do, above the banner."""
    x, y = MARGIN + BORDER, picture.shape[0] - 100
    for key, what in keys:
        rounded(picture, (x, y - 19), (x + 38, y + 19), WHITE, 8)
        draw_text(picture, key, (x + 19, y), 22, GROUND, bold=True, anchor="middle")
        width = draw_text(picture, what, (x + 50, y), 20, BLACK)
        draw_text(picture, what, (x + 49, y - 1), 20, WHITE)
        x += 50 + width + 34


def _trouble(picture: Pixels, words: str, *, dark: bool) -> None:
    height, width = picture.shape[:2]
    shade(picture, (0, 0), (width, height), BLACK, 0.0 if dark else 0.6)
    lines = wrap_text(words, 22, width - 6 * MARGIN)
    y = height // 2 - 16 * len(lines)
    draw_text(picture, "no picture", (width // 2, y - 30), 34, ORANGE, bold=True, anchor="middle")
    for number, line in enumerate(lines):
        draw_text(picture, line, (width // 2, y + 26 + 32 * number), 22, WHITE, anchor="middle")


def _typing(picture: Pixels, typed: str) -> None:
    height, width = picture.shape[:2]
    shade(picture, (0, 0), (width, height), BLACK, 0.55)
    y = height // 2
    draw_text(picture, "new label", (width // 2, y - 62), 20, GREY, anchor="middle")
    half = min(width // 2 - MARGIN, 260)
    rounded(picture, (width // 2 - half, y - 32), (width // 2 + half, y + 32), WHITE, 10)
    draw_text(picture, f"{typed}|", (width // 2, y), 28, GROUND, bold=True, anchor="middle",
          width=2 * half - MARGIN)  # fmt: skip
    draw_text(
        picture, "Enter adds it, Esc does not", (width // 2, y + 62), 18, WHITE, anchor="middle"
    )
    draw_text(picture, typing_hint(), (width // 2, y + 90), 15, GREY, anchor="middle")


def _help(picture: Pixels) -> None:
    height, width = picture.shape[:2]
    shade(picture, (0, 0), (width, height), BLACK, 0.72)
    y = height // 2 - 20 * len(HELP)
    for keys, what in HELP:
        draw_text(picture, keys, (width // 2 - 60, y), 21, TEAL, bold=True, anchor="right")
        draw_text(picture, what, (width // 2 - 36, y), 21, WHITE)
        y += 40


def _panel(status: Status, color: Color) -> Pixels:
    head = {State.IDLE: "ready", State.REVIEW: "review"}.get(status.state, status.state.value)
    word = "decide" if status.flagged else "no camera" if status.trouble else head
    gone = status.trouble is not None and not status.fps
    hand = "" if gone else "yes" if status.hand else "no"
    numbers = [
        ("hand", hand, TEAL if status.hand else ORANGE),
        ("hand in the last recording", _percent(status.share), WHITE),
        ("frames a second", f"{status.fps:.0f}" if status.fps else "", WHITE),
    ]
    if status.unsaved:
        numbers.insert(0, ("not written: k tries again", str(status.unsaved), ORANGE))
    return _painted_panel(word, color, status.counts, status.label, status.advice, tuple(numbers))


@lru_cache(8)
def _painted_panel(
    word: str,
    color: Color,
    counts: tuple[tuple[str, int], ...],
    label: str,
    advice: str,
    numbers: tuple[tuple[str, str, Color], ...],
) -> Pixels:
    """Paint the panel; it seldom changes from one frame to the next."""
    panel = np.full((HEIGHT, PANEL, 3), GROUND, np.uint8)
    rounded(panel, (MARGIN, 22), (PANEL - MARGIN, 60), color, 9)
    draw_text(panel, word, (PANEL // 2, 41), 20, GROUND, bold=True, anchor="middle")
    y = _labels(panel, counts, label, 88)
    for line in wrap_text(advice, 15, PANEL - 2 * MARGIN)[:3]:
        draw_text(panel, line, (MARGIN, y), 15, BLUE)
        y += 21
    y = HEIGHT - 56 - 24 * len(numbers)
    for name, value, shade_of_value in numbers:
        draw_text(panel, name, (MARGIN, y), 15, GREY)
        draw_text(panel, value, (PANEL - MARGIN, y), 16, shade_of_value, bold=True, anchor="right")
        y += 24
    cv2.line(panel, (MARGIN, HEIGHT - 54), (PANEL - MARGIN, HEIGHT - 54), RAISED, 2)
    draw_text(panel, "space record   u undo   h help", (PANEL // 2, HEIGHT - 30), 15, GREY,
          anchor="middle")  # fmt: skip
    panel.flags.writeable = False
    return panel


def _labels(panel: Pixels, counts: Sequence[tuple[str, int]], label: str, y: int) -> int:
    """List labels with their keys and counts, around the current one if there are many."""
    names = [name for name, _ in counts]
    here = names.index(label) if label in names else 0
    first = min(max(0, here - MOST_ROWS // 2), max(0, len(names) - MOST_ROWS))
    for place in range(first, min(first + MOST_ROWS, len(names))):
        name, count = counts[place]
        chosen = place == here
        if chosen:
            rounded(panel, (MARGIN - 8, y - 17), (PANEL - MARGIN + 8, y + 17), RAISED, 8)
        key = "0" if place == len(names) - 1 else str(place + 1) if place < 9 else ""
        draw_text(panel, key, (MARGIN + 8, y), 15, GREY, anchor="middle")
        draw_text(panel, name, (MARGIN + 30, y), 19, WHITE if chosen else GREY, bold=chosen,
              width=PANEL - 3 * MARGIN - 68)  # fmt: skip
        draw_text(panel, str(count), (PANEL - MARGIN - 4, y), 19, TEAL if count else GREY,
              bold=bool(count), anchor="right")  # fmt: skip
        y += ROW
    return y + 8


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


# A window: shows a session, and takes its keys.


class SessionWindow:
    """A window with sound; like every :class:`.Screen`, for the main thread. Use it with ``with``.

    Parameters
    ----------
    title
        Its name, and the beginning of its title; the rest of the title is the state.
    quiet
        Whether nothing is heard.
    """

    def __init__(self, title: str, *, quiet: bool = False) -> None:
        self._title = title
        self._sound = Sound(quiet=quiet)
        self._screen = Screen(title)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sound.close()
        self._screen.close()

    def show(self, pixels: Pixels | None, hands: Sequence[Hand], status: Status) -> None:
        """Show a moment of the session; where drawing is slow, not every one."""
        wait = 0.0 if status.typed is None else TYPING_WAIT
        if self._screen.draw(lambda: draw_preview(pixels, hands, status), wait):
            self._screen.entitle(f"{self._title} - {status.state.value} {status.label}")

    def picture(self, pixels: Pixels) -> None:
        """Show a picture (height, width, 3) RGB."""
        self._screen.show(pixels)

    def say(self, text: str) -> None:
        """Show a line; the picture carries it."""

    def cue(self, what: str) -> None:
        """Play a tone."""
        self._sound.cue(what)

    def pressed(self) -> list[str]:
        """Return the keys pressed in the window since the last call."""
        return self._screen.pressed()
