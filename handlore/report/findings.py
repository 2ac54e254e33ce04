"""The content of a report, gathered before anything is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Self

import numpy as np
from numpy.typing import NDArray

from handlore.classifiers.evaluation.breakdown import (
    DetectionRate,
    GroupScore,
    Reliability,
    detection_rates,
    scores_by_stage,
    scores_by_unit,
)
from handlore.classifiers.evaluation.evaluation import Evaluation
from handlore.classifiers.evaluation.leaks import NOT_COMPARED
from handlore.classifiers.typical import aligned_hands, median_hand
from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.geometry import rotate
from handlore.landmarks.hands import FloatArray
from handlore.landmarks.stages import STAGE_NAMES

_MOST_PAIRS = 8
_MOST_OF_A_PAIR = 5
_LONGEST_NAME = 14


@dataclass(frozen=True)
class Mistake:
    """An item that is drawn."""

    source: str
    name: str
    """The end of the source, without what all sources have in common."""
    probability: float
    image: FloatArray
    """(n_frames, n_hands, 21, 3) image landmarks, NaN for no hand."""


@dataclass(frozen=True)
class Confusion:
    """Items of one label that were answered as another."""

    truth: str
    answer: str
    n: int

    wrong: tuple[Mistake, ...]
    """Those of the highest probability; items without a hand cannot be drawn."""
    typical_truth: Mistake | None
    typical_answer: Mistake | None
    """The right answer of the highest probability of either label, for comparison."""


def _worst_mistakes(outcome: Evaluation) -> list[Confusion]:
    answers = outcome.predictions
    names = _short_names([str(outcome.dataset.samples.source[at]) for at in answers.sample])

    def most_probable(chosen: NDArray[np.bool_], at_most: int) -> tuple[Mistake, ...]:
        items = np.flatnonzero(chosen & ~answers.no_hand)
        items = items[np.argsort(-answers.probability[items], kind="stable")][:at_most]
        return tuple(_shown(outcome, item, names[item]) for item in items.tolist())

    def typical(label: str) -> Mistake | None:
        return next(iter(most_probable(answers.right & (answers.truth == label), 1)), None)

    def mistakes(truth: str, answer: str) -> tuple[Mistake, ...]:
        return most_probable(
            (answers.truth == truth) & (answers.predicted == answer), _MOST_OF_A_PAIR
        )

    return [
        Confusion(truth, answer, n, mistakes(truth, answer), typical(truth), typical(answer))
        for truth, answer, n in outcome.scores.most_confused(_MOST_PAIRS)
    ]


def _shown(outcome: Evaluation, item: int, name: str) -> Mistake:
    sample, dataset = int(outcome.predictions.sample[item]), outcome.dataset
    image = dataset.image[slice(*dataset.offsets[sample : sample + 2])]
    probability = float(outcome.predictions.probability[item])
    return Mistake(str(dataset.samples.source[sample]), name, probability, image)


def _short_names(sources: Sequence[str]) -> list[str]:
    """Return each path without the folders, the file name and the suffix that all share."""
    paths = [source.replace("\\", "/").split("/") for source in sources]
    start = _shared(paths)
    end = _shared([path[: start - 1 if start else None : -1] for path in paths])
    kept = ["/".join(path[start : len(path) - end]) for path in paths]
    if len(endings := {PurePosixPath(name).suffix for name in kept}) == 1:
        kept = [name.removesuffix(*endings) for name in kept]
    longest = _LONGEST_NAME
    return [name if len(name) <= longest else "…" + name[1 - longest :] for name in kept]


def _shared(paths: Sequence[Sequence[str]]) -> int:
    """Return how many parts all paths start with; each keeps at least one of its own."""
    n = 0
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1 or min(map(len, paths)) - n < 2:
            break
        n += 1
    return n


_MOMENTS = 24
"""Points in time of a mean movement."""


def hands_by_label(dataset: LandmarkDataset) -> Mapping[str, FloatArray]:
    """Return the hands of each label in one frame of reference, so that they can be compared.

    They are (n_samples, n_frames, n_hands, 21, 3) in palm lengths, NaN for a missing hand;
    augmented copies and samples without a hand are left out. Poses have one frame, and are turned
    as those of their label usually are, because thumbs up is not thumbs down. Movements have
    :data:`_MOMENTS` frames.
    """
    shown = dataset.select(dataset.has_hand & (dataset.samples.view == 0))
    labels = shown.samples.label
    aligned = {
        label: aligned_hands(shown.select(labels == label), _MOMENTS)
        for label in np.unique(labels).tolist()
    }
    return {label: rotate(*hands) for label, hands in aligned.items()}


_History = Sequence[Mapping[str, float | None]]


@dataclass(frozen=True)
class About:
    """Texts of a report that its evaluation does not contain."""

    title: str
    facts: Mapping[str, str]
    """Model, data, protocol."""
    notes: Sequence[str] = ()
    """Reasons to doubt the numbers."""
    history: _History = ()
    """A row for each epoch of training."""
    speed: Mapping[str, str] = field(default_factory=dict)
    """Time and size."""
    card: Mapping[str, str] = field(default_factory=dict)
    """Facts about the model."""


@dataclass(frozen=True)
class Findings:
    """The content of a report."""

    about: About
    outcome: Evaluation
    over: str
    """Unit of ``people``: ``group``, ``session``, ``recording``; ``item`` if none is known."""
    people: Sequence[GroupScore]
    stages: Sequence[GroupScore]
    detection_rates: Sequence[DetectionRate]
    reliability: Reliability | None
    confusions: Sequence[Confusion]

    missed: Sequence[str]
    """The sources of items in which no hand was found, but for those labelled ``none``."""
    typical: Mapping[str, FloatArray]
    """A typical hand of each label, the median of :func:`hands_by_label`."""

    @classmethod
    def of(cls, outcome: Evaluation, about: About) -> Self:
        """Gather what an evaluation found."""
        answers, dataset = outcome.predictions, outcome.dataset
        over, people = scores_by_unit(answers, dataset)
        return cls(
            about,
            outcome,
            over,
            people,
            scores_by_stage(answers, dataset),
            detection_rates(dataset),
            Reliability.of(answers),
            _worst_mistakes(outcome),
            _missed(outcome),
            {label: median_hand(hands) for label, hands in hands_by_label(dataset).items()},
        )

    @property
    def what(self) -> str:
        """Plural of what an item is."""
        return "pictures" if self.outcome.dataset.header.kind == "pose" else "clips"

    @property
    def named_stages(self) -> list[GroupScore]:
        """The search stages with names instead of numbers."""
        return [replace(part, name=stage_name(part.name)) for part in self.stages]

    @property
    def data_card(self) -> dict[str, str]:
        """Facts about the data."""
        dataset = self.outcome.dataset
        header, detector = dataset.header, dataset.header.detector
        facts = {
            "Samples": f"{dataset.n_samples}, {dataset.n_frames} frames",
            "Labels": str(len(dataset.labels)),
            "Source": str(header.options.get("source", "")),
            "Detector": f"{detector.name} {detector.version}, {detector.landmarker}"
            if detector
            else "landmarks came with the data",
            "Seen in training": self._seen_before,
            "Licence": header.note,
            "Digest": dataset.digest()[:16],
        }
        return {key: value for key, value in facts.items() if value}

    @property
    def _seen_before(self) -> str:
        leaks = self.outcome.leaks
        if leaks is None:
            return "unknown: it could not be checked"
        n = f"{leaks.n} of the samples" if leaks.n else "none of the samples"
        if leaks.n_checked is not None:
            n = f"{leaks.n or 'none'} of {leaks.n_checked} that can be looked up"
        how = "by file or by landmarks" if leaks.by_landmarks else f"by file; {NOT_COMPARED}"
        return f"{n} tested, {how}" if leaks.n_checked is None else f"{n}, {how}"


def _missed(outcome: Evaluation) -> list[str]:
    answers, samples = outcome.predictions, outcome.dataset.samples
    lost = answers.no_hand & ~answers.right
    return [str(samples.source[at]) or f"sample {at}" for at in answers.sample[lost]]


def stage_styles(rates: Sequence[DetectionRate]) -> dict[int, str]:
    """Return the colour class of each search stage; the sixth and later share one."""
    used = sorted({stage for one in rates for stage in one.by_stage})
    return {stage: f"s{min(place, 5)}" for place, stage in enumerate(used)}


def stage_name(number: str | int) -> str:
    """Return the name of a search stage."""
    place = int(number)
    if place < 0:
        return "no hand found"
    return STAGE_NAMES[place] if place < len(STAGE_NAMES) else f"stage {place}"
