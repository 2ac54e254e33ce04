"""ONNX graphs written by hand, one line per operation.

The features of a movement classifier are written once, as a graph, and training runs that graph
too. So a model file cannot differ from what was trained.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import ArrayLike
from onnx import GraphProto, TensorProto, helper, numpy_helper

from handlore.landmarks.hands import FloatArray
from handlore.models.card import CLIP_OUTPUT, INPUT, OUTPUT

ONNX_OPSET = {"": 15, "ai.onnx.ml": 3}
"""Operator sets of every model file; onnxruntime 1.17 and later run them."""
IR_VERSION = 8
_LARGE = 256
"""Constants of so many numbers are worth a cast."""


class Graph:
    """A graph under construction; methods return the name of their result."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}

    def constant(self, values: ArrayLike) -> str:
        """Add a constant; integers become int64, other numbers float32."""
        array = np.asarray(values)
        return self._kept(array.astype(np.float32 if array.dtype.kind == "f" else np.int64))

    def compact(self, values: FloatArray) -> str:
        """Add a large constant that takes half the space in a file: 16-bit floats, cast once."""
        return self.op("Cast", self._kept(np.asarray(values, np.float16)), to=TensorProto.FLOAT)

    def _kept(self, array: Any) -> str:
        name = f"c{len(self._constants)}"
        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator of the ONNX standard."""
        name = f"v{len(self._nodes)}"
        # The second output of TopK, the indices, must be named even if it is not used.
        rest = [f"{name}_indices"] if kind == "TopK" else []
        self._nodes.append(helper.make_node(kind, list(inputs), [name, *rest], **attributes))
        return name

    def reshape(self, values: str, *shape: int) -> str:
        """Reshape; -1 is inferred."""
        return self.op("Reshape", values, self.constant(shape))

    def take(self, values: str, indices: list[int], axis: int) -> str:
        """Take indices along an axis."""
        return self.op("Gather", values, self.constant(indices), axis=axis)

    def part(self, values: str, start: int, end: int, axis: int) -> str:
        """Take a range along an axis."""
        ends = (self.constant([number]) for number in (start, end, axis))
        return self.op("Slice", values, *ends)

    def corner(self, values: str, row: int) -> str:
        """Take the first value of a row of (n, n_rows, n_columns), as (n, 1)."""
        bounds = ([row, 0], [row + 1, 1], [1, 2])
        first = self.op("Slice", values, *(self.constant(numbers) for numbers in bounds))
        return self.reshape(first, -1, 1)

    def inline(self, model: Any, inputs: Mapping[str, str]) -> str:
        """Add all nodes of a model, with results of this graph as inputs; return its result."""
        prefix = f"m{len(self._nodes)}_"
        added = _prefixed(model.graph, prefix)
        given = {name if name == INPUT else prefix + name: own for name, own in inputs.items()}
        for node in added.node:
            node.input[:] = [given.get(name, name) for name in node.input]
        self._nodes.extend(added.node)
        self._constants |= {constant.name: constant for constant in added.initializer}
        return prefix + OUTPUT

    def model(self, given: tuple[int, ...], result: str, shape: tuple[int | str, ...]) -> Any:
        """Return the ``onnx.ModelProto`` from X to a result.

        ``given`` and ``shape`` are the shapes of X and of the result after the first axis.
        """
        nodes = [*self._nodes, helper.make_node("Identity", [result], [OUTPUT])]
        taken = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", *given])
        returned = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", *shape])
        graph = helper.make_graph(
            nodes, "handlore", [taken], [returned], list(self._constants.values())
        )
        return helper.make_model(graph, opset_imports=_opsets(), ir_version=IR_VERSION)

    def prepend_to(self, model: Any, result: str, n_features: int) -> None:
        """Make a result of this graph the input of a model, in place of X (n, n_features)."""
        added = self._as_part("before_")
        for node in model.graph.node:
            node.input[:] = [f"before_{result}" if name == INPUT else name for name in node.input]
        for place, node in enumerate(added.node):
            model.graph.node.insert(place, node)
        model.graph.initializer.extend(added.initializer)
        model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = n_features
        _fix_opset(model)

    def add_output_to(self, model: Any, result: str, output: str) -> None:
        """Add a result of this graph, float32 (n,), to the outputs of a model of the same X.

        Operations of this graph may take what the model returns, by the name ``OUTPUT``.
        """
        added = self._as_part(f"{output}_")
        for node in added.node:
            node.input[:] = [
                OUTPUT if name == f"{output}_{OUTPUT}" else name for name in node.input
            ]
        model.graph.node.extend(added.node)
        model.graph.node.append(helper.make_node("Identity", [f"{output}_{result}"], [output]))
        model.graph.initializer.extend(added.initializer)
        model.graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n"]))
        _fix_opset(model)

    def _as_part(self, prefix: str) -> Any:
        return _prefixed(
            helper.make_graph(self._nodes, "part", [], [], list(self._constants.values())), prefix
        )


def add_clip_output(model: Any, clips: Any, columns: Sequence[int], n_labels: int) -> None:
    """Add the probabilities of a second model of the same X as the output ``CLIP_OUTPUT``.

    ``columns`` has the column of ``model`` for each column of ``clips``; the other ones of its
    ``n_labels`` get 0.
    """
    prefix = "whole_"
    added = _prefixed(clips.graph, prefix)
    placed = numpy_helper.from_array(np.eye(n_labels, dtype=np.float32)[list(columns)], "placed")
    model.graph.node.extend(added.node)
    model.graph.node.append(
        helper.make_node("MatMul", [prefix + OUTPUT, placed.name], [CLIP_OUTPUT])
    )
    model.graph.initializer.extend([*added.initializer, placed])
    share_equal_parts(model.graph)
    model.graph.output.append(
        helper.make_tensor_value_info(CLIP_OUTPUT, TensorProto.FLOAT, ["n", n_labels])
    )


def share_equal_parts(graph: Any) -> None:
    """Keep one of several equal constants and operations.

    Two estimators with the same features compute them once.
    """
    renamed: dict[str, str] = {}
    first: dict[bytes, list[str]] = {}
    constants, nodes = list(graph.initializer), list(graph.node)
    del graph.initializer[:], graph.node[:]
    for part, kept in [(one, graph.initializer) for one in constants] + [
        (one, graph.node) for one in nodes
    ]:
        is_node = kept is graph.node
        names = list(part.output) if is_node else [part.name]
        if is_node:
            part.input[:] = [renamed.get(name, name) for name in part.input]
        content = _without_names(part, is_node=is_node)
        same = first.setdefault(content, names)
        if same is names or OUTPUT in names or CLIP_OUTPUT in names:
            kept.append(part)
        else:
            renamed |= dict(zip(names, same, strict=True))


def _without_names(part: Any, *, is_node: bool) -> bytes:
    copy = type(part)()
    copy.CopyFrom(part)
    copy.name = ""
    if is_node:
        copy.output[:] = [""] * len(copy.output)
    content: bytes = copy.SerializeToString(deterministic=True)
    return content


def compact_constants(model: Any) -> Any:
    """Return a model whose large constants take half the space: 16-bit floats, cast once."""
    compact = type(model)()
    compact.CopyFrom(model)
    casts = []
    for constant in compact.graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.dtype == np.float32 and values.size >= _LARGE:
            name = constant.name
            constant.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_16"))
            casts.append(helper.make_node("Cast", [constant.name], [name], to=TensorProto.FLOAT))
    for place, node in enumerate(casts):
        compact.graph.node.insert(place, node)
    return compact


def pool_models(models: Sequence[Any], least: float) -> Any:
    """Return one model with the geometric mean of probabilities, each at least ``least``."""
    nodes, logs = [], []
    constants = [numpy_helper.from_array(np.array(least, np.float32), "least")]
    for number, model in enumerate(models):
        member = _prefixed(model.graph, f"m{number}_")
        nodes += member.node
        constants += member.initializer
        nodes.append(helper.make_node("Max", [f"m{number}_{OUTPUT}", "least"], [f"l{number}"]))
        nodes.append(helper.make_node("Log", [f"l{number}"], [f"log{number}"]))
        logs.append(f"log{number}")
    nodes.append(helper.make_node("Mean", logs, ["logs"]))
    nodes.append(helper.make_node("Softmax", ["logs"], [OUTPUT], axis=-1))
    first = models[0].graph
    result = next(one for one in first.output if one.name == OUTPUT)
    graph = helper.make_graph(nodes, "handlore", first.input, [result], constants)
    return helper.make_model(graph, opset_imports=_opsets(), ir_version=IR_VERSION)


def _opsets() -> list[Any]:
    return [helper.make_opsetid(domain, version) for domain, version in ONNX_OPSET.items()]


def _fix_opset(model: Any) -> None:
    """Set the operator sets of a model; not every converter does."""
    del model.opset_import[:]
    model.opset_import.extend(_opsets())


def _prefixed(graph: Any, prefix: str) -> Any:
    """Return a copy of a graph in which all names but that of the input have a prefix."""
    renamed = GraphProto()
    renamed.CopyFrom(graph)
    for node in renamed.node:
        node.name = ""
        for names in (node.input, node.output):
            # An optional input that is missing has an empty name.
            names[:] = [name and (name if name == INPUT else prefix + name) for name in names]
    for constant in renamed.initializer:
        constant.name = prefix + constant.name
    return renamed


class GraphRunner:
    """Runs a graph on many blocks in batches, with bounded memory."""

    def __init__(self, model: Any, n_threads: int = 0) -> None:
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


_NEVER_READ = ("nodes_hitrates", "nodes_missing_value_tracks_true")
"""Attributes that converters write and onnxruntime ignores, or that concern missing values."""


def compact_trees(model: Any) -> None:
    """Remove attributes of a model of trees that do not change its probabilities.

    A leaf holds the shares of the classes among its samples. With 27 classes nearly all of them are
    0, and a class that is not listed counts as 0.
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
