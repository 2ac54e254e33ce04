"""The directions in which classes lie apart, for classifiers that look at one number at a time.

A tree asks one question of one feature. Poses differ in sums of many features, which it has to
learn in small steps. Fisher's discriminant directions (1936) are such sums: trees that see them
are smaller, faster and better on people they have not met.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from .kinds import INPUT
from .threads import one_core_for_products

if TYPE_CHECKING:
    from .onnxgraph import Graph

FloatArray = NDArray[np.float32]

LEAST_SHRINKAGE = 0.05
ROWS_A_FEATURE = 4
"""The spread within classes is shrunk towards a sphere: by half with a quarter as many samples as
features, and never by less than the least. Of few samples many directions look as if they told
the classes apart."""

FEWEST = 16
"""With few classes there are few such directions; the principal components fill up to this."""

STEPS = 256
"""Directions are rounded to such shares of the spread within a class. Boosted trees put thresholds
on the very numbers of training, where the last bit, which depends on how many rows are projected
together, must not decide."""

_LEAST_DEVIATION = 1e-6
_AT_ONCE = 8192


@dataclass(frozen=True)
class Projection:
    """``round((features - mean) @ weights)``."""

    mean: FloatArray
    """(n_features,)"""

    weights: FloatArray
    """(n_features, n_directions)"""

    @classmethod
    def fit(cls, X: FloatArray, codes: NDArray[np.int64], fewest: int = FEWEST) -> Self:
        """Find the directions.

        Parameters
        ----------
        X
            (n_samples, n_features)
        codes
            (n_samples,) the number of each sample's class, from 0 without a gap.
        fewest
            Find so many, if the samples reach into as many.
        """
        with one_core_for_products():
            return cls._found(X, codes, fewest)

    @classmethod
    def _found(cls, X: FloatArray, codes: NDArray[np.int64], fewest: int) -> Self:
        mean, means, total = _moments(X, codes)
        deviation = np.sqrt(np.diag(total))
        # A feature that never changes is left as it is; its direction has no length anyway.
        deviation[deviation <= _LEAST_DEVIATION * np.abs(mean)] = 1
        deviation[deviation == 0] = 1
        means, total = means / deviation, total / np.outer(deviation, deviation)
        within = _within(means, total, np.bincount(codes))
        found = _discriminant_directions(means, within)
        missing = min(fewest, len(X) - 1, X.shape[1]) - found.shape[1]
        if missing > 0:
            more = np.linalg.eigh(total)[1][:, ::-1][:, :missing]
            widths = np.sqrt(np.einsum("fd,fg,gd->d", more, within, more))
            found = np.hstack([found, more / widths])
        weights = STEPS * found / deviation[:, None]
        return cls(mean.astype(np.float32), weights.astype(np.float32))

    def __call__(self, X: FloatArray) -> FloatArray:
        """Return (n_samples, n_directions)."""
        return np.rint((X - self.mean) @ self.weights)

    def before(self, model: Any) -> Any:
        """Return the ``onnx.ModelProto`` that projects, then does what a model does.

        Parameters
        ----------
        model
            An ``onnx.ModelProto`` that takes directions; it is changed.
        """
        from .onnxgraph import Graph

        own = Graph()
        own.before(model, self.in_graph(own, INPUT), len(self.mean))
        return model

    def in_graph(self, graph: "Graph", features: str) -> str:
        """Add the projection to a graph; return the name of the directions."""
        centred = graph.op("Sub", features, graph.constant(self.mean))
        return graph.op("Round", graph.op("MatMul", centred, graph.constant(self.weights)))


def _moments(
    X: FloatArray, codes: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean, the means of classes about it (n_classes, n_features), the covariance.

    Counted some rows at a time, so that a million of them need no copy.
    """
    mean = X.mean(axis=0, dtype=np.float64)
    members = np.eye(int(codes.max()) + 1)
    sums, products = np.zeros((len(members), X.shape[1])), np.zeros((X.shape[1],) * 2)
    for start in range(0, len(X), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        off = X[some] - mean
        sums += members[codes[some]].T @ off
        products += off.T @ off
    return mean, sums / np.bincount(codes)[:, None], products / len(X)


def _within(
    means: NDArray[np.float64], total: NDArray[np.float64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the covariance within classes (n_features, n_features), shrunk towards a sphere."""
    n, n_features = counts.sum(), len(total)
    spread = total - (means.T * (counts / n)) @ means
    size = max(np.trace(spread) / n_features, _LEAST_DEVIATION)
    share = max(LEAST_SHRINKAGE, n_features / (n_features + ROWS_A_FEATURE * n))
    return np.asarray((1 - share) * spread + share * size * np.eye(n_features))


def _discriminant_directions(
    means: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (n_features, n_classes - 1), scaled so that each class has a spread of about 1."""
    values, axes = np.linalg.eigh(spread)
    whitening = axes / np.sqrt(values)
    apart = (means - means.mean(axis=0)) @ whitening
    directions = np.linalg.svd(apart, full_matrices=False)[2][: len(means) - 1]
    return np.asarray(whitening @ directions.T)
