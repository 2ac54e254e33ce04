"""The loop of live recognition: a camera in, decisions out."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

from handlore.classifiers.stream.events import Event
from handlore.landmarks.detector import HandDetector
from handlore.landmarks.hands import Hand

from ..actions.file import Plan
from ..actions.runner import Outcome, Runner
from ..cameras import Feed, Frame
from ..recording.status import FrameRate
from . import clock
from .limiter import Limiter
from .recognition import Recognition
from .views import Moment, View

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
class Parts:
    """What a loop is made of; each can be replaced by a stand-in. None of them is closed."""

    feed: Feed
    detector: HandDetector
    recognition: Recognition
    views: Sequence[View] = ()
    plan: Plan = field(default_factory=lambda: Plan(()))
    dry_run: bool = False
    limiter: Limiter = field(default_factory=Limiter)
    real_time: bool = True
    """Whether the camera shows what happens now; a file waits, whatever else takes time."""

    clock: Callable[[], float] = clock.seconds
    sleep: Callable[[float], None] = time.sleep


class Live:
    """Runs live recognition until the camera's recording has ended or a key says so.

    Parameters
    ----------
    parts
        What it is made of.
    """

    def __init__(self, parts: Parts) -> None:
        self._ = parts
        self.ended = False
        self.frames = 0
        """Frames looked at."""
        self.events = 0
        """Events told."""
        self._outcomes: deque[Outcome] = deque()
        self.runner = Runner(parts.plan, self._outcomes.append, dry_run=parts.dry_run)
        self._timeline = clock.Timeline()
        self._rate = FrameRate(MEASURED_OVER)
        self._measured_from = 0
        self._told_slow = False
        self._trouble: str | None = None
        self._behind = inf
        """The least by which the camera's clock was seen to lie behind ours."""
        self._last = Moment(0.0, None)

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
            self._show(Moment(self._last.seconds, None, trouble=self._trouble))
        self._tell_outcomes()
        self._take_keys()
        rest = self._.limiter.rest(begun, self._.clock()) if frame is not None else 0.0
        if rest > 0:
            self._.sleep(rest)

    def _see(self, frame: Frame, begun: float) -> None:
        now = begun if self._.real_time else frame.seconds
        seconds, gap = self._timeline.place(frame.seconds, now)
        if gap:
            self._restart()
        self.frames += 1
        self._rate.add(begun)
        self._tell_slow()
        hands = self._.detector.track(frame.pixels, seconds)
        events = self._.recognition.feed(seconds, hands)
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

    def _latency(self, frame: Frame, begun: float) -> float:
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
        self, seconds: float, frame: Frame, hands: Sequence[Hand], latency: float
    ) -> Moment:
        armed = None if self._.plan.arming is None else self.runner.gate.armed(seconds)
        return Moment(
            seconds, frame.pixels, hands, self._.recognition.shown, self._rate.fps, latency,
            self._trouble, armed,
        )  # fmt: skip

    def _show(self, moment: Moment) -> None:
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

    def _tell_trouble(self, frame: Frame | None) -> None:
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
