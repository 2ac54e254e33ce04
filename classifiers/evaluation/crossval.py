"""Cross-validation: every item is predicted by a classifier that has not seen its group."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset, listed
from handlore.datasets.describe import LabelProblems
from handlore.datasets.splits import (
    By,
    cross_validation,
    default_by,
    doubt_about,
    fold_count,
    is_weaker,
    n_groups,
    other_split,
    partly_named,
    require_testable,
    strictest_by,
    untested_labels,
)
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import HandloreError
from handlore.models.encoders import Encoder, PoseEncoder

from ..base import HandEstimator, Report, Steps
from ..direction import pointing_advice
from ..extending import joined, pipeline_beside
from ..factory import Pipeline
from .evaluation import Evaluation, Split
from .importance import MAX_SAMPLES, Importance, measure_importances
from .intervals import single_unit
from .leaks import Leaks
from .scores import Predictions, fit_samples, predict_items
from .streams import StreamOutputs
from .thresholds import cross_fitted

_MIN_STREAM_CLIPS, _MAX_STREAM_CLIPS = 50, 900
"""Clips in the streams of a fold, and of all folds."""
_SHARE_OF_FIT = 0.3
"""Of the time of a fold that is also recognised in streams, for the bar that shows progress."""

Watch = Callable[[HandEstimator, LandmarkDataset, LandmarkDataset, float], None]
"""Called after each fold with the fitted estimator, its training and test samples, and how many
seconds the training took."""


def cross_validate(
    dataset: LandmarkDataset | str | Path,
    model: str | None = None,
    *,
    by: By | None = None,
    folds: int | None = None,
    features: Sequence[str] | None = None,
    mirror_labels: str | Mapping[str, str] = "",
    params: Mapping[str, object] | None = None,
    seed: int = 0,
    with_importances: bool = False,
    with_streams: bool | None = None,
    base: str | Path | None = None,
    progress: Report | None = None,
) -> Evaluation:
    """Estimate the accuracy of a classifier on people it has not seen.

    Each group (person) in turn is held out, a classifier is trained on the others, and the
    predictions are pooled. The result has 95 % intervals, and notes about what limits it. If a
    weaker split than the default is asked for, the default is its ``reference``.

    Parameters
    ----------
    dataset
        Samples of at least two labels; or their file.
    model, features, mirror_labels, params, seed
        See :func:`~handlore.classifiers.factory.make_pipeline`.
    by
        What must not be divided between training and test: ``group`` (person), ``session``,
        ``recording`` or ``random``. Default: the first that leaves enough to train on.
    folds
        Default: one per group up to 12 groups, else 5.
    with_importances
        Also measure the contribution of each part of the hand.
    with_streams
        Also recognise the samples of each fold in streams; default: if that takes seconds.
    base
        A model whose examples are added to the training data of each fold; they are not tested.
    progress
        Called with how much is done, and of how much.

    Raises
    ------
    HandloreError
        If the data cannot be divided that way, or an option does not fit.

    Examples
    --------
    >>> result = handlore.cross_validate(handlore.load_dataset("poses.npz"), "linear")
    >>> low, high = result.intervals.accuracy
    >>> low <= result.scores.accuracy <= high
    True
    """
    dataset = load_dataset(dataset)
    how: Any = {"features": features, "mirror_labels": mirror_labels, "params": params}
    pipeline, examples, notes = pipeline_beside(dataset, base, model, seed=seed, **how)
    # A split that somebody asked for is compared with the strictest one, if that can be tested.
    best = strictest_by(dataset) if by else default_by(dataset, examples.labels if examples else ())
    has_stronger = is_weaker(by or best, best)
    steps = Steps(1 + has_stronger, progress)
    run = partial(cross_validate_pipeline, pipeline, dataset, base=examples, seed=seed)
    streams = pipeline.estimator.learns_windows_fast if with_streams is None else with_streams
    more: Any = {"with_importances": with_importances, "with_streams": streams}
    found = run(by or best, folds, progress=steps.within(), **more)
    steps.finish()
    reference, missing = _reference(run, best, steps.within()) if has_stronger else (None, None)
    steps.close()
    doubts = [*limits(found, pipeline, by_default=by is None), *([missing] if missing else [])]
    return replace(found, notes=(*notes, *doubts), reference=reference)


def limits(found: Evaluation, pipeline: Pipeline, *, by_default: bool) -> list[str]:
    """Return what limits a result, in sentences; also of the split, if nobody asked for it."""
    by = found.split.by if found.split else default_by(found.dataset)
    advice = pointing_advice(found.predictions, found.dataset, pipeline.encoder)
    doubt = _doubt(found.dataset, by) if by_default else None
    conflicts = LabelProblems.of(found.dataset).about_conflicts
    return list(filter(None, [doubt, _about_untested(found, by), conflicts, advice]))


def _doubt(dataset: LandmarkDataset, by: By) -> str | None:
    """Return what makes the default split too easy, labels that cannot be tested left out."""
    if untested_labels(dataset, by) and not partly_named(dataset, by):
        return _random_split(dataset, by)
    return doubt_about(dataset, by) or _random_split(dataset, by)


def _about_untested(found: Evaluation, by: By) -> str | None:
    if not found.untested:
        return None
    what = "item" if by == "random" else by
    names = listed([f"{label} ({n})" for label, n in found.untested.items()])
    return (
        f"not in the scores: only one {what} shows {names}, so that training has no example when it"
        f" is tested; add a second {what}"
    )


def _without_labels(
    predictions: Predictions, labels: Sequence[str]
) -> tuple[Predictions, dict[str, int]]:
    """Return the predictions of items with other labels, and the number of those with each."""
    kept = ~np.isin(predictions.truth, labels)
    names, counts = np.unique(predictions.truth[~kept], return_counts=True)
    columns = {one.name: getattr(predictions, one.name)[kept] for one in fields(predictions)}
    return Predictions(**columns), dict(zip(names.tolist(), counts.tolist(), strict=True))


def _reference(
    run: Callable[..., Evaluation], best: By, progress: Report | None
) -> tuple[Evaluation | None, str | None]:
    """Return the result of the best split, to compare a weaker one with, or why there is none."""
    try:
        return run(best, None, progress=progress), None
    except HandloreError as error:
        return None, f"there is no result by {best} to compare with: {error}"


def cross_validate_pipeline(
    pipeline: Pipeline,
    dataset: LandmarkDataset,
    by: By,
    folds: int | None,
    *,
    base: LandmarkDataset | None = None,
    seed: int = 0,
    progress: Report | None = None,
    with_importances: bool = False,
    with_streams: bool = False,
    leaks: Leaks | None = None,
    watch: Watch | None = None,
) -> Evaluation:
    """Cross-validate one pipeline by one split; see :func:`cross_validate`.

    Samples of ``base`` are in the training data of each fold. ``leaks`` are those of the split, if
    they are known already.
    """
    started, encoder = time.perf_counter(), pipeline.encoder
    known = () if base is None else base.labels
    require_testable(dataset, by, known)
    total = fold_count(dataset, by, folds)
    left_out = sorted(set(untested_labels(dataset, by)) - set(known))
    importances, streams = list[list[Importance]](), list[StreamOutputs]()
    pretrained = list[bool]()

    def look(
        fitted: HandEstimator, trained: LandmarkDataset, tested: LandmarkDataset, seconds: float
    ) -> None:
        pretrained.append(fitted.uses_pretrained)
        if watch:
            watch(fitted, trained, tested, seconds)
        if with_importances:
            model = (fitted.predict_proba, [str(label) for label in fitted.classes_])
            most = max(2, MAX_SAMPLES // total)
            found = measure_importances(*model, tested, encoder, at_most=most, seed=seed)
            importances.append(found)
        scored = tested.select(~np.isin(tested.samples.label, left_out))
        if with_streams and scored.n_samples:
            most = max(_MIN_STREAM_CLIPS, _MAX_STREAM_CLIPS // total)
            streams.append(StreamOutputs.of_left_out(fitted, encoder, trained, scored, most))

    predictions = cross_val_predict(
        pipeline.estimator,
        dataset,
        encoder,
        by,
        n_folds=total,
        base=base,
        seed=seed,
        progress=progress,
        watch=look,
        share_of_fit=_SHARE_OF_FIT if with_importances or with_streams else 1,
    )
    leaks = leaks or Leaks.of(dataset, cross_validation(dataset, by, total, seed), base)
    leaks = leaks.with_pretrained(dataset, used=any(pretrained))
    tested, untested = _without_labels(predictions, left_out)
    found = Evaluation.of(tested, dataset, leaks, Importance.pooled(importances), seed=seed)
    return replace(
        found,
        model=pipeline.name,
        params=pipeline.params,
        features=encoder.groups if isinstance(encoder, PoseEncoder) else (),
        split=Split(by, n_groups(dataset, by), total),
        streams=cross_fitted(streams) if streams else None,
        seconds=time.perf_counter() - started,
        untested=untested,
    )


def cross_val_predict(
    estimator: HandEstimator,
    dataset: LandmarkDataset,
    encoder: Encoder,
    by: By,
    *,
    n_folds: int | None = None,
    base: LandmarkDataset | None = None,
    seed: int = 0,
    progress: Report | None = None,
    watch: Watch | None = None,
    share_of_fit: float = 1,
) -> Predictions:
    """Predict every item, in the order of the dataset, by a copy that has not seen its group.

    Each copy is also trained on the samples of ``base``, which are not tested. What is chosen by
    the amount of data is chosen as for all of them, as in training.

    ``progress`` is called with how much is done, and of how much; training is ``share_of_fit`` of
    a fold.
    """
    if base is None and len(dataset.labels) < 2:
        only = ", ".join(dataset.labels)
        raise HandloreError(f"a classifier needs at least two labels; there is: {only}")
    steps = Steps(fold_count(dataset, by, n_folds), progress)
    n_of_whole = sum(int(one.has_hand.sum()) for one in (dataset, base) if one is not None)
    parts = []
    for train, test in cross_validation(dataset, by, n_folds, seed):
        trained, tested = joined(dataset.select(train), base), dataset.select(test)
        fold = estimator.for_part(n_of_whole)
        fold.progress, fold.keeps_best = steps.within(share_of_fit), False
        started = time.perf_counter()
        fitted = _fit_fold(fold, trained, encoder, by)
        seconds = time.perf_counter() - started
        classes = [str(label) for label in fitted.classes_]
        parts.append((test, predict_items(fitted.predict_proba, classes, tested, encoder)))
        if watch:
            watch(fitted, trained, tested, seconds)
        steps.finish()
    return _pooled(parts)


def _fit_fold(
    estimator: HandEstimator, dataset: LandmarkDataset, encoder: Encoder, by: By
) -> HandEstimator:
    if len(np.unique(dataset.samples.label[dataset.has_hand])) < 2:
        raise HandloreError(
            "with one fold held out, fewer than two labels show a hand in the training data; add"
            f" samples{other_split(dataset, by)}"
        )
    return fit_samples(estimator, dataset, encoder)


def _pooled(parts: Sequence[tuple[NDArray[np.int64], Predictions]]) -> Predictions:
    sample = np.concatenate([test[part.sample] for test, part in parts])
    order = np.argsort(sample, kind="stable")
    names = ("truth", "predicted", "probability", "no_hand")
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for _, part in parts])[order] for name in names
    }
    return Predictions(**columns, sample=sample[order])


def _random_split(dataset: LandmarkDataset, by: By) -> str | None:
    """Return why the default split is at random."""
    if by != "random":
        return None
    one = single_unit(dataset)
    if one:
        return f"all samples are of one {one}, so the split is random; accuracy is an overestimate"
    return (
        "the person, session and recording of the samples are unknown, so the split is random;"
        " accuracy is an overestimate (sources have options for people, such as --name-pattern:"
        " `handlore sources NAME`)"
    )
