"""Scores taken apart: by person, by search stage, and how many hands were found in each class."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset

from .intervals import Interval, units_of, wilson
from .scores import Predictions


@dataclass(frozen=True)
class GroupScore:
    """The items of one person, or of one search stage."""

    name: str
    n: int
    n_right: int

    @property
    def accuracy(self) -> float:
        """Share of its items answered right."""
        return self.n_right / self.n

    @property
    def interval(self) -> Interval:
        """95 % interval of the accuracy, its items taken for independent."""
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
    """How many hands were found in the items of one class."""

    label: str
    n: int

    by_stage: dict[int, int]
    """Items by the search stage that found their hand."""

    @property
    def n_found(self) -> int:
        """How many items show a hand."""
        return sum(self.by_stage.values())

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        stages = {str(stage): n for stage, n in sorted(self.by_stage.items())}
        return {"label": self.label, "n": self.n, "n_with_hand": self.n_found, "stages": stages}


def scores_by_unit(
    predictions: Predictions, dataset: LandmarkDataset
) -> tuple[str, list[GroupScore]]:
    """Return what the units are, and the parts, the worst first; none where nobody is known."""
    units, over = units_of(predictions, dataset)
    if over == "item":
        return over, []
    parts = _parts(predictions, units, np.unique(units))
    return over, sorted(parts, key=lambda part: part.accuracy)


def scores_by_stage(predictions: Predictions, dataset: LandmarkDataset) -> list[GroupScore]:
    """Return the parts by search stage, named by its number; without a hand -1."""
    stages = _first_stages(dataset)[predictions.sample]
    return _parts(predictions, stages, np.unique(stages))


def detection_rates(dataset: LandmarkDataset) -> list[DetectionRate]:
    """Return how many hands were found in each class, by label; views are left out."""
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
    right = predictions.truth == predictions.predicted
    return [
        GroupScore(str(name), int((names == name).sum()), int(right[names == name].sum()))
        for name in known
    ]


# Whether 80 % sure means right in 80 of 100 cases (Guo et al., ICML 2017).


_N_BINS = 10


@dataclass(frozen=True)
class ReliabilityBin:
    """The predictions of about one probability."""

    low: float
    high: float

    n: int
    """How many there are."""

    probability: float
    """Their mean probability."""

    accuracy: float
    """How many of them are right."""

    @property
    def interval(self) -> Interval:
        """95 % interval of the accuracy."""
        return wilson(round(self.accuracy * self.n), self.n)


@dataclass(frozen=True)
class Reliability:
    """How far probabilities can be taken at their word."""

    bins: tuple[ReliabilityBin, ...]
    """Those that hold any answer, from unsure to sure."""

    error: float
    """Expected calibration error: the mean difference of probability and accuracy."""

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        return {"expected_error": self.error, "bins": [asdict(one) for one in self.bins]}


def reliability_of(predictions: Predictions) -> Reliability | None:
    """Compare probabilities with how often they come true; None if no item shows a hand.

    Items without a hand are left out: nobody gave a probability.
    """
    asked = ~np.isnan(predictions.probability)
    if not asked.any():
        return None
    probability = predictions.probability[asked].astype(np.float64)
    right = (predictions.truth == predictions.predicted)[asked]
    place = np.minimum((probability * _N_BINS).astype(int), _N_BINS - 1)
    bins = tuple(
        ReliabilityBin(
            number / _N_BINS,
            (number + 1) / _N_BINS,
            int((place == number).sum()),
            float(probability[place == number].mean()),
            float(right[place == number].mean()),
        )
        for number in np.unique(place).tolist()
    )
    error = sum(one.n * abs(one.probability - one.accuracy) for one in bins) / len(right)
    return Reliability(bins, float(error))
