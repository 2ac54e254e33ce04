"""Kernels that are mixed and convolved together answer as each would alone."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from movement_stubs import movements, small

from handlore.classifiers.estimators.rocket import (
    _DILATIONS,
    FEATURE_SETS,
    PATTERNS,
    _joined,
    _responses,
    _width,
)
from handlore.classifiers.onnx_graph import GraphRunner


@pytest.fixture(scope="module")
def fitted() -> tuple[Any, np.ndarray]:
    data = movements()
    estimator: Any = small("rocket")
    X = estimator.encoder(1).encode_samples(data)
    return estimator.fit(X, data.samples.label), X[:4, :-1]


def responses(estimator: Any, banks: list[Any], X: np.ndarray) -> np.ndarray:
    def build(graph: Any, kinds: Any) -> str:
        return _responses(graph, kinds, banks)

    return GraphRunner(estimator._graph_of(build, (84 * len(banks), X.shape[2])))(X)


def test_order_of_banks(
    fitted: tuple[Any, np.ndarray],
) -> None:
    estimator, X = fitted
    banks = estimator.banks_
    assert len(banks) == len(FEATURE_SETS) * len(_DILATIONS)
    alone = np.concatenate([responses(estimator, [bank], X) for bank in banks], axis=1)
    np.testing.assert_allclose(responses(estimator, banks, X), alone, atol=1e-4)


# Not those that see presence: it is the same in all these clips, so only rounding is left of it.
@pytest.mark.parametrize("number", [1, 7, 14])
def test_bank_is_convolution(number: int, fitted: tuple[Any, np.ndarray]) -> None:
    estimator, X = fitted
    bank = estimator.banks_[number]

    def build(graph: Any, kinds: Any) -> str:
        return _joined(graph, kinds, bank.groups)

    series = GraphRunner(estimator._graph_of(build, (_width(bank.groups, 1), X.shape[2])))(X)
    mixed = bank.mixing @ series + bank.offset[:, None]
    reach = 4 * bank.dilation
    padded = np.pad(mixed, ((0, 0), (0, 0), (reach, reach)))
    expected = np.zeros_like(mixed)
    for row, taps in enumerate(combinations(range(9), 3)):
        for tap in range(9):
            start = tap * bank.dilation
            part = padded[:, row, start : start + X.shape[2]]
            expected[:, row] += (2 if tap in taps else -1) * part
    assert len(PATTERNS) == 84
    np.testing.assert_allclose(responses(estimator, [bank], X), expected, atol=1e-3)
