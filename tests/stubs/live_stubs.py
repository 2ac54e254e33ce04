"""Fakes for the parts of live recognition. The brightness of a frame decides the gesture."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from fakes import FakeDetector, hand_of

from handlore.capture.actions.file import ActionSet, load_actions
from handlore.capture.actions.runner import ActionResult
from handlore.capture.cameras import CameraFrame
from handlore.capture.live.limiter import RateLimiter
from handlore.capture.live.loop import LiveComponents, LiveLoop, LiveState, LiveView
from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.hands import Hand
from handlore.models.stream.events import Event
from handlore.models.stream.recogniser import ModelState, Recogniser
from handlore.models.stream.settings import RecogniserSettings

LABELS = ("fist", "open_palm", "none")
EMPTY, FIST, PALM = 0, 80, 160


class Time:
    """A clock that goes on only when somebody waits or works."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Camera:
    """A live camera: gives the newest frame of a script of (seconds, brightness or trouble)."""

    name = "camera 0"

    def __init__(self, script: list[tuple[float, int | str]], time: Time) -> None:
        self.script = deque(script)
        self.time = time
        self.began = time.now
        self.problem: str | None = None
        self.given: list[float] = []

    @property
    def ended(self) -> bool:
        return not self.script

    def next(self, timeout: float) -> CameraFrame | None:
        newest = None
        while self.script:
            due = self.began + self.script[0][0]
            if due > self.time.now and (newest is not None or due > self.time.now + timeout):
                break
            self.time.now = max(self.time.now, due)
            seconds, shown = self.script.popleft()
            if isinstance(shown, str):
                self.problem = shown
                continue
            self.problem = None
            newest = CameraFrame(np.full((48, 64, 3), shown, np.uint8), 5.0 + seconds)
        if newest is None:
            self.time.now += timeout
        else:
            self.given.append(newest.seconds)
        return newest

    def close(self) -> None:
        self.script.clear()


class Detector(FakeDetector):
    """Finds a hand in every frame that is not black; its landmarks are the brightness."""

    def __init__(self, time: Time, work: float = 0.01) -> None:
        super().__init__(lambda picture: [hand_of(grey, 0.1)] if (grey := picture[0, 0, 0]) else [])
        self.time, self.work = time, work

    def track(self, picture: Any, seconds: float) -> list[Hand]:
        assert not self.times or seconds > self.times[-1] or self.resets
        self.time.now += self.work
        return super().track(picture, seconds)


class FakeRecogniser:
    """Emits a label once each time it comes into view."""

    n_hands = 1

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.label: str | None = None
        self.probabilities: Any = None

    @property
    def states(self) -> list[ModelState]:
        return [ModelState(self.label, LABELS, self.probabilities)]

    def feed_hands(self, time: float, hands: list[Hand]) -> list[Event]:
        before = self.label
        grey = int(hands[0].image[0, 0]) if hands else EMPTY
        self.label = {FIST: "fist", PALM: "open_palm"}.get(grey)
        self.probabilities = None
        if self.label is None:
            return []
        self.probabilities = np.array([name == self.label for name in LABELS], np.float32)
        if self.label == before:
            return []
        return [Event(self.label, time, time, 1.0, "left")]

    def finish(self) -> list[Event]:
        return []


@dataclass
class Witness(LiveView):
    """Keeps all it is shown."""

    moments: list[LiveState] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    held: list[Event] = field(default_factory=list)
    outcomes: list[ActionResult] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    restarts: int = 0
    keys: deque[list[str]] = field(default_factory=deque)

    def show(self, state: LiveState) -> None:
        self.moments.append(state)

    def on_event(self, event: Event) -> None:
        self.events.append(event)

    def on_hold(self, event: Event) -> None:
        self.held.append(event)

    def on_action(self, outcome: ActionResult) -> None:
        self.outcomes.append(outcome)

    def say(self, text: str) -> None:
        self.said.append(text)

    def restart(self) -> None:
        self.restarts += 1

    def pressed(self) -> list[str]:
        return self.keys.popleft() if self.keys else []

    @property
    def labels(self) -> list[str]:
        return [event.label for event in self.events]


class Stage:
    """A whole loop of fakes."""

    def __init__(
        self,
        script: list[tuple[float, int | str]],
        *views: LiveView,
        actions: str = "",
        folder: Path | None = None,
        limiter: RateLimiter | None = None,
        work: float = 0.01,
        real_time: bool = True,
    ) -> None:
        self.time = Time()
        self.camera = Camera(script, self.time)
        self.detector = Detector(self.time, work)
        self.witness = Witness()
        loaded = ActionSet(())
        if folder is not None:
            path = folder / "actions.toml"
            path.write_text(actions)
            loaded = load_actions(path, LABELS)
        self.live = LiveLoop(
            LiveComponents(
                self.camera,
                self.detector,
                FakeRecogniser(),
                [self.witness, *views],
                loaded,
                limiter=limiter or RateLimiter(),
                real_time=real_time,
                clock=self.time,
                sleep=self.time.sleep,
            )
        )

    def run(self) -> Witness:
        self.live.run()
        return self.witness


class Playback:
    """A live loop with a real recogniser, whose camera and detector give recorded landmarks."""

    def __init__(
        self,
        video: LandmarkDataset,
        models: Sequence[Any],
        actions: ActionSet,
        *views: LiveView,
        settings: RecogniserSettings | None = None,
        dry_run: bool = False,
    ) -> None:
        self.time = Time()
        self._video = video
        self.witness = Witness()
        self.camera = Camera([(float(time), 0) for time in video.time], self.time)
        self.views: list[LiveView] = [self.witness, *views]
        detector = FakeDetector(lambda picture: self._hands(len(detector.times) - 1))
        given = settings or RecogniserSettings()
        self.live = LiveLoop(
            LiveComponents(
                self.camera,
                detector,
                Recogniser(models, actions.settings(given), max_hands=video.n_hands),
                self.views,
                actions,
                dry_run,
                clock=self.time,
                sleep=self.time.sleep,
                hold_interval=given.hold_interval,
            )
        )

    def _hands(self, at: int) -> list[Hand]:
        arrays = zip(
            self._video.image[at], self._video.world[at], self._video.handedness[at], strict=True
        )
        return [Hand(*hand) for hand in arrays if not np.isnan(hand[2])]

    def run(self) -> Witness:
        self.live.run()
        return self.witness


def frames(
    shown: int, begin: float, end: float, rate: float = 30.0
) -> list[tuple[float, int | str]]:
    """Return what a camera gives that sees the same for a while."""
    return [(n / rate, shown) for n in range(round(begin * rate), round(end * rate))]
