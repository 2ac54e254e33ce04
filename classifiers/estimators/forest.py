"""Random forest: the estimator that cannot be trained wrong."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base import ONNX_OPSET, FloatArray, HandEstimator, StrArray, register
from ..projection import Projection


@register
class ForestClassifier(HandEstimator):
    """Extremely randomised trees (Geurts 2006) from scikit-learn, on discriminant directions.

    Parameters
    ----------
    n_estimators
        How many trees.
    max_features
        Share of the directions tried at each split.
    min_samples_leaf
        The fewest samples in a leaf; more give smaller files.
    random_state
        Seed.
    """

    summary = "forest of random trees: robust, trains in a second, needs no tuning"

    def __init__(
        self,
        n_estimators: int = 80,
        max_features: float = 0.4,
        min_samples_leaf: int = 2,
        random_state: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
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

    def to_onnx(self) -> Any:
        """Return the projection and the trees as one TreeEnsembleClassifier."""
        from skl2onnx import to_onnx

        model = to_onnx(
            self.forest_,
            self.projection_(np.zeros((1, self.n_features_in_), np.float32)),
            options={id(self.forest_): {"zipmap": False}},
            target_opset=ONNX_OPSET,
        )
        _drop_zero_votes(model)
        return self.projection_.before(model)


def _drop_zero_votes(model: Any) -> None:
    """Leave out the classes a leaf does not vote for: most of the file, and none of the answer.

    A leaf votes with the shares of the classes among its samples. With 27 classes nearly all of
    them are 0, and a class that is not mentioned counts as 0.
    """
    (trees,) = [node for node in model.graph.node if node.op_type == "TreeEnsembleClassifier"]
    attributes = {attribute.name: attribute for attribute in trees.attribute}
    weights = np.array(attributes["class_weights"].floats, np.float32)
    voting = np.flatnonzero(weights)
    columns = {"class_weights": "floats"} | dict.fromkeys(
        ("class_ids", "class_nodeids", "class_treeids"), "ints"
    )
    for name, kind in columns.items():
        values = getattr(attributes[name], kind)
        kept = np.array(values)[voting].tolist()
        del values[:]
        values.extend(kept)
