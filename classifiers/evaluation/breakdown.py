"""Scores by person and search stage, detection rates by class, and reliability."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset

from .intervals import Interval, units_of, wilson
from .scores import Predictions


@dataclass(frozen=True)
class GroupScore:
    """The score of one person, or of one search stage."""

    name: str
    n: int
    n_right: int

    @property
    def accuracy(self) -> float:
        """Share of correct items."""
        return self.n_right / self.n

    @property
    def interval(self) -> Interval:
        """95 % interval of the accuracy, for independent items."""
        return wilson(self.n_right, self.n)

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        return {
            "name": self.name,
            "n": self.n,
            "n_right": self.n_right,
            "accuracy": self.accuracy,
            "accuracy_interval": list(self.interval),
        }


@dataclass(frozen=True)
class DetectionRate:
    """Items of one class in which a hand was found."""

    label: str
    n: int

    by_stage: dict[int, int]
    """Items by the search stage that found the hand."""

    @property
    def n_found(self) -> int:
        """Items with a hand."""
        return sum(self.by_stage.values())

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        stages = {str(stage): n for stage, n in sorted(self.by_stage.items())}
        return {"label": self.label, "n": self.n, "n_with_hand": self.n_found, "stages": stages}


def scores_by_unit(
    predictions: Predictions, dataset: LandmarkDataset
) -> tuple[str, list[GroupScore]]:
    """Return the kind of unit, and scores, worst first; no scores if units are unknown."""
    units, over = units_of(predictions, dataset)
    if over == "item":
        return over, []
    parts = _parts(predictions, units, np.unique(units))
    return over, sorted(parts, key=lambda part: part.accuracy)


def scores_by_stage(predictions: Predictions, dataset: LandmarkDataset) -> list[GroupScore]:
    """Return scores by search stage, named by its number; -1 = no hand."""
    stages = _first_stages(dataset)[predictions.sample]
    return _parts(predictions, stages, np.unique(stages))


def detection_rates(dataset: LandmarkDataset) -> list[DetectionRate]:
    """Return the detection rate of each class, without augmented copies."""
    own = dataset.samples.view == 0
    labels, stages = dataset.samples.label[own], _first_stages(dataset)[own]
    found = []
    for label in np.unique(labels):
        of_label = stages[labels == label]
        numbers, counts = np.unique(of_label[of_label >= 0], return_counts=True)
        by = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
        found.append(DetectionRate(str(label), len(of_label), by))
    return found


def _first_stages(dataset: LandmarkDataset) -> NDArray[np.int64]:
    """Return the earliest search stage (n_samples,) that found a hand in it; -1 = none did."""
    none = 127
    frames = np.where(dataset.detected, dataset.stage, none).min(axis=1, initial=none)
    first = np.minimum.reduceat(frames, dataset.offsets[:-1]).astype(np.int64)
    return np.where(first == none, -1, first)


def _parts(
    predictions: Predictions, names: NDArray[np.str_] | NDArray[np.int64], known: Iterable[object]
) -> list[GroupScore]:
    right = predictions.right
    return [
        GroupScore(str(name), int((names == name).sum()), int(right[names == name].sum()))
        for name in known
    ]


_N_BINS = 10


@dataclass(frozen=True)
class _ReliabilityBin:
    """The predictions within an interval of probability."""

    low: float
    high: float

    n: int
    """Number of predictions."""
    probability: float
    """Their mean probability."""
    accuracy: float
    """Share of correct ones."""

    @property
    def interval(self) -> Interval:
        """95 % interval of the accuracy."""
        return wilson(round(self.accuracy * self.n), self.n)


@dataclass(frozen=True)
class Reliability:
    """How well probabilities match accuracy (Guo et al., ICML 2017)."""

    bins: tuple[_ReliabilityBin, ...]
    """Bins with predictions, by rising probability."""
    error: float
    """Expected calibration error: the mean difference of probability and accuracy."""

    @classmethod
    def of(cls, predictions: Predictions) -> Self | None:
        """Compare probabilities with accuracy; None if no item shows a hand.

        Items without a hand have no probability and are left out.
        """
        known = ~np.isnan(predictions.probability)
        if not known.any():
            return None
        probability = predictions.probability[known].astype(np.float64)
        right = predictions.right[known]
        place = np.minimum((probability * _N_BINS).astype(int), _N_BINS - 1)
        bins = tuple(
            _ReliabilityBin(
                number / _N_BINS,
                (number + 1) / _N_BINS,
                int((place == number).sum()),
                float(probability[place == number].mean()),
                float(right[place == number].mean()),
            )
            for number in np.unique(place).tolist()
        )
        error = sum(one.n * abs(one.probability - one.accuracy) for one in bins) / len(right)
        return cls(bins, float(error))

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        return {"expected_error": self.error, "bins": [asdict(one) for one in self.bins]}
