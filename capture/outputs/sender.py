"""Sends landmarks and events to a receiver from a thread of its own, and never waits for it."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from math import inf
from queue import Empty, SimpleQueue
from time import monotonic

from handlore.models.stream.events import Event, Pace

from ..live.loop import LiveState, LiveView
from .base import EventMessage, LandmarkMessage, Message, Output, OutputError

MOST_EVENTS = 64
"""Most events that wait for a slow receiver; then the oldest one is dropped."""
RETRY_SECONDS = 1.0
"""Between two attempts to reach a receiver, and between two looks whether it is still there."""
STEADY_SECONDS = 3.0
"""How long a receiver that was lost must work until it is reported to be back: one that hangs takes
what fits into the buffers."""
_CLOSE_SECONDS = 1.0
"""How long the last messages may take."""


class Sender(LiveView):
    """A view that sends what it sees to one receiver.

    Of landmarks only the newest are kept for a slow receiver; events are sent before them, in their
    order. While a receiver is lost, everything for it is dropped: an event must not switch the
    light minutes later. A loss is one line, and so is its end.

    Parameters
    ----------
    output
        The receiver. It is opened, used and closed by the thread.
    say
        Receives a line; called by the thread of the loop.
    max_fps
        Most frames of landmarks a second, by their times.
    """

    def __init__(
        self, output: Output, say: Callable[[str], None] = lambda text: None, max_fps: float = inf
    ) -> None:
        self._output = output
        self._say = say
        self._pace = Pace(-inf, 1 / max_fps)
        self._lines: deque[str] = deque(maxlen=MOST_EVENTS)
        self._frames: deque[LandmarkMessage] = deque(maxlen=1)
        self._events: deque[EventMessage] = deque(maxlen=MOST_EVENTS)
        # Not a condition: the loop would wait for its lock, which the thread may hold while it
        # waits for its turn to run.
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._closing = threading.Event()
        self._open = False
        self._lost = False
        """Whether a loss was reported."""
        self._works_since: float | None = None
        name = f"send to {output.shown}"
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def show(self, state: LiveState) -> None:
        """Send the hands of a frame."""
        while self._lines:
            self._say(self._lines.popleft())
        if not self._output.takes_frames or not self._pace.due(state.seconds):
            return
        frame = LandmarkMessage.of(state)
        if frame is not None:
            self._frames.append(frame)
            self._notify()

    def on_event(self, event: Event) -> None:
        """Send an event."""
        self._events.append(EventMessage(event))
        self._notify()

    on_hold = on_event

    def close(self) -> None:
        """Send what is left, for a moment, and disconnect."""
        self._closing.set()
        self._notify()
        self._thread.join(_CLOSE_SECONDS)
        while self._lines:
            self._say(self._lines.popleft())

    def _notify(self) -> None:
        if self._wake.empty():
            self._wake.put(None)

    def _work(self) -> None:
        try:
            while (message := self._next()) is not None or not self._closing.is_set():
                self._try(message)
        finally:
            self._disconnect()

    def _next(self) -> Message | None:
        """Wait for a message, for a while."""
        if not self._events and not self._frames and not self._closing.is_set():
            with contextlib.suppress(Empty):
                self._wake.get(timeout=RETRY_SECONDS)
        if self._events:
            return self._events.popleft()
        return self._frames.pop() if self._frames else None

    def _try(self, message: Message | None) -> None:
        try:
            if not self._open:
                self._output.open()
                self._open = True
            if message is None:
                self._output.check()
            else:
                self._output.send(message)
        except OutputError as error:
            self._report_loss(str(error))
        except Exception as error:  # noqa: BLE001, one receiver must not end the recognition
            self._report_loss(f"{type(error).__name__}: {error}")
        else:
            # That a receiver of landmarks is there does not prove that it takes any.
            if message is not None or not self._output.takes_frames:
                self._report_return()

    def _report_return(self) -> None:
        now = monotonic()
        self._works_since = now if self._works_since is None else self._works_since
        if self._lost and now - self._works_since >= STEADY_SECONDS:
            self._lost = False
            self._lines.append(f"{self._output.shown} receives now")

    def _report_loss(self, why: str) -> None:
        self._works_since = None
        if not self._lost:
            self._lost = True
            self._lines.append(
                f"{self._output.shown} does not receive ({why}); what comes meanwhile is dropped"
            )
        self._disconnect()
        self._closing.wait(RETRY_SECONDS)
        self._events.clear()
        self._frames.clear()

    def _disconnect(self) -> None:
        self._open = False
        with contextlib.suppress(Exception):  # it is broken already
            self._output.close()
