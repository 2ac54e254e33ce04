"""Random forest: robust defaults, no tuning needed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier

from handlore.datasets.dataset import StrArray
from handlore.landmarks.hands import FloatArray

from ..base import HandEstimator
from ..onnx_graph import compact_trees
from ..projection import Projection
from . import ESTIMATORS

_TREES_AT_ONCE = 16


@ESTIMATORS.register
class _ForestClassifier(HandEstimator):
    """Extremely randomised trees (Geurts 2006) from scikit-learn, on discriminant directions.

    Parameters are those of ``ExtraTreesClassifier``; 350 leaves and 80 trees keep the file below
    2 MB.
    """

    name = "forest"
    summary = "forest of random trees: robust, trains in a second, needs no tuning"

    def __init__(
        self,
        n_estimators: int = 80,
        max_features: float = 0.4,
        min_samples_leaf: int = 2,
        max_leaf_nodes: int = 350,
        random_state: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
        self.max_leaf_nodes = max_leaf_nodes
        self.random_state = random_state

    def _fit(self, X: FloatArray, codes: NDArray[np.int64], groups: StrArray | None) -> None:
        self.projection_ = Projection.fit(X, codes)
        forest = ExtraTreesClassifier(**self.get_params(), n_jobs=-1, warm_start=True)
        places = self.projection_(X)
        # In parts, which gives the same trees.
        for n_trees in range(_TREES_AT_ONCE, self.n_estimators, _TREES_AT_ONCE):
            forest.set_params(n_estimators=n_trees).fit(places, codes)
            self._advance(n_trees, self.n_estimators)
        forest.set_params(n_estimators=self.n_estimators)
        self.forest_ = forest.fit(places, codes)
        # Threads pay off in training; for the prediction of single rows they are slower.
        self.forest_.n_jobs = 1

    def _predict_proba(self, X: FloatArray) -> FloatArray:
        return np.asarray(self.forest_.predict_proba(self.projection_(X)))

    def _to_onnx(self) -> Any:
        """Return the projection and the trees as one TreeEnsembleClassifier."""
        model = self.projection_.to_onnx(self.forest_)
        compact_trees(model)
        return model
