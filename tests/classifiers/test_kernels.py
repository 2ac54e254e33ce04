"""The convolutions of MiniRocket, against their definition and another implementation."""

from itertools import combinations

import numpy as np
import pytest

from handlore.classifiers.kernels import DILATIONS, KernelBanks, _Bank
from handlore.classifiers.movement_features import movement_features
from handlore.classifiers.onnx_graph import Graph, GraphRunner


def shares_of(series: np.ndarray, dilation: int, thresholds: np.ndarray) -> np.ndarray:
    """What the graph counts of series (n, n_timepoints) that take the place of presence."""
    blocks = np.zeros((len(series), 64, series.shape[1]), np.float32)
    blocks[:, 63] = series
    ones, zeros = np.ones((84, 1), np.float32), np.zeros(84, np.float32)
    bank = _Bank(("presence",), dilation, ones, zeros, thresholds.astype(np.float32))
    graph = Graph()
    kinds = movement_features(graph, "X", 1, series.shape[1])
    said = KernelBanks((bank,)).add_to(graph, kinds)
    return GraphRunner(graph.model(64, series.shape[1], said, (thresholds.size,)))(blocks)


@pytest.mark.parametrize("dilation", DILATIONS)
def test_kernels_and_features(dilation: int) -> None:
    rng = np.random.default_rng(0)
    series, thresholds = rng.normal(size=(3, 32)), rng.normal(size=(84, 2)).astype("f2")
    expected = np.zeros((3, 84, 2))
    for kernel, taps in enumerate(combinations(range(9), 3)):
        response = np.zeros((3, 32))
        for tap in range(9):
            for point in range(32):
                seen = point + (tap - 4) * dilation
                if 0 <= seen < 32:
                    response[:, point] += (2 if tap in taps else -1) * series[:, seen]
        expected[:, kernel] = (response[..., None] > thresholds[kernel]).mean(axis=1)
    np.testing.assert_allclose(shares_of(series, dilation, thresholds).reshape(3, 84, 2), expected)


def test_kernels_are_those_of_aeon() -> None:
    reference = pytest.importorskip("aeon.transformations.collection.convolution_based")
    series = np.random.default_rng(0).normal(size=(5, 32)).astype(np.float32)
    mini = reference.MiniRocket(84, random_state=0).fit(series[:, None])
    thresholds = np.asarray(mini.parameters[-1])
    assert thresholds.shape == (84,)
    ours = shares_of(series, 1, thresholds[:, None])
    # Every other kernel of aeon's leaves out the ends, where ours always take zeros.
    np.testing.assert_allclose(ours[:, ::2], mini.transform(series[:, None])[:, ::2], atol=0.04)
