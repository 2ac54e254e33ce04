"""Gradient-boosted trees from XGBoost."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base import ONNX_OPSET, FloatArray, HandEstimator, StrArray, register


@register
class XGBoostClassifier(HandEstimator):
    """Gradient-boosted trees (Chen and Guestrin 2016) from the CPU build of XGBoost.

    Parameters
    ----------
    n_estimators
        Rounds of boosting; each grows one tree a class.
    max_depth
        The deepest a tree may grow.
    learning_rate
        How much each tree counts.
    subsample
        Share of the samples that each tree sees.
    colsample_bynode
        Share of the features tried at each split.
    min_child_weight
        The least weight of samples behind a split.
    reg_lambda
        Strength of the penalty on leaf weights.
    random_state
        Seed.
    """

    summary = "gradient-boosted trees: half the size of a forest, slower to train"

    def __init__(
        self,
        n_estimators: int = 120,
        max_depth: int = 4,
        learning_rate: float = 0.1,
        subsample: float = 0.7,
        colsample_bynode: float = 0.05,
        min_child_weight: float = 0.3,
        reg_lambda: float = 0.3,
        random_state: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.learning_rate = learning_rate
        self.subsample = subsample
        self.colsample_bynode = colsample_bynode
        self.min_child_weight = min_child_weight
        self.reg_lambda = reg_lambda
        self.random_state = random_state

    def _fit(self, X: FloatArray, codes: NDArray[np.int64], groups: StrArray | None) -> None:
        from xgboost import XGBClassifier

        self.booster_ = XGBClassifier(**self.get_params(), tree_method="hist").fit(X, codes)

    def _predict_proba(self, X: FloatArray) -> FloatArray:
        return np.asarray(self.booster_.predict_proba(X))

    def to_onnx(self) -> Any:
        """Return the trees as one TreeEnsembleClassifier."""
        from onnxmltools import convert_xgboost
        from onnxmltools.convert.common.data_types import FloatTensorType

        inputs = [("X", FloatTensorType([None, self.n_features_in_]))]
        return convert_xgboost(self.booster_, initial_types=inputs, target_opset=ONNX_OPSET[""])
