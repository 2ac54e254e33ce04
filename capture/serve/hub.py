"""What the page shows, between one loop that must not wait and browsers that may be slow.

The loop leaves the newest frame and state here and goes on. Whoever asks gets the newest, or
waits for it; nobody has a queue of his own, so that a slow browser costs nothing but its thread.
"""

import secrets
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

Encode = Callable[[], bytes]
"""Makes the JPEG of a frame, when somebody wants to see it."""

MOST_EVENTS = 200
"""So many events of the past are kept for those who come later."""


class Hub:
    """The newest frame, the newest state, the last events."""

    def __init__(self) -> None:
        self.run = secrets.token_hex(4)
        """Tells this run from another: a page stays open while handlore is started anew."""
        self._changed = threading.Condition()
        self._encoding = threading.Lock()
        self._frame = 0
        self._encode: Encode | None = None
        self._jpeg: tuple[int, bytes] = (0, b"")
        self._state: tuple[int, dict[str, Any]] = (0, {})
        self._events: deque[tuple[int, dict[str, Any]]] = deque(maxlen=MOST_EVENTS)
        self._n_events = 0
        self._watching = 0
        self.closed = False

    @property
    def watched(self) -> bool:
        """Whether anybody waits for frames: else nobody needs to put any here."""
        return self._watching > 0

    def put(self, state: dict[str, Any], encode: Encode | None) -> None:
        """Leave the newest state and frame; what was not fetched is forgotten."""
        with self._changed:
            self._state = (self._state[0] + 1, state)
            if encode is not None:
                self._frame += 1
                self._encode = encode
            self._changed.notify_all()

    def log(self, event: dict[str, Any]) -> None:
        """Add a line to the log."""
        with self._changed:
            self._n_events += 1
            self._events.append((self._n_events, event))
            self._changed.notify_all()

    def close(self) -> None:
        """Send everybody home."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def news(
        self, state: int, event: int, seconds: float
    ) -> tuple[tuple[int, dict[str, Any]], list[tuple[int, dict[str, Any]]]]:
        """Wait for a state or events newer than those numbers.

        Returns
        -------
        The newest state with its number, and the events after ``event`` with theirs.
        """

        def any_news() -> bool:
            return self.closed or self._state[0] > state or self._n_events > event

        with self._changed:
            self._changed.wait_for(any_news, seconds)
            return self._state, [one for one in self._events if one[0] > event]

    def jpeg(self, after: int, seconds: float) -> tuple[int, bytes] | None:
        """Wait for a frame newer than ``after``; None if none comes, or nothing is left."""
        with self._changed:
            if after > self._frame:
                after = 0  # it is a number of a run before this one
            self._watching += 1
            try:
                there = self._changed.wait_for(lambda: self.closed or self._frame > after, seconds)
            finally:
                self._watching -= 1
            number, encode = self._frame, self._encode
        if not there or self.closed or encode is None:
            return None
        # Several who watch share one picture.
        with self._encoding:
            if self._jpeg[0] < number:
                self._jpeg = (number, encode())
            return self._jpeg
