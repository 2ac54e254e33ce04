"""The loop of live recognition: a camera in, decisions out."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

from handlore.landmarks.detector import HandDetector
from handlore.landmarks.hands import Hand
from handlore.models.stream.events import Event
from handlore.models.stream.recogniser import Recogniser

from ..actions.file import ActionSet
from ..actions.runner import ActionResult, ActionRunner
from ..cameras import CameraFrame, Feed
from ..views.live import LiveState, LiveView
from ..views.status import FrameRate
from .limiter import RateLimiter

# The time that live recognition goes by.


GAP = 2.0
"""Seconds without a frame after which what was seen before says nothing of what is seen now."""


def seconds() -> float:
    """Return the time of a clock that nobody sets, and that goes on while the computer sleeps.

    Linux halts ``time.monotonic`` in suspend; who relies on it takes the hand of the evening for
    that of the morning.
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


@dataclass
class Timeline:
    """Turns the times of frames into one stream of times that always rises.

    Cameras count from whenever they like, and begin anew when they come back.
    """

    _frame: float | None = None
    _clock: float = 0.0
    _stream: float = 0.0

    def place(self, frame: float, clock: float) -> tuple[float, bool]:
        """Place a frame in the stream.

        Parameters
        ----------
        frame
            Its time on the camera's clock, in seconds.
        clock
            The time now, see :func:`seconds`.

        Returns
        -------
        Its time in the stream in seconds, 0 for the first; and whether there was a gap before it:
        a camera that was lost, a computer that slept, a clock that was set.
        """
        if self._frame is None:
            self._frame, self._clock = frame, clock
            return self._stream, False
        by_frame, by_clock = frame - self._frame, clock - self._clock
        # Frames of a file that is played faster than it was filmed are not late.
        gap = not 0 < by_frame <= GAP or by_clock > GAP
        self._stream += max(by_frame, by_clock, 0.001) if gap else by_frame
        self._frame, self._clock = frame, clock
        return self._stream, gap


WAIT = 0.1
"""So long a frame is waited for before keys and views get their turn; seconds."""

GRACE = 2.0
"""So long the last actions may take when the loop has ended; seconds."""

SLOW = 5.0
"""With fewer frames a second than this, gestures are missed: hands are not seen for too long."""

MEASURED_OVER = 30
"""Frames over which their rate is measured."""

END_KEYS = ("q", "esc", "close")


@dataclass
class LiveComponents:
    """What a loop is made of; each can be replaced by a stand-in. None of them is closed."""

    feed: Feed
    detector: HandDetector
    recognition: Recogniser
    views: Sequence[LiveView] = ()
    plan: ActionSet = field(default_factory=lambda: ActionSet(()))
    dry_run: bool = False
    limiter: RateLimiter = field(default_factory=RateLimiter)
    real_time: bool = True
    """Whether the camera shows what happens now; a file waits, whatever else takes time."""

    clock: Callable[[], float] = seconds
    sleep: Callable[[float], None] = time.sleep


class LiveLoop:
    """Runs live recognition until the camera's recording has ended or a key says so.

    Parameters
    ----------
    parts
        What it is made of.
    """

    def __init__(self, parts: LiveComponents) -> None:
        self._ = parts
        self.ended = False
        self.frames = 0
        """Frames looked at."""
        self.events = 0
        """Events told."""
        self._outcomes: deque[ActionResult] = deque()
        self.runner = ActionRunner(parts.plan, self._outcomes.append, dry_run=parts.dry_run)
        self._timeline = Timeline()
        self._rate = FrameRate(MEASURED_OVER)
        self._measured_from = 0
        self._told_slow = False
        self._trouble: str | None = None
        self._behind = inf
        """The least by which the camera's clock was seen to lie behind ours."""
        self._last = LiveState(0.0, None)

    def run(self) -> None:
        """Go on until it has ended; the last actions may finish, unless it ends by an error."""
        grace = 0.0
        try:
            while not self.ended:
                self.step()
            for event in self._.recognition.finish():
                self._tell(event)
            grace = GRACE
        finally:
            self.runner.close(grace)
            self._tell_outcomes()

    def step(self) -> None:
        """Wait for the newest frame, decide, show it, and rest."""
        frame = self._.feed.next(WAIT)
        begun = self._.clock()
        self._tell_trouble(frame)
        if frame is not None:
            self._see(frame, begun)
        elif self._.feed.ended:
            self.ended = True
        elif self._trouble is not None:
            self._show(LiveState(self._last.seconds, None, trouble=self._trouble))
        self._tell_outcomes()
        self._take_keys()
        rest = self._.limiter.rest(begun, self._.clock()) if frame is not None else 0.0
        if rest > 0:
            self._.sleep(rest)

    def _see(self, frame: CameraFrame, begun: float) -> None:
        now = begun if self._.real_time else frame.seconds
        seconds, gap = self._timeline.place(frame.seconds, now)
        if gap:
            self._restart()
        self.frames += 1
        self._rate.add(begun)
        self._tell_slow()
        hands = self._.detector.track(frame.pixels, seconds)
        events = self._.recognition.feed_hands(seconds, hands)
        latency = self._latency(frame, begun)
        for event in events:
            self._tell(event)
        self._show(self._moment(seconds, frame, hands, latency))

    def _restart(self) -> None:
        """Begin anew after a lost camera or a night asleep."""
        self._.detector.reset()
        self._.recognition.reset()
        self.runner.gate.reset()
        self._behind = inf
        # The gap itself says nothing about how often frames come.
        self._rate, self._measured_from = FrameRate(MEASURED_OVER), self.frames
        for view in self._.views:
            view.restart()

    def _latency(self, frame: CameraFrame, begun: float) -> float:
        """Return how long ago the picture came, in seconds.

        The two clocks need not agree: a frame that came as soon as any before it is not late. A
        file's frames come when they are asked for.
        """
        work = self._.clock() - begun
        if not self._.real_time:
            return work
        behind = begun - frame.seconds
        self._behind = min(self._behind, behind)
        return behind - self._behind + work

    def _moment(
        self, seconds: float, frame: CameraFrame, hands: Sequence[Hand], latency: float
    ) -> LiveState:
        armed = None if self._.plan.arming is None else self.runner.gate.armed(seconds)
        return LiveState(
            seconds, frame.pixels, hands, self._.recognition.states, self._rate.fps, latency,
            self._trouble, armed,
        )  # fmt: skip

    def _show(self, moment: LiveState) -> None:
        self._last = moment
        for view in self._.views:
            view.show(moment)

    def _tell(self, event: Event) -> None:
        self.events += 1
        # First what is waited for, then what is only looked at.
        self.runner.submit(event)
        for view in self._.views:
            view.tell(event)

    def _tell_outcomes(self) -> None:
        while self._outcomes:
            outcome = self._outcomes.popleft()
            for view in self._.views:
                view.tell_outcome(outcome)

    def _tell_trouble(self, frame: CameraFrame | None) -> None:
        before, self._trouble = self._trouble, self._.feed.trouble
        if self._trouble is not None and self._trouble != before:
            self._say(self._trouble)
        elif before is not None and self._trouble is None and frame is not None:
            self._say(f"{self._.feed.name} is back")

    def _tell_slow(self) -> None:
        """Say once that too few frames come; else nobody knows why nothing is recognised."""
        measured = self.frames - self._measured_from >= MEASURED_OVER
        if self._told_slow or not measured or not self._.real_time or self._rate.fps >= SLOW:
            return
        self._told_slow = True
        self._say(
            f"{self._rate.fps:.1f} frames a second are too few, gestures are missed: look whether"
            " --max-fps asks for that; else try more light, a smaller --size or --landmarker lite"
        )

    def _say(self, text: str) -> None:
        for view in self._.views:
            view.say(text)

    def _take_keys(self) -> None:
        keys = [key for view in self._.views for key in view.pressed()]
        self.ended |= any(key in END_KEYS for key in keys)
        for key in keys:
            for view in self._.views:
                view.key(key)
