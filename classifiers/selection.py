"""Which estimator to take for a dataset: several, cross-validated on the same folds.

The best of several looks better than it is, because it was picked by the figure that is then
reported. How much is measured as in nested cross-validation, at no further cost: on each fold, take
the estimator that is the most accurate on the *other* folds (Tsamardinos and others, *Machine
Learning* 107, 2018, do the same with bootstrap samples).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.kinds import DEFAULT_ESTIMATOR, KIND_WORDS, Kind
from handlore.datasets.splits import By, cross_validation, default_by, strictest_by
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.files import each
from handlore.models.encoders import Encoder

from .base import HandEstimator, Report, Steps
from .evaluation.comparison import Comparison, compare
from .evaluation.crossval import cross_validate_pipeline, limits
from .evaluation.evaluation import Evaluation
from .extending import pipeline_beside
from .factory import checked_params, make_estimator
from .novelty import NoveltyModel

_AUTO = "auto"
"""Stands for :data:`CANDIDATES` among the names of estimators."""
CANDIDATES = {
    "pose": ("kernel", "forest", "linear", "xgboost", "kernel+forest", "forest+linear"),
    "sequence": ("rocket", "tcn", "rocket+tcn"),
}
"""The estimators that are compared unless others are named; see docs/decisions/kernel.md."""
_COSTS = {"linear": 1, "forest": 3, "xgboost": 16, "tcn": 50}
"""Relative training time, for the bar that shows progress; others have 2."""
_SIGNIFICANT = 0.05
_SAME = 0.0005
"""Accuracies that differ by less are printed alike."""


@dataclass(frozen=True)
class EstimatorResult:
    """One estimator of several that were cross-validated on the same folds."""

    evaluation: Evaluation
    n_bytes: int
    """Size of the classifier, without the card: a model file is larger, and one of movements holds
    a second classifier, for clips, as far as the two differ."""
    seconds: float
    """Median duration of training in a fold."""
    against_best: Comparison
    """A is the most accurate estimator, B is this one."""
    p_value: float
    """Of that comparison, times the number of comparisons (Bonferroni), at most 1."""

    @property
    def name(self) -> str:
        """The name of the estimator."""
        return self.evaluation.model

    @property
    def verdict(self) -> str:
        """``worse`` than the best one, or ``no significant difference``."""
        is_chance = self.p_value >= _SIGNIFICANT
        return "no significant difference" if is_chance else self.against_best.verdict

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        found, compared = self.evaluation, self.against_best
        return {
            "model": self.name,
            "params": dict(found.params),
            "accuracy": found.scores.accuracy,
            "accuracy_interval": list(found.intervals.accuracy),
            "macro_f1": found.scores.macro_f1,
            "macro_f1_interval": found.intervals.as_json()["macro_f1_interval"],
            "bytes": self.n_bytes,
            "seconds_per_fold": round(self.seconds, 3),
            "difference": compared.difference,
            "difference_interval": list(compared.interval),
            "p_value": compared.p_value,
            "p_value_adjusted": self.p_value,
            "verdict": self.verdict,
        } | ({"streams": found.streams.as_json()} if found.streams else {})


@dataclass(frozen=True)
class EstimatorComparison:
    """Estimators that were cross-validated on the same folds, and which one to take."""

    results: tuple[EstimatorResult, ...]
    """The most accurate first."""
    preferred: str
    """The one to take unless another is significantly better: the default, or the first named."""
    winner_elsewhere: float
    """Accuracy of always taking the estimator that is the most accurate on the other folds."""
    left_out: tuple[str, ...] = ()
    """Which of ``auto`` are not installed, in sentences."""

    @property
    def best(self) -> EstimatorResult:
        """The most accurate one; of equal ones, the one to prefer."""
        return self.results[0]

    @property
    def chosen(self) -> EstimatorResult:
        """The one to take."""
        (preferred,) = (one for one in self.results if one.name == self.preferred)
        return self.best if preferred.verdict == "worse" else preferred

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, and what limits the scores of the one to take, in sentences."""
        return (*self.left_out, *self.chosen.evaluation.notes)

    @property
    def optimism(self) -> float:
        """By how much the accuracy of the best one is too high because it was picked by it."""
        return self.best.evaluation.scores.accuracy - self.winner_elsewhere

    @property
    def sentence(self) -> str:
        """Which one to take, and why."""
        chosen, best = self.chosen, self.best
        is_default = self.preferred in DEFAULT_ESTIMATOR.values()
        preferred = f"{self.preferred}, the {'default' if is_default else 'first named'}"
        if len(self.results) == 1:
            return f"{chosen.name} is the only estimator that was compared."
        if best.name == self.preferred:
            return f"Take {preferred}: no other is more accurate."
        (other,) = (one for one in self.results if one.name == self.preferred)
        points = f"{-100 * other.against_best.difference:.1f} points"
        if chosen is best:
            return (
                f"Take {best.name}: it is {points} more accurate than {preferred}, which is"
                " significant."
            )
        return f"Take {preferred}: {best.name} is {points} more accurate, which may be chance."

    @property
    def optimism_sentence(self) -> str:
        """How optimistic it is to report the accuracy of the best one."""
        start = (
            "Taking in each fold the winner of the other folds gives"
            f" {100 * self.winner_elsewhere:.1f} %"
        )
        best = f"the best of {len(self.results)}"
        if self.optimism < _SAME:
            return f"{start}, as {best} has: picking it does not make it look better than it is."
        return f"{start}: picking {best} makes it look {100 * self.optimism:.1f} points too good."

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        found = self.best.evaluation
        return {
            "models": [one.as_json() for one in self.results],
            "best": self.best.name,
            "chosen": self.chosen.name,
            "preferred": self.preferred,
            "sentence": self.sentence,
            "accuracy_winner_elsewhere": self.winner_elsewhere,
            "optimism": self.optimism,
            "n": found.scores.n,
            "interval_words": found.intervals.words,
            "difference_over": self.results[-1].against_best.over,
            "leaks": found.leaks.as_json() if found.leaks else None,
            "untested": dict(found.untested),
            "protocol": found.protocol,
            "notes": list(self.notes),
        } | (found.split.as_json() if found.split else {})


def compare_estimators(
    dataset: LandmarkDataset | str | Path,
    models: Sequence[str] | str = (_AUTO,),
    *,
    by: By | None = None,
    folds: int | None = None,
    features: Sequence[str] | None = None,
    mirror_labels: str | Mapping[str, str] = "",
    params: Mapping[str, object] | None = None,
    seed: int = 0,
    with_streams: bool = False,
    base: str | Path | None = None,
    progress: Report | None = None,
) -> EstimatorComparison:
    """Cross-validate several estimators on the same folds, and say which one to take.

    That is the default estimator (of others, the first named), unless another is significantly more
    accurate: by McNemar's test over the items, its p-value times the number of comparisons, and by
    the bootstrap over people.

    Parameters
    ----------
    dataset
        Samples of at least two labels; or their file.
    models
        Names of estimators; ``auto`` stands for those of :data:`CANDIDATES` that suit the data and
        are installed.
    params
        Parameters of estimators, as ``forest.n_estimators``; of a blend, those of its members.
    by, folds, features, mirror_labels, seed, base, progress
        See :func:`~.evaluation.crossval.cross_validate`.
    with_streams
        Also recognise the samples of each fold in streams, with every estimator.

    Raises
    ------
    HandloreError
        If the data cannot be divided that way, or an option does not fit.

    Examples
    --------
    >>> dataset = handlore.load_dataset("poses.npz")
    >>> found = handlore.compare_estimators(dataset, ["kernel", "linear"])
    >>> found.chosen.name
    'kernel'
    >>> found.winner_elsewhere <= found.best.evaluation.scores.accuracy
    True
    """
    dataset, chosen = load_dataset(dataset), each(models)
    names, left_out = _installed(chosen, dataset.header.kind)
    given = _params_by_model(names, checked_params(params))
    split, leaks = by or (default_by if base is None else strictest_by)(dataset), None
    how: dict[str, Any] = {"features": features, "mirror_labels": mirror_labels, "seed": seed}
    about: dict[str, Any] = {"by": split, "folds": folds, "with_streams": with_streams}
    run = partial(cross_validate_pipeline, dataset=dataset, seed=seed, **about)
    steps, runs = Steps(sum(map(_cost, names)), progress), []
    for name in names:
        pipeline, beside, notes = pipeline_beside(dataset, base, name, params=given[name], **how)
        watch = _FoldWatch(pipeline.encoder)
        bar = steps.within(_cost(name))
        found = run(pipeline=pipeline, base=beside, progress=bar, leaks=leaks, watch=watch)
        leaks, doubts = found.leaks, limits(found, pipeline, by_default=by is None)
        runs.append(_Run(replace(found, notes=(*notes, *doubts)), watch))
        steps.finish(_cost(name))
    default = DEFAULT_ESTIMATOR[dataset.header.kind]
    preferred = default if default in names else names[0]
    fold = _fold_of(dataset, split, folds, seed)[found.predictions.sample]
    honest = _winner_elsewhere([one.right for one in runs], names.index(preferred), fold)
    return EstimatorComparison(_ranked(runs, preferred), preferred, honest, tuple(left_out))


@dataclass
class _FoldWatch:
    """Takes the time of each fold, and the size of the first classifier."""

    encoder: Encoder
    seconds: list[float] = field(default_factory=list)
    n_bytes: int = 0

    def __call__(
        self,
        fitted: HandEstimator,
        trained: LandmarkDataset,
        tested: LandmarkDataset,
        seconds: float,
    ) -> None:
        self.seconds.append(seconds)
        if self.n_bytes:
            return
        graph = fitted.to_onnx()
        if self.encoder.kind == "pose":
            graph = NoveltyModel.of(trained, self.encoder).add_to(graph)
        self.n_bytes = graph.ByteSize()


class _Run(NamedTuple):
    found: Evaluation
    watch: _FoldWatch

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each item (n_items,) was predicted correctly."""
        return self.found.predictions.right


def _installed(models: Sequence[str], kind: Kind) -> tuple[list[str], list[str]]:
    """Return the names of the estimators, and why some that nobody named are left out."""
    named, left_out = list[str](), list[str]()
    for name in models:
        for one in CANDIDATES[kind] if name == _AUTO else (name,):
            estimator = make_estimator(one)
            if estimator.kind != kind:
                raise HandloreError(
                    f"{one} takes {KIND_WORDS[estimator.kind]}, and this data holds"
                    f" {KIND_WORDS[kind]}; name others, or {_AUTO}"
                )
            try:
                estimator.require()
                named.append(one)
            except HandloreError as error:
                if name != _AUTO:
                    raise
                left_out.append(f"{one} is left out: {error}")
    if not named:
        raise HandloreError(f"name at least one estimator, or {_AUTO}")
    return list(dict.fromkeys(named)), left_out


def _params_by_model(
    names: Sequence[str], params: Mapping[str, object]
) -> dict[str, dict[str, object]]:
    """Return the parameters of each estimator; each must say whose it is, and be of one of them."""
    members = {name: name.split("+") for name in names}
    known = sorted({member for each in members.values() for member in each})
    for param in params:
        if param.rpartition(".")[0] not in known:
            raise HandloreError(
                f"parameter {param}: with several estimators, say whose it is, such as"
                f" {known[0]}.{param.rpartition('.')[2]}; there are: {', '.join(known)}"
            )
    return {
        name: {key: value for key, value in params.items() if key.rpartition(".")[0] in own}
        for name, own in members.items()
    }


def _cost(name: str) -> int:
    return sum(_COSTS.get(member, 2) for member in name.split("+"))


def _ranked(runs: Sequence[_Run], preferred: str) -> tuple[EstimatorResult, ...]:
    """Return the results, the most accurate first, each compared with it."""
    order = sorted(runs, key=lambda run: (-run.right.sum(), run.found.model != preferred))
    best, n_tests = order[0].found, max(1, len(order) - 1)
    results = []
    for found, watch in order:
        compared = compare(best, found)
        p_value = min(1.0, n_tests * compared.p_value)
        seconds = median(watch.seconds)
        results.append(EstimatorResult(found, watch.n_bytes, seconds, compared, p_value))
    return tuple(results)


def _fold_of(dataset: LandmarkDataset, by: By, folds: int | None, seed: int) -> NDArray[np.int64]:
    """Return the number of the fold (n_samples,) in which each sample is tested."""
    fold_of = np.zeros(dataset.n_samples, np.int64)
    for number, (_, tested) in enumerate(cross_validation(dataset, by, folds, seed)):
        fold_of[tested] = number
    return fold_of


def _winner_elsewhere(
    right: Sequence[NDArray[np.bool_]], preferred: int, fold: NDArray[np.int64]
) -> float:
    """Return the accuracy of the estimator that is the most accurate on the other folds.

    ``right`` are (n_items,) for each estimator, ``fold`` (n_items,) is where an item was tested. Of
    equal ones it is the one to prefer, else the first.
    """
    n_right = np.stack([np.bincount(fold, one) for one in right])  # (n_models, n_folds)
    elsewhere = n_right.sum(axis=1, keepdims=True) - n_right
    elsewhere[preferred] += 0.5
    winner = elsewhere.argmax(axis=0)
    return float(n_right[winner, np.arange(n_right.shape[1])].sum() / len(fold))
