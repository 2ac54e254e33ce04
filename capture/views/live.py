"""Live recognition as it is shown: in a window, on a page in browsers, and line by line."""

import contextlib
import json
import sys
import time
from itertools import chain
from time import perf_counter
from typing import Any, TextIO

import cv2
import numpy as np

from handlore.datasets.kinds import SHORT_NAMES
from handlore.landmarks.drawing import (
    BLACK,
    GREY,
    ORANGE,
    RAISED,
    TEAL,
    WHITE,
    draw_hand_label,
    draw_hands,
)
from handlore.landmarks.files import naming_stdout
from handlore.landmarks.untrusted import printable_lines
from handlore.models.stream.events import Event

from ..actions.runner import ActionResult
from ..keys import FULL_SCREEN_KEYS
from ..live.loop import LiveState, LiveView, boottime
from ..serve.server import STATES_PER_SECOND, Hub
from ..window import Drawn, Screen, Size
from .painting import (
    MARGIN,
    PANEL,
    Canvas,
    paint_camera_problem,
    paint_centered,
    paint_panel,
    paint_scene,
    paint_value,
    usual_size,
)

_TITLE = "handlore live"
_EVENT_SECONDS = 4.0
"""How long the last event is shown."""
_LEAST_WAIT = 1 / 25
"""Seconds between two pictures: people see no more, and drawing costs as much as tracking."""


def _draw_live(
    state: LiveState, event: str = "", *, mirrored: bool = True, size: Size | None = None
) -> Drawn:
    """Draw the window, the last event in a few words; ``size`` is its width and height."""
    canvas = Canvas.blank(size or usual_size(state.pixels))
    picture, panel = canvas.beside_panel()
    paint_scene(picture, state.pixels, state.hands, mirrored=mirrored, labels=state.hand_labels())
    if state.problem:
        paint_camera_problem(picture, state.problem, dim=state.pixels is not None)
    elif state.label is not None:
        # Large, for somebody who stands back.
        picture.shade((0, picture.height - 76, picture.width, picture.height), BLACK, 0.62)
        paint_centered(picture, state.label, picture.height - 40, 38, TEAL, bold=True)
    _paint_panel(panel, state, event)
    return canvas.drawn()


def _paint_panel(panel: Canvas, state: LiveState, event: str) -> None:
    paint_panel(panel, "m mirror   f full screen   q quit")
    _paint_bars(panel, state)
    low = panel.height - 54
    if event:
        panel.text("last event", (MARGIN, low - 162), 15, GREY)
        at, room = (MARGIN, low - 136), PANEL - 2 * MARGIN
        panel.text(event, at, 20, WHITE, bold=True, width=room)
    if state.armed is not None:
        armed, color = ("armed", TEAL) if state.armed else ("not armed", ORANGE)
        paint_value(panel, "actions", armed, color, low - 82)
    paint_value(panel, "latency", f"{1000 * state.latency:.0f} ms", WHITE, low - 56)
    paint_value(panel, "frames per second", f"{state.fps:.0f}", WHITE, low - 30)


def _paint_bars(panel: Canvas, state: LiveState) -> None:
    y = 30
    kinds = {one.kind for one in state.models}
    for kind, heading in SHORT_NAMES.items():
        if kind not in kinds:
            continue
        bars = state.bars(kind)
        panel.text(heading, (MARGIN, y), 15, GREY, bold=True)
        if not bars:
            text = "no hand" if not state.hands else "…"
            panel.text(text, (PANEL - MARGIN, y), 15, GREY, anchor="right")
        for label, probability in bars:
            y += 36
            _paint_bar(panel, label, probability, y - 10)
        y += 40


def _paint_bar(panel: Canvas, label: str, probability: float, y: int) -> None:
    right = PANEL - MARGIN
    panel.text(label, (MARGIN, y), 17, WHITE, width=right - MARGIN - 60)
    panel.text(f"{100 * probability:.0f} %", (right, y), 16, GREY, anchor="right")
    panel.box((MARGIN, y + 13, right, y + 21), RAISED, 4)
    end = MARGIN + probability * (right - MARGIN)
    if end - MARGIN > 8:
        panel.box((MARGIN, y + 13, end, y + 21), TEAL, 4)


class LiveWindow(Screen, LiveView):
    """Shows live recognition and gives its keys."""

    def __init__(self) -> None:
        super().__init__(_TITLE, _LEAST_WAIT)
        self._mirrored = True
        self._full_screen = False
        self._event, self._event_at = "", 0.0

    def show(self, state: LiveState) -> None:
        """Show a frame, unless the last one was shown a moment ago."""
        event = self._event if perf_counter() - self._event_at < _EVENT_SECONDS else ""
        self.draw(
            lambda size: _draw_live(state, event, mirrored=self._mirrored, size=size),
            usual_size(state.pixels),
            full_screen=self._full_screen,
        )

    def on_event(self, event: Event) -> None:
        """Show an event for a few seconds."""
        self._event = f"{event.label}  {100 * event.probability:.0f} %"
        self._event_at = perf_counter()

    def on_key(self, key: str) -> None:
        """Mirror the picture with ``m``, fill the screen with ``f``."""
        if key == "m":
            self._mirrored = not self._mirrored
        elif key in FULL_SCREEN_KEYS:
            self._full_screen = not self._full_screen


_REPEATED_EVERY = 1.0
"""Seconds between two reports of an action that is called again and again while a pose is held."""

_MOST_LINES = 256
"""How many different lines are remembered, so that none is written again too soon."""


class _Repeats:
    """Says which results of actions are shown: of those that go on, one a second.

    The lines of ``say`` are all shown. A failure is shown although the same action, or another
    one, has just been done.
    """

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str], float] = {}

    def shows(self, result: ActionResult) -> bool:
        """Return whether a result is shown."""
        if result.event.type == "end" or result.state == "dry run":
            return True
        if result.action.kind.prints and result.state == "done":
            return True
        # What was done differs from call to call by the values of the hand.
        about = "" if result.state == "done" else f"{result.state}: {result.detail}"
        key, now = (result.action.name, about), result.event.end
        last = self._shown.get(key, -_REPEATED_EVERY)
        if result.event.type == "hold" and 0 <= now - last < _REPEATED_EVERY:
            return False
        if len(self._shown) >= _MOST_LINES:
            self._shown.clear()
        self._shown[key] = now
        return True


_WIDEST = 960
"""Pixels; a larger picture is scaled down."""
_QUALITY = 75


class PageView(LiveView):
    """Shows live recognition on a page."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._shown = 0.0
        self._repeats = _Repeats()

    def show(self, state: LiveState) -> None:
        """Publish a state, and its picture if a browser is connected."""
        now = boottime()
        watched = self._hub.watched and state.pixels is not None
        if not watched and now - self._shown < 1 / STATES_PER_SECOND:
            return
        self._shown = now
        # The thread that serves the picture draws and encodes it.
        self._hub.put(_state_of(state), (lambda: _jpeg_of(state)) if watched else None)

    def on_event(self, event: Event) -> None:
        """Add it to the log."""
        hand = f", {event.hand} hand" if event.hand else ""
        self._log("event", event.label, f"{100 * event.probability:.0f} %{hand}")

    def on_action(self, result: ActionResult) -> None:
        """Add it to the log."""
        if not self._repeats.shows(result):
            return
        kind = result.state.replace(" ", "-")
        self._log(kind, f"{result.action.name}: {result.state}", result.detail)

    def say(self, text: str) -> None:
        """Add it to the log."""
        self._log("message", text, "")

    def _log(self, kind: str, text: str, detail: str) -> None:
        # The time of day is for people only; nothing else depends on it.
        self._hub.log({"at": round(time.time(), 3), "kind": kind, "text": text, "detail": detail})


def _state_of(state: LiveState) -> dict[str, Any]:
    sides = [hand.side for hand in state.hands if hand.side]
    kinds = dict.fromkeys(one.kind for one in state.models)
    bars = {
        SHORT_NAMES[kind]: [[label, round(p, 3)] for label, p in state.bars(kind)] for kind in kinds
    }
    return {
        "label": state.label,
        "hand": " and ".join(sides) or None,
        "hands": len(state.hands),
        "fps": round(state.fps, 1),
        "latency_ms": round(1000 * state.latency, 1),
        "problem": state.problem,
        "armed": state.armed,
        "probabilities": sorted(chain(*bars.values()), key=lambda bar: -bar[1]),
        "bars": bars,
    }


def _jpeg_of(state: LiveState) -> bytes:
    pixels = state.pixels
    if pixels is None:
        return b""
    height, width = pixels.shape[:2]
    if width > _WIDEST:
        size = (_WIDEST, round(height * _WIDEST / width))
        picture = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    else:
        picture = pixels.copy()
    draw_hands(picture, state.hands)
    size = max(12, picture.shape[1] // 28)
    for hand, label in zip(state.hands, state.hand_labels(), strict=True):
        if label:
            draw_hand_label(picture, hand.image, label, size)
    bgr = np.ascontiguousarray(picture[..., ::-1])
    done, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return bytes(encoded) if done else b""


_REPEAT_AFTER = 60.0
"""The same line is not written again within this time; seconds."""


class Printer(LiveView):
    """Writes each event at once, so that another program can react to it.

    By default to stdout, and messages to stderr; if these are closed, nothing is written. With
    ``detailed`` a line also says whether the gesture starts, is held or ends, and since when.
    """

    def __init__(
        self,
        *,
        as_json: bool = False,
        detailed: bool = False,
        out: TextIO | None = None,
        log: TextIO | None = None,
    ) -> None:
        self._as_json = as_json
        self._detailed = detailed
        self._repeats = _Repeats()
        self._out: TextIO | None = out or sys.stdout
        # Not sys.stderr as it is now: it changes while native code is kept quiet.
        self._log = log
        self._written: dict[str, float] = {}

    def on_event(self, event: Event) -> None:
        """Write a line on stdout, or raise BrokenPipeError if nobody reads it any more."""
        if self._out is None:
            return
        with naming_stdout():
            self._out.write(f"{self._line(event)}\n")
            self._out.flush()

    def on_hold(self, event: Event) -> None:
        """Write a line on stdout that a pose is still held, or has ended."""
        self.on_event(event)

    def _line(self, event: Event) -> str:
        if self._as_json:
            return json.dumps(event.detailed()) if self._detailed else event.line()
        return _line_of(event, detailed=self._detailed)

    def on_action(self, result: ActionResult) -> None:
        """Write the result of an action on stderr."""
        if not self._repeats.shows(result):
            return
        name, end = result.action.name, result.event.end
        match result.state:
            case "done" | "dry run":
                prefix = "dry run: " if result.state == "dry run" else ""
                self.say(f"{end:9.2f}  {name}: {prefix}{result.detail}")
            case "failed":
                self._write_seldom(f"{name} failed: {result.detail}")
            case "skipped":
                self._write_seldom(f"{name} was skipped: {result.detail}")

    def say(self, text: str) -> None:
        """Write a message on stderr."""
        log: TextIO | None = self._log or sys.stderr
        if log is not None:
            # A full disk, or a closed pipe, does not end the recognition.
            with contextlib.suppress(OSError):
                log.write(f"{printable_lines(text)}\n")
                log.flush()

    def _write_seldom(self, line: str) -> None:
        now = boottime()
        if now - self._written.get(line, -_REPEAT_AFTER) < _REPEAT_AFTER:
            return
        if len(self._written) >= _MOST_LINES:
            self._written.clear()
        self._written[line] = now
        self.say(line)


def _line_of(event: Event, *, detailed: bool = False) -> str:
    hand = f"  {event.hand} hand" if event.hand else ""
    timed = f"  {event.type} {event.duration:.2f} s" if detailed else ""
    return f"{event.end:9.2f}  {event.label}  {100 * event.probability:.0f} %{hand}{timed}"
