"""Live recognition on a page in browsers."""

import time
from typing import Any

import cv2
import numpy as np

from handlore.landmarks.drawing import draw_hands
from handlore.models.stream.events import Event

from ..actions.runner import ActionResult
from ..live.loop import LiveState, LiveView, boottime
from ..serve.server import STATES_PER_SECOND, Hub

_WIDEST = 960
"""Pixels; a larger picture is scaled down."""
QUALITY = 75


class PageView(LiveView):
    """Shows live recognition on a page."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._shown = 0.0

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
    return {
        "label": state.label,
        "hand": " and ".join(sides) or None,
        "hands": len(state.hands),
        "fps": round(state.fps, 1),
        "latency_ms": round(1000 * state.latency, 1),
        "problem": state.problem,
        "armed": state.armed,
        "probabilities": [[label, round(p, 3)] for label, p in state.bars()],
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
    bgr = np.ascontiguousarray(picture[..., ::-1])
    done, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return bytes(encoded) if done else b""
