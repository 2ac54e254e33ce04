"""The result of a test: predictions, scores, intervals, and what limits their meaning."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset, concatenate, listed
from handlore.datasets.kinds import READY_MODEL
from handlore.datasets.labels import about_same, means_no_gesture, renamed, same_labels
from handlore.datasets.splits import By, held_out_samples, protocol_words, split_counts
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import InvalidDataError, shell_line
from handlore.landmarks.untrusted import printable
from handlore.models.card import ModelCard
from handlore.models.files import load_model
from handlore.models.model import Model
from handlore.models.ready import is_ready

from .breakdown import Reliability, detection_rates, scores_by_stage, scores_by_unit
from .comparison import RunResults
from .importance import Importance, measure_importances
from .intervals import Intervals
from .leaks import Leaks
from .scores import Predictions, Scores, predict_items, require_model_kind
from .streams import StreamOutputs, StreamScores

_MIN_GAP = 0.05
"""Points of accuracy that are shown as 0.0."""
_MAX_STREAM_CLIPS = 900
"""Clips in streams: more take long and change little."""
_PART_KEYS = {"path of the wrist": "way of the wrist"}
"""Keys of earlier versions, which scripts may rely on."""
_KEPT_OF_REFERENCE = ("accuracy", "accuracy_interval", "macro_f1", "macro_f1_interval", "n")


@dataclass(frozen=True)
class Split:
    """How data were divided into training and test."""

    by: By
    n_groups: int
    n_folds: int

    @property
    def protocol(self) -> str:
        """The split in words."""
        return protocol_words(self.by, self.n_folds)

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        values: dict[str, Any] = {"by": self.by, "n_groups": self.n_groups}
        return values | {"n_folds": self.n_folds, "protocol": self.protocol}


@dataclass(frozen=True)
class Evaluation:
    """The predictions for the items of a dataset, with their scores.

    ``cross_validate`` and ``evaluate`` return it; ``handlore.report`` draws it.
    """

    predictions: Predictions

    dataset: LandmarkDataset
    """The data; ``predictions.sample`` are its samples."""
    scores: Scores
    intervals: Intervals

    leaks: Leaks | None = None
    """Items that are also in the training data; None where that could not be checked."""
    importances: tuple[Importance, ...] = ()
    """The contribution of each part of the hand, if it was measured."""
    model: str = ""
    """The name of the estimator, or the model file."""
    split: Split | None = None
    """None for a model file."""
    notes: tuple[str, ...] = ()
    """Reasons why the scores may be too good or too bad, in sentences."""
    reference: "Evaluation | None" = None
    """The result by people (or sessions, recordings), if a weaker split was asked for."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of the estimator."""
    features: tuple[str, ...] = ()
    """Groups of features of a classifier of poses."""
    streams: StreamScores | None = None
    """Movements: what is found in streams of these clips."""
    seconds: float = 0.0
    """Duration of training and testing."""
    tested: Model | None = None
    """The loaded model, for a model file."""
    untested: Mapping[str, int] = field(default_factory=dict)
    """Items by label that are not in the scores, since training has no example when they are
    tested."""
    splits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """A model file: how many samples of each split of the data were ``tested``, and ``left_out``;
    '' is no split."""
    counted_as: Mapping[str, str] = field(default_factory=dict)
    """Labels of the data that the model has in another spelling, and that spelling."""

    @classmethod
    def of(
        cls,
        predictions: Predictions,
        dataset: LandmarkDataset,
        leaks: Leaks | None = None,
        importances: Sequence[Importance] = (),
        *,
        seed: int = 0,
    ) -> Self:
        """Score predictions; ``seed`` is that of the bootstrap."""
        spread = Intervals.of(predictions, dataset, seed=seed)
        return cls(predictions, dataset, Scores.of(predictions), spread, leaks, tuple(importances))

    @property
    def protocol(self) -> str:
        """How the model was tested."""
        return self.split.protocol if self.split else "tested as a model file"

    @property
    def gap(self) -> float | None:
        """Accuracy of this split minus that of the reference, if there is one."""
        if self.reference is None:
            return None
        return self.scores.accuracy - self.reference.scores.accuracy

    @property
    def gap_sentence(self) -> str:
        """The reference and the gap in a sentence; empty without a reference."""
        other, gap = self.reference, self.gap
        if other is None or gap is None or other.split is None or self.split is None:
            return ""
        low, high = (f"{100 * bound:.1f}" for bound in other.intervals.accuracy)
        points = f"{abs(100 * gap):.1f} points {'higher' if gap >= 0 else 'lower'}"
        same = abs(100 * gap) < _MIN_GAP
        return (
            f"tested by {other.split.by}, as in later use: accuracy"
            f" {100 * other.scores.accuracy:.1f} % [{low} to {high}]; the {self.split.by} split"
            f" gives {'the same accuracy' if same else points}"
        )

    @cached_property
    def run(self) -> RunResults:
        """The predictions item by item, for :func:`~.comparison.compare`."""
        return replace(
            RunResults.of(self.predictions, self.dataset),
            protocol=self.protocol,
            n_leaks=self.leaks.n if self.leaks else 0,
        )

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        leaks = {"leaks": self.leaks.as_json() if self.leaks else None}
        parts = {_PART_KEYS.get(o.part, o.part): round(o.lost, 5) for o in self.importances}
        found = self.scores.as_json() | self.intervals.as_json() | leaks
        found |= ({"importance": parts} if parts else {}) | self._breakdown()
        found |= {"items": self.run.as_json(), "protocol": self.protocol, "model": self.model}
        found |= self.split.as_json() if self.split else {}
        found |= {"streams": self.streams.as_json()} if self.streams else {}
        found |= {"untested": dict(self.untested)} if self.untested else {}
        found |= {"counted_as": dict(self.counted_as)} if self.counted_as else {}
        found |= {"splits": {key: dict(n) for key, n in self.splits.items()}} if self.splits else {}
        if self.reference is not None and self.reference.split is not None:
            values = self.reference.as_json()
            kept = {key: values[key] for key in _KEPT_OF_REFERENCE}
            found |= {"honest": kept | self.reference.split.as_json(), "gap": self.gap}
        return found

    def json_text(self) -> str:
        """Return :meth:`as_json` as JSON text in ASCII, one line per key."""
        rows = (
            f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in self.as_json().items()
        )
        return "{\n" + ",\n".join(rows) + "\n}"

    def _breakdown(self) -> dict[str, Any]:
        over, units = scores_by_unit(self.predictions, self.dataset)
        reliability = Reliability.of(self.predictions)
        known = {f"per_{over}": [part.as_json() for part in units]} if units else {}
        stages = scores_by_stage(self.predictions, self.dataset)
        return known | {
            "per_stage": [part.as_json() for part in stages],
            "yield": [one.as_json() for one in detection_rates(self.dataset)],
            "reliability": reliability.as_json() if reliability else None,
        }


def evaluate(
    model: Model | str | Path,
    dataset: LandmarkDataset | str | Path | Sequence[LandmarkDataset | str | Path],
    *,
    split: str | None = None,
    with_importances: bool = False,
    with_streams: bool | None = None,
) -> Evaluation:
    """Score a model file on a dataset.

    An item without a hand is predicted as ``none``, and is an error unless that is its label.
    Labels in another spelling (capitals, spaces, hyphens, underscores) count as the model's.

    Parameters
    ----------
    model
        A loaded model, or its file, or the name of one that comes with handlore.
    dataset
        Samples of the model's kind; or their file; or several.
    split
        Test on this split; default: the split ``test`` of each dataset that has one, all of
        others. For the name of a model that comes with handlore, all.
    with_importances
        Also measure the contribution of each part of the hand.
    with_streams
        Also recognise the samples in streams, as live; default: yes. There are no such scores for
        a model of movements that does not know ``none``.

    Raises
    ------
    HandloreError
        If the dataset is of another kind, has no such split, or the model knows none of its labels.

    Examples
    --------
    >>> result = handlore.evaluate("poses.onnx", handlore.load_dataset("poses.npz"))
    >>> 0 <= result.scores.accuracy <= 1
    True
    >>> result.notes
    ('the model was trained on exactly this data; the scores are meaningless',)
    """
    name, loaded = "" if isinstance(model, Model) else str(model), load_model(model)
    given: Any = dataset if isinstance(dataset, list | tuple) else [dataset]
    parts = [load_dataset(one) for one in given]
    dataset, card, is_own = concatenate(parts), loaded.card, not is_ready(model)
    sizes = [one.n_samples for one in parts]
    tested = held_out_samples(dataset, split, sizes) if is_own or split else dataset
    require_model_kind(dataset, loaded.encoder.kind, READY_MODEL)
    tested, names = _in_spelling_of(card, tested)
    counts = split_counts(tested)
    splits = {"tested": counts, "left_out": split_counts(dataset) - counts}
    classifier = (loaded.predict_clips, card.labels, tested, loaded.encoder)
    found = Evaluation.of(
        predict_items(*classifier),
        tested,
        Leaks.of_model(card, tested, dataset),
        measure_importances(*classifier) if with_importances else (),
    )
    doubts = _doubts(card, tested, is_own=is_own, is_checked=found.leaks is not None)
    spelled = [about_same(names)] if names else []
    return replace(
        found,
        model=name or card.estimator,
        tested=loaded,
        notes=(*_about_splits(splits, "" if is_own else name), *spelled, *doubts),
        streams=None if with_streams is False else _in_streams(loaded, tested),
        splits=splits,
        counted_as=names,
    )


def _in_streams(model: Model, tested: LandmarkDataset) -> StreamScores | None:
    if model.card.kind == "sequence" and NONE_LABEL not in model.card.labels:
        return None
    return StreamOutputs.of(model, tested, _MAX_STREAM_CLIPS).counted(model.thresholds)


def _in_spelling_of(
    card: ModelCard, tested: LandmarkDataset
) -> tuple[LandmarkDataset, dict[str, str]]:
    """Return data with its labels in the spelling of a model, and those that had another.

    Data of which the model knows no label are refused.
    """
    names = same_labels(tested.labels, card.labels)
    if names:
        samples = replace(tested.samples, label=renamed(tested.samples.label, names))
        tested = replace(tested, samples=samples)
    gestures = set(tested.labels) - {NONE_LABEL}
    if gestures and not gestures & set(card.labels):
        raise InvalidDataError(
            f"the model knows none of the labels of the data ({listed(sorted(gestures))}; the"
            f" model: {listed(card.labels)}); evaluate a model of these gestures"
        )
    return tested, names


def _about_splits(splits: Mapping[str, Mapping[str, int]], ready: str) -> list[str]:
    """Say which splits were tested if some are not; or if a model that comes with handlore is."""
    tested, left_out = (
        ", ".join(
            f"{n} of {printable(split)}" if split else f"{n} without a split"
            for split, n in sorted(splits[key].items())
        )
        for key in ("tested", "left_out")
    )
    if left_out:
        return [f"tested: {tested}; left out: {left_out}; choose with --split"]
    if ready and "train" in splits["tested"]:
        return [f"tested: {tested}, as {ready} comes with handlore; choose with --split"]
    return []


def _doubts(
    card: ModelCard, dataset: LandmarkDataset, *, is_own: bool, is_checked: bool
) -> list[str]:
    """Return why the scores of a model file may be misleading.

    It is one's own if it did not come with handlore; ``is_checked`` says that leaks are known.
    """
    lines = []
    unknown = sorted(set(dataset.labels) - set(card.labels) - {NONE_LABEL})
    if unknown:
        lines.append(f"the model does not know {listed(unknown)}; each counts as an error")
    # A model of movements has `none` for streams, even if it has seen no clips of it.
    learnt = card.training.get("counts") or card.labels
    shown = dataset.samples.label[dataset.has_hand]
    if NONE_LABEL in shown and NONE_LABEL not in learnt:
        lines.append(
            f"the model has not learnt {NONE_LABEL} from examples; each of its samples that shows a"
            " hand counts as an error"
        )
    if NONE_LABEL in card.labels and (idle := [one for one in unknown if means_no_gesture(one)]):
        option = shell_line("--none", idle[0])
        lines.append(
            f"{listed(idle)} may mean no gesture: `handlore convert` with {option} makes it"
            f" `{NONE_LABEL}`"
        )
    if dataset.digest() == card.training.get("data_digest"):
        lines.append("the model was trained on exactly this data; the scores are meaningless")
        return lines
    if not is_checked:
        lacks = "the data has" if not (dataset.samples.sha256 != "").any() else "the model file has"
        lines.append(
            "it could not be checked whether these samples are also in the training data:"
            f" {lacks} no digests of them"
        )
    trained = int((dataset.samples.split == "train").sum())
    if trained and is_own:
        lines.append(f"{trained} of these samples are marked for training; choose with --split")
    groups = set(dataset.samples.group.tolist()) - {""}
    shared = sorted(groups & set(card.training.get("groups") or ()))
    if shared:
        lines.append(f"the model was also trained on {listed(shared)}, so the scores are too high")
    detector = dataset.header.detector
    if detector and detector.landmarker != card.landmarker:
        lines.append(
            f"the model was trained on {card.landmarker} landmarks, these are {detector.landmarker}"
        )
    return lines
