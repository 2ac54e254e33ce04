"""From a dataset to a model file with its card."""

import csv
import io
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone

from handlore import __version__
from handlore.datasets.dataset import MIXED_DETECTORS, NONE_LABEL, LandmarkDataset, listed
from handlore.datasets.splits import (
    cross_validation,
    default_by,
    doubt_about,
    n_groups,
    training_samples,
)
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.files import atomic_write, require_writable
from handlore.models.card import ModelCard
from handlore.models.files import write_model
from handlore.models.movement_encoder import MovementEncoder
from handlore.models.pose_encoder import Encoder, PoseEncoder

from .base import HandEstimator, plain_params
from .evaluation.crossval import cross_validate_pipeline
from .evaluation.leaks import item_digests
from .evaluation.scores import fit_samples, fit_streams
from .evaluation.streams import (
    StreamOutputs,
    choose_thresholds,
    clip_lengths,
    cross_fitted,
    usual_threshold,
)
from .factory import Pipeline, about_features, make_pipeline
from .negatives import NegativeWindows
from .novelty import NoveltyModel
from .onnx_graph import add_clip_output

_FEW_SAMPLES = 5
_MIN_GESTURES, _MAX_STREAM_CLIPS = 20, 150
"""Number of gestures from which on thresholds are chosen, and of clips in streams of each half."""
_N_FITS = 4
"""A movement classifier is fitted for clips, for streams, and on two halves to find thresholds."""
_LIBRARIES = ("numpy", "scikit-learn", "onnxruntime")


@dataclass(frozen=True)
class Trained:
    """A model file that was just written."""

    path: Path
    card: ModelCard
    n_bytes: int
    seconds: float
    notes: tuple[str, ...]
    """What to know before using the model, in sentences."""

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        training = self.card.training
        return {
            "model": str(self.path),
            "estimator": self.card.estimator,
            "seconds": round(self.seconds, 3),
            "bytes": self.n_bytes,
            "n": training["n"],
            "labels": list(self.card.labels),
            "crossval": training.get("crossval"),
        }


def train(
    dataset: LandmarkDataset,
    out: str | Path,
    model: str | None = None,
    *,
    split: str | None = None,
    features: Sequence[str] | None = None,
    mirror_labels: str = "",
    params: Mapping[str, object] | None = None,
    negatives: bool = True,
    crossval: bool = False,
    log: str | Path | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Trained:
    """Train a classifier on a dataset and write a model file.

    Parameters
    ----------
    dataset
        Poses or movements; samples without a hand are left out.
    out
        The model file, usually ending in ``.onnx``.
    model, features, mirror_labels, params, seed
        See :func:`~handlore.classifiers.factory.make_pipeline`.
    split
        Train on this split; default: ``train`` and samples without a split.
    negatives
        Movements: also train on negative windows, made of the clips themselves, as ``none``.
    crossval
        Also cross-validate, and keep the scores in the card.
    log
        Write loss and accuracy by epoch to this CSV file; only for estimators with epochs.
    progress
        Called with the number of finished epochs, and of all; Ctrl-C then ends training and keeps
        the best model so far. Estimators without epochs: with the number of finished fits.

    Raises
    ------
    HandloreError
        If an option does not fit, there is too little data, or a file cannot be written.

    Examples
    --------
    >>> dataset = handlore.load_dataset("poses.npz")
    >>> trained = handlore.train(dataset, "trained.onnx", "forest", params={"n_estimators": 20})
    >>> handlore.load_model("trained.onnx").labels == trained.card.labels
    True
    """
    out = Path(out)
    require_writable(out)
    chosen = training_samples(dataset, split)
    pipeline = make_pipeline(
        chosen, model, features=features, mirror_labels=mirror_labels, params=params, seed=seed
    )
    estimator = pipeline.estimator
    if log:
        _require_log(Path(log), pipeline)
    if estimator.learns_in_epochs:
        estimator.progress, progress = progress, None
    trained = train_pipeline(
        pipeline, chosen, out, crossval=crossval, negatives=negatives, progress=progress
    )
    if log:
        with atomic_write(Path(log)) as stream:
            stream.write(_as_csv(estimator.history_).encode())
    return replace(trained, notes=(*about_features(pipeline, features), *trained.notes))


def _require_log(log: Path, pipeline: Pipeline) -> None:
    """Raise if there will be nothing to log, or the file cannot be written."""
    require_writable(log)
    if not pipeline.estimator.learns_in_epochs:
        raise HandloreError(
            f"{pipeline.name} does not train in epochs, so --log has no use; tcn does"
        )


def train_pipeline(
    pipeline: Pipeline,
    dataset: LandmarkDataset,
    out: Path,
    *,
    crossval: bool = False,
    negatives: bool = False,
    novelty: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Trained:
    """Fit a pipeline on all samples of a dataset and write the model file; see :func:`train`.

    With ``novelty``, a model of poses also gets the novelty score that rejects unknown gestures in
    streams.
    """
    started = time.perf_counter()
    estimator, encoder = pipeline.estimator, pipeline.encoder
    scores = _scores(pipeline, dataset) if crossval else {}
    numbers = count(1)

    def done() -> None:
        if progress:
            progress(next(numbers), _N_FITS)

    fitted, clips = _fitted(estimator, dataset, encoder, done, negatives=negatives)
    outputs = _left_out_streams(estimator, dataset, encoder, done) if negatives else []
    detector = dataset.header.detector
    card = ModelCard(
        labels=tuple(map(str, fitted.classes_)),
        estimator=pipeline.name,
        kind=encoder.kind,
        n_hands=dataset.n_hands,
        features=encoder.groups if isinstance(encoder, PoseEncoder) else (),
        **_clip_facts(encoder, dataset),
        landmarker=detector.landmarker if detector else "full",
        thresholds=_thresholds(pipeline, dataset, outputs) if negatives else {},
        training=_training(fitted, dataset) | scores | _stream_scores(outputs),
    )
    scored = NoveltyModel.of(dataset, encoder) if novelty and encoder.kind == "pose" else None
    n_bytes = save_model(fitted, card, out, scored, clips)
    doubt = doubt_about(dataset, default_by(dataset)) if crossval else None
    notes = (*fitted.notes_, *_notes(dataset), *([doubt] if doubt else []))
    return Trained(out, card, n_bytes, time.perf_counter() - started, notes)


def save_model(
    estimator: HandEstimator,
    card: ModelCard,
    path: Path,
    novelty: NoveltyModel | None = None,
    clips: HandEstimator | None = None,
) -> int:
    """Write a fitted estimator as a model file, atomically; return its size in bytes.

    Labels and the number of features of the card are filled in. ``clips`` is the same estimator
    without negative windows: what the file of a movement model predicts for clips that are known to
    show one of the labels.
    """
    labels = tuple(map(str, estimator.classes_))
    card = replace(card, labels=labels, n_features=estimator.n_features_in_)
    model = estimator.to_onnx()
    model.graph.name = "handlore"
    if novelty is not None:
        novelty.add_to(model)
    if clips is not None:
        columns = [labels.index(str(label)) for label in clips.classes_]
        add_clip_output(model, clips.to_onnx(), columns, len(labels))
    return write_model(model, card, path)


def _fitted(
    estimator: HandEstimator,
    dataset: LandmarkDataset,
    encoder: Encoder,
    done: Callable[[], None],
    *,
    negatives: bool,
) -> tuple[HandEstimator, HandEstimator | None]:
    """Return the estimator for streams and, if it is another one, the estimator for whole clips.

    The latter is what cross-validation evaluates, trained on the clips alone. Negative windows are
    for streams, where most windows show no gesture. A clip that somebody has cut shows one of its
    labels; there they would only turn gestures into ``none``.
    """
    if not negatives or encoder.kind != "sequence":
        return fit_samples(estimator, dataset, encoder), None
    clips = fit_samples(estimator, dataset, encoder)
    done()
    streaming = fit_streams(clips, dataset, encoder, NegativeWindows())
    done()
    return streaming, clips


def _left_out_streams(
    estimator: HandEstimator,
    dataset: LandmarkDataset,
    encoder: Encoder,
    done: Callable[[], None],
) -> list[StreamOutputs]:
    """Return outputs in streams of half of the people each, trained on the other half.

    Empty for poses, for estimators that take minutes to train, and if there are too few gestures to
    choose thresholds by.
    """
    gestures = dataset.samples.label[dataset.has_hand] != NONE_LABEL
    is_slow = estimator.learns_in_epochs
    if not isinstance(encoder, MovementEncoder) or is_slow or gestures.sum() < _MIN_GESTURES:
        return []
    outputs = []
    for rest, half in cross_validation(dataset, default_by(dataset), 2):
        trained, left_out = dataset.select(rest), dataset.select(half)
        if len(np.unique(trained.samples.label[trained.has_hand])) < 2:
            return []
        fitted = fit_samples(clone(estimator), trained, encoder)
        outputs.append(
            StreamOutputs.of_left_out(fitted, encoder, trained, left_out, _MAX_STREAM_CLIPS)
        )
        done()
    return outputs


def _thresholds(
    pipeline: Pipeline, dataset: LandmarkDataset, outputs: Sequence[StreamOutputs]
) -> dict[str, float]:
    """Return the threshold of each label: found in streams, or the usual one for so few clips."""
    usual = usual_threshold(dataset)
    if outputs:
        return choose_thresholds(outputs, usual)
    if pipeline.encoder.kind == "pose" or pipeline.estimator.learns_in_epochs:
        return {}
    return dict.fromkeys(sorted({*dataset.labels} - {NONE_LABEL}), usual)


def _stream_scores(outputs: Sequence[StreamOutputs]) -> dict[str, Any]:
    return {"streams": cross_fitted(outputs).as_json()} if outputs else {}


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


def _training(estimator: HandEstimator, dataset: LandmarkDataset) -> dict[str, Any]:
    seen = dataset.select(dataset.has_hand)
    counts = Counter(map(str, seen.samples.label))
    training = {
        "n": seen.n_samples,
        "n_no_hand": dataset.n_samples - seen.n_samples,
        "counts": dict(sorted(counts.items())),
        "groups": sorted({str(group) for group in seen.samples.group} - {""}),
        "data_digest": dataset.digest(),
        "params": plain_params(estimator),
        "versions": {"handlore": __version__} | {name: version(name) for name in _LIBRARIES},
    }
    if digests := item_digests(seen):
        training["item_digests"] = digests
    if estimator.history_:
        training["history"] = [_rounded(epoch) for epoch in estimator.history_]
    return training


def _rounded(epoch: Mapping[str, float | None]) -> dict[str, float | None]:
    return {key: None if value is None else round(value, 5) for key, value in epoch.items()}


def _scores(pipeline: Pipeline, dataset: LandmarkDataset) -> dict[str, Any]:
    """Return what the card keeps of a cross-validation, and poses in streams."""
    by, is_of_poses = default_by(dataset), pipeline.encoder.kind == "pose"
    found = cross_validate_pipeline(pipeline, dataset, by, None, with_streams=is_of_poses)
    scores, streams = found.scores, found.streams
    crossval = {
        "accuracy": scores.accuracy,
        "macro_f1": scores.macro_f1,
        "n": scores.n,
        "n_no_hand": scores.n_no_hand,
        "by": by,
        "n_groups": n_groups(dataset, by),
    }
    return {"crossval": crossval} | ({"streams": streams.as_json()} if streams else {})


def _notes(dataset: LandmarkDataset) -> list[str]:
    """Return what limits a model that is trained on this data."""
    own = dataset.samples.view == 0  # Augmented copies do not count.
    found = Counter(map(str, dataset.samples.label[dataset.has_hand & own]))
    lost = sorted(set(dataset.labels) - set(found) - {NONE_LABEL})
    few = sorted(label for label, count in found.items() if count < _FEW_SAMPLES)
    lines = []
    if lost:
        lines.append(f"no sample of {listed(lost)} shows a hand, so the model does not know it")
    if few:
        lines.append(f"fewer than {_FEW_SAMPLES} samples of {listed(few)}; add some")
    return lines + [line for line in dataset.header.log if line == MIXED_DETECTORS]


def _as_csv(history: Sequence[Mapping[str, float | None]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, list(history[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(history)
    return text.getvalue()
