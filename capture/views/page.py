"""Puts what happens onto the page."""

import time
from typing import Any

import cv2
import numpy as np

from handlore.landmarks.drawing import draw_hands
from handlore.models.stream.events import Event

from ..actions.runner import ActionResult
from ..live.loop import seconds
from ..serve.server import STATES_A_SECOND, Hub
from .live import LiveState, LiveView

WIDEST = 960
"""Pixels; a larger picture is sent smaller."""

QUALITY = 75


class PageView(LiveView):
    """Shows live recognition on a page.

    Parameters
    ----------
    hub
        What the page is served from.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._shown = 0.0

    def show(self, moment: LiveState) -> None:
        """Leave a moment for those who look, as often as they can see it."""
        now = seconds()
        watched = self._hub.watched and moment.pixels is not None
        if not watched and now - self._shown < 1 / STATES_A_SECOND:
            return
        self._shown = now
        # Drawn on and encoded by whoever asks for it.
        self._hub.put(state_of(moment), (lambda: jpeg_of(moment)) if watched else None)

    def tell(self, event: Event) -> None:
        """Add it to the log."""
        hand = f", {event.hand} hand" if event.hand else ""
        self._log("event", event.label, f"{100 * event.probability:.0f} %{hand}")

    def tell_outcome(self, outcome: ActionResult) -> None:
        """Add it to the log."""
        kind = outcome.state.replace(" ", "-")
        self._log(kind, f"{outcome.action.name}: {outcome.state}", outcome.detail)

    def say(self, text: str) -> None:
        """Add it to the log."""
        self._log("trouble", text, "")

    def _log(self, kind: str, text: str, detail: str) -> None:
        # The time of day is for people only; nothing is decided by it.
        self._hub.log({"at": round(time.time(), 3), "kind": kind, "text": text, "detail": detail})


def state_of(moment: LiveState) -> dict[str, Any]:
    """Return what the page shows beside the picture, as JSON types."""
    sides = [hand.side for hand in moment.hands if hand.side]
    return {
        "label": moment.label,
        "hand": " and ".join(sides) or None,
        "hands": len(moment.hands),
        "fps": round(moment.fps, 1),
        "latency_ms": round(1000 * moment.latency, 1),
        "trouble": moment.trouble,
        "armed": moment.armed,
        "probabilities": [[label, round(p, 3)] for label, p in moment.bars()],
    }


def jpeg_of(moment: LiveState) -> bytes:
    """Return the picture of a moment with the hands drawn in, as a JPEG."""
    pixels = moment.pixels
    if pixels is None:
        return b""
    height, width = pixels.shape[:2]
    if width > WIDEST:
        size = (WIDEST, round(height * WIDEST / width))
        picture = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    else:
        picture = pixels.copy()
    draw_hands(picture, moment.hands)
    bgr = np.ascontiguousarray(picture[..., ::-1])
    done, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return bytes(encoded) if done else b""
