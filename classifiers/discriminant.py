"""Linear discriminant analysis from sums, so that the data never have to be in memory at once.

Each class is a cloud of the same form about its mean (Fisher 1936); the form is estimated from
all classes together and shrunk towards a sphere, for there are more features than samples. How
much to shrink, and how sure to be, is decided on groups that were left out.

A class that is many things, such as ``none``, may be several clouds; a sample belongs to it as
surely as to all of them together (T. Hastie, R. Tibshirani, "Discriminant analysis by Gaussian
mixtures", JRSS B 1996).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.hands import FloatArray
from handlore.models.card import INPUT

from .base import one_core_for_products

if TYPE_CHECKING:
    from .onnx_graph import Graph

_SHRINKAGES = (0.3, 1.0, 3.0)
"""What is tried: this many times the mean variance is added to every feature's own."""

_MIN_VARIANCE = 0.01

_TEMPERATURES = tuple(float(t) for t in np.geomspace(0.02, 4, 24))


class ClassMoments:
    """What the analysis needs to know of samples; those of two sets add up."""

    def __init__(self, n_classes: int, n_features: int) -> None:
        self.counts = np.zeros(n_classes, np.float64)
        self.sums = np.zeros((n_classes, n_features), np.float32)
        self.products = np.zeros((n_features, n_features), np.float32)

    def add(self, features: FloatArray, codes: NDArray[np.int64]) -> None:
        """Take up samples: features (n, n_features) and the number of each one's class (n,)."""
        members = np.eye(len(self.counts), dtype=np.float32)[codes]
        self.counts += members.sum(axis=0)
        self.sums += members.T @ features
        self.products += features.T @ features

    @classmethod
    def total(cls, parts: Sequence["ClassMoments"]) -> Self:
        """Return the moments of all parts together."""
        total = cls(*parts[0].sums.shape)
        for part in parts:
            total.counts += part.counts
            total.sums += part.sums
            total.products += part.products
        return total


@dataclass(frozen=True)
class LinearDiscriminant:
    """A linear classifier: the softmax of ``features @ weights + bias``."""

    weights: FloatArray
    """(n_features, n_classes)"""

    bias: FloatArray
    """(n_classes,)"""

    def scores(self, features: FloatArray) -> FloatArray:
        """Return (n, n_classes); the largest is the answer."""
        return features @ self.weights + self.bias

    def tempered(self, temperature: float) -> "LinearDiscriminant":
        """Return one that gives the same answers, more or less surely."""
        factor = np.float32(temperature)
        return LinearDiscriminant(self.weights * factor, self.bias * factor)


def _solve(moments: ClassMoments, shrinkages: Sequence[float]) -> list[LinearDiscriminant]:
    """Return the discriminant for each shrinkage; classes without a sample are never the answer.

    Features are standardised: they have a variance of about 1.
    """
    from scipy.linalg import cho_factor, cho_solve

    there = moments.counts > 0
    counts = np.maximum(moments.counts, 1).astype(np.float32)[:, None]
    n = counts[there].sum()
    means, centre = moments.sums / counts, moments.sums.sum(axis=0) / n
    spread = (moments.products - (means * counts).T @ means) / n
    # Features have a variance of about 1; with one sample a class nothing is known of the form.
    mean_variance = max(float(np.trace(spread)) / len(spread), _MIN_VARIANCE)
    apart, own = means - centre, np.diag(spread).copy()
    found = []
    for shrinkage in shrinkages:
        np.fill_diagonal(spread, own + np.float32(shrinkage * mean_variance))
        weights = cho_solve(cho_factor(spread, check_finite=False), apart.T, check_finite=False)
        bias = -0.5 * np.einsum("kd,dk->k", apart, weights) - centre @ weights
        found.append(LinearDiscriminant(weights, np.where(there, bias, -1e9).astype(np.float32)))
    return found


def fit_discriminant(
    parts: Sequence[tuple[ClassMoments, FloatArray, NDArray[np.int64]]], class_of: NDArray[np.int64]
) -> LinearDiscriminant:
    """Return the discriminant of all parts, shrunk and calibrated on each in turn.

    Parameters
    ----------
    parts
        For each: its moments, to learn from; features and clouds of its samples, to be tested on.
        One part alone is shrunk by the middle of :data:`_SHRINKAGES`.
    class_of
        (n_clouds,) the class of each cloud.
    """
    everything = ClassMoments.total([moments for moments, _, _ in parts])
    if len(parts) < 2:
        return _solve(everything, _SHRINKAGES[len(_SHRINKAGES) // 2 :])[0]
    truth = class_of[np.concatenate([clouds for _, _, clouds in parts])]
    scores: list[list[FloatArray]] = [[] for _ in _SHRINKAGES]
    for left_out, (_, features, _) in enumerate(parts):
        others = [moments for i, (moments, _, _) in enumerate(parts) if i != left_out]
        for kept, found in zip(
            scores, _solve(ClassMoments.total(others), _SHRINKAGES), strict=True
        ):
            kept.append(found.scores(features))
    # Errors decide; between equals the probabilities do.
    trials = [_trial(np.concatenate(kept), truth, class_of) for kept in scores]
    best = trials.index(min(trials))
    (fitted,) = _solve(everything, [_SHRINKAGES[best]])
    return fitted.tempered(trials[best][2])


def _trial(
    scores: FloatArray, truth: NDArray[np.int64], class_of: NDArray[np.int64]
) -> tuple[float, float, float]:
    """Return the share of errors, the smallest loss, and the temperature that gives it."""
    members = np.eye(class_of.max() + 1, dtype=np.float32)[class_of]
    error = float((class_of[scores.argmax(axis=1)] != truth).mean())
    loss, temperature = min((_log_loss(t * scores, truth, members), t) for t in _TEMPERATURES)
    return error, loss, temperature


def _log_loss(scores: FloatArray, codes: NDArray[np.int64], members: FloatArray) -> float:
    """Return the mean surprise; scores of clouds that were not there count as very unlikely.

    Members (n_clouds, n_classes) is 1 where a cloud belongs to a class.
    """
    likely = np.exp(np.maximum(scores - scores.max(axis=1, keepdims=True), -30)) @ members
    return float(np.log(likely.sum(axis=1) / likely[np.arange(len(codes)), codes]).mean())


# The directions in which classes lie apart, for classifiers that look at one number at a time.
#
# A tree asks one question of one feature. Poses differ in sums of many features, which it has to
# learn in small steps. Fisher's discriminant directions (1936) are such sums: trees that see them
# are smaller, faster and better on people they have not met.


_MIN_SHRINKAGE = 0.05
_ROWS_PER_FEATURE = 4
"""The spread within classes is shrunk towards a sphere: by half with a quarter as many samples as
features, and never by less than the least. Of few samples many directions look as if they told
the classes apart."""

_MIN_DIRECTIONS = 16
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
    def fit(cls, X: FloatArray, codes: NDArray[np.int64], fewest: int = _MIN_DIRECTIONS) -> Self:
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
        from .onnx_graph import Graph

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
    share = max(_MIN_SHRINKAGE, n_features / (n_features + _ROWS_PER_FEATURE * n))
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
