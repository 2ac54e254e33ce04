"""What a model card says of its training: data, parameters, versions, and scores."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from handlore import __version__
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.splits import default_by, fold_count, n_groups
from handlore.models.movement_encoder import MovementEncoder
from handlore.models.pose_encoder import Encoder
from handlore.models.ready import is_ready

from .base import HandEstimator, plain_params
from .evaluation.crossval import cross_validate_pipeline
from .evaluation.leaks import item_digests
from .evaluation.streams import StreamOutputs, clip_lengths
from .evaluation.thresholds import cross_fitted
from .factory import Pipeline
from .progress import Report

_LIBRARIES = ("numpy", "scikit-learn", "onnxruntime")


def stream_facts(outputs: Sequence[StreamOutputs]) -> dict[str, Any]:
    """Return what the card keeps of movements in streams, if they were tested."""
    return {"streams": cross_fitted(outputs).as_json()} if outputs else {}


def clip_facts(encoder: Encoder, dataset: LandmarkDataset) -> dict[str, Any]:
    """Return the fields of a card that only models of movements have."""
    if not isinstance(encoder, MovementEncoder):
        return {}
    return {
        "n_timepoints": encoder.n_timepoints,
        "averaged": encoder.averaged,
        "timed": encoder.timed,
        "context": encoder.context,
        "seconds": clip_lengths(dataset),
    }


def training_facts(
    estimator: HandEstimator, dataset: LandmarkDataset, own: LandmarkDataset
) -> dict[str, Any]:
    """Return what a card says of training; ``own`` are the samples without those of a base."""
    seen, mine = dataset.select(dataset.has_hand), own.select(own.has_hand)
    counts = Counter(map(str, seen.samples.label))
    training = {
        "n": seen.n_samples,
        "n_no_hand": dataset.n_samples - seen.n_samples,
        "counts": dict(sorted(counts.items())),
        "groups": sorted({str(group) for group in mine.samples.group} - {""}),
        "data_digest": own.digest(),
        "params": plain_params(estimator),
        "versions": {"handlore": __version__} | {name: version(name) for name in _LIBRARIES},
    }
    if seen.n_samples > mine.n_samples:
        training["n_of_base"] = seen.n_samples - mine.n_samples
    if digests := item_digests(mine):
        training["item_digests"] = digests
    if estimator.history_:
        training["history"] = [_rounded(epoch) for epoch in estimator.history_]
    return training


def source_facts(
    out: Path,
    data: Sequence[str | Path],
    *,
    split: str | None = None,
    base: str | Path | None = None,
    negatives: bool = True,
) -> dict[str, Any]:
    """Return what a card says of where its data are, and how they were used.

    Files are named as seen from the folder of the model file: they are found again where both were
    moved, and say nothing about the rest of the computer.
    """
    if not data:
        return {}
    facts: dict[str, Any] = {"data": [_seen_from(out, path) for path in data]}
    facts |= {"split": split} if split else {}
    if base is not None:
        facts["base"] = base if is_ready(base) else _seen_from(out, base)
    return facts if negatives else facts | {"negatives": False}


def _seen_from(out: Path, path: str | Path) -> str:
    target, folder = Path(path).resolve(), Path(out).resolve().parent
    try:
        return Path(os.path.relpath(target, folder)).as_posix()
    except ValueError:  # on another drive
        return target.as_posix()


def _rounded(values: Mapping[str, float | None]) -> dict[str, float | None]:
    return {key: None if value is None else round(value, 5) for key, value in values.items()}


def score_facts(
    pipeline: Pipeline,
    dataset: LandmarkDataset,
    base: LandmarkDataset | None,
    progress: Report | None = None,
) -> dict[str, Any]:
    """Return what the card keeps of a cross-validation, and poses in streams."""
    by, is_of_poses = default_by(dataset), pipeline.encoder.kind == "pose"
    found = cross_validate_pipeline(
        pipeline, dataset, by, None, base=base, progress=progress, with_streams=is_of_poses
    )
    scores, streams = found.scores, found.streams
    crossval = {
        "accuracy": scores.accuracy,
        "macro_f1": scores.macro_f1,
        "n": scores.n,
        "n_no_hand": scores.n_no_hand,
        "by": by,
        "n_groups": n_groups(dataset, by),
        "n_folds": fold_count(dataset, by),
    }
    per_class = {label: _rounded(row) for label, row in scores.per_class.items()}
    return {"crossval": crossval, "per_class": per_class} | (
        {"streams": streams.as_json()} if streams else {}
    )
