"""Live recognition in a window: the picture with the hand, and beside it the probabilities."""

from functools import lru_cache
from time import perf_counter

import numpy as np

from handlore.landmarks.drawing import (
    BLACK,
    GREY,
    ORANGE,
    RAISED,
    TEAL,
    WHITE,
    draw_text,
    rounded,
    shade,
)
from handlore.landmarks.hands import Pixels
from handlore.models.stream.events import Event

from ..live.loop import LiveState, LiveView
from ..window import Screen
from .painting import (
    HEIGHT,
    MARGIN,
    PANEL,
    new_panel,
    paint_camera_problem,
    paint_centered,
    paint_scene,
    paint_value,
)

TITLE = "handlore live"
_EVENT_SECONDS = 4.0
"""How long the last event is shown."""
_LEAST_WAIT = 1 / 25
"""Seconds between two pictures: people see no more, and drawing costs as much as tracking."""


def _draw_live(state: LiveState, event: str = "", *, mirrored: bool = True) -> Pixels:
    """Draw the window: the last event in a few words; (HEIGHT, width, 3) RGB."""
    picture = paint_scene(state.pixels, state.hands, mirrored=mirrored)
    if state.problem:
        paint_camera_problem(picture, state.problem, dim=state.pixels is not None)
    elif state.label is not None:
        height, width = picture.shape[:2]
        shade(picture, (0, height - 76), (width, height), BLACK, 0.62)
        paint_centered(picture, state.label, height - 40, 38, TEAL, bold=True)
    return np.hstack([picture, _panel(state, event)])


def _panel(state: LiveState, event: str) -> Pixels:
    panel = _empty_panel().copy()
    bars = state.bars()
    for number, (label, probability) in enumerate(bars):
        _bar(panel, label, probability, 50 + 58 * number)
    if not bars:
        text = "no hand" if not state.hands else "…"
        draw_text(panel, text, (PANEL // 2, 50), 20, GREY, anchor="middle")
    if event:
        draw_text(panel, "last event", (MARGIN, HEIGHT - 216), 15, GREY)
        at, room = (MARGIN, HEIGHT - 190), PANEL - 2 * MARGIN
        draw_text(panel, event, at, 20, WHITE, bold=True, width=room)
    if state.armed is not None:
        armed, color = ("armed", TEAL) if state.armed else ("not armed", ORANGE)
        paint_value(panel, "actions", armed, color, HEIGHT - 136)
    paint_value(panel, "latency", f"{1000 * state.latency:.0f} ms", WHITE, HEIGHT - 110)
    paint_value(panel, "frames per second", f"{state.fps:.0f}", WHITE, HEIGHT - 84)
    return panel


def _bar(panel: Pixels, label: str, probability: float, y: int) -> None:
    right = PANEL - MARGIN
    draw_text(panel, label, (MARGIN, y), 18, WHITE, width=right - MARGIN - 60)
    draw_text(panel, f"{100 * probability:.0f} %", (right, y), 17, GREY, anchor="right")
    rounded(panel, (MARGIN, y + 14), (right, y + 26), RAISED, 6)
    end = MARGIN + round(probability * (right - MARGIN))
    if end - MARGIN > 12:
        rounded(panel, (MARGIN, y + 14), (end, y + 26), TEAL, 6)


@lru_cache(1)
def _empty_panel() -> Pixels:
    return new_panel("m mirror   q quit")


class LiveWindow(Screen, LiveView):
    """Shows live recognition and gives its keys."""

    def __init__(self) -> None:
        super().__init__(TITLE, _LEAST_WAIT)
        self._mirrored = True
        self._event, self._event_at = "", 0.0

    def show(self, state: LiveState) -> None:
        """Show a frame, unless the last one was shown a moment ago."""
        event = self._event if perf_counter() - self._event_at < _EVENT_SECONDS else ""
        self.draw(lambda: _draw_live(state, event, mirrored=self._mirrored))

    def on_event(self, event: Event) -> None:
        """Show an event for a few seconds."""
        self._event = f"{event.label}  {100 * event.probability:.0f} %"
        self._event_at = perf_counter()

    def on_key(self, key: str) -> None:
        """Mirror the picture with ``m``."""
        if key == "m":
            self._mirrored = not self._mirrored
