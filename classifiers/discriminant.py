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
from typing import Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

SHRINKAGES = (0.3, 1.0, 3.0)
"""What is tried: this many times the mean variance is added to every feature's own."""

LEAST_VARIANCE = 0.01

TEMPERATURES = tuple(float(t) for t in np.geomspace(0.02, 4, 24))


class Moments:
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
    def total(cls, parts: Sequence["Moments"]) -> Self:
        """Return the moments of all parts together."""
        total = cls(*parts[0].sums.shape)
        for part in parts:
            total.counts += part.counts
            total.sums += part.sums
            total.products += part.products
        return total


@dataclass(frozen=True)
class Discriminant:
    """A linear classifier: the softmax of ``features @ weights + bias``."""

    weights: FloatArray
    """(n_features, n_classes)"""

    bias: FloatArray
    """(n_classes,)"""

    def scores(self, features: FloatArray) -> FloatArray:
        """Return (n, n_classes); the largest is the answer."""
        return features @ self.weights + self.bias

    def tempered(self, temperature: float) -> "Discriminant":
        """Return one that gives the same answers, more or less surely."""
        factor = np.float32(temperature)
        return Discriminant(self.weights * factor, self.bias * factor)


def solve(moments: Moments, shrinkages: Sequence[float]) -> list[Discriminant]:
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
    mean_variance = max(float(np.trace(spread)) / len(spread), LEAST_VARIANCE)
    apart, own = means - centre, np.diag(spread).copy()
    found = []
    for shrinkage in shrinkages:
        np.fill_diagonal(spread, own + np.float32(shrinkage * mean_variance))
        weights = cho_solve(cho_factor(spread, check_finite=False), apart.T, check_finite=False)
        bias = -0.5 * np.einsum("kd,dk->k", apart, weights) - centre @ weights
        found.append(Discriminant(weights, np.where(there, bias, -1e9).astype(np.float32)))
    return found


def chosen(
    parts: Sequence[tuple[Moments, FloatArray, NDArray[np.int64]]], class_of: NDArray[np.int64]
) -> Discriminant:
    """Return the discriminant of all parts, shrunk and calibrated on each in turn.

    Parameters
    ----------
    parts
        For each: its moments, to learn from; features and clouds of its samples, to be tested on.
        One part alone is shrunk by the middle of :data:`SHRINKAGES`.
    class_of
        (n_clouds,) the class of each cloud.
    """
    everything = Moments.total([moments for moments, _, _ in parts])
    if len(parts) < 2:
        return solve(everything, SHRINKAGES[len(SHRINKAGES) // 2 :])[0]
    truth = class_of[np.concatenate([clouds for _, _, clouds in parts])]
    scores: list[list[FloatArray]] = [[] for _ in SHRINKAGES]
    for left_out, (_, features, _) in enumerate(parts):
        others = [moments for i, (moments, _, _) in enumerate(parts) if i != left_out]
        for kept, found in zip(scores, solve(Moments.total(others), SHRINKAGES), strict=True):
            kept.append(found.scores(features))
    # Errors decide; between equals the probabilities do.
    trials = [_trial(np.concatenate(kept), truth, class_of) for kept in scores]
    best = trials.index(min(trials))
    (fitted,) = solve(everything, [SHRINKAGES[best]])
    return fitted.tempered(trials[best][2])


def _trial(
    scores: FloatArray, truth: NDArray[np.int64], class_of: NDArray[np.int64]
) -> tuple[float, float, float]:
    """Return the share of errors, the smallest loss, and the temperature that gives it."""
    members = np.eye(class_of.max() + 1, dtype=np.float32)[class_of]
    error = float((class_of[scores.argmax(axis=1)] != truth).mean())
    loss, temperature = min((_log_loss(t * scores, truth, members), t) for t in TEMPERATURES)
    return error, loss, temperature


def _log_loss(scores: FloatArray, codes: NDArray[np.int64], members: FloatArray) -> float:
    """Return the mean surprise; scores of clouds that were not there count as very unlikely.

    Members (n_clouds, n_classes) is 1 where a cloud belongs to a class.
    """
    likely = np.exp(np.maximum(scores - scores.max(axis=1, keepdims=True), -30)) @ members
    return float(np.log(likely.sum(axis=1) / likely[np.arange(len(codes)), codes]).mean())
