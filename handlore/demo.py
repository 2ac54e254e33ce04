"""The main job on rendered hands or on a folder of photos, as one function.

Poses first; with rendered hands movements too (``demo_movements``).
"""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from handlore.classifiers.evaluation.crossval import cross_val_predict
from handlore.classifiers.evaluation.scores import Predictions, score
from handlore.classifiers.factory import Pipeline, make_estimator
from handlore.classifiers.training import train_pipeline
from handlore.datasets.conversion.convert import Conversion, convert
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.pictures import read_picture
from handlore.datasets.rendered import (
    MOVEMENTS,
    POSES,
    TRUTH,
    write_movement_videos,
    write_pictures,
)
from handlore.datasets.sources import Source, find_source, make_source
from handlore.datasets.splits import default_by, n_groups
from handlore.datasets.storage import save_dataset
from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.files import atomic_write
from handlore.landmarks.geometry import palm_length
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.landmarks.weights import require_bundle
from handlore.models.card import DEFAULT_ESTIMATOR
from handlore.models.pose_encoder import PoseEncoder
from handlore.report.charts import confusion_chart
from handlore.report.contactsheet import photo_sheet_png
from handlore.report.page import Section, fact_list, numbers, page, picture, section, table
from handlore.report.raster import png
from handlore.report.sections import class_section, confusion_section, error_section

# The second half of the demo: movements, from rendered videos to a model file.


SHOWN_MOVEMENTS = ("circle", "grab", "swipe_left", "swipe_right", "tap", "wave")
PER_MOVEMENT = 2
FRAME_RATE = 20.0
"""As many frames a second as a small machine sees."""

MOVEMENT_NAME_PATTERN = r"/(?P<label>\w+)_(?P<group>p\d+)_\d+\.mp4$"


@dataclass(frozen=True)
class MovementDemo:
    """What the demo found of movements."""

    summary: dict[str, Any]
    answers: Predictions
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
    _remove_rendered_videos(root)
    write_movement_videos(
        root, movements=SHOWN_MOVEMENTS, n_people=n_people, per_movement=PER_MOVEMENT,
        fps=FRAME_RATE, progress=progress,
    )  # fmt: skip
    talk("following the hands in the videos")
    source = make_source("videos", {"name_pattern": MOVEMENT_NAME_PATTERN})
    options = DetectorOptions(detector="litert")
    with nullcontext() if verbose else quiet_native_log(), open_detector(options) as detector:
        conversion = convert(source, root, detector, progress=progress)
    dataset = conversion.dataset
    save_dataset(dataset, out / "moves.npz")
    name, by = DEFAULT_ESTIMATOR["sequence"], default_by(dataset)
    encoder = make_estimator(name).encoder(dataset.n_hands)
    talk(f"training and cross-validating {name} by {by}")
    answers = cross_val_predict(make_estimator(name), dataset, encoder, by)
    started = time.perf_counter()
    pipeline = Pipeline(name, make_estimator(name), encoder)
    trained = train_pipeline(pipeline, dataset, out / "moves.onnx", negatives=True)
    seconds = time.perf_counter() - started
    scores = score(answers).as_json() | {"n_groups": n_groups(dataset, by)}
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


def _remove_rendered_videos(root: Path) -> None:
    """Remove what an earlier run has rendered, and nothing else."""
    for movement in MOVEMENTS:
        for path in (root / movement).glob(f"{movement}_p[0-9][0-9]*_[0-9]*.mp4"):
            path.unlink()


ESTIMATORS = ("forest", "xgboost", "linear")
PER_POSE = 4
NAME_PATTERN = r"_(?P<group>p\d+)_\d+\.png$"
"""Rendered pictures carry their person in the name."""

SHOWN = 12
Talk = Callable[[str], None]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class DemoResult:
    """What the demo found."""

    summary: dict[str, Any]
    failures: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        """Return the numbers."""
        return self.summary


def run_demo(
    out: Path,
    data: Path | None = None,
    *,
    n_people: int = 6,
    talk: Talk,
    progress: Progress,
    verbose: bool = False,
) -> DemoResult:
    """Run the main job and write dataset, models and report into a folder.

    Parameters
    ----------
    out
        An existing folder.
    data
        A folder of photos; None renders hands instead.
    n_people
        How many people to render.
    talk, progress
        Told what is going on.
    verbose
        Let native libraries write to stderr.

    Raises
    ------
    HandloreError
        If the photos cannot be used.
    """
    root, source = _pictures(out, data, n_people, talk, progress)
    conversion = _convert(root, source, talk, progress, verbose)
    dataset = conversion.dataset
    save_dataset(dataset, out / "poses.npz")
    by = default_by(dataset)
    rows, answers = [], {}
    for done, name in enumerate(ESTIMATORS, 1):
        talk(f"training and cross-validating {name} by {by}")
        answers[name] = _answers(name, dataset)
        # How far real hands lie from drawn ones is not known, so models of these do not judge it.
        rows.append(_row(name, dataset, answers[name], out, familiar=data is not None))
        progress(done, len(ESTIMATORS))
    truth = root / TRUTH if data is None else None
    error = _landmark_error(dataset, truth) if truth else None
    summary = {
        "convert": conversion.summary(),
        "by": by,
        "n_groups": rows[0]["n_groups"],
        "models": rows,
        "landmark_error": error,
        "poses": str(out / "poses.onnx"),
        "report": str(out / "report.html"),
        "try": str(root / str(dataset.samples.source[0])),
    }
    failures, moving = conversion.failures, None
    if data is None:
        moving = run_movement_demo(out, n_people, talk=talk, progress=progress, verbose=verbose)
        summary["movements"] = moving.summary
        failures += moving.failures
    _write_report(out, root, dataset, answers["forest"], summary, moving)
    return DemoResult(summary, failures)


def _pictures(
    out: Path, data: Path | None, n_people: int, talk: Talk, progress: Progress
) -> tuple[Path, Source]:
    if data is not None:
        name, _ = find_source(data)
        return data, make_source(name, {})
    root = out / "pictures"
    talk(f"rendering hands of {n_people} people into {root}")
    _remove_rendered(root)
    write_pictures(root, n_people=n_people, per_pose=PER_POSE, progress=progress)
    return root, make_source("images", {"name_pattern": NAME_PATTERN})


def _remove_rendered(root: Path) -> None:
    """Remove what an earlier run, of other people perhaps, has rendered, and nothing else."""
    for pose in POSES:
        for path in (root / pose).glob(f"{pose}_p[0-9][0-9]*_[0-9]*.png"):
            path.unlink()


def _convert(
    root: Path, source: Source, talk: Talk, progress: Progress, verbose: bool
) -> Conversion:
    require_bundle("full", talk)
    talk("finding hands with MediaPipe")
    with nullcontext() if verbose else quiet_native_log(), open_detector() as detector:
        return convert(source, root, detector, progress=progress)


def _answers(name: str, dataset: LandmarkDataset) -> Predictions:
    encoder = PoseEncoder(n_hands=dataset.n_hands)
    return cross_val_predict(make_estimator(name), dataset, encoder, default_by(dataset))


def _row(
    name: str, dataset: LandmarkDataset, answers: Predictions, out: Path, *, familiar: bool
) -> dict[str, Any]:
    path = out / ("poses.onnx" if name == "forest" else f"poses-{name}.onnx")
    started = time.perf_counter()
    encoder = PoseEncoder(n_hands=dataset.n_hands)
    trained = train_pipeline(
        Pipeline(name, make_estimator(name), encoder), dataset, path, novelty=familiar
    )
    seconds = time.perf_counter() - started
    by = default_by(dataset)
    scores = score(answers).as_json() | {"n_groups": n_groups(dataset, by)}
    kept = {key: scores[key] for key in ("accuracy", "macro_f1", "n", "n_groups")}
    return {"model": name, "path": str(path), "bytes": trained.n_bytes,
            "train_seconds": round(seconds, 2), **kept}  # fmt: skip


def _landmark_error(dataset: LandmarkDataset, truth: Path) -> float:
    """Return the median over pictures of the mean landmark distance, in palm lengths."""
    with np.load(truth, allow_pickle=False) as rows:
        image = dict(zip(rows["path"].tolist(), rows["image"], strict=True))
    real = np.stack([image[str(source)] for source in dataset.samples.source])
    apart = np.linalg.norm((dataset.image[:, 0] - real)[..., :2], axis=-1).mean(axis=1)
    return float(np.nanmedian(apart / palm_length(real)))


def _write_report(
    out: Path,
    root: Path,
    dataset: LandmarkDataset,
    answers: Predictions,
    summary: dict[str, Any],
    moving: MovementDemo | None,
) -> None:
    scores = score(answers)
    confusion = png(confusion_chart(scores))
    convert_counts = summary["convert"]
    forest = summary["models"][0]
    headline = {
        "accuracy of the forest": f"{100 * forest['accuracy']:.1f} %",
        "pictures": str(convert_counts["n_items"]),
        "with a hand found": str(convert_counts["n_converted"]),
        "size of the model": f"{forest['bytes'] / 1000:.0f} KB",
    }
    facts = {
        "Protocol": f"cross-validated by {summary['by']}, {summary['n_groups']} groups;"
        " a picture without a hand counts as an error",
        "Search stages": ", ".join(f"{k}: {n}" for k, n in convert_counts["stages"].items()),
    }
    if summary["landmark_error"] is not None:
        facts["Landmark error"] = (
            f"{summary['landmark_error']:.3f} palm lengths (median), against the rendered truth"
        )
    columns = ["model", "accuracy", "macro-F1", "file", "training"]
    models = [
        [row["model"], f"{100 * row['accuracy']:.1f} %", f"{row['macro_f1']:.3f}",
         f"{row['bytes'] / 1000:.0f} KB", f"{row['train_seconds']:.1f} s"]
        for row in summary["models"]
    ]  # fmt: skip
    text = page(
        "handlore demo",
        [
            numbers(headline),
            fact_list(facts),
            section("What the detector saw", picture(_tiles(root, dataset), "Hands")),
            section("Classifiers compared", table(columns, models)),
            confusion_section(scores),
            error_section(scores),
            class_section(scores),
            *(_movement_sections(moving) if moving else []),
        ],
    )
    for name, content in (("report.html", text.encode()), ("confusion.png", confusion)):
        with atomic_write(out / name) as stream:
            stream.write(content)


def _movement_sections(moving: MovementDemo) -> list[Section]:
    (model,) = moving.summary["models"]
    counts = moving.summary["convert"]
    facts = {
        "Videos": f"{counts['n_items']}, {counts['n_converted']} with a hand",
        "Model": f"{model['model']}, {model['bytes'] / 1000:.0f} KB, trained in"
        f" {model['train_seconds']:.1f} s",
        "Protocol": f"cross-validated by {moving.summary['by']}, {model['n_groups']} groups",
        "Accuracy": f"{100 * model['accuracy']:.1f} %",
    }
    matrix = confusion_section(score(moving.answers))
    return [
        section("Movements", fact_list(facts)),
        replace(matrix, heading="Confused movements", half=False),
    ]


def _tiles(root: Path, dataset: LandmarkDataset) -> bytes:
    """Draw one picture of each of the first labels."""
    _, first = np.unique(dataset.samples.label, return_index=True)
    chosen = first[:SHOWN]
    pictures = [read_picture(root / str(dataset.samples.source[i]))[0] for i in chosen]
    hands = [dataset.image[i, 0] if dataset.detected[i, 0] else None for i in chosen]
    return photo_sheet_png(pictures, hands, [str(dataset.samples.label[i]) for i in chosen])
