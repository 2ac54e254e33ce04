"""Kernel logistic regression: the default for poses.

Hands of one gesture form several groups in the space of discriminant directions (a fist from the
front, a fist from the side), which no plane separates from all others. A radial basis function
compares a hand with some hundred training hands, and a logistic regression weighs the comparisons.
All of them would be a support vector machine without its constraints; a random part of them, made
orthogonal (the Nyström method, Williams and Seeger 2001), is as accurate and bounds time and size.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from handlore.datasets.dataset import StrArray
from handlore.landmarks.hands import FloatArray
from handlore.models.card import INPUT

from ..base import HandEstimator
from ..discriminant import one_core_for_products
from ..onnx_graph import Graph
from ..pretrained import pretrained_directions
from ..projection import STEPS, Projection
from . import ESTIMATORS

_DIRECTIONS = (6, 40)
"""Principal components are added to the discriminant directions up to a number between these: of
few samples, further ones are noise."""
_LEAST_EIGENVALUE = 1e-3
"""Directions of the centres' kernel matrix below this share of the largest are noise."""
_MAX_ROWS = 30_000
"""Random samples that are trained on; more take minutes and change little."""
_AT_ONCE = 8192
_FEW = 10
"""With fewer samples a label, ``C`` is larger, by as much."""


@ESTIMATORS.register
class _KernelClassifier(HandEstimator):
    """Logistic regression on radial basis functions of discriminant directions.

    A smaller ``C`` is smoother. ``gamma`` is in units of the inverse variance of the data, a
    smaller one reaches farther; ``n_centres`` is the number of training hands to compare with.
    With fewer samples a label than ``pretrained_below``, directions that distinguish other people's
    hands are used too; 0: never. With more, it is also trained on ``tilted_copies`` of each sample.
    """

    name = "kernel"
    summary = "kernel logistic regression: the most accurate on new people, a file of 200 KB"
    refits_fast = True

    def __init__(
        self,
        C: float = 10.0,
        gamma: float = 2.0,
        n_centres: int = 600,
        random_state: int = 0,
        pretrained_below: int = 24,
        tilted_copies: int = 1,
    ) -> None:
        self.C = C
        self.gamma = gamma
        self.n_centres = n_centres
        self.random_state = random_state
        self.pretrained_below = pretrained_below
        self.tilted_copies = tilted_copies

    def n_tilted(self, n_samples: int, n_labels: int) -> int:
        """Return ``tilted_copies``, less of many samples; 0 of few."""
        if self._has_few(n_samples, n_labels):
            return 0
        return max(0, min(self.tilted_copies, _MAX_ROWS // n_samples - 1))

    def _has_few(self, n_samples: int, n_labels: int) -> bool:
        return (self.n_of_whole or n_samples) < self.pretrained_below * n_labels

    def _fit(self, X: FloatArray, codes: NDArray[np.int64], groups: StrArray | None) -> None:
        if not self.gamma > 0 or self.n_centres < 1:
            raise ValueError("gamma and n_centres must be positive")
        rng = np.random.default_rng(self.random_state)
        n_directions = int(np.clip(0.7 * np.sqrt(len(X)), *_DIRECTIONS))
        few = self._has_few(len(X), len(self.classes_))
        pretrained = pretrained_directions(X.shape[1]) if few else None
        self.uses_pretrained = pretrained is not None
        self.projection_ = Projection.fit(X, codes, n_directions, pretrained)
        self._advance(1, 20)
        rows = _with_every_class(codes, rng)
        places = self._places(X[rows])
        self.rate_ = np.float32(self.gamma / max(places.var() * places.shape[1], 1e-12))
        self.centres_ = places[rng.permutation(len(places))[: self.n_centres]]
        with one_core_for_products():
            whitening = _whitening(self._kernel(self.centres_))
            # The sum over a few samples weighs little against the prior: right, but never sure.
            strength = self.C * max(1, _FEW * len(self.classes_) / len(X))
            regression = LogisticRegression(C=strength, max_iter=300)
            similar = self._kernel(places) @ whitening
            self._advance(3, 20)
            regression.fit(similar, codes[rows])
        two = len(self.classes_) == 2
        # Of two classes scikit-learn keeps the difference only.
        coef = np.vstack([-regression.coef_, regression.coef_]) / 2 if two else regression.coef_
        self.weights_ = (whitening @ coef.T).astype(np.float32)
        b = regression.intercept_
        self.intercept_ = (np.hstack([-b, b]) / 2 if two else b).astype(np.float32)

    def _predict_proba(self, X: FloatArray) -> FloatArray:
        parts = range(0, len(X), _AT_ONCE)
        places = (self._places(X[start : start + _AT_ONCE]) for start in parts)
        logits = [self._kernel(some) @ self.weights_ + self.intercept_ for some in places]
        scores = np.concatenate(logits) if logits else np.zeros((0, len(self.classes_)))
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def _places(self, X: FloatArray) -> FloatArray:
        """Return the place (n_samples, n_directions) of each hand, in deviations within classes."""
        return np.asarray(self.projection_(X) / STEPS, np.float32)

    def _kernel(self, places: FloatArray) -> FloatArray:
        """Return the similarity (n_samples, n_centres) to each centre, 0 to 1."""
        lengths = (places * places).sum(axis=1, keepdims=True)
        own = (self.centres_ * self.centres_).sum(axis=1)
        apart = np.maximum(lengths + own - 2 * places @ self.centres_.T, 0)
        return np.asarray(np.exp(-self.rate_ * apart), np.float32)

    def _to_onnx(self) -> Any:
        """Return the projection, the comparisons and the regression as one graph."""
        graph = Graph()
        projected = self.projection_.add_to(graph, INPUT)
        places = graph.op("Div", projected, graph.constant(float(STEPS)))
        lengths = graph.op("ReduceSumSquare", places, axes=[1], keepdims=1)
        products = graph.op("MatMul", places, graph.constant(-2 * self.centres_.T))
        own = graph.constant((self.centres_ * self.centres_).sum(axis=1))
        apart = graph.op("Add", graph.op("Add", lengths, own), products)
        apart = graph.op("Max", apart, graph.constant(0.0))
        similar = graph.op("Exp", graph.op("Mul", apart, graph.constant(-float(self.rate_))))
        weighed = graph.op("MatMul", similar, graph.constant(self.weights_))
        scores = graph.op("Add", weighed, graph.constant(self.intercept_))
        result = graph.op("Softmax", scores, axis=1)
        return graph.model((self.n_features_in_,), result, (len(self.classes_),))


def _with_every_class(codes: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the indices of at most _MAX_ROWS random samples, and one of each class."""
    if len(codes) <= _MAX_ROWS:
        return np.arange(len(codes))
    firsts = np.unique(codes, return_index=True)[1]
    drawn = rng.choice(len(codes), _MAX_ROWS, replace=False)
    return np.unique(np.concatenate([firsts, drawn]))


def _whitening(kernel: FloatArray) -> NDArray[np.float64]:
    """Return the matrix (n_centres, n_kept) that makes similarities to the centres orthogonal."""
    values, axes = np.linalg.eigh(kernel.astype(np.float64))
    kept = values > _LEAST_EIGENVALUE * values[-1]
    return np.asarray(axes[:, kept] / np.sqrt(values[kept]))
