"""How good a classifier is, counted as a user would count.

One item (a picture with all its views, or a clip) is one answer. An item without a hand is
answered ``none``: right where its label is ``none``, else wrong.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset, StrArray
from handlore.datasets.splits import By, cross_validation, groups_of, n_groups
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import FloatArray
from handlore.models.card import DEFAULT_ESTIMATOR, KIND_WORDS
from handlore.models.movement_encoder import MovementEncoder
from handlore.models.pose_encoder import Encoder, average_augmented

from ..base import HandEstimator
from ..negatives import NegativeWindows


@dataclass(frozen=True)
class Predictions:
    """What was answered for each item, beside the truth."""

    truth: StrArray
    """(n_items,)"""

    answer: StrArray
    """(n_items,)"""

    probability: FloatArray
    """(n_items,) probability of the answer, NaN where there was no hand."""

    no_hand: NDArray[np.bool_]
    """(n_items,)"""

    sample: NDArray[np.int64]
    """(n_items,) the first sample of the item in its dataset."""


@dataclass(frozen=True)
class Scores:
    """Scores of a classifier."""

    accuracy: float
    """Share of items answered right."""

    macro_f1: float
    """Mean F1 over the labels that occur, each counting the same."""

    n: int
    """How many items were answered."""

    n_no_hand: int
    """How many of them showed no hand."""

    missed: dict[str, int]
    """Those of them that are errors, by label: a hand was there to be found."""

    labels: tuple[str, ...]
    """The labels that occur in truth or answers, in the order of the confusion matrix."""

    confusion: NDArray[np.int64]
    """(n_labels, n_labels) items, true labels by row, answers by column."""

    per_class: dict[str, dict[str, float]]
    """precision, recall, f1 and support (n of items) for each label that occurs."""

    @property
    def n_missed(self) -> int:
        """How many errors there are because no hand was found."""
        return sum(self.missed.values())

    @property
    def n_wrong(self) -> int:
        """How many items showed a hand and were answered wrong."""
        return self.n - int(np.trace(self.confusion)) - self.n_missed

    def most_confused(self, at_most: int) -> list[tuple[str, str, int]]:
        """Return (true label, answer, items), the most frequent errors first, without misses."""
        errors = self.confusion - np.diag(np.diag(self.confusion))
        for label, n in self.missed.items():
            errors[self.labels.index(label), self.labels.index(NONE_LABEL)] -= n
        order = np.argsort(-errors, axis=None, kind="stable")[:at_most]
        pairs = zip(*np.unravel_index(order, errors.shape), strict=True)
        return [
            (self.labels[a], self.labels[b], int(errors[a, b])) for a, b in pairs if errors[a, b]
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the scores under the names that scripts rely on."""
        return {
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "n": self.n,
            "n_no_hand": self.n_no_hand,
            "n_missed": self.n_missed,
            "missed": self.missed,
            "n_wrong": self.n_wrong,
            "labels": list(self.labels),
            "confusion": self.confusion.tolist(),
            "per_class": self.per_class,
        }


def score(answers: Predictions) -> Scores:
    """Count how often the answers are right."""
    from sklearn.metrics import precision_recall_fscore_support

    labels = np.unique(np.concatenate([answers.truth, answers.answer]))
    table = precision_recall_fscore_support(
        answers.truth, answers.answer, labels=labels, zero_division=0.0
    )
    rows = zip(labels, *table, strict=True)
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    places = (np.searchsorted(labels, answers.truth), np.searchsorted(labels, answers.answer))
    np.add.at(confusion, places, 1)
    per_class = {
        str(label): {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
        for label, p, r, f, n in rows
        if n > 0
    }
    return Scores(
        accuracy=float((answers.truth == answers.answer).mean()),
        macro_f1=float(np.mean([values["f1"] for values in per_class.values()])),
        n=len(answers.truth),
        n_no_hand=int(answers.no_hand.sum()),
        missed=_missed(answers),
        labels=tuple(map(str, labels)),
        confusion=confusion,
        per_class=per_class,
    )


def _missed(answers: Predictions) -> dict[str, int]:
    wrong = answers.no_hand & (answers.truth != answers.answer)
    labels, counts = np.unique(answers.truth[wrong], return_counts=True)
    return dict(zip(labels.tolist(), counts.tolist(), strict=True))


def fit_samples(
    estimator: HandEstimator,
    dataset: LandmarkDataset,
    encoder: Encoder,
    background: NegativeWindows | None = None,
) -> HandEstimator:
    """Fit an estimator on the samples of a dataset that show a hand.

    Parameters
    ----------
    estimator, dataset, encoder
        What learns from what, and what turns samples into numbers.
    background
        Movements: also learn what lies between them, as ``none``.

    Raises
    ------
    HandloreError
        If the estimator is for samples of another kind, or too few labels have a sample with a
        hand.
    """
    require_kind(dataset, encoder.kind)
    require_kind(dataset, estimator.kind)
    seen = dataset.select(dataset.has_hand)
    if not seen.n_samples:
        raise HandloreError("no sample shows a hand; there is nothing to learn from")
    X, y, groups = encoder.encode_samples(seen), seen.samples.label, groups_of(seen)
    if background is not None and isinstance(encoder, MovementEncoder):
        rng = np.random.default_rng(estimator.get_params().get("random_state", 0))
        more = background.windows(seen, groups, encoder, rng)
        X, y = np.concatenate([X, more.X]), np.concatenate([y, more.label])
        groups = np.concatenate([groups, more.group])
    return estimator.fit(X, y, groups)


def require_kind(dataset: LandmarkDataset, kind: str) -> None:
    """Refuse a dataset of movements where poses are expected, and the other way round."""
    if dataset.header.kind != kind:
        holds, takes = KIND_WORDS[dataset.header.kind], KIND_WORDS[kind]
        fitting = DEFAULT_ESTIMATOR[dataset.header.kind]
        raise HandloreError(
            f"this data holds {holds}, but the classifier takes {takes}; a model of type"
            f" {fitting} takes such data"
        )


def answer(
    predict_proba: Callable[[FloatArray], FloatArray],
    classes: Sequence[str],
    dataset: LandmarkDataset,
    encoder: Encoder,
) -> Predictions:
    """Answer every item of a dataset.

    Parameters
    ----------
    predict_proba
        From what the encoder gives to probabilities (n, n_classes).
    classes
        (n_classes,) the label of each column.
    dataset
        Samples of the encoder's kind; views of an item are averaged to one answer.
    encoder
        The one that the classifier was trained with.
    """
    require_kind(dataset, encoder.kind)
    numbers, first, item_of = np.unique(
        dataset.samples.items(), return_index=True, return_inverse=True
    )
    answers = np.full(len(numbers), NONE_LABEL, dtype=object)
    probability = np.full(len(numbers), np.nan, np.float32)
    no_hand = np.ones(len(numbers), bool)
    hands = dataset.has_hand
    if hands.any():
        views = predict_proba(encoder.encode_samples(dataset.select(hands)))
        averaged, answered = average_augmented(views, item_of[hands])
        answers[answered] = np.asarray(classes)[averaged.argmax(axis=1)]
        probability[answered] = averaged.max(axis=1)
        no_hand[answered] = False
    truth = dataset.samples.label[first]
    return Predictions(truth, answers.astype(np.str_), probability, no_hand, first)


def cross_val_predict(
    estimator: HandEstimator,
    dataset: LandmarkDataset,
    encoder: Encoder,
    by: By,
    *,
    n_folds: int | None = None,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
    watch: Callable[[HandEstimator, LandmarkDataset], None] | None = None,
) -> Predictions:
    """Answer every item by a classifier that has seen nothing of its group.

    Parameters
    ----------
    estimator
        Fitted afresh, as a clone, for each fold.
    dataset
        Samples of at least two labels.
    encoder
        What turns samples into numbers.
    by, n_folds, seed
        See :func:`~handlore.datasets.splits.cross_validation`.
    progress
        Called after each fold with how many are done.
    watch
        Called in each fold with what was fitted and the samples that it is tested on.

    Returns
    -------
    The answers of all folds, in the order of the dataset.
    """
    from sklearn.base import clone

    if len(dataset.labels) < 2:
        only = ", ".join(dataset.labels)
        raise HandloreError(f"a classifier needs at least two labels; there is: {only}")
    parts = []
    for done, (train, test) in enumerate(cross_validation(dataset, by, n_folds, seed), 1):
        fitted = _fit_fold(clone(estimator), dataset.select(train), encoder, by)
        classes = [str(label) for label in fitted.classes_]
        tested = dataset.select(test)
        parts.append((test, answer(fitted.predict_proba, classes, tested, encoder)))
        if watch:
            watch(fitted, tested)
        if progress:
            progress(done)
    return _pooled(parts)


def _fit_fold(
    estimator: HandEstimator, dataset: LandmarkDataset, encoder: Encoder, by: By
) -> HandEstimator:
    if len(np.unique(dataset.samples.label[dataset.has_hand])) < 2:
        raise HandloreError(
            "with one fold held out, fewer than two labels show a hand in what is left to train"
            " on; add samples" + ("" if by == "random" else ", or use --by random")
        )
    return fit_samples(estimator, dataset, encoder)


def cross_validation_json(answers: Predictions, dataset: LandmarkDataset, by: By) -> dict[str, Any]:
    """Return the scores of a cross-validation under the names that scripts rely on."""
    return score(answers).as_json() | {"by": by, "n_groups": n_groups(dataset, by)}


def _pooled(parts: Sequence[tuple[NDArray[np.int64], Predictions]]) -> Predictions:
    sample = np.concatenate([test[part.sample] for test, part in parts])
    order = np.argsort(sample, kind="stable")
    names = ("truth", "answer", "probability", "no_hand")
    columns = {name: np.concatenate([getattr(part, name) for _, part in parts]) for name in names}
    return Predictions(
        **{name: column[order] for name, column in columns.items()}, sample=sample[order]
    )
