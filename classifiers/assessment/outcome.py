"""What a test has shown: scores, how far they may be off, and what speaks against them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from handlore.datasets.dataset import LandmarkDataset

from ..evaluation import Answers, Scores, score
from .breakdown import by_stage, by_unit, yields
from .importance import Importance
from .intervals import Intervals, intervals
from .leaks import Leaks
from .reliability import reliability_of
from .runs import Run


@dataclass(frozen=True)
class Outcome:
    """The answers to the items of a dataset, counted."""

    answers: Answers
    dataset: LandmarkDataset
    """What was answered; ``answers.sample`` are its samples."""

    scores: Scores
    intervals: Intervals
    leaks: Leaks | None = None
    """What stands on both sides, where that can be known."""

    importances: tuple[Importance, ...] = ()
    """What each part of the hand is worth, where that was measured."""

    @classmethod
    def of(
        cls,
        answers: Answers,
        dataset: LandmarkDataset,
        leaks: Leaks | None = None,
        importances: Sequence[Importance] = (),
        *,
        seed: int = 0,
    ) -> Self:
        """Count answers; ``seed`` is that of the bootstrap."""
        spread = intervals(answers, dataset, seed=seed)
        return cls(answers, dataset, score(answers), spread, leaks, tuple(importances))

    @cached_property
    def run(self) -> Run:
        """The answers item by item, as runs are compared by."""
        return Run.of(self.answers, self.dataset)

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        leaks = {"leaks": self.leaks.as_json()} if self.leaks else {}
        parts = {one.part: round(one.lost, 5) for one in self.importances}
        importance = {"importance": parts} if parts else {}
        found = self.scores.as_json() | self.intervals.as_json() | leaks | importance
        return found | self._parts() | {"items": self.run.as_json()}

    def _parts(self) -> dict[str, Any]:
        over, units = by_unit(self.answers, self.dataset)
        reliability = reliability_of(self.answers)
        known = {f"per_{over}": [part.as_json() for part in units]} if units else {}
        return known | {
            "per_stage": [part.as_json() for part in by_stage(self.answers, self.dataset)],
            "yield": [one.as_json() for one in yields(self.dataset)],
            "reliability": reliability.as_json() if reliability else None,
        }
