"""How familiar a hand is: whether a model was taught anything like it.

A classifier knows nothing but its classes, and gives one of them to whatever it sees; its
probabilities tell which class fits best, not whether any does. Familiarity is measured by
distance: a hand is familiar if it lies close to one class of the training data, and the more so if
it lies far from all others. What close means is learned from people who are left out in turn: a
familiarity of 0.05 says that 5 % of hands which do show a class lie as far off or farther.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import StrArray
from handlore.landmarks.hands import FloatArray
from handlore.models.card import INPUT, P_VALUE_OUTPUT

from .discriminant import STEPS, Projection

N_CENTRES = 8
"""Each class is remembered by so many of its places."""

_MIN_DIRECTIONS = 24
"""With few classes, what was never taught also differs where the classes are alike."""

_N_PARTS = 8
"""In so many parts the groups are left out in turn."""

_N_LEVELS = 200


_MAX_PER_CLASS = 2000
"""So many samples of a class are looked at; more tell no more."""

_CLOSEST = float(STEPS) ** 2
"""Squared distances below one spread in one direction tell nothing."""


@dataclass(frozen=True)
class NoveltyModel:
    """Says how familiar rows of features are."""

    projection: Projection
    """What distances are measured in."""

    centres: FloatArray
    """(n_classes, N_CENTRES, n_directions)"""

    levels: FloatArray
    """(N_LEVELS,) closeness that hands of groups left out had, rising: evenly spaced quantiles."""

    @classmethod
    def fit(
        cls, X: FloatArray, codes: NDArray[np.int64], groups: StrArray | None = None, seed: int = 0
    ) -> Self:
        """Learn what is near to the classes, and how near hands of a class lie.

        Parameters
        ----------
        X
            (n_samples, n_features)
        codes
            (n_samples,) the number of each sample's class, from 0 without a gap.
        groups
            (n_samples,) names, such as persons, that are left out as a whole; None: each sample
            is its own.
        seed
            Decides what is left out together.
        """
        rows = _some_of_each(codes, seed)
        X, codes, groups = X[rows], codes[rows], None if groups is None else groups[rows]
        projection, centres = _learned(X, codes, seed)
        left_out = _closeness_left_out(X, codes, groups, seed)
        if not len(left_out):
            left_out = _closeness(projection(X), centres)
        shares = (np.arange(_N_LEVELS) + 0.5) / _N_LEVELS
        levels = np.quantile(left_out, shares).astype(np.float32)
        return cls(projection, centres, levels)

    def __call__(self, X: FloatArray) -> FloatArray:
        """Return the share (n_samples,) of hands of a class that lie as far off, 0 to 1."""
        near = _closeness(self.projection(X), self.centres)
        share: FloatArray = (near[:, None] >= self.levels).mean(axis=1, dtype=np.float32)
        return share

    def beside(self, model: Any) -> Any:
        """Return a model that also tells how familiar what it answers is.

        Parameters
        ----------
        model
            An ``onnx.ModelProto`` with the input :data:`~.kinds.INPUT`; it is changed. It gets the
            output :data:`~.kinds.FAMILIARITY`, float32 (n,).
        """
        from .onnx_graph import Graph

        n_classes, n_centres, n_directions = self.centres.shape
        places = self.centres.reshape(-1, n_directions)
        graph = Graph()
        projected = self.projection.in_graph(graph, INPUT)
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
        graph.beside(model, share, P_VALUE_OUTPUT)
        return model


def _learned(X: FloatArray, codes: NDArray[np.int64], seed: int) -> tuple[Projection, FloatArray]:
    """Return the directions, and the centres (n_classes, N_CENTRES, n_directions) in them."""
    projection = Projection.fit(X, codes, _MIN_DIRECTIONS)
    projected = projection(X)
    classes = range(int(codes.max()) + 1)
    return projection, np.stack([_centres(projected[codes == one], seed) for one in classes])


def _some_of_each(codes: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return the places of up to MOST_OF_A_CLASS samples of each class, drawn at random."""
    order = np.random.default_rng(seed).permutation(len(codes))
    drawn = [order[codes[order] == one][:_MAX_PER_CLASS] for one in range(int(codes.max()) + 1)]
    return np.sort(np.concatenate(drawn))


def _centres(rows: FloatArray, seed: int) -> FloatArray:
    """Return N_CENTRES places between rows; if there are fewer, some of them again."""
    from sklearn.cluster import KMeans

    distinct = np.unique(rows, axis=0)
    if len(distinct) > N_CENTRES:
        distinct = KMeans(N_CENTRES, n_init=1, random_state=seed).fit(distinct).cluster_centers_
    return np.resize(distinct, (N_CENTRES, rows.shape[1])).astype(np.float32)


def _closeness(projected: FloatArray, centres: FloatArray) -> FloatArray:
    """Return (n_samples,): near to one class, far from the others is more."""
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
    """Return the closeness of hands to their classes as learned without their groups.

    Hands of a class that all of its groups left out together have no class then, and none counts.
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
