"""Which mistakes a report shows: of the pairs most often confused those it was surest of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handlore.classifiers.assessment.outcome import Outcome
from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.hands import FloatArray

MOST_PAIRS = 8
MOST_OF_A_PAIR = 5


@dataclass(frozen=True)
class Shown:
    """An item that is drawn."""

    source: str
    probability: float
    image: FloatArray
    """(n_frames, n_hands, 21, 3) image landmarks, NaN for no hand."""


@dataclass(frozen=True)
class Confusion:
    """Items of one label that were taken for another."""

    truth: str
    answer: str
    n: int

    wrong: tuple[Shown, ...]
    """The surest of them; those without a hand have nothing to show."""

    typical_truth: Shown | None
    typical_answer: Shown | None
    """The surest right answers of either label, to compare with."""


def worst_mistakes(outcome: Outcome) -> list[Confusion]:
    """Return the pairs most often confused, with what is to be drawn."""
    answers, dataset = outcome.answers, outcome.dataset
    right = answers.truth == answers.answer
    return [
        Confusion(
            truth, answer, n,
            _surest(outcome, (answers.truth == truth) & (answers.answer == answer)),
            next(iter(_surest(outcome, right & (answers.truth == truth), 1)), None),
            next(iter(_surest(outcome, right & (answers.truth == answer), 1)), None),
        )
        for truth, answer, n in outcome.scores.most_confused(MOST_PAIRS)
    ] if dataset.n_samples else []  # fmt: skip


def _surest(
    outcome: Outcome, chosen: NDArray[np.bool_], at_most: int = MOST_OF_A_PAIR
) -> tuple[Shown, ...]:
    answers = outcome.answers
    items = np.flatnonzero(chosen & ~answers.no_hand)
    items = items[np.argsort(-answers.probability[items], kind="stable")][:at_most]
    return tuple(
        Shown(
            str(outcome.dataset.samples.source[answers.sample[item]]),
            float(answers.probability[item]),
            landmarks_of(outcome.dataset, int(answers.sample[item])),
        )
        for item in items.tolist()
    )


def landmarks_of(dataset: LandmarkDataset, sample: int) -> FloatArray:
    """Return the image landmarks (n_frames, n_hands, 21, 3) of a sample."""
    landmarks: FloatArray = dataset.image[slice(*dataset.offsets[sample : sample + 2])]
    return landmarks
