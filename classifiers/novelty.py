"""Novelty score: whether a hand is unlike all training data, so that it is rejected.

The probabilities of a classifier rank its classes, whatever it is shown; they do not say whether
any class fits. The novelty score is based on distances: it is low for a hand that is close to one
class of the training data and far from all others. It is calibrated on people who are left out in
turn (a conformal p-value): a score of 0.95 means that 95 % of hands which do show a class are
nearer to the training data. Model files store the p-value, 1 - novelty score.
"""

import warnings
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from handlore.datasets.dataset import LandmarkDataset, StrArray
from handlore.datasets.splits import groups_of
from handlore.landmarks.hands import FloatArray
from handlore.models.card import INPUT, P_VALUE_OUTPUT
from handlore.models.encoders import Encoder

from .onnx_graph import Graph
from .projection import STEPS, Projection

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
    """(n_levels,) rising quantiles of the closeness of hands of left-out groups."""

    @classmethod
    def fit(
        cls, X: FloatArray, codes: NDArray[np.int64], groups: StrArray | None = None, seed: int = 0
    ) -> Self:
        """Compute the centres of the classes, and the closeness of left-out hands to them.

        X is (n_samples, n_features); codes (n_samples,) are class indices from 0; groups
        (n_samples,) are left out as a whole, or each sample if there are none.
        """
        rows = _some_of_each(codes, seed)
        X, codes, groups = X[rows], codes[rows], None if groups is None else groups[rows]
        projection, centres = _learned(X, codes, seed)
        left_out = _closeness_left_out(X, codes, groups, seed)
        if not len(left_out):
            # One sample of each class does not show how far others are: nothing is rejected.
            left_out = np.array([_UNLIMITED], np.float32)
        shares = (np.arange(_N_LEVELS) + 0.5) / _N_LEVELS
        levels = np.quantile(left_out, shares).astype(np.float32)
        return cls(projection, centres, levels)

    @classmethod
    def of(cls, dataset: LandmarkDataset, encoder: Encoder) -> Self:
        """Compute it from the samples of a dataset that show a hand."""
        seen = dataset.select(dataset.has_hand)
        codes = np.unique(seen.samples.label, return_inverse=True)[1]
        groups = groups_of(seen)
        if len(np.unique(groups)) < _FEW_GROUPS:
            # Without one of so few groups, too much of the training data would be missing.
            groups = groups_of(seen, "random")
        return cls.fit(encoder.encode_samples(seen), codes, groups)

    def p_value(self, X: FloatArray) -> FloatArray:
        """Return the share (n_samples,) of known hands that are as far away or farther, 0 to 1."""
        near = _closeness(self.projection(X), self.centres)
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
        passed = graph.op("GreaterOrEqual", closeness, graph.constant(self.levels))
        share = graph.op("ReduceMean", graph.op("Cast", passed, to=1), axes=[1], keepdims=0)
        graph.add_output_to(model, share, P_VALUE_OUTPUT)
        return model


def _learned(X: FloatArray, codes: NDArray[np.int64], seed: int) -> tuple[Projection, FloatArray]:
    """Return the directions, and the centres (n_classes, _N_CENTRES, n_directions) in them."""
    projection = Projection.fit(X, codes, _MIN_DIRECTIONS)
    projected = projection(X)
    classes = range(int(codes.max()) + 1)
    return projection, np.stack([_centres(projected[codes == one], seed) for one in classes])


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


def _closeness_left_out(
    X: FloatArray, codes: NDArray[np.int64], groups: StrArray | None, seed: int
) -> FloatArray:
    """Return the closeness of hands to classes that were computed without their groups.

    Hands of a class that occurs only in left-out groups are skipped.
    """
    names = np.arange(len(X)).astype(np.str_) if groups is None else groups
    _, group_of = np.unique(names, return_inverse=True)
    rng = np.random.default_rng(seed)
    parts = rng.permutation(int(group_of.max()) + 1)[group_of] % _N_PARTS
    found = [np.zeros(0, np.float32)]
    for part in range(_N_PARTS):
        kept = parts != part
        known, renumbered = np.unique(codes[kept], return_inverse=True)
        out = ~kept & np.isin(codes, known)
        if len(known) > 1 and out.any():
            projection, centres = _learned(X[kept], renumbered, seed)
            found.append(_closeness(projection(X[out]), centres))
    return np.concatenate(found)
