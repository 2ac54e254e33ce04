"""Speed and memory on this machine, compared with the libraries used alone.

Machines are noisy, so both sides take turns in one run, and the ratio is the median of the ratios
of the turns; absolute times are for information. Memory is that of a process of its own:
``python -m handlore.benchmark FOLDER N`` converts N pictures and prints it.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from handlore.bare_loop import MemoryWatch, bare_loop
from handlore.datasets.conversion.convert import convert
from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.datasets.rendered import POSES, Person, Scene, render_pose
from handlore.datasets.sources import Item, Listing, Source, find_source, make_source
from handlore.landmarks.hands import Hand
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.landmarks.processes import python_command
from handlore.landmarks.weights import require_bundle
from handlore.models.card import ModelCard
from handlore.models.encoders import PoseEncoder
from handlore.models.files import load_model

_EARLY = 200
"""Memory growth is measured from this picture to the last one."""


@dataclass(frozen=True)
class _BenchResult:
    ours: float
    other: float
    """Median seconds of each side."""
    ratio: float
    """Median of other / ours over the turns: above 1, handlore is faster."""


def measure(root: Path, n_pictures: int, talk: Callable[[str], None]) -> dict[str, Any]:
    """Measure speed over a folder of pictures, and memory over ``n_pictures`` of them.

    ``talk`` receives a line before each measurement.
    """
    talk("timing one prediction")
    prediction = _measure_prediction()
    talk("timing convert against a bare loop")
    conversion, n = _measure_conversion(root)
    talk(f"measuring memory over {n_pictures} pictures, twice")
    memory = _measure_memory(root, n_pictures)
    return {
        "predict_us": 1e6 * prediction.ours,
        "sklearn_us": 1e6 * prediction.other,
        "predict_ratio": prediction.ratio,
        "convert_ms": 1e3 * conversion.ours,
        "bare_ms": 1e3 * conversion.other,
        "convert_ratio": conversion.ratio,
        "convert_pictures": n,
        "memory": memory,
        "memory_over_bare_mb": memory["convert"]["peak_mb"] - memory["bare"]["peak_mb"],
        "memory_growth_mb": memory["convert"]["last_mb"] - memory["convert"]["early_mb"],
        "memory_pictures": n_pictures,
        "help_seconds": _measure_help(),
    }


def _measure_prediction(turns: int = 30, each: int = 20) -> _BenchResult:
    """Time one sample through a loaded forest, against scikit-learn's predict_proba.

    Ours starts from the landmarks of a frame: canonical form, features, onnxruntime.
    scikit-learn's is the forest alone, on features that are already there.
    """
    from handlore.classifiers.evaluation.scores import fit_samples
    from handlore.classifiers.factory import make_estimator
    from handlore.classifiers.training import save_model

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


def _measure_conversion(root: Path, turns: int = 5) -> tuple[_BenchResult, int]:
    """Time ``convert`` against a bare loop of OpenCV and MediaPipe over the same files.

    Returns the seconds a picture, and the number of pictures. Only files in which a plain call
    finds the hand are used; in the others handlore searches on, which takes longer.
    """
    source = _source(root)
    bundle = require_bundle().path
    with quiet_native_log(), open_detector() as detector, bare_loop(bundle) as bare:
        first = convert(source, root, detector).dataset
        easy = set(first.samples.source[first.stage[:, 0] == 0].tolist())
        chosen = _Chosen(tuple(item for item in source.scan(root).items if item.source in easy))
        paths = [item.path for item in chosen.chosen]
        n = len(paths)
        ours = partial(convert, chosen, root, detector)
        return _in_turns(ours, partial(bare, paths), turns, n, n), n


def _measure_memory(root: Path, n_pictures: int) -> dict[str, dict[str, float]]:
    """Return peak memory and memory at an early and at the last picture, in MB, of both sides."""
    files = [item.path for item in _source(root).scan(root).items]
    bundle = require_bundle().path
    return {
        "convert": _printed("handlore.benchmark", root, n_pictures),
        "bare": _printed("handlore.bare_loop", bundle, n_pictures, _EARLY, *files),
    }


def _measure_help(turns: int = 7) -> float:
    command = python_command("-m", "handlore", "--help")
    show = partial(subprocess.run, command, check=True, capture_output=True)
    return float(np.median([_seconds(show) for _ in range(turns)]))


def _rendered_truth() -> LandmarkDataset:
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
    chosen: tuple[Item, ...]
    name = "chosen"
    layout = "files"

    def scan(self, root: Path) -> Listing:
        return Listing(self.chosen)


def _in_turns(
    ours: Callable[[], Any], other: Callable[[], Any], turns: int, n_ours: int, n_other: int
) -> _BenchResult:
    ours(), other()
    times = np.array([(_seconds(ours) / n_ours, _seconds(other) / n_other) for _ in range(turns)])
    a, b = np.median(times, axis=0)
    return _BenchResult(float(a), float(b), float(np.median(times[:, 1] / times[:, 0])))


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _printed(*arguments: object) -> dict[str, float]:
    command = python_command("-m", *arguments)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {key: float(value) for key, value in json.loads(done.stdout).items()}


def _watch_convert(root: Path, n: int) -> str:
    items = _source(root).scan(root).items
    repeated = _Chosen(tuple(items[i % len(items)] for i in range(n)))
    watch = MemoryWatch(_EARLY)
    with quiet_native_log(), open_detector() as detector:
        convert(repeated, root, detector, progress=watch.look)
        return watch.report()


if __name__ == "__main__":
    print(_watch_convert(Path(sys.argv[1]), int(sys.argv[2])))  # noqa: T201
