"""From a dataset to a model file, with its card filled in."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from handlore import __version__
from handlore.datasets.dataset import MIXED_DETECTORS, LandmarkDataset, listed
from handlore.datasets.splits import default_by, doubt_about, groups_of
from handlore.models.card import DURATION_QUANTILES, ModelCard
from handlore.models.files import write_model
from handlore.models.movement_encoder import MovementEncoder, durations
from handlore.models.pose_encoder import Encoder, PoseEncoder

from .base import HandEstimator, plain_params
from .evaluation.leaks import item_digests
from .evaluation.scores import cross_val_predict, cross_validation_json, fit_samples
from .negatives import NegativeWindows
from .novelty import NoveltyModel

FEW_SAMPLES = 5
FEW_GROUPS = 4
_LIBRARIES = ("numpy", "scikit-learn", "onnxruntime")
_CARD_SCORES = ("accuracy", "macro_f1", "n", "n_no_hand", "by", "n_groups")


@dataclass(frozen=True)
class Trained:
    """A model file that was just written."""

    card: ModelCard
    n_bytes: int
    warnings: tuple[str, ...]


def save_model(
    estimator: HandEstimator, card: ModelCard, path: Path, familiarity: NoveltyModel | None = None
) -> int:
    """Write a fitted estimator as a model file; it appears whole or not at all.

    Parameters
    ----------
    estimator
        Fitted on features of the card's groups.
    card
        What the file is to say of itself; labels and the number of features are filled in.
    path
        Where to, usually ending in ``.onnx``.
    familiarity
        What tells how like the training data a hand is, for models of poses.

    Returns
    -------
    The size of the file in bytes.

    Raises
    ------
    HandloreError
        If it cannot be written.
    """
    labels = tuple(map(str, estimator.classes_))
    card = replace(card, labels=labels, n_features=estimator.n_features_in_)
    model = estimator.to_onnx()
    model.graph.name = "handlore"
    if familiarity is not None:
        familiarity.beside(model)
    return write_model(model, card, path)


def train_model(
    estimator: HandEstimator,
    name: str,
    dataset: LandmarkDataset,
    encoder: Encoder,
    out: Path,
    *,
    crossval: bool = False,
    background: NegativeWindows | None = None,
    familiar: bool = True,
) -> Trained:
    """Fit an estimator on a dataset and write the model file.

    Parameters
    ----------
    estimator, name
        What to fit, and the name it is registered under.
    dataset
        Poses or movements; samples without a hand are left out.
    encoder
        What turns samples into numbers.
    out
        The model file.
    crossval
        Also cross-validate, and keep the scores in the card.
    background
        Movements: also learn what lies between them, as ``none``, for use in a stream.
    familiar
        Poses: also learn to tell hands that are like none of these, so that they mean nothing in
        a stream.

    Raises
    ------
    HandloreError
        If there is too little data, or the file cannot be written.
    """
    scores = _scores(estimator, dataset, encoder) if crossval else None
    fitted = fit_samples(estimator, dataset, encoder, background)
    card = ModelCard(
        labels=(),
        estimator=name,
        kind=encoder.kind,
        n_hands=dataset.n_hands,
        features=encoder.groups if isinstance(encoder, PoseEncoder) else (),
        **_of_movements(encoder, dataset),
        landmarker=dataset.header.detector.landmarker if dataset.header.detector else "full",
        training=_training(fitted, dataset, scores),
    )
    told = _familiarity(dataset, encoder) if familiar and encoder.kind == "pose" else None
    n_bytes = save_model(fitted, card, out, told)
    labels = tuple(map(str, fitted.classes_))
    doubt = doubt_about(dataset, default_by(dataset)) if crossval else None
    warnings = (*fitted.notes_, *_warnings(dataset), *([doubt] if doubt else []))
    return Trained(replace(card, labels=labels), n_bytes, warnings)


def _familiarity(dataset: LandmarkDataset, encoder: Encoder) -> NoveltyModel:
    seen = dataset.select(dataset.has_hand)
    codes = np.unique(seen.samples.label, return_inverse=True)[1]
    groups = groups_of(seen)
    if len(np.unique(groups)) < FEW_GROUPS:
        # Too much would be missing in training while one of them is left out.
        groups = groups_of(seen, "random")
    return NoveltyModel.fit(encoder.encode_samples(seen), codes, groups)


def _of_movements(encoder: Encoder, dataset: LandmarkDataset) -> dict[str, Any]:
    if not isinstance(encoder, MovementEncoder):
        return {}
    return {
        "n_timepoints": encoder.n_timepoints,
        "averaged": encoder.averaged,
        "timed": encoder.timed,
        "seconds": _seconds(dataset),
    }


def _seconds(dataset: LandmarkDataset) -> tuple[float, ...]:
    lasting = durations(dataset.select(dataset.has_hand))
    return tuple(round(float(seconds), 3) for seconds in np.quantile(lasting, DURATION_QUANTILES))


def _training(
    estimator: HandEstimator, dataset: LandmarkDataset, scores: dict[str, Any] | None
) -> dict[str, Any]:
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
    return training | ({"crossval": scores} if scores else {})


def _rounded(epoch: Mapping[str, float | None]) -> dict[str, float | None]:
    return {key: None if value is None else round(value, 5) for key, value in epoch.items()}


def _scores(estimator: HandEstimator, dataset: LandmarkDataset, encoder: Encoder) -> dict[str, Any]:
    by = default_by(dataset)
    answers = cross_val_predict(estimator, dataset, encoder, by)
    scores = cross_validation_json(answers, dataset, by)
    return {name: scores[name] for name in _CARD_SCORES}


def _warnings(dataset: LandmarkDataset) -> tuple[str, ...]:
    """Say what a person should know before trusting the model."""
    own = dataset.samples.view == 0  # More views of a picture are not more pictures.
    found = Counter(map(str, dataset.samples.label[dataset.has_hand & own]))
    lost = sorted(set(dataset.labels) - set(found) - {"none"})
    few = sorted(label for label, count in found.items() if count < FEW_SAMPLES)
    lines = []
    if lost:
        lines.append(f"no sample of {listed(lost)} shows a hand, so the model does not know it")
    if few:
        lines.append(f"fewer than {FEW_SAMPLES} samples of {listed(few)}; add some")
    lines += [line for line in dataset.header.log if line == MIXED_DETECTORS]
    return tuple(lines)
