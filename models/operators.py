"""Which ONNX graphs are run: those made of the operators that handlore's own models consist of.

A graph could loop for ever, read other files or ask for any amount of memory. So only the operators
below are accepted, none of which repeats a part of the graph, and sizes must not depend on the
input. A model file is read here without the package onnx, which running models does not need; the
numbers are those of ``onnx.proto``.
"""

import itertools
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
_MAX_FIELDS = 1_000_000
"""Most fields that are read of a file, which takes about a second; trees and constants, however
large, are one field each."""

_MAX_DIMS = 8
_OPSETS = {"": range(9, 22), "ai.onnx.ml": range(1, 5)}
"""Versions of the operator sets; ``train`` writes 15 and 3."""

_SIZED = ("ConstantOfShape", "Expand", "Pad", "Tile", "TopK")
"""The size of their result is an input, which must not be computed from X."""

_PLAIN = """
Abs Add ArgMax AveragePool BatchNormalization Cast Ceil Clip Concat Constant ConstantOfShape Conv
CumSum Div Equal Erf Exp Expand Flatten Floor Gather Gemm GlobalAveragePool GlobalMaxPool Greater
GreaterOrEqual Identity LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max MaxPool Mean Min Mul
Neg Not And Or Pad Pow Reciprocal ReduceL1 ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin
ReduceProd ReduceSum ReduceSumSquare Relu Reshape Round Shape Sigmoid Sign Slice Softmax Softplus
Split Sqrt Squeeze Sub Sum Tanh Tile TopK Transpose Unsqueeze Where
"""
_LEARNT = """
ArrayFeatureExtractor Binarizer Imputer LinearClassifier LinearRegressor Normalizer Scaler
SVMClassifier SVMRegressor TreeEnsembleClassifier TreeEnsembleRegressor
"""
OPERATORS = {"": frozenset(_PLAIN.split()), "ai.onnx.ml": frozenset(_LEARNT.split())}
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
        _check_model(_Message(memoryview(data)))


def metadata_keys(data: bytes) -> set[str]:
    """Return the names of the metadata in a model file; InvalidDataError if it is no ONNX model."""
    with damage_as("it is not an ONNX model, or it is truncated"):
        return {
            _text(dict(value.fields()).get(1, 0))
            for number, value in _Message(memoryview(data)).fields()
            if number == 14 and isinstance(value, _Message)
        }


def _check_model(model: "_Message") -> None:
    graphs = []
    for number, value in model.fields():
        if number == 8 and isinstance(value, _Message):
            _check_operator_set(value)
        elif number == 7 and isinstance(value, _Message):
            graphs.append(value)
        elif number == 25:
            raise InvalidDataError("its graph has functions of its own")
    if len(graphs) != 1:
        raise ValueError(f"{len(graphs)} graphs")
    _check_graph(graphs[0])


def _check_operator_set(operators: "_Message") -> None:
    values = dict(operators.fields())
    domain, version = _text(values.get(1, 0)), values.get(2, 0)
    if domain in _OPSETS and version not in _OPSETS[domain]:
        raise InvalidDataError(f"its graph needs version {version} of the operators of ONNX")


def _check_graph(graph: "_Message") -> None:
    nodes: list[_Node] = []
    fixed: set[str] = set()
    for number, value in graph.fields():
        if number == 1 and isinstance(value, _Message):
            nodes.append(_node(value))
        elif number == 5 and isinstance(value, _Message):
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


def _node(message: "_Message") -> _Node:
    node = _Node()
    for number, value in message.fields():
        if number == 1:
            node.inputs.append(_text(value))
        elif number == 2:
            node.outputs.append(_text(value))
        elif number == 4:
            node.kind = _text(value)
        elif number == 7:
            node.domain = _text(value)
    return node


def _constant(tensor: "_Message") -> str:
    """Check a constant, and return its name."""
    dims: list[int] = []
    name = ""
    for number, value in tensor.fields():
        if number == 1:
            dims += [value] if isinstance(value, int) else value.numbers()
        elif number == 8:
            name = _text(value)
        elif number == 13 or (number == 14 and value):
            raise InvalidDataError("its graph has constants in other files")
    if len(dims) > _MAX_DIMS:
        raise InvalidDataError(f"its graph has a constant of {len(dims)} dimensions")
    if prod(dims) > _MAX_CONSTANT:
        raise InvalidDataError(f"its graph has a constant of {prod(dims):,} numbers")
    return name


# The wire format of protocol buffers.


class _Message:
    """A message of a file; all messages of the file share the count of its fields."""

    def __init__(self, data: memoryview, count: Iterator[int] | None = None) -> None:
        self.data = data
        self._count = itertools.count() if count is None else count

    def fields(self) -> "Iterator[tuple[int, int | _Message]]":
        """Yield number and value of each field."""
        data, place = self.data, 0
        while place < len(data):
            self._require_few()
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
            yield number, _Message(data[place : place + length], self._count)
            place += length

    def numbers(self) -> list[int]:
        """Return the numbers of a packed field."""
        values, place = [], 0
        while place < len(self.data):
            self._require_few()
            value, place = _varint(self.data, place)
            values.append(value)
        return values

    def _require_few(self) -> None:
        if next(self._count) >= _MAX_FIELDS:
            raise InvalidDataError(f"its graph has more than {_MAX_FIELDS:,} parts")


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


def _text(value: int | _Message) -> str:
    return "" if isinstance(value, int) else bytes(value.data).decode("utf-8", "replace")
