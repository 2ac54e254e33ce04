"""Peaks, dips and spectra, against those that SciPy finds."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from movement_stubs import hand_shape
from scipy.signal import find_peaks, peak_prominences, savgol_filter

from handlore.classifiers import peaks
from handlore.classifiers.onnx_graph import Graph, GraphRunner
from handlore.classifiers.peaks import N_OUTPUTS, N_POINTS, N_SIGNALS, RATE, peak_features
from handlore.models.encoders import MovementEncoder

TIP_Y = N_SIGNALS - 3
"""The signal that is the height of the index fingertip alone."""

N_MOMENTS = 128


def block_of(signal: np.ndarray) -> np.ndarray:
    """A block (64, 128) of a hand whose index fingertip moves up and down."""
    marks = np.repeat(hand_shape().reshape(1, 63) / 0.13, len(signal), axis=0)
    marks[:, 3 * 8 + 1] = signal
    return np.append(marks, np.ones((len(signal), 1)), axis=1).T.astype(np.float32)


def bumps(places: list[float], heights: list[float], width: float = 0.05) -> np.ndarray:
    """Bumps at some seconds within four."""
    time = np.linspace(0, 4, N_MOMENTS)[:, None]
    return (heights * np.exp(-(((time - places) / width) ** 2))).sum(axis=1)


def run(build: Any, blocks: np.ndarray, seconds: float = 4.0) -> np.ndarray:
    """What is built for blocks with a context."""
    facts = np.ones((len(blocks), 3, N_MOMENTS))
    facts[:, 0] = seconds
    X = np.append(blocks, facts, axis=1).astype("f4")
    graph = Graph()
    return GraphRunner(graph.model(X.shape[1:], build(graph, X.shape[1]), ("outputs",)))(X)


def outputs_of(blocks: np.ndarray, seconds: float = 4.0) -> np.ndarray:
    return run(lambda graph, n: peak_features(graph, n, N_MOMENTS), blocks, seconds)


def signals_of(blocks: np.ndarray, seconds: float = 4.0) -> np.ndarray:
    def build(graph: Graph, n_channels: int) -> str:
        hands, length = graph.part("X", 0, n_channels - 3, 1), graph.corner("X", n_channels - 3)
        return peaks._signals(graph, peaks._at_fixed_rate(graph, hands, length, 1, N_MOMENTS)[0])

    return run(build, blocks, seconds)


class Outputs(NamedTuple):
    """The outputs of the fingertip, not in logarithms; windows of 6, 12 and 24 points."""

    prominence: np.ndarray
    """(3, 2, 4) of peaks and dips, the largest first"""

    count: np.ndarray
    """(3, 2, 6) of more than 0.03, 0.08 and 0.2, and of more than 15, 30 and 50 % of the range"""

    range: float
    way: float
    fastest: np.ndarray
    """(2,) rise and fall of a point"""

    spectrum: np.ndarray
    """(24,)"""

    n_inside: float


def tip(blocks: np.ndarray, seconds: float = 4.0) -> Outputs:
    (found,) = outputs_of(blocks[None], seconds)
    per_window = 2 * N_SIGNALS * 13
    prominence, count = [], []
    for part in found[: 3 * per_window].reshape(3, per_window):
        largest = part[: 8 * N_SIGNALS].reshape(2, N_SIGNALS, 4)
        numbers = part[14 * N_SIGNALS :].reshape(6, 2, N_SIGNALS)
        prominence.append(np.exp(largest[:, TIP_Y]) - 0.02)
        count.append(np.exp(numbers[:, :, TIP_Y].T) - 1)
    rest = found[3 * per_window :]
    motion = rest[: 5 * N_SIGNALS].reshape(5, N_SIGNALS)[:, TIP_Y]
    spectrum = rest[5 * N_SIGNALS : -1].reshape(N_SIGNALS, 24)[TIP_Y]
    return Outputs(
        np.array(prominence),
        np.array(count),
        float(np.exp(motion[0])),
        float(np.exp(motion[1]) - 0.02),
        motion[3:],
        np.exp(spectrum) - 0.003,
        float(np.exp(rest[-1]) - 5),
    )


def test_number_of_outputs() -> None:
    blocks = np.random.default_rng(0).normal(size=(3, 128, N_MOMENTS)).astype(np.float32)
    both = outputs_of(blocks)
    assert both.shape == (3, 2 * N_OUTPUTS)
    each = [outputs_of(blocks[:, start : start + 64]) for start in (0, 64)]
    np.testing.assert_allclose(both, np.concatenate(each, axis=1), atol=1e-4)


def test_smoothing_is_that_of_scipy() -> None:
    signal = np.random.default_rng(0).normal(size=N_MOMENTS).cumsum() / 5
    plain = np.interp((np.arange(N_POINTS) + 0.5) * 127 / N_POINTS, np.arange(N_MOMENTS), signal)
    # A point is a little wider than a moment, so these are not quite the same.
    expected = savgol_filter(plain, 5, 2, mode="nearest")
    np.testing.assert_allclose(signals_of(block_of(signal)[None])[0, TIP_Y], expected, atol=0.15)


@pytest.mark.parametrize("is_dip", [False, True])
def test_prominences_are_those_of_scipy(is_dip: bool) -> None:
    places, heights = [0.5, 1.4, 2.3, 3.2], [0.5, 1.0, 0.3, 0.8]
    signal = bumps(places, heights) * (-1 if is_dip else 1)
    series = signals_of(block_of(signal)[None])[0, TIP_Y] * (-1 if is_dip else 1)
    tops, _ = find_peaks(series, prominence=0.03)
    np.testing.assert_allclose(tops / RATE, places, atol=1 / RATE)
    found = tip(block_of(signal))
    for number, window in enumerate((6, 12, 24)):
        expected = np.sort(peak_prominences(series, tops, 2 * window + 1)[0])[::-1]
        np.testing.assert_allclose(found.prominence[number, int(is_dip)], expected, atol=1e-3)
        for limit, n in zip((0.03, 0.08, 0.2), found.count[number, int(is_dip)], strict=False):
            assert n == pytest.approx((expected > limit).sum(), abs=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_prominence_reaches_the_end_of_its_window(seed: int) -> None:
    """Where a higher peak is within the window, SciPy stops there and we do not."""
    walk = np.random.default_rng(seed).normal(size=N_MOMENTS).cumsum()
    signal = savgol_filter(walk, 15, 2) / 10
    series = signals_of(block_of(signal)[None])[0, TIP_Y]
    tops, _ = find_peaks(series)
    found = tip(block_of(signal))
    for number, window in enumerate((6, 12, 24)):
        theirs = np.sort(peak_prominences(series, tops, 2 * window + 1)[0])[::-1][:4]
        ours = found.prominence[number, 0]
        assert (ours[: len(theirs)] > theirs - 1e-3).all()
        assert ours[0] <= np.ptp(series) + 1e-3


def test_double_click_has_two_peaks() -> None:
    single, double = (tip(block_of(bumps(at, [0.5] * len(at)))) for at in ([1.0], [0.9, 1.2]))
    for count, n in ((single.count, 1), (double.count, 2)):
        # Seen from 0.2 seconds either side, whatever the limit.
        np.testing.assert_allclose(count[0, 0], n, atol=1e-3)
    assert single.prominence[0, 0, 1] == pytest.approx(0, abs=1e-3)
    assert double.prominence[0, 0, 1] == pytest.approx(double.prominence[0, 0, 0], rel=0.2)
    assert double.way == pytest.approx(2 * single.way, rel=0.15)


def test_still_hand_has_no_peaks() -> None:
    found = tip(block_of(np.full(N_MOMENTS, 0.7)))
    np.testing.assert_allclose(found.prominence, 0, atol=1e-4)
    np.testing.assert_allclose(found.count, 0, atol=1e-4)
    assert found.range == pytest.approx(1e-3, rel=0.1)
    assert found.n_inside == pytest.approx(N_POINTS, abs=0.1)


def test_way_and_fastest_point() -> None:
    signal = np.interp(np.linspace(0, 4, N_MOMENTS), [0, 1, 1.5, 3, 4], [0, 0, 2, 1, 1])
    found = tip(block_of(signal))
    assert found.range == pytest.approx(2, rel=0.15)
    assert found.way == pytest.approx(3, rel=0.05)
    np.testing.assert_allclose(found.fastest * RATE, [4, -2 / 3], rtol=0.35)


@pytest.mark.parametrize("hertz", [1.0, 2.0, 4.0])
def test_spectrum_shows_frequency(hertz: float) -> None:
    found = tip(block_of(np.sin(2 * np.pi * hertz * np.linspace(0, 4, N_MOMENTS))))
    frequency = (1 + found.spectrum.argmax()) / 128 * RATE
    assert frequency == pytest.approx(hertz, abs=0.15)
    assert found.spectrum.sum() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("seconds", [0.5, 1.0, 2.0, 4.0])
def test_points_are_a_thirtieth_of_a_second(seconds: float) -> None:
    """The same movement in a shorter clip is the same, then still."""
    time = np.linspace(0, seconds, N_MOMENTS)
    signal = np.sin(2 * np.pi * 1.5 * time)
    series = signals_of(block_of(signal)[None], seconds)[0, TIP_Y]
    n = round(seconds * RATE)
    expected = np.sin(2 * np.pi * 1.5 * (np.arange(n) + 0.5) / RATE)
    np.testing.assert_allclose(series[2 : n - 2], expected[2:-2], atol=0.05)
    np.testing.assert_allclose(series[n + 3 :], signal[-1], atol=0.1)
    assert tip(block_of(signal), seconds).n_inside == pytest.approx(n, abs=1.1)


def test_beyond_four_seconds_all_is_there_but_slower() -> None:
    series = signals_of(block_of(bumps([0.5, 3.5], [1, 1], 0.1))[None], 8.0)[0, TIP_Y]
    assert len(find_peaks(series, prominence=0.3)[0]) == 2


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 1e9])
def test_odd_durations_are_finite(seconds: float) -> None:
    assert np.isfinite(outputs_of(block_of(bumps([1.0], [1.0]))[None], seconds)).all()


def nodding(fps: float) -> np.ndarray:
    """Outputs of a clip of two seconds in which a finger bends twice."""
    time = np.arange(round(2 * fps) + 1) / fps
    image = np.repeat(hand_shape()[None, None], len(time), axis=0)
    image[:, 0, 5:9, 1] *= 1 - 0.4 * np.sin(np.pi * time**1.1)[:, None] ** 2
    side = np.full((len(time), 1), 0.9, np.float32)
    encoder = MovementEncoder(1, N_MOMENTS, averaged=False)
    return outputs_of(encoder.encode(image, side, time)[None], 2.0)[0]


@pytest.mark.parametrize(("fps", "mean"), [(8, 0.15), (15, 0.07), (60, 0.04), (120, 0.04)])
def test_frame_rates_agree(fps: float, mean: float) -> None:
    usual = nodding(30)
    assert usual.std() > 1
    assert abs(nodding(fps) - usual).mean() < mean
