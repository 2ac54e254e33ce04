"""A cross-validation from its folds to its outcome, leak check included."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.splits import By, cross_validation, fold_count, n_groups

from ..base import HandEstimator
from ..encoding import Encoder
from ..evaluation import cross_validate
from .importance import MOST_SAMPLES, Importance, importances, pooled
from .leaks import find_leaks
from .outcome import Outcome


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
    ) -> Outcome:
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
            each = max(2, MOST_SAMPLES // total)
            found.append(importances(fitted.predict_proba, classes, tested, self.encoder,
                                     at_most=each, seed=self.seed))  # fmt: skip

        answers = cross_validate(
            self.estimator, self.dataset, self.encoder, by, n_folds=n_folds, seed=self.seed,
            progress=(lambda done: progress(done, total)) if progress else None,
            watch=measure if with_importances else None,
        )  # fmt: skip
        leaks = find_leaks(self.dataset, cross_validation(self.dataset, by, n_folds, self.seed))
        return Outcome.of(answers, self.dataset, leaks, pooled(found), seed=self.seed)

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
