"""A cross-validation from its folds to its outcome, leak check included."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.splits import By, cross_validation, fold_count, n_groups
from handlore.models.pose_encoder import Encoder

from ..base import HandEstimator
from .breakdown import detection_rates, reliability_of, scores_by_stage, scores_by_unit
from .comparison import RunResults
from .importance import MAX_SAMPLES, Importance, measure_importances, pool_importances
from .intervals import Intervals, intervals
from .leaks import Leaks, find_leaks
from .scores import Predictions, Scores, cross_val_predict, score

# What a test has shown: scores, how far they may be off, and what speaks against them.


@dataclass(frozen=True)
class Evaluation:
    """The answers to the items of a dataset, counted."""

    answers: Predictions
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
        answers: Predictions,
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
    def run(self) -> RunResults:
        """The answers item by item, as runs are compared by."""
        return RunResults.of(self.answers, self.dataset)

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        leaks = {"leaks": self.leaks.as_json()} if self.leaks else {}
        parts = {one.part: round(one.lost, 5) for one in self.importances}
        importance = {"importance": parts} if parts else {}
        found = self.scores.as_json() | self.intervals.as_json() | leaks | importance
        return found | self._parts() | {"items": self.run.as_json()}

    def _parts(self) -> dict[str, Any]:
        over, units = scores_by_unit(self.answers, self.dataset)
        reliability = reliability_of(self.answers)
        known = {f"per_{over}": [part.as_json() for part in units]} if units else {}
        return known | {
            "per_stage": [part.as_json() for part in scores_by_stage(self.answers, self.dataset)],
            "yield": [one.as_json() for one in detection_rates(self.dataset)],
            "reliability": reliability.as_json() if reliability else None,
        }


@dataclass(frozen=True)
class CrossValidation:
    """What is cross-validated; it may be split in several ways."""

    estimator: HandEstimator
    dataset: LandmarkDataset
    encoder: Encoder
    seed: int = 0

    def outcome(
        self,
        by: By,
        n_folds: int | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
        with_importances: bool = False,
    ) -> Evaluation:
        """Answer every sample by a classifier that has seen nothing of its group.

        Parameters
        ----------
        by, n_folds
            See :func:`~handlore.datasets.splits.cross_validation`.
        progress
            Called after each fold with how many are done and how many there are.
        with_importances
            Whether to measure what each part of the hand is worth, too.

        Raises
        ------
        HandloreError
            If the data cannot be split so.
        """
        total = fold_count(self.dataset, by, n_folds)
        found: list[list[Importance]] = []

        def measure(fitted: HandEstimator, tested: LandmarkDataset) -> None:
            classes = [str(label) for label in fitted.classes_]
            each = max(2, MAX_SAMPLES // total)
            found.append(
                measure_importances(
                    fitted.predict_proba,
                    classes,
                    tested,
                    self.encoder,
                    at_most=each,
                    seed=self.seed,
                )
            )

        answers = cross_val_predict(
            self.estimator,
            self.dataset,
            self.encoder,
            by,
            n_folds=n_folds,
            seed=self.seed,
            progress=(lambda done: progress(done, total)) if progress else None,
            watch=measure if with_importances else None,
        )
        leaks = find_leaks(self.dataset, cross_validation(self.dataset, by, n_folds, self.seed))
        return Evaluation.of(answers, self.dataset, leaks, pool_importances(found), seed=self.seed)

    def about(self, by: By, n_folds: int | None = None) -> dict[str, Any]:
        """Return how it was split, under the names that scripts rely on."""
        n = fold_count(self.dataset, by, n_folds)
        how = "at random" if by == "random" else f"by {by}"
        return {
            "by": by,
            "n_groups": n_groups(self.dataset, by),
            "n_folds": n,
            "protocol": f"cross-validated {how}, {n} folds",
        }
