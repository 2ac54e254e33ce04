"""Linear discriminant analysis (Fisher 1936) as a projection, for classifiers of poses.

A decision tree tests one feature at a time, but poses differ in sums of many features, which a tree
has to approximate in small steps. Trees on the directions that separate the classes are smaller,
faster and more accurate on new people.

It shares no code with the classifier in :mod:`.discriminant`: it diagonalises in double precision
and adds principal components.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.hands import FloatArray
from handlore.models.card import INPUT

from .discriminant import one_core_for_products
from .onnx_graph import ONNX_OPSET, Graph

_MIN_SHRINKAGE = 0.05
_ROWS_PER_FEATURE = 4
"""The covariance within classes is shrunk towards a multiple of the identity: by half with a
quarter as many samples as features, and at least by the minimum. With few samples, many directions
seem to separate the classes."""
_MIN_DIRECTIONS = 16
"""K classes have K - 1 directions; principal components are added up to this number."""
STEPS = 256
"""Steps per standard deviation within a class to which directions are rounded. Thresholds of
boosted trees equal values of the training data, where the last bit, which depends on the number of
rows in a matrix product, must not decide."""
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
    def fit(
        cls,
        X: FloatArray,
        codes: NDArray[np.int64],
        fewest: int = _MIN_DIRECTIONS,
        pretrained: FloatArray | None = None,
    ) -> Self:
        """Compute at least ``fewest`` directions, if there are enough samples.

        X is (n_samples, n_features); codes (n_samples,) are class indices from 0. Directions that
        are ``pretrained`` (n_features, n), see :func:`~.pretrained.pretrained_directions`, take the
        place of the principal components.
        """
        with one_core_for_products():
            return cls._found(X, codes, fewest, pretrained)

    @classmethod
    def _found(
        cls,
        X: FloatArray,
        codes: NDArray[np.int64],
        fewest: int,
        pretrained: FloatArray | None,
    ) -> Self:
        mean, means, total = _moments(X, codes)
        deviation = np.sqrt(np.diag(total))
        # A constant feature has no scale; its weight is 0 anyway.
        deviation[deviation <= _LEAST_DEVIATION * np.abs(mean)] = 1
        deviation[deviation == 0] = 1
        means, total = means / deviation, total / np.outer(deviation, deviation)
        within = _within(means, total, np.bincount(codes))
        found = _discriminant_directions(means, within)
        if pretrained is not None:
            # One sample of each class does not show at all how much a class varies.
            trust = 1 - len(means) / len(X)
            found = np.hstack([pretrained * deviation[:, None], trust * found])
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

    def to_onnx(self, fitted: Any) -> Any:
        """Return the projection and behind it a classifier of scikit-learn, as one graph."""
        # Imported when a file is written: it takes a second.
        from skl2onnx import to_onnx

        model = to_onnx(
            fitted,
            np.zeros((1, self.weights.shape[1]), np.float32),
            options={id(fitted): {"zipmap": False}},
            target_opset=ONNX_OPSET,
        )
        return self.prepend_to(model)

    def prepend_to(self, model: Any) -> Any:
        """Return a model, which is changed, with the projection of its input before it."""
        own = Graph()
        own.prepend_to(model, self.add_to(own, INPUT), len(self.mean))
        return model

    def add_to(self, graph: Graph, features: str) -> str:
        """Add the projection to a graph; return the name of the directions."""
        centred = graph.op("Sub", features, graph.constant(self.mean))
        return graph.op("Round", graph.op("MatMul", centred, graph.constant(self.weights)))


def _moments(
    X: FloatArray, codes: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean, the class means about it (n_classes, n_features), and the covariance.

    Computed in batches, so that a million rows need no copy.
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
    """Return the shrunk covariance within classes (n_features, n_features)."""
    n, n_features = counts.sum(), len(total)
    spread = total - (means.T * (counts / n)) @ means
    size = max(np.trace(spread) / n_features, _LEAST_DEVIATION)
    share = max(_MIN_SHRINKAGE, n_features / (n_features + _ROWS_PER_FEATURE * n))
    return np.asarray((1 - share) * spread + share * size * np.eye(n_features))


def _discriminant_directions(
    means: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (n_features, n_classes - 1), with a standard deviation of about 1 within classes."""
    values, axes = np.linalg.eigh(spread)
    whitening = axes / np.sqrt(values)
    apart = (means - means.mean(axis=0)) @ whitening
    directions = np.linalg.svd(apart, full_matrices=False)[2][: len(means) - 1]
    return np.asarray(whitening @ directions.T)
