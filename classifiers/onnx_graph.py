"""Writing ONNX graphs by hand, a line an operation.

What a movement classifier computes is written once, as a graph: training runs it too, so a model
file cannot differ from what was trained.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from handlore.landmarks.hands import FloatArray
from handlore.models.card import INPUT, OUTPUT

from .base import ONNX_OPSET

IR_VERSION = 8


class Graph:
    """A graph under construction; every method returns the name of what it computes."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}

    def constant(self, values: ArrayLike) -> str:
        """Add numbers; whole ones become int64, others float32."""
        from onnx import numpy_helper

        array = np.asarray(values)
        array = array.astype(np.float32 if array.dtype.kind == "f" else np.int64)
        name = f"c{len(self._constants)}"
        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add an operation of the ONNX standard."""
        from onnx import helper

        name = f"v{len(self._nodes)}"
        # TopK also gives the places of what it takes; ONNX knows no other way to leave them out.
        rest = [f"{name}_places"] if kind == "TopK" else []
        self._nodes.append(helper.make_node(kind, list(inputs), [name, *rest], **attributes))
        return name

    def reshape(self, values: str, *shape: int) -> str:
        """Reshape; -1 is what is left over."""
        return self.op("Reshape", values, self.constant(shape))

    def take(self, values: str, indices: list[int], axis: int) -> str:
        """Take some places along an axis."""
        return self.op("Gather", values, self.constant(indices), axis=axis)

    def part(self, values: str, start: int, end: int, axis: int) -> str:
        """Take a range along an axis."""
        ends = (self.constant([number]) for number in (start, end, axis))
        return self.op("Slice", values, *ends)

    def inlined(self, model: Any, taken: str) -> str:
        """Add all of a model; it gets ``taken`` for X. Give what it answers."""
        prefix = f"m{len(self._nodes)}_"
        added = _prefixed(model.graph, prefix)
        for node in added.node:
            node.input[:] = [taken if name == INPUT else name for name in node.input]
        self._nodes.extend(added.node)
        self._constants |= {constant.name: constant for constant in added.initializer}
        return prefix + OUTPUT

    def model(self, n_channels: int, n_timepoints: int, result: str, shape: tuple[int, ...]) -> Any:
        """Return the ``onnx.ModelProto`` from X (n, n_channels, n_timepoints) to a result.

        Parameters
        ----------
        n_channels, n_timepoints
            Of the blocks that go in.
        result
            The name of what comes out.
        shape
            Its shape after the first axis.
        """
        from onnx import TensorProto, helper

        nodes = [*self._nodes, helper.make_node("Identity", [result], [OUTPUT])]
        taken = helper.make_tensor_value_info(
            INPUT, TensorProto.FLOAT, ["n", n_channels, n_timepoints]
        )
        given = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", *shape])
        graph = helper.make_graph(
            nodes, "handlore", [taken], [given], list(self._constants.values())
        )
        return helper.make_model(graph, opset_imports=_opsets(), ir_version=IR_VERSION)

    def before(self, model: Any, result: str, n_features: int) -> None:
        """Let a model see a result of this in place of X.

        Parameters
        ----------
        model
            An ``onnx.ModelProto``; it is changed.
        result
            The name of what it is to see.
        n_features
            How many numbers a row of X has now.
        """
        added = self._as_part("before_")
        for node in model.graph.node:
            node.input[:] = [f"before_{result}" if name == INPUT else name for name in node.input]
        for place, node in enumerate(added.node):
            model.graph.node.insert(place, node)
        model.graph.initializer.extend(added.initializer)
        model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = n_features
        _fix_opset(model)

    def beside(self, model: Any, result: str, output: str) -> None:
        """Let a model also give a result of this.

        Parameters
        ----------
        model
            An ``onnx.ModelProto`` that takes the same X; it is changed.
        result
            The name of what comes out, float32 (n,).
        output
            What the model is to call it.
        """
        from onnx import TensorProto, helper

        added = self._as_part(f"{output}_")
        model.graph.node.extend(added.node)
        model.graph.node.append(helper.make_node("Identity", [f"{output}_{result}"], [output]))
        model.graph.initializer.extend(added.initializer)
        model.graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n"]))
        _fix_opset(model)

    def _as_part(self, prefix: str) -> Any:
        from onnx import helper

        return _prefixed(
            helper.make_graph(self._nodes, "part", [], [], list(self._constants.values())), prefix
        )


def pool_models(models: Sequence[Any], least: float) -> Any:
    """Return one ``onnx.ModelProto`` that answers with the geometric mean of what models answer.

    Parameters
    ----------
    models
        Each an ``onnx.ModelProto``; they take the same X.
    least
        What probabilities below it count as.
    """
    from onnx import helper, numpy_helper

    nodes, answers = [], []
    constants = [numpy_helper.from_array(np.array(least, np.float32), "least")]
    for number, model in enumerate(models):
        given = _prefixed(model.graph, f"m{number}_")
        nodes += given.node
        constants += given.initializer
        nodes.append(helper.make_node("Max", [f"m{number}_{OUTPUT}", "least"], [f"l{number}"]))
        nodes.append(helper.make_node("Log", [f"l{number}"], [f"log{number}"]))
        answers.append(f"log{number}")
    nodes.append(helper.make_node("Mean", answers, ["logs"]))
    nodes.append(helper.make_node("Softmax", ["logs"], [OUTPUT], axis=-1))
    first = models[0].graph
    result = next(one for one in first.output if one.name == OUTPUT)
    graph = helper.make_graph(nodes, "handlore", first.input, [result], constants)
    return helper.make_model(graph, opset_imports=_opsets(), ir_version=IR_VERSION)


def _opsets() -> list[Any]:
    from onnx import helper

    return [helper.make_opsetid(domain, version) for domain, version in ONNX_OPSET.items()]


def _fix_opset(model: Any) -> None:
    """Say which operations a model uses; not every converter does."""
    del model.opset_import[:]
    model.opset_import.extend(_opsets())


def _prefixed(graph: Any, prefix: str) -> Any:
    """Return a graph in which everything but what goes in has another name."""
    from onnx import GraphProto

    renamed = GraphProto()
    renamed.CopyFrom(graph)
    for node in renamed.node:
        node.name = ""
        for names in (node.input, node.output):
            # An input that is left out has an empty name.
            names[:] = [name and (name if name == INPUT else prefix + name) for name in names]
    for constant in renamed.initializer:
        constant.name = prefix + constant.name
    return renamed


class GraphRunner:
    """Runs a graph on many blocks, some at a time so that memory stays bounded."""

    def __init__(self, model: Any, n_threads: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, blocks: FloatArray, batch: int = 64) -> FloatArray:
        """Return the result for each block."""
        parts = [
            self._session.run([OUTPUT], {INPUT: blocks[start : start + batch]})[0]
            for start in range(0, len(blocks), batch)
        ]
        return np.concatenate(parts)


# Making the graphs of trees small: what converters write into files that nobody reads.


_NEVER_READ = ("nodes_hitrates", "nodes_missing_value_tracks_true")
"""How often branches are taken, which runtimes ignore, and where numbers that are missing go."""


def compact_trees(model: Any) -> None:
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
