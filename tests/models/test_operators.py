"""Which graphs are accepted, and the trial of a model file that is seen for the first time."""

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.models import operators, trial
from handlore.models.card import ModelCard
from handlore.models.files import METADATA_KEY, load_model
from handlore.models.operators import OPERATORS, check_operators

OLDER = Path(__file__).parents[1] / "older_files"
CARD = ModelCard(("a", "b"), "x", features=("orientation",), n_features=2)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(trial, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "models"


def model_of(nodes: Sequence[Any], constants: Sequence[Any] = (), **more: Any) -> onnx.ModelProto:
    """A model of poses from X (n, 2) to probabilities."""
    given = helper.make_tensor_value_info("X", TensorProto.FLOAT, ["n", 2])
    said = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, None)
    graph = helper.make_graph(list(nodes), "g", [given], [said], list(constants))
    opsets = [helper.make_opsetid("", more.pop("opset", 15))]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=8, **more)
    helper.set_model_props(made, {METADATA_KEY: json.dumps(CARD.as_json())})
    return made


def node(kind: str, *inputs: str, out: str = "probabilities", **attributes: Any) -> Any:
    return helper.make_node(kind, list(inputs), [out], **attributes)


def number(name: str, values: Any, kind: Any = np.int64) -> Any:
    return numpy_helper.from_array(np.array(values, kind), name)


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[onnx.ModelProto], Path]:
    def save(model: onnx.ModelProto) -> Path:
        (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
        return tmp_path / "m.onnx"

    return save


def packed(number: int, data: bytes) -> bytes:
    length, size = b"", len(data)
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


def test_a_file_of_many_tiny_parts() -> None:
    """Reading all of a file of 256 MB would take minutes."""
    with pytest.raises(InvalidDataError, match="more than 1,000,000 parts"):
        check_operators(b"\x08\x08" * 2_000_000)


TINY = {
    "fields of the graph": packed(7, b"\x18\x00" * 2000),
    "constants": packed(7, packed(5, b"") * 2000),
    "sizes of a constant": packed(7, packed(5, packed(1, b"\x01" * 2000))),
}


@pytest.mark.parametrize("name", TINY)
def test_tiny_parts_of_a_part(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All count, however deep they are."""
    monkeypatch.setattr(operators, "_MAX_FIELDS", 1000)
    with pytest.raises(InvalidDataError, match="more than 1,000 parts"):
        check_operators(TINY[name])


def test_a_constant_of_many_dimensions() -> None:
    """Their product would have thousands of digits."""
    sizes = packed(1, (b"\xff" * 8 + b"\x7f") * 1000)
    with pytest.raises(InvalidDataError, match="a constant of 1000 dimensions"):
        check_operators(packed(7, packed(5, sizes)))


def test_a_long_label_is_refused(saved) -> None:
    model = model_of([node("Softmax", "X")])
    card = replace(CARD, labels=("a" * 501, "b"))
    helper.set_model_props(model, {METADATA_KEY: json.dumps(card.as_json())})
    with pytest.raises(InvalidDataError, match="a label of more than 500 characters"):
        load_model(saved(model))


@pytest.mark.parametrize("path", sorted(OLDER.glob("*.onnx")), ids=lambda path: path.name)
def test_models_of_earlier_formats_pass(path: Path, cache: Path) -> None:
    load_model(path)
    assert len(list(cache.iterdir())) == 1, "it was tried, and is remembered"


def test_all_operators_exist() -> None:
    for domain, kinds in OPERATORS.items():
        assert all(onnx.defs.has(kind, domain) for kind in kinds)
    assert not {"Loop", "Scan", "If", "SequenceMap"} & OPERATORS[""]


def loop() -> onnx.ModelProto:
    body = helper.make_graph(
        [node("Identity", "c", out="d"), node("Identity", "v", out="w")],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("d", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, None),
        ],
    )
    constants = [number("n", 2**62), number("t", True, bool)]
    return model_of([node("Loop", "n", "t", "X", body=body)], constants)


def external() -> onnx.ModelProto:
    there = number("W", [[1.0, 0], [0, 1]], np.float32)
    onnx.external_data_helper.set_external_data(there, "/etc/passwd")
    there.ClearField("raw_data")
    return model_of([node("MatMul", "X", "W")], [there])


def of_itself() -> onnx.ModelProto:
    function = helper.make_function(
        "own", "F", ["a"], ["b"], [node("Identity", "a", out="b")], [helper.make_opsetid("", 15)]
    )
    return model_of([node("Identity", "X")], functions=[function])


def huge() -> onnx.ModelProto:
    constant = number("W", [0], np.float32)
    constant.dims[:] = [1 << 20, 1 << 20]
    return model_of([node("MatMul", "X", "W")], [constant])


def grows_with_the_input() -> onnx.ModelProto:
    return model_of(
        [node("Cast", "X", out="i", to=TensorProto.INT64), node("Tile", "X", "i")],
    )


REFUSED: dict[str, tuple[Callable[[], onnx.ModelProto], str]] = {
    "loop": (loop, "the operator Loop"),
    "other files": (external, "constants in other files"),
    "functions": (of_itself, "functions of its own"),
    "huge constant": (huge, r"a constant of 1,099,511,627,776 numbers"),
    "growth": (grows_with_the_input, r"a size in its graph depends on the input \(Tile\)"),
    "domain": (
        lambda: model_of([node("Gelu", "X", domain="com.microsoft")]),
        "the operator com.microsoft.Gelu",
    ),
    "terminal": (lambda: model_of([node("\x1b[2J", "X")]), r"the operator \\x1b\[2J"),
    "opset": (lambda: model_of([node("Identity", "X")], opset=99), "version 99"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_graphs_that_could_do_harm_are_refused(name: str, saved, cache: Path) -> None:
    make, why = REFUSED[name]
    path = saved(make())
    with pytest.raises(InvalidDataError, match=why):
        load_model(path)
    assert not cache.exists(), "nothing harmful is remembered"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
def test_a_truncated_graph(share: float) -> None:
    data = (OLDER / "poses-linear.onnx").read_bytes()
    with pytest.raises(InvalidDataError, match="ONNX"):
        check_operators(data[: int(share * len(data))])


def needs_memory() -> onnx.ModelProto:
    shape = number("s", [2_000_000_000])
    nodes = [
        node("ConstantOfShape", "s", out="h"),
        node("ReduceSum", "h", out="r"),
        node("Add", "X", "r"),
    ]
    return model_of(nodes, [shape])


def takes_one_row() -> onnx.ModelProto:
    return model_of([node("Reshape", "X", "s")], [number("s", [1, 2])])


def needs_time() -> onnx.ModelProto:
    # About a minute of multiplication.
    names = ["a", *(f"m{k}" for k in range(40))]
    nodes = [node("ConstantOfShape", "s", out="a")]
    nodes += [node("MatMul", b, "a", out=c) for b, c in pairwise(names)]
    nodes += [node("ReduceSum", names[-1], out="r"), node("Add", "X", "r")]
    return model_of(nodes, [number("s", [5000, 5000])])


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (needs_memory, "does not run on 1 sample|too much time or memory"),
        (takes_one_row, "does not run on 16 sample"),
        pytest.param(
            needs_time, "too much time or memory|longer than|can load", marks=pytest.mark.slow
        ),
    ],
)
def test_graphs_that_fail_on_trial(make, why: str, saved, cache: Path) -> None:
    started = time.monotonic()
    with pytest.raises(InvalidDataError, match=why):
        load_model(saved(make()))
    assert time.monotonic() - started < 20
    assert not cache.exists()


def test_a_file_is_tried_once(saved, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(model_of([node("Softmax", "X")]))
    tries: list[bytes] = []
    real = trial._tried
    monkeypatch.setattr(trial, "_tried", lambda data: tries.append(data) or real(data))
    for _ in range(3):
        load_model(path)
    assert len(tries) == 1
    path.write_bytes(model_of([node("Softmax", "X", axis=1)]).SerializeToString())
    load_model(path)
    assert len(tries) == 2, "another file is tried"


def test_without_a_cache_every_file_is_tried(saved, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the place of the folder")
    assert load_model(saved(model_of([node("Softmax", "X")]))).labels == ("a", "b")


def test_few_files_are_remembered(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_MOST_REMEMBERED", 3)
    for k in range(6):
        trial.remember(bytes([k]))
        os.utime(trial._mark(bytes([k])), (k, k))
    assert len(list(cache.iterdir())) == 4
    assert trial._mark(bytes([5])).is_file()


@pytest.mark.parametrize(
    "nodes", [[node("Log", "X")], [node("Neg", "X")], [node("Exp", "X")]], ids=["nan", "<0", "sum"]
)
def test_probabilities_that_are_none_are_refused(nodes, saved) -> None:
    model = load_model(saved(model_of(nodes)))
    with pytest.raises(InvalidDataError, match="negative, not finite or do not add up"):
        model.predict_proba(np.array([[3.0, -1.0]], np.float32))


def test_rounding_errors_are_no_reason_to_refuse(saved) -> None:
    model = load_model(saved(model_of([node("Identity", "X")])))
    found = model.predict_proba(np.array([[1.0000001, -1.2e-7]], np.float32))
    assert found.tolist() == [[1.0, 0.0]]


def test_an_error_in_a_prediction_is_one_line(saved) -> None:
    model = load_model(saved(model_of([node("Softmax", "X")])))

    class Broken:
        def run(self, *_: object) -> None:
            raise RuntimeError("Non-zero status code\nreturned while running Gather\x1b[2J")

    model._session = Broken()
    with pytest.raises(HandloreError, match="the model file fails on this input") as caught:
        model.predict_proba(np.zeros((1, 2), np.float32))
    assert str(caught.value).isprintable()


def test_many_samples_are_run_in_parts(saved) -> None:
    model = load_model(saved(model_of([node("Softmax", "X")])))
    X = np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32)
    whole = model.predict_proba(X)
    assert whole.shape == (1000, 2)
    np.testing.assert_allclose(whole[700:701], model.predict_proba(X[700:701]), atol=1e-6)
