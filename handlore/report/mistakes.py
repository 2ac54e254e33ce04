"""Which mistakes a report shows: of the pairs most often confused those it was surest of."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from handlore.classifiers.assessment.outcome import Outcome
from handlore.landmarks.hands import FloatArray

MOST_PAIRS = 8
MOST_OF_A_PAIR = 5
LONGEST_NAME = 14


@dataclass(frozen=True)
class Shown:
    """An item that is drawn."""

    source: str
    name: str
    """The end of the source, without what all sources have in common."""

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
    answers = outcome.answers
    names = short_names([str(outcome.dataset.samples.source[at]) for at in answers.sample])
    right = answers.truth == answers.answer

    def surest(chosen: NDArray[np.bool_], at_most: int) -> tuple[Shown, ...]:
        items = np.flatnonzero(chosen & ~answers.no_hand)
        items = items[np.argsort(-answers.probability[items], kind="stable")][:at_most]
        return tuple(_shown(outcome, item, names[item]) for item in items.tolist())

    def clear(label: str) -> Shown | None:
        return next(iter(surest(right & (answers.truth == label), 1)), None)

    return [
        Confusion(
            truth, answer, n,
            surest((answers.truth == truth) & (answers.answer == answer), MOST_OF_A_PAIR),
            clear(truth), clear(answer),
        )
        for truth, answer, n in outcome.scores.most_confused(MOST_PAIRS)
    ]  # fmt: skip


def _shown(outcome: Outcome, item: int, name: str) -> Shown:
    sample, dataset = int(outcome.answers.sample[item]), outcome.dataset
    image = dataset.image[slice(*dataset.offsets[sample : sample + 2])]
    probability = float(outcome.answers.probability[item])
    return Shown(str(dataset.samples.source[sample]), name, probability, image)


def short_names(sources: Sequence[str]) -> list[str]:
    """Return the end of each path, without the folders, file name and ending that all share."""
    paths = [source.replace("\\", "/").split("/") for source in sources]
    start = _shared(paths)
    end = _shared([path[: start - 1 if start else None : -1] for path in paths])
    kept = ["/".join(path[start : len(path) - end]) for path in paths]
    if len(endings := {PurePosixPath(name).suffix for name in kept}) == 1:
        kept = [name.removesuffix(*endings) for name in kept]
    return [name if len(name) <= LONGEST_NAME else "…" + name[1 - LONGEST_NAME :] for name in kept]


def _shared(paths: Sequence[Sequence[str]]) -> int:
    """Return how many parts all paths start with, but for one that each keeps."""
    n = 0
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1 or min(map(len, paths)) - n < 2:
            break
        n += 1
    return n
