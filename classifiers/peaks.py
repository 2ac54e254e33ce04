"""Peaks, dips and spectra of a few distances over time, at a fixed rate.

A double click differs from a single one in the number of peaks in a quarter of a second, which
features at relative points in time blur. Here a clip is sampled 30 times a second. The prominence
of a peak is its height above the higher of the two minima within a window on either side (as
``wlen`` in ``scipy.signal.peak_prominences``), so running minima, which are standard operators,
are all it takes.
"""

import numpy as np

from handlore.landmarks.hands import N_LANDMARKS
from handlore.landmarks.hands import HandLandmark as H
from handlore.models.card import INPUT
from handlore.models.encoders import N_CHANNELS

from .movement_features import facts
from .onnx_graph import Graph

RATE, N_POINTS = 30, 120
"""Points a second, and points in all: what happens after 4 seconds is not seen."""

_PAIRS_2D = (
    *((H.INDEX_FINGER_TIP, H.INDEX_FINGER_MCP), (H.MIDDLE_FINGER_TIP, H.MIDDLE_FINGER_MCP)),
    *((tip, H.WRIST) for tip in (4, 8, 12, 16, 20)),
    *((H.THUMB_TIP, H.INDEX_FINGER_TIP), (H.MIDDLE_FINGER_MCP, H.WRIST)),
    *((H.INDEX_FINGER_TIP, H.INDEX_FINGER_PIP), (H.INDEX_FINGER_TIP, H.MIDDLE_FINGER_TIP)),
    (H.INDEX_FINGER_MCP, H.PINKY_MCP),
)
"""Distances in the plane of the picture."""

_PAIRS_3D = (
    (H.INDEX_FINGER_TIP, H.INDEX_FINGER_MCP),
    (H.INDEX_FINGER_TIP, H.WRIST),
    (H.MIDDLE_FINGER_TIP, H.MIDDLE_FINGER_MCP),
    (H.THUMB_TIP, H.INDEX_FINGER_TIP),
)

_OFFSETS = ((8, 0, 0), (8, 0, 1), (5, 0, 1), (8, 0, 2), (5, 0, 2))
"""Coordinates of one landmark from another: landmark, origin, axis."""
_POSITIONS = ((0, 0), (0, 1), (8, 0), (8, 1), (8, 2))
"""Coordinates in the clip: landmark, axis."""
N_SIGNALS = len(_PAIRS_2D) + len(_PAIRS_3D) + len(_OFFSETS) + len(_POSITIONS) + 1

_SMOOTHING = np.array([-3, 12, 17, 12, -3], np.float32) / 35
"""Savitzky-Golay, quadratic, 5 points: keeps the height of peaks."""
_WINDOWS = (6, 12, 24)
"""Points on either side in which the minima are looked for."""
_N_LARGEST = 4
_LEAST_PROMINENCES = (0.03, 0.08, 0.2)
"""In palm lengths."""
_LEAST_SHARES = (0.15, 0.3, 0.5)
"""Of the range of the signal."""
_RANGE_QUANTILE = 0.95
_N_FREQUENCIES, _PERIOD = 24, 128

N_OUTPUTS = (
    len(_WINDOWS) * 2 * N_SIGNALS * (2 * _N_LARGEST - 1 + len(_LEAST_PROMINENCES + _LEAST_SHARES))
    + (5 + _N_FREQUENCIES) * N_SIGNALS
    + 1
)
"""Number of outputs for one hand."""


def peak_features(graph: Graph, n_channels: int, n_timepoints: int) -> str:
    """Add the outputs (n, n_hands * N_OUTPUTS) of blocks of moments, the input of the graph."""
    n_hands = n_channels // N_CHANNELS
    seconds, _ = facts(graph, n_channels)
    hands = graph.part(INPUT, 0, n_hands * N_CHANNELS, 1)
    fixed, inside = _at_fixed_rate(graph, hands, seconds, n_hands, n_timepoints)
    signals = _signals(graph, fixed)
    both = graph.op("Concat", signals, graph.op("Neg", signals), axis=1)
    spread = _range(graph, both)
    parts = [_flat(graph, part) for part in _prominences(graph, both, spread)]
    one = graph.part(spread, 0, N_SIGNALS, 1)
    parts += [_flat(graph, part) for part in _motion(graph, signals, one)]
    parts += [_flat(graph, part) for part in _spectrum(graph, signals, inside)]
    return graph.reshape(graph.op("Concat", *parts, axis=1), -1, n_hands * N_OUTPUTS)


def _at_fixed_rate(
    graph: Graph, hands: str, seconds: str, n_hands: int, n_timepoints: int
) -> tuple[str, str]:
    """Add landmarks (n * n_hands, 63, N_POINTS) at 30 Hz, and whether the hand is there.

    Each point is the mean of the moments around it, weighted by a triangle as wide as the step, so
    that a long clip is smoothed before it is thinned out.
    """
    number = graph.constant
    last = float(n_timepoints - 1)
    shape = graph.reshape(seconds, -1, 1, 1, 1)
    least, most = number([1e-2]), number([float(N_POINTS)])
    in_points = graph.op("Mul", graph.op("Max", shape, least), number([float(RATE)]))
    n_used = graph.op("Min", in_points, most)
    middles = ((np.arange(N_POINTS) + 0.5) * last).astype(np.float32).reshape(1, 1, 1, -1)
    unbounded = graph.op("Div", number(middles), n_used)
    place = graph.op("Min", unbounded, number([last]))
    width = graph.op("Max", graph.op("Div", number([last]), n_used), number([1.0]))
    moments = np.arange(n_timepoints, dtype=np.float32).reshape(1, 1, -1, 1)
    off = graph.op("Abs", graph.op("Sub", number(moments), place))
    weight = graph.op("Relu", graph.op("Sub", number([1.0]), graph.op("Div", off, width)))
    total = graph.op("ReduceSum", weight, number([2]), keepdims=1)
    blocks = graph.reshape(hands, -1, n_hands, 3 * N_LANDMARKS + 1, n_timepoints)
    fixed = graph.op("MatMul", blocks, graph.op("Div", weight, total))
    within = graph.op("Cast", graph.op("LessOrEqual", unbounded, number([last])), to=1)
    shown = graph.op("Mul", graph.part(fixed, 3 * N_LANDMARKS, 3 * N_LANDMARKS + 1, 2), within)
    inside = graph.op("Cast", graph.op("Greater", shown, number([0.2])), to=1)
    return (
        graph.reshape(graph.part(fixed, 0, 3 * N_LANDMARKS, 2), -1, 3 * N_LANDMARKS, N_POINTS),
        graph.reshape(inside, -1, 1, N_POINTS),
    )


def _signals(graph: Graph, fixed: str) -> str:
    """Add the smoothed signals (n, N_SIGNALS, N_POINTS), in palm lengths."""
    plain = np.zeros((len(_OFFSETS) + len(_POSITIONS), N_LANDMARKS, 3), np.float32)
    for row, (landmark, origin, axis) in zip(plain, _OFFSETS, strict=False):
        row[landmark, axis], row[origin, axis] = 1, -1
    for row, (landmark, axis) in zip(plain[len(_OFFSETS) :], _POSITIONS, strict=True):
        row[landmark, axis] = 1
    palm = _lengths(graph, fixed, ((H.MIDDLE_FINGER_MCP, H.WRIST),), 3)
    values = graph.op(
        "Concat",
        _lengths(graph, fixed, _PAIRS_2D, 2),
        _lengths(graph, fixed, _PAIRS_3D, 3),
        graph.op("MatMul", graph.constant(plain.reshape(len(plain), -1)), fixed),
        graph.op("Log", graph.op("Max", palm, graph.constant([0.05]))),
        axis=1,
    )
    padded = graph.op("Pad", values, graph.constant([0, 0, 2, 0, 0, 2]), mode="edge")
    kernels = np.tile(_SMOOTHING, (N_SIGNALS, 1, 1))
    return graph.op("Conv", padded, graph.constant(kernels), group=N_SIGNALS)


def _lengths(graph: Graph, fixed: str, pairs: tuple[tuple[int, int], ...], n_axes: int) -> str:
    """Add the distances (n, n_pairs, N_POINTS) of pairs of landmarks."""
    matrix = np.zeros((len(pairs), n_axes, N_LANDMARKS, 3), np.float32)
    for row, (one, other) in zip(matrix, pairs, strict=True):
        for axis in range(n_axes):
            row[axis, one, axis], row[axis, other, axis] = 1, -1
    apart = graph.op("MatMul", graph.constant(matrix.reshape(len(pairs) * n_axes, -1)), fixed)
    apart = graph.reshape(apart, -1, len(pairs), n_axes, N_POINTS)
    return graph.op("ReduceL2", apart, axes=[2], keepdims=0)


def _range(graph: Graph, both: str) -> str:
    """Add the range (n, 2 * N_SIGNALS, 1) between the 5th and the 95th percentile."""
    place = (1 - _RANGE_QUANTILE) * (N_POINTS - 1)
    below = int(place)
    share = place - below
    largest = graph.op("TopK", both, graph.constant([below + 2]), axis=2)
    upper = graph.op(
        "Add",
        graph.op("Mul", graph.part(largest, below, below + 1, 2), graph.constant([1 - share])),
        graph.op("Mul", graph.part(largest, below + 1, below + 2, 2), graph.constant([share])),
    )
    spread = graph.op("Add", upper, graph.take(upper, _SWAPPED, 1))
    return graph.op("Add", spread, graph.constant([1e-3]))


_SWAPPED = [*range(N_SIGNALS, 2 * N_SIGNALS), *range(N_SIGNALS)]
"""Peaks in place of dips, and the other way round."""


def _prominences(graph: Graph, both: str, spread: str) -> list[str]:
    """Add the largest prominences of peaks and dips, their ratios, and their numbers."""

    def highest(before: int, after: int) -> str:
        return graph.op(
            "MaxPool", both, kernel_shape=[before + after + 1], pads=[before, after], strides=[1]
        )

    def lowest(before: int, after: int) -> str:
        return graph.op("Neg", graph.take(highest(before, after), _SWAPPED, 1))

    no_end = np.ones((1, 1, N_POINTS), np.float32)
    no_end[..., [0, -1]] = 0
    is_top = graph.op("Cast", graph.op("GreaterOrEqual", both, highest(2, 2)), to=1)
    is_top = graph.op("Mul", is_top, graph.constant(no_end))
    parts = []
    for window in _WINDOWS:
        base = graph.op("Max", lowest(window, 0), lowest(0, window))
        height = graph.op("Mul", graph.op("Sub", both, base), is_top)
        largest = _log(graph, graph.op("TopK", height, graph.constant([_N_LARGEST]), axis=2), 0.02)
        first, others = graph.part(largest, 0, 1, 2), graph.part(largest, 1, _N_LARGEST, 2)
        parts += [largest, graph.op("Sub", others, first)]
        limits = [graph.constant([least]) for least in _LEAST_PROMINENCES]
        limits += [graph.op("Mul", spread, graph.constant([share])) for share in _LEAST_SHARES]
        for limit in limits:
            above = graph.op("Cast", graph.op("Greater", height, limit), to=1)
            parts.append(_log(graph, _sum(graph, above), 1))
    return parts


def _motion(graph: Graph, signals: str, spread: str) -> list[str]:
    """Add range, length of the way, their ratio, and the fastest rise and fall."""
    step = graph.op(
        "Sub", graph.part(signals, 1, N_POINTS, 2), graph.part(signals, 0, N_POINTS - 1, 2)
    )
    way = _log(graph, _sum(graph, graph.op("Abs", step)), 0.02)
    wide = graph.op("Log", spread)
    rise, fall = (graph.op(kind, step, axes=[2]) for kind in ("ReduceMax", "ReduceMin"))
    return [wide, way, graph.op("Sub", way, wide), rise, fall]


def _spectrum(graph: Graph, signals: str, inside: str) -> list[str]:
    """Add the share of each frequency, and how long the hand is there."""
    n_inside = _sum(graph, inside)
    total = _sum(graph, graph.op("Mul", signals, inside))
    mean = graph.op("Div", total, graph.op("Max", n_inside, graph.constant([1.0])))
    centred = graph.op("Mul", graph.op("Sub", signals, mean), inside)
    frequencies = np.arange(1, _N_FREQUENCIES + 1) / _PERIOD
    phase = 2 * np.pi * np.arange(N_POINTS)[:, None] * frequencies
    waves = [graph.op("MatMul", centred, graph.compact(wave(phase))) for wave in (np.cos, np.sin)]
    squares = graph.op("Add", *(graph.op("Mul", wave, wave) for wave in waves))
    power = graph.op("Sqrt", graph.op("Add", squares, graph.constant([1e-6])))
    share = graph.op("Div", power, _sum(graph, power))
    return [_log(graph, share, 0.003), _log(graph, n_inside, 5)]


def _sum(graph: Graph, values: str) -> str:
    return graph.op("ReduceSum", values, graph.constant([2]), keepdims=1)


def _log(graph: Graph, values: str, least: float) -> str:
    return graph.op("Log", graph.op("Add", values, graph.constant([float(least)])))


def _flat(graph: Graph, values: str) -> str:
    return graph.op("Flatten", values)
