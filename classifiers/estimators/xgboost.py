"""Gradient-boosted trees from XGBoost."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import StrArray
from handlore.landmarks.hands import FloatArray
from handlore.models.card import INPUT

from ..base import HandEstimator
from ..onnx_graph import ONNX_OPSET, Graph, compact_trees
from ..projection import Projection
from . import ESTIMATORS

_LONG_STEPS = 50_000
"""Samples from which the steps of boosting are long enough for several threads."""


@ESTIMATORS.register
class _XGBoostClassifier(HandEstimator):
    """Gradient-boosted trees (Chen and Guestrin 2016), on features and discriminant directions.

    Parameters are those of XGBoost; each of the ``n_estimators`` rounds grows one tree per class.
    """

    name = "xgboost"
    summary = "gradient-boosted trees: half the size of a forest, slower to train"

    def __init__(
        self,
        n_estimators: int = 80,
        max_depth: int = 4,
        learning_rate: float = 0.1,
        subsample: float = 0.5,
        colsample_bytree: float = 0.1,
        colsample_bynode: float = 0.5,
        min_child_weight: float = 0.3,
        reg_lambda: float = 1.0,
        max_bin: int = 64,
        random_state: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.learning_rate = learning_rate
        self.subsample = subsample
        self.colsample_bytree = colsample_bytree
        self.colsample_bynode = colsample_bynode
        self.min_child_weight = min_child_weight
        self.reg_lambda = reg_lambda
        self.max_bin = max_bin
        self.random_state = random_state

    def _fit(self, X: FloatArray, codes: NDArray[np.int64], groups: StrArray | None) -> None:
        from xgboost import XGBClassifier
        from xgboost.callback import TrainingCallback

        class Rounds(TrainingCallback):  # type: ignore[misc]
            def after_iteration(_, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: N805
                self._advance(epoch + 1, self.n_estimators)
                return False

        self.projection_ = Projection.fit(X, codes)
        booster = XGBClassifier(
            **self.get_params(),
            tree_method="hist",
            n_jobs=1 if len(X) < _LONG_STEPS else None,  # None: one for each core
            callbacks=[Rounds()] if self.progress else None,
        )
        self.booster_ = booster.fit(self._inputs(X), codes)
        self.booster_.set_params(callbacks=None)

    def _predict_proba(self, X: FloatArray) -> FloatArray:
        return np.asarray(self.booster_.predict_proba(self._inputs(X)))

    def _inputs(self, X: FloatArray) -> FloatArray:
        """Return features and directions (n_samples, n_features + n_directions).

        With few samples the directions overfit; the features do not.
        """
        return np.concatenate([X, self.projection_(X)], axis=1)

    def _to_onnx(self) -> Any:
        """Return features, projection and trees as one TreeEnsembleClassifier."""
        from onnxmltools import convert_xgboost
        from onnxmltools.convert.common.data_types import FloatTensorType

        width = sum(self.projection_.weights.shape)
        inputs = [(INPUT, FloatTensorType([None, width]))]
        model = convert_xgboost(self.booster_, initial_types=inputs, target_opset=ONNX_OPSET[""])
        compact_trees(model)
        graph = Graph()
        seen = graph.op("Concat", INPUT, self.projection_.add_to(graph, INPUT), axis=1)
        graph.prepend_to(model, seen, self.n_features_in_)
        return model
