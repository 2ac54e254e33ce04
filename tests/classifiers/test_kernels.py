"""The convolutions of MiniRocket, against their definition and another implementation."""

from itertools import combinations

import numpy as np
import pytest
from movement_stubs import movements

from handlore.classifiers.kernels import DILATIONS, Bank, KernelBanks, _responses
from handlore.classifiers.movement_features import N_FEATURES, movement_features
from handlore.classifiers.onnx_graph import Graph, GraphRunner
from handlore.models.encoders import MovementEncoder


def shares_of(series: np.ndarray, dilation: int, thresholds: np.ndarray) -> np.ndarray:
    """What the graph counts of series (n, n_timepoints) that take the place of presence."""
    blocks = np.zeros((len(series), 64, series.shape[1]), np.float32)
    blocks[:, 63] = series
    ones, zeros = np.ones((84, 1), np.float32), np.zeros(84, np.float32)
    bank = Bank(("presence",), dilation, ones, zeros, thresholds.astype(np.float32))
    graph = Graph()
    kinds = movement_features(graph, 64, series.shape[1])
    said = KernelBanks((bank,)).add_to(graph, kinds)
    return GraphRunner(graph.model((64, series.shape[1]), said, (thresholds.size,)))(blocks)


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


THRESHOLDS = {("shape", "path"): 2, ("distances",): 2, ("picture",): 1}
SETS = {groups: (sum(N_FEATURES[group] for group in groups), n) for groups, n in THRESHOLDS.items()}


def drawn(blocks: np.ndarray, seed: int = 0) -> KernelBanks:
    def compute(build: object) -> np.ndarray:
        return computed(build, blocks, ("rows", "points"))

    return KernelBanks.draw(SETS, compute, np.random.default_rng(seed))


def computed(build: object, blocks: np.ndarray, shape: tuple[str, ...]) -> np.ndarray:
    graph = Graph()
    features = movement_features(graph, 64, 32)
    return GraphRunner(graph.model((64, 32), build(graph, features), shape))(blocks)  # type: ignore[operator]


@pytest.fixture(scope="module")
def blocks() -> np.ndarray:
    return MovementEncoder().encode_samples(movements(2, 2))


def test_banks_together_answer_as_each_alone(blocks: np.ndarray) -> None:
    banks = drawn(blocks)
    assert len(banks.banks) == len(SETS) * len(DILATIONS)
    together = computed(banks.add_to, blocks, ("outputs",))
    alone = [computed(KernelBanks((one,)).add_to, blocks, ("outputs",)) for one in banks.banks]
    # Rounding may take a single point in time across a threshold.
    np.testing.assert_allclose(together, np.concatenate(alone, axis=1), atol=1.01 / 32)
    assert (together != np.concatenate(alone, axis=1)).mean() < 1e-3


def test_kernels_see_standardised_features(blocks: np.ndarray) -> None:
    for bank in drawn(blocks).banks:
        n_mixed = (bank.mixing != 0).sum(axis=1)
        assert 1 <= n_mixed.min() <= n_mixed.max() <= 9
        responses = computed(lambda *a, bank=bank: _responses(*a, (bank,)), blocks, ("r", "t"))
        # Thresholds are quantiles, so each is passed at some times and not at others.
        above = (responses[:, :, None] > bank.thresholds[:, :, None]).mean(axis=(0, 3))
        assert ((above > 0) & (above < 1)).mean() > 0.95
        assert above.mean() == pytest.approx(0.5, abs=0.1)


def test_drawn_numbers_fit_into_half_precision(blocks: np.ndarray) -> None:
    for bank in drawn(blocks).banks:
        for numbers in (bank.mixing, bank.offset, bank.thresholds):
            np.testing.assert_array_equal(numbers, numbers.astype(np.float16))


def test_draw_repeats_with_its_seed(blocks: np.ndarray) -> None:
    one, same, other = (drawn(blocks, seed).banks[0].mixing for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
