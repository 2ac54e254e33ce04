"""From a dataset to a model file with its card."""

import csv
import io
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone

from handlore.datasets.dataset import MIXED_DETECTORS, NONE_LABEL, LandmarkDataset, listed
from handlore.datasets.describe import LabelProblems
from handlore.datasets.splits import (
    default_by,
    doubt_about,
    fold_count,
    require_testable,
    training_samples,
)
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.files import as_path, each_path, require_writable, write_bytes
from handlore.models.card import ModelCard
from handlore.models.encoders import Encoder
from handlore.models.files import require_model_output, write_model

from .base import HandEstimator, Report, Steps
from .evaluation.crossval import cross_validate_pipeline
from .evaluation.leaks import Leaks
from .evaluation.scores import fit_samples, fit_streams
from .evaluation.streams import StreamOutputs, usual_threshold
from .evaluation.thresholds import (
    FITS_OF_A_PART,
    choose_thresholds,
    left_out_streams,
    n_left_out,
)
from .extending import ConfusedLabels, joined, pipeline_beside, strictest_split
from .factory import Pipeline
from .negatives import NegativeWindows
from .novelty import NoveltyModel
from .onnx_graph import add_clip_output
from .provenance import model_card, score_facts, source_facts
from .replaced import ReplacedModel

_FEW_SAMPLES = 5


@dataclass(frozen=True)
class Trained:
    """A model file that was just written."""

    path: Path
    card: ModelCard
    n_bytes: int
    seconds: float
    notes: tuple[str, ...]
    """What to know before using the model, in sentences."""
    confused: tuple[ConfusedLabels, ...] | None = None
    """With a base: which labels of one's own samples are confused."""

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
        } | ({} if self.confused is None else {"confused": [c._asdict() for c in self.confused]})


def train(
    dataset: LandmarkDataset | str | Path,
    out: str | Path,
    model: str | None = None,
    *,
    split: str | None = None,
    features: Sequence[str] | None = None,
    mirror_labels: str | Mapping[str, str] = "",
    params: Mapping[str, object] | None = None,
    negatives: bool = True,
    crossval: bool = False,
    log: str | Path | None = None,
    base: str | Path | None = None,
    seed: int = 0,
    data: Sequence[str | Path] = (),
    progress: Report | None = None,
) -> Trained:
    """Train a classifier on a dataset and write a model file.

    Parameters
    ----------
    dataset
        Poses or movements, or their file; samples without a hand are left out.
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
    base
        A model whose gestures are kept, such as ``everyday``: its examples are learnt too. The
        notes say which labels of the dataset are confused, as a cross-validation finds it.
    data
        Where the dataset comes from; default: its file, if that is given. The model file names
        them for :func:`~handlore.classifiers.improving.improve`, as seen from its own folder.
    progress
        Called with how much is done, and of how much. With it, Ctrl-C ends the training of an
        estimator that learns in epochs, and keeps the best model so far.

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
    out = as_path(out)
    require_model_output(out)
    chosen = training_samples(load_dataset(dataset), split)
    data = each_path(data) or ([] if isinstance(dataset, LandmarkDataset) else [as_path(dataset)])
    options: dict[str, Any] = {"features": features, "mirror_labels": mirror_labels, "seed": seed}
    pipeline, examples, notes = pipeline_beside(chosen, base, model, params=params, **options)
    replaced = ReplacedModel.of(out, joined(chosen, examples), data)
    facts = source_facts(out, data, split=split, base=base, negatives=negatives)
    how: dict[str, Any] = {"crossval": crossval, "negatives": negatives, "progress": progress}
    with _logged(log, pipeline):
        trained = train_pipeline(pipeline, chosen, out, base=examples, facts=facts, **how)
        return replace(trained, notes=(*notes, *replaced.keep(), *trained.notes))


@contextmanager
def _logged(log: str | Path | None, pipeline: Pipeline) -> Iterator[None]:
    """Write the log of what is trained here; raise at once if there will be nothing to log."""
    if log is None:
        yield
        return
    require_writable(Path(log))
    if not pipeline.estimator.learns_in_epochs:
        raise HandloreError(
            f"{pipeline.name} does not train in epochs, so --log has no use; tcn does"
        )
    yield
    write_bytes(Path(log), _as_csv(pipeline.estimator.history_).encode())


def train_pipeline(
    pipeline: Pipeline,
    dataset: LandmarkDataset,
    out: Path,
    *,
    base: LandmarkDataset | None = None,
    for_streams: LandmarkDataset | None = None,
    crossval: bool = False,
    negatives: bool = False,
    novelty: bool = True,
    facts: Mapping[str, Any] | None = None,
    progress: Report | None = None,
) -> Trained:
    """Fit a pipeline on all samples of a dataset and write the model file; see :func:`train`.

    Samples of ``base`` are for training too, and are never tested. ``facts`` are more facts for
    the card. Samples ``for_streams`` are learnt by what runs in streams: of a model of movements
    with negative windows not by the classifier of whole clips.

    With ``novelty``, a model of poses also gets the novelty score that rejects unknown gestures in
    streams.
    """
    started = time.perf_counter()
    estimator, encoder = pipeline.estimator, pipeline.encoder
    by = default_by(dataset, () if base is None else base.labels)
    n_folds = fold_count(dataset, by) if crossval else 0
    untestable = None if base is None else _untestable(dataset, base)
    beside = None if untestable else base
    n_compared = 0 if beside is None else fold_count(dataset, strictest_split(dataset, beside))
    n_fits = _n_fits(pipeline, dataset, negatives=negatives) + (for_streams is not None)
    steps = Steps(n_folds + n_compared + n_fits, progress)
    known = dict(facts or {})
    if crossval:
        progress = steps.within(n_folds)
        known |= score_facts(pipeline, dataset, base, progress, negatives=negatives)
    steps.finish(n_folds)
    confused, doubled = None, list[str]()
    if beside is not None:
        confused, doubled = _confused(pipeline, dataset, beside, steps.within(n_compared))
        steps.finish(n_compared)
    own, alone = joined(dataset, for_streams), joined(dataset, base)
    dataset = joined(own, base)
    fitted, clips = _fitted(estimator, dataset, alone, encoder, steps, negatives=negatives)
    outputs = left_out_streams(clips or fitted, dataset, encoder, steps) if negatives else []
    thresholds = _thresholds(pipeline, dataset, outputs) if negatives else {}
    steps.close()
    card = model_card(
        pipeline, fitted, dataset, own, outputs=outputs, thresholds=thresholds, known=known
    )
    scored = None
    if novelty and encoder.kind == "pose":
        scored = NoveltyModel.of(dataset, encoder, estimator)
    n_bytes = save_model(fitted, card, out, scored, clips)
    doubt = doubt_about(own, by) if crossval else None
    doubts = [*filter(None, [doubt, untestable]), *_about_none(outputs, own.labels)]
    notes = (*fitted.notes_, *_notes(dataset), *doubled, *doubts)
    seconds = time.perf_counter() - started
    return Trained(out, card, n_bytes, seconds, notes, confused)


def _n_fits(pipeline: Pipeline, dataset: LandmarkDataset, *, negatives: bool) -> int:
    """Return about how many fits a training takes as long as.

    A classifier of movements is fitted for clips, for streams, and without parts of the data to
    find thresholds.
    """
    if not negatives or pipeline.encoder.kind != "sequence":
        return 1
    return 2 + n_left_out(pipeline.estimator, dataset) * FITS_OF_A_PART


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
    alone: LandmarkDataset,
    encoder: Encoder,
    steps: Steps,
    *,
    negatives: bool,
) -> tuple[HandEstimator, HandEstimator | None]:
    """Return the estimator for streams and, if it is another one, the estimator for whole clips.

    The latter is what cross-validation evaluates, trained on the clips ``alone``, without samples
    for streams. Negative windows are for streams, where most windows show no gesture. A clip that
    somebody has cut shows one of its labels; there they would only turn gestures into ``none``.
    """
    estimator.progress = steps.within()
    fitted = fit_samples(estimator, dataset, encoder)
    steps.finish()
    if not negatives or encoder.kind != "sequence":
        return fitted, None
    clips: HandEstimator = fitted
    if alone.n_samples < dataset.n_samples:
        clips = clone(estimator)
        clips.progress = steps.within()
        clips = fit_samples(clips, alone, encoder)
        steps.finish()
    fitted.progress = steps.within()
    streaming = fit_streams(fitted, dataset, encoder, NegativeWindows())
    steps.finish()
    return streaming, clips


def _thresholds(
    pipeline: Pipeline, dataset: LandmarkDataset, outputs: Sequence[StreamOutputs]
) -> dict[str, float]:
    """Return the threshold of each label: found in streams, or the usual one for so few clips."""
    usual = usual_threshold(dataset)
    if outputs:
        return choose_thresholds(outputs, usual, dataset.labels)
    if pipeline.encoder.kind == "pose" or not pipeline.estimator.learns_windows_fast:
        return {}
    return dict.fromkeys(sorted({*dataset.labels} - {NONE_LABEL}), usual)


def _untestable(dataset: LandmarkDataset, base: LandmarkDataset) -> str | None:
    """Return why nobody can say what the labels of a dataset are confused with, if so."""
    if dataset.n_samples < 2:
        return "a single sample cannot be tested; add some to see what they are confused with"
    try:
        require_testable(dataset, strictest_split(dataset, base), base.labels)
    except HandloreError as error:
        return str(error)
    return None


def _confused(
    pipeline: Pipeline, dataset: LandmarkDataset, base: LandmarkDataset, progress: Report | None
) -> tuple[tuple[ConfusedLabels, ...], list[str]]:
    """Return which labels of a dataset are confused, with each other or with those of a base.

    And if samples are among those of the base too, that they are.
    """
    by, of_base = strictest_split(dataset, base), (np.arange(0), np.arange(dataset.n_samples))
    found = cross_validate_pipeline(pipeline, dataset, by, None, base=base, progress=progress)
    n = Leaks.of(dataset, [of_base], base).n
    samples = "sample is" if n == 1 else "samples are"
    doubled = f"{n} {samples} in the data of the base too, and count twice"
    return tuple(ConfusedLabels.among(found.scores)), [doubled] if n else []


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
    if conflicts := LabelProblems.of(dataset).about_conflicts:
        lines.append(conflicts)
    return lines + [line for line in dataset.header.log if line == MIXED_DETECTORS]


def _about_none(outputs: Sequence[StreamOutputs], labels: Collection[str]) -> list[str]:
    """Return what recordings of ``none`` would do for thresholds that were found without them."""
    if not any(one.is_synthetic for one in outputs):
        return []
    little = "little" if NONE_LABEL in labels else "nothing"
    return [
        f"{little} is labelled none, so movement between gestures is synthetic; record a minute of"
        " everyday movement as none, and live finds more"
    ]


def _as_csv(history: Sequence[Mapping[str, float | None]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, list(history[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(history)
    return text.getvalue()
