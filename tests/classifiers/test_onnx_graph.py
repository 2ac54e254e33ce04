"""Graphs: constants of half the size, and models that share what is equal."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from movement_stubs import LABELS, movements, small
from onnx import numpy_helper

from handlore.classifiers.factory import Pipeline
from handlore.classifiers.onnx_graph import Graph, GraphRunner, add_clip_output
from handlore.classifiers.training import train_pipeline
from handlore.models.files import load_model

BIG = 1000
"""Bytes from which a constant counts as big."""


def trained(path: Path, *, negatives: bool) -> Path:
    encoder = small("rocket").encoder(1)
    pipeline = Pipeline("rocket", small("rocket"), encoder)
    train_pipeline(pipeline, movements(3, 2), path, negatives=negatives)
    return path


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Files with and without an output for clips."""
    folder = tmp_path_factory.mktemp("models")
    return (
        trained(folder / "streams.onnx", negatives=True),
        trained(folder / "clips.onnx", negatives=False),
    )


def test_each_big_constant_is_kept_once(both: tuple[Path, Path]) -> None:
    kept = [
        (tuple(one.dims), one.data_type, numpy_helper.to_array(one).tobytes())
        for one in onnx.load(str(both[0])).graph.initializer
    ]
    big = Counter(one for one in kept if len(one[2]) >= BIG)
    assert len(big) > 3
    assert set(big.values()) == {1}


def test_features_are_computed_once(both: tuple[Path, Path]) -> None:
    with_clips, alone = ([node.op_type for node in onnx.load(str(p)).graph.node] for p in both)
    for kind in ("Conv", "TopK", "MaxPool"):
        assert with_clips.count(kind) == alone.count(kind) > 0


def test_file_with_both_outputs_is_little_larger(both: tuple[Path, Path]) -> None:
    streams, clips = both
    constants = map(numpy_helper.to_array, onnx.load(str(clips)).graph.initializer)
    (of_classes,) = [
        one.nbytes
        for one in constants
        if one.dtype == np.float16 and one.shape[1:] == (len(LABELS),)
    ]
    # A second discriminant, with some clusters of none.
    assert streams.stat().st_size < clips.stat().st_size + 4 * of_classes


def test_both_outputs_are_those_of_separate_files(both: tuple[Path, Path]) -> None:
    streams, clips = (load_model(path, "sequence") for path in both)
    X = clips.encoder.encode_samples(movements(3, 2, seed=5))
    known = [streams.labels.index(label) for label in clips.labels]
    np.testing.assert_allclose(
        streams.predict_clips(X)[:, known], clips.predict_clips(X), atol=1e-5
    )
    assert not streams.predict_clips(X)[:, streams.labels.index("none")].any()


def tiny(weights: np.ndarray, *, scale: float = 1.0) -> onnx.ModelProto:
    graph = Graph()
    scores = graph.op("MatMul", graph.op("Flatten", "X"), graph.compact(weights))
    scores = graph.op("Mul", scores, graph.constant([scale]))
    return graph.model((3, 4), graph.op("Softmax", scores, axis=1), (weights.shape[1],))


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_sharing_changes_no_result(scale: float) -> None:
    rng = np.random.default_rng(0)
    weights, X = rng.normal(size=(12, 2)), rng.normal(size=(5, 3, 4)).astype(np.float32)
    first, second = tiny(weights), tiny(weights, scale=scale)
    expected = GraphRunner(first)(X), GraphRunner(second)(X)
    model = tiny(weights)
    add_clip_output(model, second, [2, 0], 3)
    onnx.checker.check_model(model)
    names = [one.name for one in model.graph.output]
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    plain, clips = session.run(names, {"X": X})
    np.testing.assert_allclose(plain, expected[0], atol=1e-6)
    np.testing.assert_allclose(clips[:, [2, 0]], expected[1], atol=1e-6)
    assert not clips[:, 1].any()
    n_products = sum(node.op_type == "Softmax" for node in model.graph.node)
    assert n_products == (1 if scale == 1 else 2)


def test_compact_keeps_half_precision() -> None:
    values = np.random.default_rng(0).normal(size=(12, 2))
    model = tiny(values)
    kept = [numpy_helper.to_array(one) for one in model.graph.initializer]
    (half,) = [one for one in kept if one.shape == (12, 2)]
    assert half.dtype == np.float16
    np.testing.assert_array_equal(half, values.astype(np.float16))


def test_corner() -> None:
    graph = Graph()
    X = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(np.float32)
    model = graph.model((3, 4), graph.corner("X", 1), (1,))
    np.testing.assert_array_equal(GraphRunner(model)(X), X[:, 1, :1])
