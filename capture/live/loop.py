"""The loop of live recognition: frames of a camera in, events and actions out to the views."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

from handlore.datasets.dataset import NONE_LABEL
from handlore.datasets.kinds import Kind
from handlore.landmarks.detector import HandDetector
from handlore.landmarks.hands import Hand, Pixels, by_slot
from handlore.models.stream.events import Event, HoldFilter
from handlore.models.stream.recogniser import ModelState, Recogniser

from ..actions.file import ActionSet
from ..actions.runner import ActionResult, ActionRunner
from ..cameras import CameraFrame, Feed, FrameRate
from .limiter import RateLimiter

GAP = 2.0
"""Seconds without a frame after which earlier frames are forgotten."""
_WAIT = 0.1
"""How long to wait for a frame before keys and views get their turn; seconds."""
_GRACE = 2.0
"""How long the last actions may take after the loop has ended; seconds."""
_SLOW = 5.0
"""With fewer frames per second than this, gestures are missed."""
_MEASURED_OVER = 30
"""Frames over which the frame rate is measured."""
_QUIT_KEYS = ("q", "esc", "close")

_MOST_BARS = 4


@dataclass(frozen=True, eq=False)
class LiveState:
    """The state of live recognition after a frame."""

    seconds: float
    """Time in the stream."""
    pixels: Pixels | None
    """(height, width, 3) RGB, not to be changed; None while the camera gives no picture."""
    hands: Sequence[Hand] = ()
    models: Sequence[ModelState] = ()
    """What each model predicts, the one with the most to report first."""
    fps: float = 0.0
    latency: float = 0.0
    """Seconds from the picture to the decision."""
    problem: str | None = None
    """What is wrong with the camera."""
    armed: bool | None = None
    """Whether actions are run; None where the actions file names no arming gesture."""

    @property
    def label(self) -> str | None:
        """The recognised label, if any."""
        return next((one.label for one in self.models if one.label is not None), None)

    def bars(self, kind: Kind) -> list[tuple[str, float]]:
        """Return the most probable labels of models of a kind, with their probabilities.

        Of two hands the higher probability counts. ``none`` is no gesture.
        """
        best: dict[str, float] = {}
        for one in self.models:
            if one.kind == kind and one.probabilities is not None:
                for label, probability in zip(one.labels, one.probabilities, strict=True):
                    best[label] = max(best.get(label, 0.0), float(probability))
        best.pop(NONE_LABEL, None)
        return sorted(best.items(), key=lambda bar: -bar[1])[:_MOST_BARS]

    def hand_labels(self) -> list[str]:
        """Return what is recognised of each of :attr:`hands`; empty for nothing."""
        n_hands = max((one.slots.stop for one in self.models), default=1)
        slots = by_slot(self.hands, min(n_hands, 2))
        found: dict[int, str] = {}
        for one in self.models:
            for hand in (slots[slot] for slot in one.slots):
                if hand is not None and one.label is not None:
                    found.setdefault(id(hand), one.label)
        return [found.get(id(hand), "") for hand in self.hands]


class LiveView:
    """Takes part in a live run; this one ignores everything. All calls come from one thread."""

    def show(self, state: LiveState) -> None:
        """Show the state after a frame."""

    def on_event(self, event: Event) -> None:
        """Report the event of a gesture."""

    def on_hold(self, event: Event) -> None:
        """Report that a pose is still held, or has ended, if that was requested."""

    def on_action(self, result: ActionResult) -> None:
        """Report the result of an action."""

    def say(self, text: str) -> None:
        """Show a message."""

    def restart(self) -> None:
        """Forget what came before: there is a gap in the stream."""

    def pressed(self) -> list[str]:
        """Return the keys pressed since the last call, see :mod:`..keys`."""
        return []

    def on_key(self, key: str) -> None:
        """React to a key that was pressed in any view."""

    def close(self) -> None:
        """Close it."""


def boottime() -> float:
    """Return the seconds of a monotonic clock that also runs while the computer is suspended.

    Linux halts ``time.monotonic`` in suspend: the hand of the evening would be continued by that
    of the morning.
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


@dataclass
class _Timeline:
    """Turns the times of frames into one stream of strictly increasing times.

    The clock of a camera starts at any time, and again when the camera is reopened.
    """

    _frame: float | None = None
    _clock: float = 0.0
    _stream: float = 0.0
    _offset: float = 0.0
    """Time on the camera's clock at which the stream starts."""

    def place(self, frame: float, clock: float) -> tuple[float, bool]:
        """Return the time of a frame in the stream, and whether there was a gap before it.

        The stream starts at 0. ``frame`` is the time on the camera's clock, ``clock`` the time now
        by :func:`boottime`; all are seconds. A gap: the camera was lost, the computer was
        suspended, or a clock was set.
        """
        if self._frame is None:
            self._frame, self._clock, self._offset = frame, clock, frame
            return self._stream, False
        by_frame, by_clock = frame - self._frame, clock - self._clock
        # Frames of a file that is played faster than it was recorded are not late.
        gap = not 0 < by_frame <= GAP or by_clock > GAP
        if gap:
            self._offset = frame - self._stream - max(by_frame, by_clock, 0.001)
        # Not added up step by step: the times of a file remain exact.
        self._stream = frame - self._offset
        self._frame, self._clock = frame, clock
        return self._stream, gap


@dataclass
class LiveComponents:
    """The parts of a loop; tests replace them by fakes. The loop closes none of them."""

    feed: Feed
    detector: HandDetector
    recogniser: Recogniser
    views: Sequence[LiveView] = ()
    actions: ActionSet = field(default_factory=lambda: ActionSet(()))
    dry_run: bool = False
    limiter: RateLimiter = field(default_factory=RateLimiter)
    real_time: bool = True
    """Whether the camera shows what happens now; a file waits for the loop."""
    hold_interval: float | None = None
    """Seconds between the reports that a pose is still held; None: nothing of a held pose is
    reported."""
    clock: Callable[[], float] = boottime
    sleep: Callable[[float], None] = time.sleep


class LiveLoop:
    """Runs live recognition until the file in the camera's place ends or somebody quits."""

    def __init__(self, parts: LiveComponents) -> None:
        self._parts = parts
        self.ended = False
        self.frames = 0
        """Frames processed."""
        self.events = 0
        """Events reported."""
        self._results: deque[ActionResult] = deque()
        self.runner = ActionRunner(parts.actions, self._results.append, dry_run=parts.dry_run)
        interval = parts.hold_interval
        self._holds = None if interval is None else HoldFilter(interval)
        self._timeline = _Timeline()
        self._last_frame = -inf
        self._rate = FrameRate(_MEASURED_OVER)
        self._stream_rate = FrameRate(_MEASURED_OVER)
        """By the times of a file, however fast it is played."""
        self._measured_from = 0
        self._warned_slow = False
        self._problem: str | None = None
        self._behind = inf
        """The smallest difference seen between our clock and the camera's."""
        self._last = LiveState(0.0, None)

    def run(self) -> None:
        """Run to the end; the last actions may finish, unless it ends by an error."""
        grace = 0.0
        try:
            while not self.ended:
                self.step()
            for event in self._parts.recogniser.finish():
                self._report(event)
            grace = _GRACE
        finally:
            try:
                self._release()
            finally:
                self.runner.close(grace)
                self._report_results()

    def step(self) -> None:
        """Wait for the newest frame, process and show it, and rest."""
        frame = self._parts.feed.next(_WAIT)
        start = self._parts.clock()
        self._report_problem(frame)
        if frame is not None:
            self._process(frame, start)
        elif self._parts.feed.ended:
            self.ended = True
        else:
            self._wait_for_camera(start)
        self._report_results()
        self._take_keys()
        rest = self._parts.limiter.rest(start, self._parts.clock()) if frame is not None else 0.0
        if rest > 0:
            self._parts.sleep(rest)

    def _wait_for_camera(self, now: float) -> None:
        if self._problem is not None:
            self._show(LiveState(self._last.seconds, None, problem=self._problem))
        if now - self._last_frame > GAP:
            # Nobody sees any more whether the hand still holds its pose.
            self._last_frame = inf
            self._release()

    def _process(self, frame: CameraFrame, start: float) -> None:
        self._last_frame = start
        now = start if self._parts.real_time else frame.seconds
        seconds, gap = self._timeline.place(frame.seconds, now)
        # A file is one video, however long its gaps, as in a conversion.
        if gap and self._parts.real_time:
            self._restart()
        if gap:
            # The gap is not part of the frame rate.
            self._stream_rate, self._measured_from = FrameRate(_MEASURED_OVER), self.frames
        self.frames += 1
        self._rate.add(start)
        self._stream_rate.add(now)
        self._warn_if_slow()
        height, width = frame.pixels.shape[:2]
        self._parts.recogniser.aspect = height / width
        hands = self._parts.detector.track(frame.pixels, seconds)
        events = self._parts.recogniser.feed_hands(seconds, hands)
        latency = self._latency(frame, start)
        for event in events:
            self._report(event)
        self._show(self._state(seconds, frame, hands, latency))

    def _restart(self) -> None:
        """Forget everything after a lost camera or a suspended computer."""
        self._release()
        self._parts.detector.reset()
        self._parts.recogniser.reset()
        self.runner.gate.reset()
        self._behind = inf
        self._rate = FrameRate(_MEASURED_OVER)
        for view in self._parts.views:
            view.restart()

    def _latency(self, frame: CameraFrame, start: float) -> float:
        """Return how long ago the picture was taken, in seconds.

        The two clocks may differ by a constant: the frame with the smallest difference counts as
        not late. The frames of a file come when they are asked for.
        """
        work = self._parts.clock() - start
        if not self._parts.real_time:
            return work
        behind = start - frame.seconds
        self._behind = min(self._behind, behind)
        return behind - self._behind + work

    def _state(
        self, seconds: float, frame: CameraFrame, hands: Sequence[Hand], latency: float
    ) -> LiveState:
        armed = None if self._parts.actions.arming is None else self.runner.gate.armed(seconds)
        return LiveState(
            seconds,
            frame.pixels,
            hands,
            self._parts.recogniser.states,
            self._rate.fps,
            latency,
            self._problem,
            armed,
        )

    def _show(self, state: LiveState) -> None:
        self._last = state
        for view in self._parts.views:
            view.show(state)

    def _release(self) -> None:
        """End the poses that are held, so that nothing that an action has pressed stays so."""
        if self._parts.actions.holds or self._holds is not None:
            for event in self._parts.recogniser.finish():
                # What may still become a movement is not one.
                if not event.primary:
                    self._report(event)
        self.runner.release()

    def _report(self, event: Event) -> None:
        # Actions first: somebody waits for them.
        self.runner.submit(event)
        if event.primary:
            self.events += 1
            for view in self._parts.views:
                view.on_event(event)
        # The filter sees starts, too: it counts from them.
        if event.type == "hand" or self._holds is None or not self._holds.passes(event):
            return
        if not event.primary:
            for view in self._parts.views:
                view.on_hold(event)

    def _report_results(self) -> None:
        while self._results:
            result = self._results.popleft()
            for view in self._parts.views:
                view.on_action(result)

    def _report_problem(self, frame: CameraFrame | None) -> None:
        before, self._problem = self._problem, self._parts.feed.problem
        if self._problem is not None and self._problem != before:
            self._say(self._problem)
        elif before is not None and self._problem is None and frame is not None:
            self._say(f"{self._parts.feed.name} is back")

    def _warn_if_slow(self) -> None:
        measured = self.frames - self._measured_from >= _MEASURED_OVER
        if self._warned_slow or not measured or self._stream_rate.fps >= _SLOW:
            return
        self._warned_slow = True
        live = "try more light, a smaller --size or --landmarker lite"
        remedy = live if self._parts.real_time else "record more of them"
        self._say(
            f"{self._stream_rate.fps:.1f} frames per second are too few, gestures are missed:"
            f" remove --max-fps, or {remedy}"
        )

    def _say(self, text: str) -> None:
        for view in self._parts.views:
            view.say(text)

    def _take_keys(self) -> None:
        keys = [key for view in self._parts.views for key in view.pressed()]
        self.ended |= any(key in _QUIT_KEYS for key in keys)
        for key in keys:
            for view in self._parts.views:
                view.on_key(key)
