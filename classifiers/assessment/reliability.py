"""Whether 80 % sure means right in 80 of 100 cases (Guo et al., ICML 2017)."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..evaluation import Answers
from .intervals import Interval, wilson

BINS = 10


@dataclass(frozen=True)
class Bin:
    """The answers of about one probability."""

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

    bins: tuple[Bin, ...]
    """Those that hold any answer, from unsure to sure."""

    error: float
    """Expected calibration error: the mean distance of probability and accuracy over answers."""

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        return {"expected_error": self.error, "bins": [asdict(one) for one in self.bins]}


def reliability_of(answers: Answers) -> Reliability | None:
    """Compare probabilities with how often they come true; None if no item shows a hand.

    Items without a hand are left out: nobody gave a probability.
    """
    asked = ~np.isnan(answers.probability)
    if not asked.any():
        return None
    probability = answers.probability[asked].astype(np.float64)
    right = (answers.truth == answers.answer)[asked]
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    bins = tuple(
        Bin(
            number / BINS, (number + 1) / BINS, int((place == number).sum()),
            float(probability[place == number].mean()), float(right[place == number].mean()),
        )
        for number in np.unique(place).tolist()
    )  # fmt: skip
    error = sum(one.n * abs(one.probability - one.accuracy) for one in bins) / len(right)
    return Reliability(bins, float(error))
