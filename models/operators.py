"""Which ONNX graphs are run: those made of the operators that handlore's own models consist of.

A graph could loop for ever, read other files or ask for any amount of memory. So only the operators
below are accepted, none of which repeats a part of the graph, and sizes must not depend on the
input. A model file is read here without the package onnx, which running models does not need; the
numbers are those of ``onnx.proto``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.untrusted import damage_as, printable, require_size

MAX_MODEL_BYTES = 256 << 20
"""Most bytes of a model file; the largest that ``train`` has written so far has 2 MB."""

_MAX_CONSTANT = 16 << 20
"""Most numbers in a constant; the largest in a model of ``train`` has 0.2 million."""

_MAX_NODES = 20_000
_OPSETS = {"": range(9, 22), "ai.onnx.ml": range(1, 5)}
"""Versions of the operator sets; ``train`` writes 15 and 3."""

_SIZED = ("ConstantOfShape", "Expand", "Pad", "Tile", "TopK")
"""The size of their result is an input, which must not be computed from X."""

OPERATORS = {
    "": frozenset(
        (
            *("Abs", "Add", "ArgMax", "AveragePool", "BatchNormalization", "Cast", "Ceil"),
            *("Clip", "Concat", "Constant", "ConstantOfShape", "Conv", "CumSum", "Div"),
            *("Equal", "Erf", "Exp", "Expand", "Flatten", "Floor", "Gather", "Gemm"),
            *("GlobalAveragePool", "GlobalMaxPool", "Greater", "GreaterOrEqual"),
            *("Identity", "LeakyRelu", "Less", "LessOrEqual", "Log", "LogSoftmax"),
            *("MatMul", "Max", "MaxPool", "Mean", "Min", "Mul", "Neg", "Not", "And", "Or"),
            *("Pad", "Pow", "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSumExp"),
            *("ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum"),
            *(
                "ReduceSumSquare",
                "Relu",
                "Reshape",
                "Round",
                "Shape",
                "Sigmoid",
                "Sign",
                "Slice",
                "Softmax",
            ),
            *("Softplus", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tanh", "Tile", "TopK"),
            *("Transpose", "Unsqueeze", "Where"),
        )
    ),
    "ai.onnx.ml": frozenset(
        (
            *("ArrayFeatureExtractor", "Binarizer", "Imputer", "LinearClassifier"),
            *("LinearRegressor", "Normalizer", "Scaler", "SVMClassifier", "SVMRegressor"),
            *("TreeEnsembleClassifier", "TreeEnsembleRegressor"),
        )
    ),
}
"""The operators that are accepted, by domain; also those that estimators of other packages get
from skl2onnx."""


@dataclass
class _Node:
    kind: str = ""
    domain: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


def check_operators(data: bytes) -> None:
    """Refuse a model file with a graph that handlore would not write.

    Raises
    ------
    InvalidDataError
        If it is no ONNX model, or has other operators, functions, constants in other files, very
        large constants, or sizes that depend on the input.
    """
    require_size(len(data), MAX_MODEL_BYTES)
    with damage_as("it is not an ONNX model, or it is truncated"):
        _check_model(memoryview(data))


def _check_model(data: memoryview) -> None:
    graphs = []
    for number, value in _fields(data):
        if number == 8 and isinstance(value, memoryview):
            _check_operator_set(value)
        elif number == 7 and isinstance(value, memoryview):
            graphs.append(value)
        elif number == 25:
            raise InvalidDataError("its graph has functions of its own")
    if len(graphs) != 1:
        raise ValueError(f"{len(graphs)} graphs")
    _check_graph(graphs[0])


def _check_operator_set(data: memoryview) -> None:
    values = dict(_fields(data))
    domain, version = _text(values.get(1, b"")), values.get(2, 0)
    if domain in _OPSETS and version not in _OPSETS[domain]:
        raise InvalidDataError(f"its graph needs version {version} of the operators of ONNX")


def _check_graph(data: memoryview) -> None:
    nodes: list[_Node] = []
    fixed: set[str] = set()
    for number, value in _fields(data):
        if number == 1 and isinstance(value, memoryview):
            nodes.append(_node(value))
        elif number == 5 and isinstance(value, memoryview):
            fixed.add(_constant(value))
        elif number == 15:
            raise InvalidDataError("its graph has sparse constants")
    if len(nodes) > _MAX_NODES:
        raise InvalidDataError(f"its graph has {len(nodes)} operators, at most {_MAX_NODES}")
    for node in nodes:
        _check_node(node, fixed)


def _check_node(node: _Node, fixed: set[str]) -> None:
    """Check a node, and add its outputs to the names that do not depend on the input."""
    if node.kind not in OPERATORS.get(node.domain, ()):
        name = printable(f"{node.domain}.{node.kind}".removeprefix(".")[:60])
        raise InvalidDataError(f"its graph has the operator {name}, which no model here needs")
    given = [name for name in node.inputs if name]
    sizes = given if node.kind == "ConstantOfShape" else given[1:]
    if node.kind in _SIZED and not fixed.issuperset(sizes):
        raise InvalidDataError(f"a size in its graph depends on the input ({node.kind})")
    if node.kind == "Shape" or fixed.issuperset(given):
        fixed.update(node.outputs)


def _node(data: memoryview) -> _Node:
    node = _Node()
    for number, value in _fields(data):
        if number == 1:
            node.inputs.append(_text(value))
        elif number == 2:
            node.outputs.append(_text(value))
        elif number == 4:
            node.kind = _text(value)
        elif number == 7:
            node.domain = _text(value)
    return node


def _constant(data: memoryview) -> str:
    """Check a constant, and return its name."""
    dims: list[int] = []
    name = ""
    for number, value in _fields(data):
        if number == 1:
            dims += [value] if isinstance(value, int) else _varints(value)
        elif number == 8:
            name = _text(value)
        elif number == 13 or (number == 14 and value):
            raise InvalidDataError("its graph has constants in other files")
    if any(one < 0 for one in dims) or prod(dims) > _MAX_CONSTANT:
        raise InvalidDataError(f"its graph has a constant of {prod(dims):,} numbers")
    return name


# The wire format of protocol buffers.


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield number and value of each field of a message."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, place = _varint(data, place)
            yield number, value
            continue
        if kind == 2:
            length, place = _varint(data, place)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"a field of type {kind}")
        if length > len(data) - place:
            raise ValueError("it is cut off")
        yield number, data[place : place + length]
        place += length


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    byte = data[place]
    if byte < 128:
        return byte, place + 1
    value, shift = byte & 127, 7
    while True:
        place += 1
        byte = data[place]
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place + 1
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")


def _varints(data: memoryview) -> list[int]:
    values, place = [], 0
    while place < len(data):
        value, place = _varint(data, place)
        values.append(value)
    return values


def _text(value: int | bytes | memoryview) -> str:
    return "" if isinstance(value, int) else bytes(value).decode("utf-8", "replace")
