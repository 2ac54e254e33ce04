"""What a model card says of its training: data, versions, scores, a typical hand of each label."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from handlore import __version__
from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset
from handlore.datasets.splits import default_by, fold_count, n_groups
from handlore.landmarks.geometry import rotate
from handlore.landmarks.hands import FloatArray
from handlore.models.card import ModelCard
from handlore.models.encoders import Encoder, MovementEncoder, PoseEncoder
from handlore.models.ready import is_ready

from .base import HandEstimator, Report
from .evaluation.crossval import cross_validate_pipeline
from .evaluation.leaks import item_digests
from .evaluation.streams import StreamOutputs, clip_lengths
from .evaluation.thresholds import choose_patience, cross_fitted
from .factory import Pipeline
from .typical import aligned_hands, median_hand

_LIBRARIES = ("numpy", "scikit-learn", "onnxruntime")


def model_card(
    pipeline: Pipeline,
    fitted: HandEstimator,
    dataset: LandmarkDataset,
    own: LandmarkDataset,
    *,
    outputs: Sequence[StreamOutputs],
    thresholds: Mapping[str, float],
    known: Mapping[str, Any],
) -> ModelCard:
    """Return the card of a model.

    Parameters
    ----------
    dataset, own
        What it was trained on, and the samples of that which are not those of a base.
    outputs
        What it predicts in streams of people it has not seen; empty for poses. They are scored,
        unless cross-validation has scored streams.
    known
        What else is known of training, such as :func:`score_facts` and :func:`source_facts`.
    """
    detector, encoder = dataset.header.detector, pipeline.encoder
    labels = tuple(map(str, fitted.classes_))
    patience = choose_patience(outputs, thresholds) if outputs else {}
    known = {"streams": cross_fitted(outputs).as_json()} | dict(known) if outputs else known
    return ModelCard(
        labels=labels,
        n_features=fitted.n_features_in_,
        estimator=pipeline.name,
        kind=encoder.kind,
        n_hands=dataset.n_hands,
        features=encoder.groups if isinstance(encoder, PoseEncoder) else (),
        **_clip_facts(encoder, dataset),
        landmarker=detector.landmarker if detector else "full",
        # Clips of some label may never show a hand, so the model does not know it.
        thresholds={label: thresholds[label] for label in labels if label in thresholds},
        patience={label: patience[label] for label in labels if label in patience},
        licence=dataset.header.note,
        typical=_typical_hands(dataset, encoder),
        training=_training_facts(pipeline, fitted, dataset, own) | dict(known),
    )


def _clip_facts(encoder: Encoder, dataset: LandmarkDataset) -> dict[str, Any]:
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


def _training_facts(
    pipeline: Pipeline, fitted: HandEstimator, dataset: LandmarkDataset, own: LandmarkDataset
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
        "params": pipeline.params,
        "versions": {"handlore": __version__} | {name: version(name) for name in _LIBRARIES},
    }
    if seen.n_samples > mine.n_samples:
        training["n_of_base"] = seen.n_samples - mine.n_samples
    if digests := item_digests(mine):
        training["item_digests"] = digests
    if fitted.uses_pretrained:
        training["pretrained"] = True
    if fitted.history_:
        training["history"] = [_rounded(epoch) for epoch in fitted.history_]
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
    facts: dict[str, Any] = {"data": [_seen_from(out, path) for path in data]} if data else {}
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
    *,
    negatives: bool,
) -> dict[str, Any]:
    """Return what the card keeps of a cross-validation, also in streams if that takes seconds."""
    by = default_by(dataset, () if base is None else base.labels)
    with_streams = pipeline.estimator.learns_windows_fast and (
        negatives or pipeline.encoder.kind == "pose"
    )
    found = cross_validate_pipeline(
        pipeline, dataset, by, None, base=base, progress=progress, with_streams=with_streams
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


_MOMENTS = 7
"""Moments of a movement."""
_MOST_SAMPLES = 400
"""Samples of a label that the median is taken of."""
_DIGITS = 3


def _typical_hands(dataset: LandmarkDataset, encoder: Encoder) -> dict[str, Any]:
    """Return a typical hand of each label but ``none``, as nested lists with None for NaN.

    Each is (n_moments, n_hands, 21, 3) in palm lengths. Samples without a hand are left out.
    """
    own = dataset.select(dataset.has_hand & (dataset.samples.view == 0))
    upright = isinstance(encoder, PoseEncoder) and "orientation" not in encoder.groups
    hands = {}
    for label in sorted({*own.labels} - {NONE_LABEL}):
        places = np.flatnonzero(own.samples.label == label)
        samples = own.select(places[:: -(-len(places) // _MOST_SAMPLES)])
        aligned, usual = aligned_hands(samples, _MOMENTS)
        median = median_hand(aligned)
        hands[label] = _as_lists(median if upright or not usual else rotate(median, usual))
    return hands


def _as_lists(hand: FloatArray) -> Any:
    rounded = np.round(hand.astype(np.float64), _DIGITS) + 0.0  # no -0.0
    lists = rounded.astype(object)
    lists[np.isnan(rounded)] = None
    return lists.tolist()
