"""Logistic regression: the smallest, and often the best."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base import ONNX_OPSET, FloatArray, HandEstimator, StrArray, register


@register
class LinearClassifier(HandEstimator):
    """Multinomial logistic regression on standardised features, from scikit-learn.

    Parameters
    ----------
    C
        Inverse of the penalty: smaller is smoother.
    max_iter
        The most steps of the solver.
    random_state
        Seed, there for the contract: the solver (lbfgs) draws no random numbers.
    """

    summary = "logistic regression: a file of some 60 KB, often as good as the trees"

    def __init__(self, C: float = 1.0, max_iter: int = 1000, random_state: int = 0) -> None:
        self.C = C
        self.max_iter = max_iter
        self.random_state = random_state

    def _fit(self, X: FloatArray, codes: NDArray[np.int64], groups: StrArray | None) -> None:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        regression = LogisticRegression(**self.get_params())
        with warnings.catch_warnings():
            # A solver stopped early has still found a classifier; cross-validation tells how good.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.pipeline_ = make_pipeline(StandardScaler(), regression).fit(X, codes)

    def _predict_proba(self, X: FloatArray) -> FloatArray:
        return np.asarray(self.pipeline_.predict_proba(X))

    def to_onnx(self) -> Any:
        """Return scaler and regression."""
        from skl2onnx import to_onnx

        return to_onnx(
            self.pipeline_,
            np.zeros((1, self.n_features_in_), np.float32),
            options={id(self.pipeline_): {"zipmap": False}},
            target_opset=ONNX_OPSET,
        )
