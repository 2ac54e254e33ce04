"""Speed and memory on this machine, side by side with what they are to be compared to.

Machines are noisy, so the two sides take turns in one run and the ratio is the median of the
ratios of the turns; absolute times are only there to be looked at. Memory is that of a process of
its own: ``python -m handlore.benchmark FOLDER N`` converts N pictures and prints it.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from handlore.datasets.conversion.convert import convert
from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.datasets.rendered import POSES, Person, Scene, render_pose, write_pictures
from handlore.datasets.sources import Item, Source, find_source, make_source
from handlore.landmarks.hands import Hand
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.landmarks.weights import require_bundle

# What people write without handlore: OpenCV reads, MediaPipe detects. Only for comparison.
#
# It imports nothing else, so that ``python -m handlore.benchmark BUNDLE N FILE...`` shows the
# memory of such a loop in a process of its own.


class BareLoop:
    """Detects the hands in picture files and throws the result away."""

    def __init__(self, bundle: Path) -> None:
        import cv2
        import mediapipe

        self._cv2, self._mediapipe = cv2, mediapipe
        tasks = mediapipe.tasks
        self._landmarker = tasks.vision.HandLandmarker.create_from_options(
            tasks.vision.HandLandmarkerOptions(tasks.BaseOptions(model_asset_path=str(bundle)))
        )

    def __call__(self, paths: Sequence[Path | str]) -> None:
        """Go through the files."""
        for path in paths:
            pixels = self._cv2.cvtColor(self._cv2.imread(str(path)), self._cv2.COLOR_BGR2RGB)
            srgb = self._mediapipe.ImageFormat.SRGB
            self._landmarker.detect(self._mediapipe.Image(image_format=srgb, data=pixels))

    def close(self) -> None:
        """Free the networks."""
        self._landmarker.close()


class MemoryWatch:
    """Notes the memory of this process at an early picture and at the last one, in MB."""

    def __init__(self, early: int) -> None:
        self._early = early
        self._early_mb = 0.0

    def look(self, done: int, total: int) -> None:
        """Note the memory if this is the early picture."""
        if done == min(self._early, total):
            self._early_mb = _status_mb("VmRSS")

    def report(self) -> str:
        """Return the figures as JSON."""
        last, peak = _status_mb("VmRSS"), _status_mb("VmHWM")
        return json.dumps({"peak_mb": peak, "early_mb": self._early_mb, "last_mb": last})


def _status_mb(field: str) -> float:
    # ru_maxrss would include the peak of the process that started this one.
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next(
        (int(v.split()[1]) / 1024 for v in lines if v.startswith(field + ":")), float("nan")
    )


def _main(bundle: str, n: str, early: str, *files: str) -> None:
    watch, loop = MemoryWatch(int(early)), BareLoop(Path(bundle))
    for done in range(1, int(n) + 1):
        loop([files[done % len(files)]])
        watch.look(done, int(n))
    print(watch.report())  # noqa: T201
    loop.close()


if __name__ == "__main__":
    _main(*sys.argv[1:])

EARLY = 200
"""Memory is compared between this picture and the last one."""


@dataclass(frozen=True)
class BenchResult:
    """Two things measured in turns."""

    ours: float
    """Median seconds (or bytes) of handlore."""

    other: float
    """The same of what it is compared to."""

    ratio: float
    """Median of other / ours over the turns: above 1, handlore is faster."""


def measure_prediction(turns: int = 30, each: int = 20) -> BenchResult:
    """Time one sample through a loaded forest, against scikit-learn's predict_proba.

    Ours is the whole way from the landmarks of a frame: canonical form, features, onnxruntime.
    scikit-learn's is the forest alone, on features that are already there.
    """
    from handlore.classifiers.evaluation.scores import fit_samples
    from handlore.classifiers.factory import make_estimator
    from handlore.classifiers.training import save_model
    from handlore.models.card import ModelCard
    from handlore.models.files import load_model
    from handlore.models.pose_encoder import PoseEncoder

    dataset = _rendered_truth()
    encoder = PoseEncoder()
    estimator = fit_samples(make_estimator("forest"), dataset, encoder)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "forest.onnx")
        save_model(estimator, ModelCard((), "forest"), path)
        model = load_model(path, "pose")
    frames = [(dataset.image[i], dataset.world[i], dataset.handedness[i]) for i in range(each)]
    rows = [encoder.encode(*(array[None] for array in frame)) for frame in frames]

    def ours() -> None:
        for frame in frames:
            model.predict_frame(*frame)

    def other() -> None:
        for row in rows[:2]:
            estimator.predict_proba(row)

    return _in_turns(ours, other, turns, each, 2)


def measure_conversion(root: Path, turns: int = 5) -> tuple[BenchResult, int]:
    """Time ``convert`` against a bare loop of OpenCV and MediaPipe over the same files.

    Only files in which a plain call finds the hand take part: the others cost more because
    handlore goes on searching.

    Returns
    -------
    The seconds of a picture, and the number of pictures.
    """
    source = _source(root)
    with (
        quiet_native_log(),
        open_detector() as detector,
        closing(BareLoop(require_bundle().path)) as bare,
    ):
        first = convert(source, root, detector).dataset
        easy = set(first.samples.source[first.stage[:, 0] == 0].tolist())
        chosen = _Chosen(tuple(item for item in source.items(root) if item.source in easy))
        paths = [item.path for item in chosen.chosen]
        comparison = _in_turns(
            lambda: convert(chosen, root, detector),
            lambda: bare(paths),
            turns,
            len(paths),
            len(paths),
        )
    return comparison, len(paths)


def measure_memory(root: Path, n_pictures: int) -> dict[str, dict[str, float]]:
    """Return peak memory, and memory at an early and the last picture, of both in MB."""
    files = [item.path for item in _source(root).items(root)]
    bundle = require_bundle().path
    return {
        "convert": _printed(__name__, root, n_pictures),
        "bare": _printed("handlore.benchmark", bundle, n_pictures, EARLY, *files),
    }


def measure_help(turns: int = 7) -> float:
    """Return the median seconds that ``handlore --help`` takes."""
    command = [sys.executable, "-m", "handlore", "--help"]
    return float(np.median([
        _seconds(lambda: subprocess.run(command, check=True, capture_output=True))
        for _ in range(turns)
    ]))  # fmt: skip


def render_for_bench(folder: Path) -> None:
    """Write rendered pictures to convert."""
    write_pictures(folder, n_people=3, per_pose=3, size=(640, 480))


def _rendered_truth() -> LandmarkDataset:
    """Make a dataset of the true landmarks of rendered hands."""
    slots, labels = [], []
    rng = np.random.default_rng(0)
    for seed in range(8):
        for pose in POSES:
            drawn = render_pose(pose, Person.random(seed), Scene.random(rng), size=(64, 64))
            slots.append([Hand(drawn.image, drawn.world, drawn.handedness)])
            labels.append(pose)
    return LandmarkDataset.of_hands(slots, Samples.make(labels), header=Header())


def _source(root: Path) -> Source:
    name, _ = find_source(root)
    return make_source(name, {})


@dataclass(frozen=True)
class _Chosen(Source):
    """Items that were chosen elsewhere."""

    chosen: tuple[Item, ...]
    name = "chosen"
    layout = "files"

    def items(self, root: Path) -> list[Item]:
        return list(self.chosen)

    def ignored(self, root: Path) -> list[str]:
        return []


def _in_turns(
    ours: Callable[[], Any], other: Callable[[], Any], turns: int, n_ours: int, n_other: int
) -> BenchResult:
    ours(), other()
    times = np.array([(_seconds(ours) / n_ours, _seconds(other) / n_other) for _ in range(turns)])
    a, b = np.median(times, axis=0)
    return BenchResult(float(a), float(b), float(np.median(times[:, 1] / times[:, 0])))


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _printed(*arguments: object) -> dict[str, float]:
    command = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {key: float(value) for key, value in json.loads(done.stdout).items()}


def _watch_convert(root: Path, n: int) -> str:
    items = _source(root).items(root)
    repeated = _Chosen(tuple(items[i % len(items)] for i in range(n)))
    watch = MemoryWatch(EARLY)
    with quiet_native_log(), open_detector() as detector:
        convert(repeated, root, detector, progress=watch.look)
        return watch.report()


if __name__ == "__main__":
    print(_watch_convert(Path(sys.argv[1]), int(sys.argv[2])))  # noqa: T201
