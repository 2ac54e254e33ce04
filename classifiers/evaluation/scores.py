"""Predictions for the items of a dataset, and their scores.

An item is a picture with all its augmented copies, or a clip; it counts once. For an item without a
hand the prediction is ``none``: correct if that is its label, else an error.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support

from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset, StrArray
from handlore.datasets.kinds import DEFAULT_ESTIMATOR, KIND_WORDS, READY_MODEL, Kind
from handlore.datasets.splits import groups_of
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import FloatArray
from handlore.models.encoders import Encoder, MovementEncoder, average_augmented

from ..base import HandEstimator, MovementEstimator
from ..negatives import NegativeWindows
from ..tilts import tilted


@dataclass(frozen=True)
class Predictions:
    """The predicted label of each item, and its true label."""

    truth: StrArray
    """(n_items,)"""
    predicted: StrArray
    """(n_items,)"""
    probability: FloatArray
    """(n_items,) probability of the predicted label, NaN where there was no hand."""
    no_hand: NDArray[np.bool_]
    """(n_items,)"""
    sample: NDArray[np.int64]
    """(n_items,) the first sample of the item in its dataset."""

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each item (n_items,) was predicted correctly."""
        return np.asarray(self.truth == self.predicted)


@dataclass(frozen=True)
class Scores:
    """Scores of a classifier."""

    accuracy: float
    """Share of correct items."""
    macro_f1: float
    """Mean F1 over the labels that occur."""
    n: int
    """Number of items."""
    n_no_hand: int
    """Items without a hand."""
    missed: dict[str, int]
    """Items without a hand that are errors, by label: there was a hand to detect."""
    labels: tuple[str, ...]
    """The true and predicted labels, in the order of the confusion matrix."""
    confusion: NDArray[np.int64]
    """(n_labels, n_labels) items, true labels by row, predicted labels by column."""
    per_class: dict[str, dict[str, float]]
    """precision, recall, f1 and support (n of items) for each label that occurs."""

    @property
    def n_missed(self) -> int:
        """Errors because no hand was detected."""
        return sum(self.missed.values())

    @property
    def n_wrong(self) -> int:
        """Errors of the classifier: items with a hand and a wrong prediction."""
        return self.n - int(np.trace(self.confusion)) - self.n_missed

    def most_confused(self, at_most: int) -> list[tuple[str, str, int]]:
        """Return (true label, predicted label, items), most frequent first, without misses."""
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

    @classmethod
    def of(cls, predictions: Predictions) -> Self:
        """Score predictions."""
        labels = np.unique(np.concatenate([predictions.truth, predictions.predicted]))
        table = precision_recall_fscore_support(
            predictions.truth, predictions.predicted, labels=labels, zero_division=0.0
        )
        rows = zip(labels, *table, strict=True)
        confusion = np.zeros((len(labels), len(labels)), np.int64)
        places = (
            np.searchsorted(labels, predictions.truth),
            np.searchsorted(labels, predictions.predicted),
        )
        np.add.at(confusion, places, 1)
        per_class = {
            str(label): {
                "precision": float(p),
                "recall": float(r),
                "f1": float(f),
                "support": int(n),
            }
            for label, p, r, f, n in rows
            if n > 0
        }
        return cls(
            accuracy=float(predictions.right.mean()),
            macro_f1=float(np.mean([values["f1"] for values in per_class.values()])),
            n=len(predictions.truth),
            n_no_hand=int(predictions.no_hand.sum()),
            missed=_missed(predictions),
            labels=tuple(map(str, labels)),
            confusion=confusion,
            per_class=per_class,
        )


def _missed(predictions: Predictions) -> dict[str, int]:
    wrong = predictions.no_hand & ~predictions.right
    labels, counts = np.unique(predictions.truth[wrong], return_counts=True)
    return dict(zip(labels.tolist(), counts.tolist(), strict=True))


def fit_samples(
    estimator: HandEstimator, dataset: LandmarkDataset, encoder: Encoder
) -> HandEstimator:
    """Fit an estimator on the samples of a dataset that show a hand, and on tilted copies."""
    seen, X, y, groups = _encoded(estimator, dataset, encoder)
    n_copies = estimator.n_tilted(len(y), len(np.unique(y)))
    if n_copies:
        rng = np.random.default_rng(estimator.get_params().get("random_state", 0))
        copies = [encoder.encode_samples(tilted(seen, rng)) for _ in range(n_copies)]
        X = np.concatenate([X, *copies])
        y, groups = (np.tile(names, n_copies + 1) for names in (y, groups))
    return estimator.fit(X, y, groups)


def fit_streams(
    fitted: HandEstimator, dataset: LandmarkDataset, encoder: Encoder, negatives: NegativeWindows
) -> HandEstimator:
    """Return an estimator that also knows windows of streams, and ``none``.

    ``fitted`` was fitted on this dataset; with one label only, it is not fitted yet.
    """
    seen, X, y, groups = _encoded(fitted, dataset, encoder)
    if not (isinstance(fitted, MovementEstimator) and isinstance(encoder, MovementEncoder)):
        return fitted
    rng = np.random.default_rng(fitted.get_params().get("random_state", 0))
    windows = negatives.windows(seen, groups, encoder, rng)
    if hasattr(fitted, "classes_"):
        return fitted.fit_with_windows(X, y, groups, windows)
    return MovementEstimator.fit_with_windows(fitted, X, y, groups, windows)


def _encoded(
    estimator: HandEstimator, dataset: LandmarkDataset, encoder: Encoder
) -> tuple[LandmarkDataset, FloatArray, StrArray, StrArray]:
    """Return the samples that show a hand, and X, labels and groups of them."""
    require_model_kind(dataset, encoder.kind, DEFAULT_ESTIMATOR)
    require_model_kind(dataset, estimator.kind, DEFAULT_ESTIMATOR)
    seen = dataset.select(dataset.has_hand)
    if not seen.n_samples:
        raise HandloreError("no sample shows a hand; there is nothing to train on")
    return seen, encoder.encode_samples(seen), seen.samples.label, groups_of(seen)


def require_model_kind(dataset: LandmarkDataset, kind: Kind, fitting: dict[Kind, str]) -> None:
    """Raise HandloreError if a dataset holds movements where poses are expected, or vice versa.

    ``fitting`` names a model for each kind.
    """
    if dataset.header.kind != kind:
        holds, takes = KIND_WORDS[dataset.header.kind], KIND_WORDS[kind]
        raise HandloreError(
            f"this data holds {holds}, but the classifier takes {takes}; use a model such as"
            f" {fitting[dataset.header.kind]}"
        )


def predict_items(
    predict_proba: Callable[[FloatArray], FloatArray],
    classes: Sequence[str],
    dataset: LandmarkDataset,
    encoder: Encoder,
) -> Predictions:
    """Predict every item of a dataset; probabilities of augmented copies are averaged.

    ``predict_proba`` returns (n, n_classes) for encoded samples; ``classes`` are the labels of its
    columns.
    """
    require_model_kind(dataset, encoder.kind, READY_MODEL)
    numbers, first, item_of = np.unique(
        dataset.samples.items(), return_index=True, return_inverse=True
    )
    predicted = np.full(len(numbers), NONE_LABEL, dtype=object)
    probability = np.full(len(numbers), np.nan, np.float32)
    no_hand = np.ones(len(numbers), bool)
    hands = dataset.has_hand
    if hands.any():
        each = predict_proba(encoder.encode_samples(dataset.select(hands)))
        averaged, items = average_augmented(each, item_of[hands])
        predicted[items] = np.asarray(classes)[averaged.argmax(axis=1)]
        probability[items] = averaged.max(axis=1)
        no_hand[items] = False
    truth = dataset.samples.label[first]
    return Predictions(truth, predicted.astype(np.str_), probability, no_hand, first)
