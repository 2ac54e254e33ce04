"""The whole workflow in one function: pictures and videos to landmarks, models and a report.

With rendered hands it runs twice, for poses in pictures and for movements in videos; with a folder
of photos once.
"""

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from handlore.classifiers.evaluation.crossval import cross_val_predict
from handlore.classifiers.evaluation.scores import Predictions, Scores
from handlore.classifiers.factory import make_pipeline
from handlore.classifiers.training import train_pipeline
from handlore.datasets.conversion.convert import Conversion, convert
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.files import walk
from handlore.datasets.kinds import DEFAULT_ESTIMATOR
from handlore.datasets.pictures import read_picture
from handlore.datasets.rendered import (
    MOVEMENTS,
    POSES,
    TRUTH,
    write_movement_videos,
    write_pictures,
)
from handlore.datasets.sources import Source, find_source, make_source
from handlore.datasets.splits import By, default_by, n_groups, protocol_words
from handlore.datasets.storage import save_dataset
from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.files import make_folder, write_together
from handlore.landmarks.geometry import palm_length
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.landmarks.weights import require_bundle
from handlore.report.charts import confusion_chart
from handlore.report.contactsheet import photo_sheet_png
from handlore.report.findings import stage_name
from handlore.report.page import Section, fact_list, numbers, page, table
from handlore.report.sections import class_section, confusion_section

_POSE_MODELS = {
    "kernel": "poses.onnx",
    "forest": "poses-forest.onnx",
    "xgboost": "poses-xgboost.onnx",
    "linear": "poses-linear.onnx",
}
"""Estimators of poses and their files."""

_MOVEMENT_MODELS = {DEFAULT_ESTIMATOR["sequence"]: "moves.onnx"}
_USUAL = {"poses.npz", "poses.onnx", "moves.npz", "moves.onnx", "confusion.png"}
"""Files of the demo that other commands may have written under the same names."""
_MADE = re.compile(
    rf"pictures/({TRUTH}|(\w+)/\2_p\d+_\d+\.png)|videos/(\w+)/\3_p\d+_\d+\.mp4"
    r"|(poses|moves)\.npz|(poses(-forest|-xgboost|-linear)?|moves)\.onnx|report\.html|confusion\.png"
)
"""What the demo writes, as seen from its folder."""
_PER_POSE = 4
_PICTURE_NAMES = r"_(?P<group>p\d+)_\d+\.png$"
"""The names of rendered pictures contain the person."""
_SHOWN_MOVEMENTS = ("circle", "grab", "swipe_left", "swipe_right", "tap", "wave")
_PER_MOVEMENT = 2
_FRAME_RATE = 20.0
"""Frames per second, about what a small computer detects."""
VIDEO_NAMES = r"/(?P<label>\w+)_(?P<group>p\d+)_\d+\.mp4$"
_MOST_PICTURES = 12
"""Labels of which the report has a picture."""
Talk = Callable[[str], None]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Output:
    talk: Talk
    progress: Progress
    verbose: bool


@dataclass
class _Experiment:
    """Converted data, with the models that were cross-validated and trained on it."""

    root: Path
    conversion: Conversion
    by: By
    answers: dict[str, Predictions] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def dataset(self) -> LandmarkDataset:
        return self.conversion.dataset

    def facts(self) -> dict[str, Any]:
        facts = {"convert": self.conversion.summary(), "by": self.by, "models": self.rows}
        return facts | {"try": str(self.root / str(self.dataset.samples.source[0]))}


def run_demo(
    out: Path,
    data: Path | None = None,
    *,
    n_people: int = 6,
    talk: Talk,
    progress: Progress,
    verbose: bool = False,
) -> tuple[dict[str, Any], tuple[tuple[str, str], ...]]:
    """Run the workflow and write datasets, models and a report into a folder.

    The folder is new, empty, or of an earlier demo, whose files are replaced.

    ``data`` is a folder of photos; None renders the hands of ``n_people`` people instead. Returns
    the numbers, under the names that scripts rely on, and each file that could not be read with the
    reason.
    """
    _refuse_other_files(out)
    make_folder(out)
    output = _Output(talk, progress, verbose)
    poses = _poses(out, data, n_people, output)
    summary = poses.facts() | {
        "n_groups": poses.rows[0]["n_groups"],
        "landmark_error": None if data else _landmark_error(poses.dataset, poses.root / TRUTH),
        "poses": str(out / _POSE_MODELS["kernel"]),
        "report": str(out / "report.html"),
    }
    failures, moves = poses.conversion.failures, None
    if data is None:
        moves = _movements(out, n_people, output)
        failures += moves.conversion.failures
        summary["movements"] = moves.facts() | {"moves": moves.rows[0]["path"]}
    _write_report(out, poses, summary, moves)
    return summary, failures


def _poses(out: Path, data: Path | None, n_people: int, output: _Output) -> _Experiment:
    if data is not None:
        root, source = data, make_source(find_source(data)[0], {})
    else:
        root, source = out / "pictures", make_source("images", {"name_pattern": _PICTURE_NAMES})
        output.talk(f"rendering hands of {n_people} people into {root}")
        _remove_rendered(root, POSES, "png")
        write_pictures(root, n_people=n_people, per_pose=_PER_POSE, progress=output.progress)
    require_bundle("full", output.talk)
    output.talk("finding hands with MediaPipe")
    experiment = _converted(root, source, DetectorOptions(), output)
    save_dataset(experiment.dataset, out / "poses.npz")
    # How real hands differ from rendered ones is unknown, so models of these reject nothing.
    _train(experiment, out, _POSE_MODELS, output, novelty=data is not None)
    return experiment


def _movements(out: Path, n_people: int, output: _Output) -> _Experiment:
    root = out / "videos"
    output.talk(f"rendering movements of {n_people} people into {root}")
    _remove_rendered(root, MOVEMENTS, "mp4")
    write_movement_videos(
        root,
        movements=_SHOWN_MOVEMENTS,
        n_people=n_people,
        per_movement=_PER_MOVEMENT,
        fps=_FRAME_RATE,
        progress=output.progress,
    )
    output.talk("tracking the hands in the videos")
    source = make_source("videos", {"name_pattern": VIDEO_NAMES})
    experiment = _converted(root, source, DetectorOptions(detector="litert"), output)
    save_dataset(experiment.dataset, out / "moves.npz")
    _train(experiment, out, _MOVEMENT_MODELS, output, negatives=True)
    return experiment


def _refuse_other_files(out: Path) -> None:
    """Raise if a folder holds anything that no earlier demo made."""
    if not out.exists():
        return
    other = next((name for name in walk(out) if not _MADE.fullmatch(name)), None)
    if other is None and {path.name for path in out.iterdir()} <= _USUAL:
        other = next(walk(out), None)
    if other is not None:
        raise HandloreError(
            f"{out} holds other files, such as {other}; give a new folder with --out, or that of an"
            " earlier demo"
        )


def _remove_rendered(root: Path, labels: Iterable[str], suffix: str) -> None:
    # An earlier run may have rendered more people; nothing else is removed.
    for label in labels:
        for path in (root / label).glob(f"{label}_p[0-9][0-9]*_[0-9]*.{suffix}"):
            path.unlink()


def _converted(
    root: Path, source: Source, options: DetectorOptions, output: _Output
) -> _Experiment:
    with quiet_native_log(not output.verbose), open_detector(options) as detector:
        conversion = convert(source, root, detector, progress=output.progress)
    return _Experiment(root, conversion, default_by(conversion.dataset))


def _train(
    experiment: _Experiment, out: Path, models: Mapping[str, str], output: _Output, **options: Any
) -> None:
    """Cross-validate and train estimators; each row has the numbers of one."""
    dataset, by = experiment.dataset, experiment.by
    for done, (name, file) in enumerate(models.items(), 1):
        output.talk(f"training {name}, {protocol_words(by)}")
        pipeline = make_pipeline(dataset, name)
        answers = cross_val_predict(pipeline.estimator, dataset, pipeline.encoder, by)
        trained = train_pipeline(pipeline, dataset, out / file, **options)
        scores = Scores.of(answers).as_json()
        row = {"model": name, "path": str(trained.path), "bytes": trained.n_bytes}
        row |= {key: scores[key] for key in ("accuracy", "macro_f1", "n")}
        row |= {"n_groups": n_groups(dataset, by)}
        experiment.rows.append(row | {"train_seconds": round(trained.seconds, 2)})
        experiment.answers[name] = answers
        output.progress(done, len(models))


def _landmark_error(dataset: LandmarkDataset, truth: Path) -> float:
    """Return the median over pictures of the mean landmark distance, in palm lengths."""
    with np.load(truth, allow_pickle=False) as rows:
        image = dict(zip(rows["path"].tolist(), rows["image"], strict=True))
    real = np.stack([image[str(source)] for source in dataset.samples.source])
    apart = np.linalg.norm((dataset.image[:, 0] - real)[..., :2], axis=-1).mean(axis=1)
    return float(np.nanmedian(apart / palm_length(real)))


def _write_report(
    out: Path, poses: _Experiment, summary: dict[str, Any], moves: _Experiment | None
) -> None:
    scores, counts, first = Scores.of(poses.answers["kernel"]), summary["convert"], poses.rows[0]
    headline = {
        "accuracy of poses": f"{100 * first['accuracy']:.1f} %",
        "pictures": str(counts["n_items"]),
        "with a hand found": str(counts["n_converted"]),
        "size of the model": f"{first['bytes'] / 1000:.0f} KB",
    }
    facts = {
        "Protocol": f"{protocol_words(poses.by)}, {summary['n_groups']} groups;"
        " a picture in which no hand was found counts as an error",
        "Search stages": ", ".join(
            f"{stage_name(stage)}: {n}" for stage, n in counts["stages"].items()
        ),
    }
    if summary["landmark_error"] is not None:
        facts["Landmark error"] = (
            f"{summary['landmark_error']:.3f} palm lengths (median) from the rendered landmarks"
        )
    parts = [
        numbers(headline),
        fact_list(facts),
        Section("Detected hands", _picture(_photos(poses), "Hands with their landmarks")),
        Section("Classifiers compared", _model_table(poses.rows)),
        confusion_section(scores),
        _error_section(scores),
        class_section(scores),
        *(_movement_sections(moves) if moves else []),
    ]
    files = {
        "report.html": page("handlore demo", parts).encode(),
        "confusion.png": confusion_chart(scores).png(),
    }
    write_together(out, files)


def _model_table(rows: list[dict[str, Any]]) -> str:
    cells = [
        [
            row["model"],
            f"{100 * row['accuracy']:.1f} %",
            f"{row['macro_f1']:.3f}",
            f"{row['bytes'] / 1000:.0f} KB",
            f"{row['train_seconds']:.1f} s",
        ]
        for row in rows
    ]
    return table(["model", "accuracy", "macro-F1", "file", "training"], cells)


def _movement_sections(moves: _Experiment) -> list[Section]:
    counts, (row,) = moves.conversion.summary(), moves.rows
    facts = {
        "Videos": f"{counts['n_items']}, {counts['n_converted']} with a hand",
        "Protocol": f"{protocol_words(moves.by)}, {row['n_groups']} groups",
    }
    matrix = confusion_section(Scores.of(moves.answers[row["model"]]))
    return [
        Section("Movements", fact_list(facts) + _model_table(moves.rows)),
        replace(matrix, heading="Confused movements", half=False),
    ]


def _photos(poses: _Experiment) -> bytes:
    dataset, samples = poses.dataset, poses.dataset.samples
    _, first = np.unique(samples.label, return_index=True)
    chosen = first[:_MOST_PICTURES]
    pictures = [read_picture(poses.root / str(samples.source[i]))[0] for i in chosen]
    hands = [dataset.image[i, 0] if dataset.detected[i, 0] else None for i in chosen]
    return photo_sheet_png(pictures, hands, [str(samples.label[i]) for i in chosen])


def _picture(png: bytes, text: str) -> str:
    """Return a picture embedded in the page."""
    data = base64.b64encode(png).decode()
    return f'<img alt="{escape(text)}" src="data:image/png;base64,{data}">'


def _error_section(scores: Scores) -> Section | None:
    """Return the most frequent errors as a table; None if there are none."""
    errors = [[a, b, n] for a, b, n in scores.most_confused(10)]
    if not errors:
        return None
    return Section("Most confused", table(["truth", "answer", "items"], errors))
