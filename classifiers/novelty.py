"""Novelty score: whether a hand is unlike all training data, so that it is rejected.

The probabilities of a classifier rank its classes, whatever it is shown; they do not say whether
any class fits. The novelty score is based on distances: it is low for a hand that is close to one
class of the training data and far from all others. Where the classifier is fitted in a second, the
score is also lower the more certain the classifier is: the two err on different hands. It is
calibrated on people who are left out in turn (a conformal p-value): a score of 0.95 means that 95 %
of hands which do show a class are more like the training data. Model files store the p-value,
1 - novelty score.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from handlore.datasets.dataset import LandmarkDataset, StrArray
from handlore.datasets.splits import groups_of
from handlore.landmarks.hands import FloatArray
from handlore.models.card import INPUT, OUTPUT, P_VALUE_OUTPUT
from handlore.models.encoders import Encoder

from .base import HandEstimator
from .onnx_graph import Graph
from .projection import STEPS, Projection
from .tilts import tilted

Classify = Callable[[NDArray[np.int64], NDArray[np.int64]], FloatArray]
"""Fits a classifier on some rows; returns its probabilities (n, n_labels) for some others."""

_N_CENTRES = 8
"""Cluster centres per class."""
_MIN_DIRECTIONS = 24
"""Minimum number of directions: unknown gestures also differ where the classes are alike."""
_FEW_GROUPS = 4
_N_PARTS = 8
"""Parts of the groups that are left out in turn."""
_N_LEVELS = 200
"""Quantiles of the calibration."""
_MAX_PER_CLASS = 2000
"""Samples of a class that are used; more do not change the result."""
_MAX_CLASSIFIED = 4000
"""Random samples to which a classifier is fitted for the calibration."""
_LEAST_PROBABILITY = 1e-9
_UNLIMITED = -1e6
"""Less than the closeness of anything."""
_CLOSEST = float(STEPS) ** 2
"""Lower bound of squared distances: one standard deviation in one direction."""


@dataclass(frozen=True)
class NoveltyModel:
    """Computes the p-value (1 - novelty score) of rows of features."""

    projection: Projection
    """The space in which distances are measured."""
    centres: FloatArray
    """(n_classes, _N_CENTRES, n_directions)"""
    levels: FloatArray
    """(n_levels,) rising quantiles of the closeness of hands of left-out groups, with certainty."""
    certainty_weight: float = 0.0
    """Factor of the certainty of the classifier, which is added to the closeness."""

    @classmethod
    def fit(
        cls,
        X: FloatArray,
        codes: NDArray[np.int64],
        groups: StrArray | None = None,
        seed: int = 0,
        *,
        copies: FloatArray | None = None,
        classify: Classify | None = None,
    ) -> Self:
        """Compute the centres of the classes, and the closeness of left-out hands to them.

        X is (n_samples, n_features); codes (n_samples,) are class indices from 0; groups
        (n_samples,) are left out as a whole, or each sample if there are none. Directions are
        learnt from ``copies`` (n_samples, n_features) of the samples too. With ``classify``, the
        p-value depends on the certainty of that classifier.
        """
        rows = _some_of_each(codes, seed)
        samples = _Samples(X, codes, copies)
        names = np.arange(len(X)).astype(np.str_) if groups is None else groups
        projection, centres = samples.learned(rows, seed)
        near, certain = samples.left_out(rows, names[rows], seed, classify)
        weight = 0.0
        if len(near) > 1 and certain.std() > 0:
            weight = float(near.std() / certain.std())
        if not len(near):
            # One sample of each class does not show how far others are: nothing is rejected.
            near, certain = np.array([_UNLIMITED], np.float32), np.zeros(1, np.float32)
        shares = (np.arange(_N_LEVELS) + 0.5) / _N_LEVELS
        levels = np.quantile(near + weight * certain, shares).astype(np.float32)
        return cls(projection, centres, levels, weight)

    @classmethod
    def of(
        cls, dataset: LandmarkDataset, encoder: Encoder, estimator: HandEstimator | None = None
    ) -> Self:
        """Compute it from the samples of a dataset that show a hand.

        An ``estimator`` that is fitted fast is fitted again without the groups that are left out.
        """
        seen = dataset.select(dataset.has_hand)
        codes = np.unique(seen.samples.label, return_inverse=True)[1]
        # Chosen before they are encoded: features of a million hands take gigabytes.
        rows = _some_of_each(codes, 0)
        seen, codes = seen.select(rows), codes[rows]
        groups = groups_of(seen)
        if len(np.unique(groups)) < _FEW_GROUPS:
            # Without one of so few groups, too much of the training data would be missing.
            groups = groups_of(seen, "random")
        X = encoder.encode_samples(seen)
        copies = encoder.encode_samples(tilted(seen, np.random.default_rng(0)))
        classify = None
        if estimator is not None and estimator.refits_fast:
            classify = _refitting(estimator, X, copies, seen.samples.label)
        return cls.fit(X, codes, groups, copies=copies, classify=classify)

    def p_value(self, X: FloatArray, probabilities: FloatArray | None = None) -> FloatArray:
        """Return the share (n_samples,) of known hands that are as novel or more so, 0 to 1.

        ``probabilities`` (n_samples, n_labels) are those of the classifier; they are needed if
        there is a ``certainty_weight``.
        """
        near = _closeness(self.projection(X), self.centres)
        if self.certainty_weight:
            if probabilities is None:
                raise ValueError("this novelty score needs the probabilities of the classifier")
            near = near + np.float32(self.certainty_weight) * _certainty(probabilities)
        share: FloatArray = (near[:, None] >= self.levels).mean(axis=1, dtype=np.float32)
        return share

    def add_to(self, model: Any) -> Any:
        """Return a model with the p-value as a second output; the ``onnx.ModelProto`` is changed.

        The output ``P_VALUE_OUTPUT`` is float32 (n,), see :mod:`handlore.models.card`.
        """
        n_classes, n_centres, n_directions = self.centres.shape
        places = self.centres.reshape(-1, n_directions)
        graph = Graph()
        projected = self.projection.add_to(graph, INPUT)
        length = graph.op("ReduceSumSquare", projected, axes=[1], keepdims=1)
        products = graph.op("MatMul", projected, graph.constant(-2 * places.T))
        squared = graph.op("Add", products, graph.constant((places * places).sum(axis=1)))
        squared = graph.reshape(graph.op("Add", length, squared), -1, n_classes, n_centres)
        distances = graph.op("ReduceMin", squared, axes=[2], keepdims=0)
        distances = graph.op("Log", graph.op("Max", distances, graph.constant(_CLOSEST)))
        nearest = graph.op("TopK", distances, graph.constant([2]), largest=0)
        closeness = graph.op("MatMul", nearest, graph.constant([[-2.0], [1.0]]))
        if self.certainty_weight:
            likely = graph.op("Max", OUTPUT, graph.constant(_LEAST_PROBABILITY))
            terms = graph.op("Mul", likely, graph.op("Log", likely))
            certain = graph.op("ReduceSum", terms, graph.constant([1]), keepdims=1)
            weighted = graph.op("Mul", certain, graph.constant(self.certainty_weight))
            closeness = graph.op("Add", closeness, weighted)
        passed = graph.op("GreaterOrEqual", closeness, graph.constant(self.levels))
        share = graph.op("ReduceMean", graph.op("Cast", passed, to=1), axes=[1], keepdims=0)
        graph.add_output_to(model, share, P_VALUE_OUTPUT)
        return model


@dataclass(frozen=True)
class _Samples:
    """Features of all samples, and what is learnt from some of them."""

    X: FloatArray
    codes: NDArray[np.int64]
    copies: FloatArray | None
    """As X; used for the directions only."""

    def learned(self, rows: NDArray[np.int64], seed: int) -> tuple[Projection, FloatArray]:
        """Return the directions, and the centres (n_classes, _N_CENTRES, n_directions) in them."""
        codes = np.unique(self.codes[rows], return_inverse=True)[1]
        seen = [self.X[rows]] if self.copies is None else [self.X[rows], self.copies[rows]]
        found = np.concatenate(seen), np.tile(codes, len(seen))
        projection = Projection.fit(*found, _MIN_DIRECTIONS)
        projected = projection(self.X[rows])
        classes = range(int(codes.max()) + 1)
        return projection, np.stack([_centres(projected[codes == one], seed) for one in classes])

    def left_out(
        self, rows: NDArray[np.int64], groups: StrArray, seed: int, classify: Classify | None
    ) -> tuple[FloatArray, FloatArray]:
        """Return how close hands are to classes that were computed without their groups.

        And how certain a classifier is of them, 0 without one. Hands of a class that occurs only
        in left-out groups are skipped. ``groups`` (n_rows,) are those of the rows.
        """
        _, group_of = np.unique(groups, return_inverse=True)
        rng = np.random.default_rng(seed)
        parts = rng.permutation(int(group_of.max()) + 1)[group_of] % _N_PARTS
        near, certain = [np.zeros(0, np.float32)], [np.zeros(0, np.float32)]
        for part in range(_N_PARTS):
            kept = rows[parts != part]
            known = np.unique(self.codes[kept])
            out = rows[(parts == part) & np.isin(self.codes[rows], known)]
            if len(known) > 1 and len(out):
                projection, centres = self.learned(kept, seed)
                near.append(_closeness(projection(self.X[out]), centres))
                sure = np.zeros(len(out)) if classify is None else _certainty(classify(kept, out))
                certain.append(sure.astype(np.float32))
        return np.concatenate(near), np.concatenate(certain)


def _refitting(
    estimator: HandEstimator, X: FloatArray, copies: FloatArray, labels: StrArray
) -> Classify:
    """Return a function that fits a copy of an estimator, as training fits it."""

    def classify(kept: NDArray[np.int64], out: NDArray[np.int64]) -> FloatArray:
        some = np.sort(np.random.default_rng(0).permutation(kept)[:_MAX_CLASSIFIED])
        rows, names = [X[some]], labels[some]
        if estimator.n_tilted(len(some), len(np.unique(names))):
            rows.append(copies[some])
        fresh = estimator.for_part(estimator.n_of_whole or len(X))
        fresh.fit(np.concatenate(rows), np.tile(names, len(rows)))
        return fresh.predict_proba(X[out])

    return classify


def _certainty(probabilities: FloatArray) -> FloatArray:
    """Return the negative entropy (n_samples,) of probabilities (n_samples, n_labels)."""
    likely = np.maximum(probabilities, np.float32(_LEAST_PROBABILITY))
    certainty: FloatArray = (likely * np.log(likely)).sum(axis=1)
    return certainty


def _some_of_each(codes: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return the indices of up to _MAX_PER_CLASS random samples of each class."""
    order = np.random.default_rng(seed).permutation(len(codes))
    drawn = [order[codes[order] == one][:_MAX_PER_CLASS] for one in range(int(codes.max()) + 1)]
    return np.sort(np.concatenate(drawn))


def _centres(rows: FloatArray, seed: int) -> FloatArray:
    """Return _N_CENTRES cluster centres of rows; fewer distinct rows are repeated."""
    distinct = np.unique(rows, axis=0)
    if len(distinct) > _N_CENTRES:
        chosen = np.random.default_rng(seed).choice(len(distinct), _N_CENTRES, replace=False)
        with warnings.catch_warnings():
            # An empty cluster keeps its centre, which is a row.
            warnings.simplefilter("ignore", UserWarning)
            distinct, _ = kmeans2(distinct, distinct[chosen], minit="matrix")
    return np.resize(distinct, (_N_CENTRES, rows.shape[1])).astype(np.float32)


def _closeness(projected: FloatArray, centres: FloatArray) -> FloatArray:
    """Return (n_samples,), high for rows that are near one class and far from the others."""
    places = centres.reshape(-1, centres.shape[2])
    lengths = (projected * projected).sum(axis=1, keepdims=True)
    squared = lengths + (projected @ (-2 * places.T) + (places * places).sum(axis=1))
    distances = squared.reshape(-1, *centres.shape[:2]).min(axis=2)
    nearest = np.partition(np.log(np.maximum(distances, _CLOSEST)), 1, axis=1)
    closeness: FloatArray = nearest[:, 1] - 2 * nearest[:, 0]
    return closeness
