"""Making the graphs of trees small: what converters write into files that nobody reads."""

from typing import Any

import numpy as np

_NEVER_READ = ("nodes_hitrates", "nodes_missing_value_tracks_true")
"""How often branches are taken, which runtimes ignore, and where numbers that are missing go."""


def compact(model: Any) -> None:
    """Leave out what does not change the answers of a model of trees to finite numbers.

    A leaf votes with the shares of the classes among its samples. With 27 classes nearly all of
    them are 0, and a class that is not mentioned counts as 0.

    Parameters
    ----------
    model
        An ``onnx.ModelProto`` with one TreeEnsembleClassifier; it is changed.
    """
    (trees,) = [node for node in model.graph.node if node.op_type == "TreeEnsembleClassifier"]
    for attribute in [one for one in trees.attribute if one.name in _NEVER_READ]:
        trees.attribute.remove(attribute)
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
