"""Random forest: the estimator that cannot be trained wrong."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import StrArray
from handlore.landmarks.hands import FloatArray

from ..base import ONNX_OPSET, HandEstimator
from ..discriminant import Projection
from ..onnx_graph import compact_trees
from . import ESTIMATORS


@ESTIMATORS.register
class ForestClassifier(HandEstimator):
    """Extremely randomised trees (Geurts 2006) from scikit-learn, on discriminant directions.

    Parameters
    ----------
    n_estimators
        How many trees.
    max_features
        Share of the directions tried at each split.
    min_samples_leaf
        The fewest samples in a leaf.
    max_leaf_nodes
        The most leaves of a tree: with 80 trees, 350 leave a file of at most 2 MB, however many
        samples there are.
    random_state
        Seed.
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
        from sklearn.ensemble import ExtraTreesClassifier

        self.projection_ = Projection.fit(X, codes)
        forest = ExtraTreesClassifier(**self.get_params(), n_jobs=-1)
        self.forest_ = forest.fit(self.projection_(X), codes)
        # Threads pay when trees are grown, but cost more than they bring when one row is read.
        self.forest_.n_jobs = 1

    def _predict_proba(self, X: FloatArray) -> FloatArray:
        return np.asarray(self.forest_.predict_proba(self.projection_(X)))

    def _to_onnx(self) -> Any:
        """Return the projection and the trees as one TreeEnsembleClassifier."""
        from skl2onnx import to_onnx

        model = to_onnx(
            self.forest_,
            self.projection_(np.zeros((1, self.n_features_in_), np.float32)),
            options={id(self.forest_): {"zipmap": False}},
            target_opset=ONNX_OPSET,
        )
        compact_trees(model)
        return self.projection_.before(model)
