"""Linear discriminant analysis (Fisher 1936), as a classifier of movements.

All classes share one covariance, which is shrunk towards a multiple of the identity, as there are
more features than samples. The shrinkage, and the temperature of the softmax, are chosen on groups
that are left out. A class that consists of many things, such as ``none``, may have several
clusters; its probability is their sum (T. Hastie, R. Tibshirani, "Discriminant analysis by Gaussian
mixtures", JRSS B 1996).

Few rows are solved in the space of rows. Many are only summed up, so they never have to be in
memory at once.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from typing import Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from handlore.datasets.dataset import NONE_LABEL, StrArray
from handlore.landmarks.hands import FloatArray

_SHRINKAGE, _SHRINKAGES = (1.0,), (0.3, 1.0, 3.0)
"""Multiples of the mean variance that are added to the variance of each feature: the usual one,
and the candidates for few rows, where it matters and costs little to try."""
_FEW_ROWS = 2000
"""Up to this number of rows, several candidates are tried, and one core computes the products."""
_BLOCK = 512
"""Rows whose products a core computes at a time."""
_MIN_VARIANCE = 0.01

MAX_ROWS = 7000
"""Up to this number of rows, a matrix of rows by rows is solved instead of one of features by
features: with few rows it is much smaller, and leaving out parts costs next to nothing."""
_NONE_CLUSTERS, _MIN_CLUSTER_SIZE = 12, 60
"""Maximum number of clusters of ``none``, and minimum number of samples in each."""
_N_PROJECTED = 40
_N_PARTS = 3
"""Parts of the samples that are left out in turn."""

_TEMPERATURES = tuple(float(t) for t in np.geomspace(0.02, 4, 24))

Rows = tuple[FloatArray, NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]
"""Standardised features (n, n_features), clusters (n,), parts that are left out in turn (n,), and
whether each row is tested: augmented copies are not."""


def one_core_for_products() -> AbstractContextManager[object]:
    """Keep products of small matrices on one core while the context lasts.

    Threads that share a short step spend more time waiting for each other than working, and where
    another program occupies one of the cores, all of them wait for it: training took up to ten
    times as long.
    """
    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def _products_of(rows: FloatArray) -> FloatArray:
    """Return the products (n, n) of rows (n, m), computed in blocks, each on one core."""
    n = len(rows)
    products = np.empty((n, n), np.float32)

    def fill(start: int) -> None:
        end = min(start + _BLOCK, n)
        products[start:end, :end] = rows[start:end] @ rows[:end].T
        products[:start, start:end] = products[start:end, :start].T

    with one_core_for_products():
        # The longest ones first, so that all cores finish at about the same time.
        starts = reversed(range(0, n, _BLOCK))
        Parallel(n_jobs=-1, prefer="threads")(delayed(fill)(start) for start in starts)
    return products


class _ClassMoments:
    """Counts, sums and products of samples by class; those of two sets add up."""

    def __init__(self, n_classes: int, n_features: int) -> None:
        self.counts = np.zeros(n_classes, np.float64)
        self.sums = np.zeros((n_classes, n_features), np.float32)
        self.products = np.zeros((n_features, n_features), np.float32)

    def add(self, features: FloatArray, codes: NDArray[np.int64]) -> None:
        """Add samples: features (n, n_features) and class indices (n,)."""
        members = np.eye(len(self.counts), dtype=np.float32)[codes]
        self.counts += members.sum(axis=0)
        self.sums += members.T @ features
        self.products += _products_of(features.T)

    @classmethod
    def total(cls, parts: Sequence["_ClassMoments"]) -> Self:
        """Return the sum of parts."""
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

    @classmethod
    def fit(
        cls,
        parts: Sequence[tuple[_ClassMoments, FloatArray, NDArray[np.int64]]],
        class_of: NDArray[np.int64],
    ) -> "LinearDiscriminant":
        """Return the discriminant of all parts, tuned by leaving out each part in turn.

        Each part has moments for training, and features and clusters of its samples for testing;
        one part alone gets the middle of :data:`_SHRINKAGES`. ``class_of`` (n_clusters,) is the
        class of each cluster.
        """
        everything = _ClassMoments.total([moments for moments, _, _ in parts])
        if len(parts) < 2:
            return _solve(everything, _SHRINKAGE)[0]
        truth = class_of[np.concatenate([clusters for _, _, clusters in parts])]
        candidates = _SHRINKAGES if everything.counts.sum() <= _FEW_ROWS else _SHRINKAGE
        scores: list[list[FloatArray]] = [[] for _ in candidates]
        for left_out, (_, features, _) in enumerate(parts):
            others = [moments for i, (moments, _, _) in enumerate(parts) if i != left_out]
            for kept, found in zip(
                scores, _solve(_ClassMoments.total(others), candidates), strict=True
            ):
                kept.append(found.scores(features))
        # The error rate decides; ties are broken by the log loss.
        trials = [_trial(np.concatenate(kept), truth, class_of) for kept in scores]
        best = trials.index(min(trials))
        (fitted,) = _solve(everything, [candidates[best]])
        return fitted.scaled(trials[best][2])

    @classmethod
    def fit_batches(
        cls, batches: Iterable[Rows], class_of: NDArray[np.int64]
    ) -> "LinearDiscriminant":
        """Return the same for rows (n, n_features) in batches; the first has all that are tested.

        Up to :data:`MAX_ROWS` rows are kept and solved at once; of more, only sums are kept.
        """
        left, kept, n = iter(batches), list[Rows](), 0
        for batch in left:
            kept.append(batch)
            n += len(batch[0])
            if n > MAX_ROWS:
                break
        else:
            outputs, clusters, part, tested = map(np.concatenate, zip(*kept, strict=True))
            with one_core_for_products():
                return cls.fit_rows(outputs, clusters, part, tested, class_of)
        plain, clusters, part, _ = kept[0]
        numbers = range(int(part.max()) + 1)
        moments = [_ClassMoments(len(class_of), plain.shape[1]) for _ in numbers]
        for outputs, own, of_part, _ in chain(kept, left):
            for number, sums in zip(numbers, moments, strict=True):
                sums.add(outputs[of_part == number], own[of_part == number])
        parts = [
            (sums, plain[part == number], clusters[part == number])
            for number, sums in zip(numbers, moments, strict=True)
        ]
        with one_core_for_products():
            return cls.fit(parts, class_of)

    @classmethod
    def fit_rows(
        cls,
        rows: FloatArray,
        clusters: NDArray[np.int64],
        part: NDArray[np.int64],
        tested: NDArray[np.bool_],
        class_of: NDArray[np.int64],
    ) -> "LinearDiscriminant":
        """Return the same for at most :data:`MAX_ROWS` rows, all in memory.

        ``rows`` (n, n_features) have ``clusters`` (n,) and belong to a ``part`` (n,) each; only
        rows that are ``tested`` (n,) decide, augmented copies do not.
        """
        n = int(part.max()) + 1
        if n == 1:
            return cls.of_rows(rows, clusters, len(class_of))
        products = _Products.of(rows, clusters, len(class_of))
        order = [np.flatnonzero(tested & (part == number)) for number in range(n)]
        candidates = _SHRINKAGES if len(rows) <= _FEW_ROWS else _SHRINKAGE
        scores: list[list[FloatArray]] = [[] for _ in candidates]
        for number, own in enumerate(order):
            others = np.flatnonzero(part != number)
            for kept, (weights, bias) in zip(
                scores, products.take(others).solve(candidates), strict=True
            ):
                kept.append(products.matrix[np.ix_(own, others)] @ weights + bias)
        truth = class_of[clusters[np.concatenate(order)]]
        trials = [_trial(np.concatenate(kept), truth, class_of) for kept in scores]
        best = trials.index(min(trials))
        ((weights, bias),) = products.solve([candidates[best]])
        return cls(rows.T @ weights, bias).scaled(trials[best][2])

    @classmethod
    def of_rows(
        cls, rows: FloatArray, codes: NDArray[np.int64], n_classes: int
    ) -> "LinearDiscriminant":
        """Return the discriminant of at most :data:`MAX_ROWS` rows (n, n_features), not tuned.

        ``codes`` (n,) are their class indices.
        """
        products = _Products.of(rows, codes, n_classes)
        weights, bias = products.solve(_SHRINKAGE)[0]
        return cls(rows.T @ weights, bias)

    def on_raw_features(self, mean: FloatArray, deviation: FloatArray) -> "LinearDiscriminant":
        """Return the same discriminant for features that are not standardised.

        ``mean`` and ``deviation`` (n_features,) are those with which they were.
        """
        weights = self.weights / deviation[:, None]
        return LinearDiscriminant(weights, self.bias - mean @ weights)

    def scores(self, features: FloatArray) -> FloatArray:
        """Return (n, n_classes); the largest is the prediction."""
        return features @ self.weights + self.bias

    def scaled(self, temperature: float) -> "LinearDiscriminant":
        """Return one with the same predictions and sharper or flatter probabilities."""
        factor = np.float32(temperature)
        return LinearDiscriminant(self.weights * factor, self.bias * factor)


@dataclass(frozen=True)
class _Products:
    """Products of rows with each other: all that is needed to solve for a weight of each row."""

    matrix: FloatArray
    """(n, n)"""
    clusters: NDArray[np.int64]
    """(n,)"""
    n_clusters: int
    n_features: int

    @classmethod
    def of(cls, rows: FloatArray, clusters: NDArray[np.int64], n_clusters: int) -> Self:
        """Multiply rows (n, n_features)."""
        products = rows @ rows.T if len(rows) <= _FEW_ROWS else _products_of(rows)
        return cls(products, clusters, n_clusters, rows.shape[1])

    def take(self, kept: NDArray[np.int64]) -> "_Products":
        """Return those of some rows."""
        matrix = self.matrix[np.ix_(kept, kept)]
        return _Products(matrix, self.clusters[kept], self.n_clusters, self.n_features)

    def solve(self, shrinkages: Sequence[float]) -> list[tuple[FloatArray, FloatArray]]:
        """Return weights of rows (n, n_clusters) and bias (n_clusters,) for each shrinkage.

        The weights of features are ``rows.T @ weights``. With Z the rows from the means of their
        clusters, (Z'Z / n + cI)^-1 = (I - Z'(ZZ' + ncI)^-1 Z) / c: the covariance of features is
        replaced by products of rows (Woodbury identity).
        """
        n = len(self.clusters)
        members = np.eye(self.n_clusters, dtype=np.float32)[self.clusters]
        counts = members.sum(axis=0)
        averaging = members / np.maximum(counts, 1)
        apart = averaging - np.float32(1 / n)
        within = self._centred(self.matrix, members, averaging)
        within = self._centred(within.T, members, averaging)
        towards = self._centred(self.matrix @ apart, members, averaging)
        mean_variance = max(float(np.trace(within)) / (n * self.n_features), _MIN_VARIANCE)
        own, found = np.diag(within).copy(), []
        for shrinkage in shrinkages:
            added = np.float32(n * shrinkage * mean_variance)
            np.fill_diagonal(within, own + added)
            solved = cho_solve(cho_factor(within, check_finite=False), towards, check_finite=False)
            back = solved - averaging @ (members.T @ solved)
            weights = (apart - back) * np.float32(n / added)
            products = self.matrix @ weights
            bias = -0.5 * np.einsum("nk,nk->k", apart, products) - products.mean(axis=0)
            found.append((weights, np.where(counts > 0, bias, -1e9).astype(np.float32)))
        return found

    @staticmethod
    def _centred(values: FloatArray, members: FloatArray, averaging: FloatArray) -> FloatArray:
        """Return rows of values (n, m) minus the mean of their cluster."""
        return values - members @ (averaging.T @ values)


def _solve(moments: _ClassMoments, shrinkages: Sequence[float]) -> list[LinearDiscriminant]:
    """Return the discriminant for each shrinkage; classes without samples are never predicted.

    Features are standardised: they have a variance of about 1.
    """
    there = moments.counts > 0
    counts = np.maximum(moments.counts, 1).astype(np.float32)[:, None]
    n = counts[there].sum()
    means, centre = moments.sums / counts, moments.sums.sum(axis=0) / n
    spread = (moments.products - (means * counts).T @ means) / n
    # With one sample per class the covariance is unknown; features have a variance of about 1.
    mean_variance = max(float(np.trace(spread)) / len(spread), _MIN_VARIANCE)
    apart, own = means - centre, np.diag(spread).copy()
    found = []
    for shrinkage in shrinkages:
        np.fill_diagonal(spread, own + np.float32(shrinkage * mean_variance))
        weights = cho_solve(cho_factor(spread, check_finite=False), apart.T, check_finite=False)
        bias = -0.5 * np.einsum("kd,dk->k", apart, weights) - centre @ weights
        found.append(LinearDiscriminant(weights, np.where(there, bias, -1e9).astype(np.float32)))
    return found


def clusters_of_none(
    features: FloatArray, codes: NDArray[np.int64], classes: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide the samples of ``none`` into clusters.

    Returns the cluster index (n_samples,), for other classes the class index, and the class index
    of each cluster (n_clusters,).
    """
    class_of = np.arange(len(classes))
    none = classes.index(NONE_LABEL) if NONE_LABEL in classes else -1
    own = np.flatnonzero(codes == none)
    n = min(_NONE_CLUSTERS, len(own) // _MIN_CLUSTER_SIZE)
    if n < 2:
        return codes, class_of
    # A random projection keeps distances approximately, and makes k-means faster.
    rng = np.random.default_rng(0)
    few = rng.normal(size=(features.shape[1], _N_PROJECTED)).astype(np.float32)
    found = KMeans(n, n_init=3, random_state=0).fit_predict(features[own] @ few)
    clusters = codes.copy()
    clusters[own] = np.where(found == 0, none, len(classes) - 1 + found)
    return clusters, np.concatenate([class_of, np.full(n - 1, none)])


def _trial(
    scores: FloatArray, truth: NDArray[np.int64], class_of: NDArray[np.int64]
) -> tuple[float, float, float]:
    """Return the error rate, the smallest log loss, and its temperature."""
    members = np.eye(class_of.max() + 1, dtype=np.float32)[class_of]
    error = float((class_of[scores.argmax(axis=1)] != truth).mean())
    loss, temperature = min((_log_loss(t * scores, truth, members), t) for t in _TEMPERATURES)
    return error, loss, temperature


def _log_loss(scores: FloatArray, codes: NDArray[np.int64], members: FloatArray) -> float:
    """Return the mean log loss; clusters without samples get a very small probability.

    ``members`` (n_clusters, n_classes) is 1 where a cluster belongs to a class.
    """
    likely = np.exp(np.maximum(scores - scores.max(axis=1, keepdims=True), -30)) @ members
    return float(np.log(likely.sum(axis=1) / likely[np.arange(len(codes)), codes]).mean())


def parts_in_turn(
    codes: NDArray[np.int64], groups: StrArray | None, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the part (n,) of each sample; parts are left out in turn, groups not divided."""
    if groups is not None and len(np.unique(groups)) >= _N_PARTS:
        names, group_of = np.unique(groups, return_inverse=True)
        return np.asarray(rng.permutation(len(names))[group_of] % _N_PARTS, np.int64)
    if (np.bincount(codes) > 1).sum() < 2:
        return np.zeros(len(codes), np.int64)
    order = rng.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    part = np.empty(len(codes), np.int64)
    part[order] = np.arange(len(codes)) % _N_PARTS
    return part
