"""The whole loop of `handlore live` beside loops that only track, in turns, in one run.

Frames are in memory and given as fast as they are asked for. Shares of CPU time are those of the
process with all its threads. `handlore demo` leaves models; without any, it is run for two people.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from handlore.capture.cameras import CameraFrame
from handlore.capture.live.limiter import ThrottledDetector
from handlore.capture.live.loop import LiveComponents, LiveLoop, LiveView
from handlore.capture.serve.server import Hub
from handlore.capture.views.live import PageView
from handlore.datasets.rendered import Person, Scene, render_background, render_pose
from handlore.landmarks.detector import HandDetector
from handlore.landmarks.detectors.litert import AdaptiveSchedule, LiteRTDetector
from handlore.landmarks.detectors.mediapipe import MediaPipeDetector
from handlore.landmarks.hands import Pixels
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.weights import require_bundle
from handlore.models.files import load_model
from handlore.models.stream.events import Event
from handlore.models.stream.recogniser import Recogniser

SIZE, FPS = (640, 480), 30
POSES = ("fist", "open_palm", "victory")


class Frames:
    """A camera that has its frames in memory."""

    name, problem = "memory", None

    def __init__(self, pictures: Sequence[Pixels], fps: float = FPS) -> None:
        self._left = iter([CameraFrame(picture, n / fps) for n, picture in enumerate(pictures)])
        self.ended = False

    def next(self, timeout: float) -> CameraFrame | None:
        """Return the next frame."""
        del timeout
        frame = next(self._left, None)
        self.ended = frame is None
        return frame

    def close(self) -> None:
        """Do nothing."""


class Events(LiveView):
    """Keeps the events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def on_event(self, event: Event) -> None:
        """Keep one."""
        self.events.append(event)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", type=Path, help="files of handlore train")
    parser.add_argument("--landmarker", choices=("full", "lite"), default="full")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each video is")
    parser.add_argument("--threads", type=int, help="of LiteRT, for each network")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, quiet_native_log():
        paths = options.models or demo_models(Path(folder))
        models = [load_model(path) for path in paths]
        bench = Bench(models, options)
        figures: dict[str, Any] = {"models": [path.name for path in paths]}
        for measure in (bench.first_event, bench.idle, bench.rates):
            figures[measure.__name__] = measure()
            print(f"{measure.__name__}: {figures[measure.__name__]}", file=sys.stderr)
    print(json.dumps(figures, indent=2))


def demo_models(folder: Path) -> list[Path]:
    words = [sys.executable, "-m", "handlore", "demo", "--people", "2", "--out", str(folder)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return [folder / "poses.onnx", folder / "moves.onnx"]


class Bench:
    """The measurements."""

    def __init__(self, models: Sequence[Any], options: argparse.Namespace) -> None:
        self._models = models
        self._bundle = require_bundle(options.landmarker)
        self._rounds = options.rounds
        self._threads = options.threads
        n = round(FPS * options.seconds)
        self._moving = list(moving_hand(n))
        self._still = list(noisy(render_background(5, size=SIZE), n))

    def litert(self, schedule: AdaptiveSchedule | None = None) -> HandDetector:
        """Open the default detector of live recognition."""
        return LiteRTDetector(self._bundle, schedule=schedule, threads=self._threads)

    def mediapipe(self) -> HandDetector:
        """Open MediaPipe's own."""
        return MediaPipeDetector(self._bundle)

    def live(self, detector: HandDetector, pictures: Sequence[Pixels], *views: LiveView) -> None:
        """Run the whole loop."""
        recognition = Recogniser(self._models)
        LiveLoop(
            LiveComponents(Frames(pictures), detector, recognition, views, real_time=False)
        ).run()

    def bare(self, detector: HandDetector, pictures: Sequence[Pixels]) -> None:
        """Track, and do nothing else."""
        for number, picture in enumerate(pictures):
            detector.track(picture, number / FPS)

    def rates(self) -> dict[str, Any]:
        """Frames per second of the whole loop, and of loops that only track."""
        with self.litert() as a, self.litert() as b, self.litert() as c, self.mediapipe() as d:
            ways: dict[str, Callable[[], None]] = {
                "bare_litert": lambda: self.bare(a, self._moving),
                "live": lambda: self.live(b, self._moving),
                "live_with_page": lambda: self.live(c, self._moving, PageView(Hub())),
                "bare_mediapipe": lambda: self.bare(d, self._moving),
            }
            detectors = dict(zip(ways, (a, b, c, d), strict=True))
            wall, cpu = self._in_turns(ways, detectors)
        n = len(self._moving)
        rates: dict[str, Any] = {
            way: round(n / statistics.median(times), 1) for way, times in wall.items()
        }
        for base in ("bare_litert", "bare_mediapipe"):
            pairs = zip(wall[base], wall["live"], strict=True)
            rates[f"live_to_{base}"] = round(statistics.median(x / y for x, y in pairs), 3)
        # The same in CPU time, which holds on a busy machine too.
        pairs = zip(cpu["bare_litert"], cpu["live"], strict=True)
        rates["live_to_bare_litert_by_cpu"] = round(statistics.median(x / y for x, y in pairs), 3)
        return rates

    def idle(self) -> dict[str, Any]:
        """CPU time of a frame of an empty, still room beside one with a hand, of the whole loop."""
        with self.litert() as a, self.litert() as b, self.mediapipe() as c, self.mediapipe() as d:
            thin_c, thin_d = ThrottledDetector(c), ThrottledDetector(d)
            ways: dict[str, Callable[[], None]] = {
                "litert_tracking": lambda: self.live(a, self._moving),
                "litert_idle": lambda: self.live(b, self._still),
                "mediapipe_tracking": lambda: self.live(thin_c, self._moving),
                "mediapipe_idle": lambda: self.live(thin_d, self._still),
            }
            detectors = dict(zip(ways, (a, b, thin_c, thin_d), strict=True))
            _, cpu = self._in_turns(ways, detectors)
        n = len(self._moving)
        measured: dict[str, Any] = {
            f"{way}_ms": round(1000 * statistics.median(times) / n, 2) for way, times in cpu.items()
        }
        for name in ("litert", "mediapipe"):
            pairs = zip(cpu[f"{name}_idle"], cpu[f"{name}_tracking"], strict=True)
            measured[f"{name}_share"] = round(statistics.median(x / y for x, y in pairs), 3)
        return measured

    def first_event(self) -> dict[str, Any]:
        """How much later the first event comes than if palms were sought in every frame.

        In the time of the video: a hand appears after 2 s, at moments between two looks.
        """
        delays: dict[str, list[float]] = {"litert": [], "mediapipe": []}
        every = AdaptiveSchedule(second_hand=0, alert=0, after_loss=0, heartbeat=0)
        with self.litert() as thrifty, self.litert(every) as always, self.mediapipe() as mp:
            for phase in range(8):
                pictures = self._still[: 60 + 2 * phase] + [self._hand("victory")] * 24
                said = [
                    self._first(detector, pictures)
                    for detector in (always, thrifty, mp, ThrottledDetector(mp))
                ]
                delays["litert"].append(said[1] - said[0])
                delays["mediapipe"].append(said[3] - said[2])
        return {
            name: {
                "median_ms": round(1000 * statistics.median(one)),
                "most_ms": round(1000 * max(one)),
            }
            for name, one in delays.items()
        }

    def _first(self, detector: HandDetector, pictures: Sequence[Pixels]) -> float:
        detector.reset()
        emitted = Events()
        self.live(detector, pictures, emitted)
        assert emitted.events, "no event: the models do not know the pose"
        return emitted.events[0].end

    def _hand(self, pose: str) -> Pixels:
        scene = Scene(background="room", seed=5)
        return render_pose(pose, Person.random(3), scene, size=SIZE).pixels

    def _in_turns(
        self, ways: dict[str, Callable[[], None]], detectors: dict[str, HandDetector]
    ) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
        """Return seconds of wall and CPU time of each way in each round but the first."""
        wall: dict[str, list[float]] = {way: [] for way in ways}
        cpu: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(self._rounds + 1):
            for way, run in ways.items():
                detectors[way].reset()
                begun, worked = time.perf_counter(), time.process_time()
                run()
                if number:
                    wall[way].append(time.perf_counter() - begun)
                    cpu[way].append(time.process_time() - worked)
        return wall, cpu


def moving_hand(n: int) -> Iterator[Pixels]:
    """Yield frames of a hand that goes to and fro and changes its pose."""
    scene = Scene(background="room", seed=5)
    hands = [render_pose(pose, Person.random(3), scene, size=SIZE).pixels for pose in POSES]
    rng = np.random.default_rng(0)
    for number in range(n):
        picture = hands[number // 45 % len(hands)]
        shift = round(40 * np.sin(number / 15))
        yield with_noise(np.roll(picture, shift, axis=1), rng)


def noisy(picture: Pixels, n: int) -> Iterator[Pixels]:
    """Yield a still picture as a camera sees it."""
    rng = np.random.default_rng(1)
    for _ in range(n):
        yield with_noise(picture, rng)


def with_noise(picture: Pixels, rng: np.random.Generator) -> Pixels:
    noise = rng.normal(0, 2, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
