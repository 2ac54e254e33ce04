"""The second half of the demo: movements, from rendered videos to a model file."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handlore.classifiers.background import Background
from handlore.classifiers.base import make_estimator
from handlore.classifiers.evaluation import Answers, cross_validate, cross_validation_json
from handlore.classifiers.kinds import DEFAULT_ESTIMATOR
from handlore.datasets.convert import convert
from handlore.datasets.rendered import MOVEMENTS, write_movement_videos
from handlore.datasets.sources import make_source
from handlore.datasets.splits import default_by
from handlore.datasets.storage import save_dataset
from handlore.landmarks.detector import DetectorOptions, open_detector
from handlore.landmarks.nativelog import quiet_native_log
from handlore.models.training import train_model

SHOWN_MOVEMENTS = ("circle", "grab", "swipe_left", "swipe_right", "tap", "wave")
PER_MOVEMENT = 2
FRAME_RATE = 20.0
"""As many frames a second as a small machine sees."""

NAME_PATTERN = r"/(?P<label>\w+)_(?P<group>p\d+)_\d+\.mp4$"


@dataclass(frozen=True)
class MovementDemo:
    """What the demo found of movements."""

    summary: dict[str, Any]
    answers: Answers
    failures: tuple[tuple[str, str], ...]


def run_movement_demo(
    out: Path,
    n_people: int,
    *,
    talk: Callable[[str], None],
    progress: Callable[[int, int], None],
    verbose: bool = False,
) -> MovementDemo:
    """Render videos, follow the hands in them, and train and test a model of movements.

    Parameters
    ----------
    out
        An existing folder, for the videos, the dataset and the model.
    n_people
        How many people to render.
    talk, progress, verbose
        As in :func:`~handlore.demo.run_demo`.
    """
    root = out / "videos"
    talk(f"rendering movements of {n_people} people into {root}")
    _remove_rendered(root)
    write_movement_videos(
        root, movements=SHOWN_MOVEMENTS, n_people=n_people, per_movement=PER_MOVEMENT,
        fps=FRAME_RATE, progress=progress,
    )  # fmt: skip
    talk("following the hands in the videos")
    source = make_source("videos", {"name_pattern": NAME_PATTERN})
    options = DetectorOptions(detector="litert")
    with nullcontext() if verbose else quiet_native_log(), open_detector(options) as detector:
        conversion = convert(source, root, detector, progress=progress)
    dataset = conversion.dataset
    save_dataset(dataset, out / "moves.npz")
    name, by = DEFAULT_ESTIMATOR["sequence"], default_by(dataset)
    encoder = make_estimator(name).encoder(dataset.n_hands)
    talk(f"training and cross-validating {name} by {by}")
    answers = cross_validate(make_estimator(name), dataset, encoder, by)
    started = time.perf_counter()
    trained = train_model(
        make_estimator(name), name, dataset, encoder, out / "moves.onnx", background=Background()
    )
    seconds = time.perf_counter() - started
    scores = cross_validation_json(answers, dataset, by)
    model = {"model": name, "path": str(out / "moves.onnx"), "bytes": trained.n_bytes,
             "train_seconds": round(seconds, 2)}  # fmt: skip
    model |= {key: scores[key] for key in ("accuracy", "macro_f1", "n", "n_groups")}
    summary = {
        "convert": conversion.summary(),
        "by": by,
        "models": [model],
        "moves": str(out / "moves.onnx"),
        "try": str(root / str(dataset.samples.source[0])),
    }
    return MovementDemo(summary, answers, conversion.failures)


def _remove_rendered(root: Path) -> None:
    """Remove what an earlier run has rendered, and nothing else."""
    for movement in MOVEMENTS:
        for path in (root / movement).glob(f"{movement}_p[0-9][0-9]*_[0-9]*.mp4"):
            path.unlink()
