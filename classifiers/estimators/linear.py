"""Logistic regression: small and fast."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from handlore.datasets.dataset import StrArray
from handlore.landmarks.hands import FloatArray

from ..base import HandEstimator
from ..discriminant import one_core_for_products
from ..projection import STEPS, Projection
from . import ESTIMATORS


@ESTIMATORS.register
class _LinearClassifier(HandEstimator):
    """Multinomial logistic regression from scikit-learn, on discriminant directions.

    Parameters are those of ``LogisticRegression``; a smaller ``C`` is smoother.
    """

    name = "linear"
    summary = "logistic regression: a file of some 70 KB, often as good as the trees"

    def __init__(self, C: float = 0.01, max_iter: int = 200, random_state: int = 0) -> None:
        self.C = C
        self.max_iter = max_iter
        self.random_state = random_state

    def _fit(self, X: FloatArray, codes: NDArray[np.int64], groups: StrArray | None) -> None:
        self.projection_ = Projection.fit(X, codes)
        self._advance(1, 20)
        regression = LogisticRegression(**self.get_params())
        with warnings.catch_warnings(), one_core_for_products():
            # A solver that stopped early has still found a classifier; cross-validation scores it.
            warnings.simplefilter("ignore", ConvergenceWarning)
            # The penalty is in units of the standard deviation within classes.
            regression.fit(self.projection_(X) / STEPS, codes)
        regression.coef_ /= STEPS
        self.regression_ = regression

    def _predict_proba(self, X: FloatArray) -> FloatArray:
        return np.asarray(self.regression_.predict_proba(self.projection_(X)))

    def _to_onnx(self) -> Any:
        """Return the projection and the regression as one graph."""
        return self.projection_.to_onnx(self.regression_)
