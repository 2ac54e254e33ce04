"""What is seen of live recognition: one moment, and those who show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter

import cv2
import numpy as np

from handlore.landmarks.drawing import (
    BLACK,
    GREY,
    GROUND,
    ORANGE,
    RAISED,
    TEAL,
    WHITE,
    draw_hands,
    draw_text,
    rounded,
    shade,
    wrap_text,
)
from handlore.landmarks.hands import Hand, Pixels
from handlore.models.stream.events import Event
from handlore.models.stream.recogniser import ModelState

from ..actions.runner import ActionResult
from ..keys import Keys
from ..window import Screen

MOST_BARS = 5


@dataclass(frozen=True, eq=False)
class LiveState:
    """What there is to see after a frame."""

    seconds: float
    """The time in the stream."""

    pixels: Pixels | None
    """(height, width, 3) RGB, not to be painted on; None while there is no camera."""

    hands: Sequence[Hand] = ()
    shown: Sequence[ModelState] = ()
    """What each model sees, the most telling first."""

    fps: float = 0.0
    latency: float = 0.0
    """Seconds from the picture to the decision."""

    trouble: str | None = None
    """What is wrong with the camera."""

    armed: bool | None = None
    """Whether actions are done; None where there is no arming gesture."""

    @property
    def label(self) -> str | None:
        """What is shown, if anything is."""
        return next((one.label for one in self.shown if one.label is not None), None)

    def bars(self) -> list[tuple[str, float]]:
        """Return the likeliest labels of all models with their probabilities."""
        told = [
            (label, float(probability))
            for one in self.shown
            if one.probabilities is not None
            for label, probability in zip(one.labels, one.probabilities, strict=True)
        ]
        return sorted(told, key=lambda bar: -bar[1])[:MOST_BARS]


class LiveView:
    """Shows what happens; this one shows nothing. All of it is called by one thread."""

    def show(self, moment: LiveState) -> None:
        """Show a moment."""

    def tell(self, event: Event) -> None:
        """Tell that something was recognised."""

    def tell_outcome(self, outcome: ActionResult) -> None:
        """Tell what became of an action."""

    def say(self, text: str) -> None:
        """Say a line that should not be missed."""

    def restart(self) -> None:
        """Take notice of a gap: what comes has nothing to do with what was."""

    def pressed(self) -> list[str]:
        """Return the keys pressed since the last call, see :mod:`..keyboard.keys`."""
        return []

    def key(self, key: str) -> None:
        """Take notice of a key that was pressed, wherever that was."""

    def close(self) -> None:
        """End."""


class KeysOnly(LiveView):
    """Keys of a terminal; shows nothing."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def pressed(self) -> list[str]:
        """Return the keys pressed since the last call."""
        return self._keys.pressed()


# What the window of live recognition shows: the picture with the hand, and what is made of it.


HEIGHT, PANEL = 600, 300
"""Height of the window and width of the panel beside the picture, in pixels."""

MARGIN = 20


def draw_live(moment: LiveState, told: str = "", *, mirrored: bool = True) -> Pixels:
    """Draw the window.

    Parameters
    ----------
    moment
        What there is to see.
    told
        What was told last, in a few words.
    mirrored
        Whether the picture is shown as a mirror would.

    Returns
    -------
    (:data:`HEIGHT`, width, 3) RGB.
    """
    picture = _scene(moment, mirrored=mirrored)
    if moment.trouble:
        _trouble(picture, moment.trouble)
    else:
        _label(picture, moment.label)
    return np.hstack([picture, _panel(moment, told)])


def _scene(moment: LiveState, *, mirrored: bool) -> Pixels:
    if moment.pixels is None:
        return np.full((HEIGHT, HEIGHT * 4 // 3, 3), GROUND, np.uint8)
    height, width = moment.pixels.shape[:2]
    size = (max(HEIGHT * 3 // 4, round(width * HEIGHT / height)), HEIGHT)
    scaled = cv2.resize(moment.pixels, size, interpolation=cv2.INTER_LINEAR)
    picture = np.asarray(cv2.flip(scaled, 1) if mirrored else scaled, np.uint8)
    draw_hands(picture, moment.hands, mirrored=mirrored)
    return picture


def _label(picture: Pixels, label: str | None) -> None:
    """Write what is shown along the lower edge."""
    if label is None:
        return
    height, width = picture.shape[:2]
    shade(picture, (0, height - 76), (width, height), BLACK, 0.62)
    draw_text(picture, label, (width // 2, height - 40), 38, TEAL, bold=True, anchor="middle",
          width=width - 2 * MARGIN)  # fmt: skip


def _trouble(picture: Pixels, words: str) -> None:
    height, width = picture.shape[:2]
    shade(picture, (0, 0), (width, height), BLACK, 0.6)
    draw_text(
        picture, "no picture", (width // 2, height // 3), 34, ORANGE, bold=True, anchor="middle"
    )
    for number, line in enumerate(wrap_text(words, 20, width - 4 * MARGIN)):
        at = (width // 2, height // 3 + 56 + 30 * number)
        draw_text(picture, line, at, 20, WHITE, anchor="middle")


def _panel(moment: LiveState, told: str) -> Pixels:
    panel = _ground().copy()
    y = 50
    for label, probability in moment.bars():
        _bar(panel, label, probability, y)
        y += 58
    if not moment.bars():
        words = "no hand" if not moment.hands else "…"
        draw_text(panel, words, (PANEL // 2, y), 20, GREY, anchor="middle")
    if told:
        draw_text(panel, "last event", (MARGIN, HEIGHT - 216), 15, GREY)
        draw_text(
            panel, told, (MARGIN, HEIGHT - 190), 20, WHITE, bold=True, width=PANEL - 2 * MARGIN
        )
    armed = {None: "", True: "armed", False: "not armed"}[moment.armed]
    rows = (
        ("actions", armed, TEAL if moment.armed else ORANGE),
        ("latency", f"{1000 * moment.latency:.0f} ms", WHITE),
        ("frames a second", f"{moment.fps:.0f}", WHITE),
    )
    y = HEIGHT - 136
    for name, value, color in rows:
        if value:
            draw_text(panel, name, (MARGIN, y), 15, GREY)
            draw_text(panel, value, (PANEL - MARGIN, y), 17, color, bold=True, anchor="right")
        y += 26
    return panel


def _bar(panel: Pixels, label: str, probability: float, y: int) -> None:
    """Draw a label with its probability, and a bar as long as that."""
    right = PANEL - MARGIN
    draw_text(panel, label, (MARGIN, y), 18, WHITE, width=right - MARGIN - 60)
    draw_text(panel, f"{100 * probability:.0f} %", (right, y), 17, GREY, anchor="right")
    rounded(panel, (MARGIN, y + 14), (right, y + 26), RAISED, 6)
    end = MARGIN + round(probability * (right - MARGIN))
    if end - MARGIN > 12:
        rounded(panel, (MARGIN, y + 14), (end, y + 26), TEAL, 6)


@lru_cache(1)
def _ground() -> Pixels:
    panel = np.full((HEIGHT, PANEL, 3), GROUND, np.uint8)
    cv2.line(panel, (MARGIN, HEIGHT - 54), (PANEL - MARGIN, HEIGHT - 54), RAISED, 2)
    draw_text(panel, "m mirror   q end", (PANEL // 2, HEIGHT - 30), 15, GREY, anchor="middle")
    return panel


# A window that shows live recognition, and takes its keys.


TITLE = "handlore live"

TOLD_SECONDS = 4.0
"""So long the last event is shown."""

LEAST_WAIT = 1 / 25
"""Seconds between two pictures: people see no more, and drawing costs as much as tracking."""


class LiveWindow(LiveView):
    """A window; like every :class:`.Screen`, for the main thread."""

    def __init__(self) -> None:
        self._mirrored = True
        self._told, self._told_at = "", 0.0
        self._screen = Screen(TITLE, LEAST_WAIT)

    def show(self, moment: LiveState) -> None:
        """Show a moment, unless the last one was shown just now."""
        told = self._told if perf_counter() - self._told_at < TOLD_SECONDS else ""
        self._screen.draw(lambda: draw_live(moment, told, mirrored=self._mirrored))

    def tell(self, event: Event) -> None:
        """Show what was recognised for a while."""
        self._told = f"{event.label}  {100 * event.probability:.0f} %"
        self._told_at = perf_counter()

    def pressed(self) -> list[str]:
        """Return the keys pressed in the window since the last call."""
        return self._screen.pressed()

    def key(self, key: str) -> None:
        """Mirror the picture with ``m``."""
        if key == "m":
            self._mirrored = not self._mirrored

    def close(self) -> None:
        """Close it."""
        self._screen.close()
