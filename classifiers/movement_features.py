"""Features of movements over time: shape, distances, orientation, path and motion of a hand.

They are computed from blocks of a :class:`~handlore.models.encoders.MovementEncoder` by
standard ONNX operators.

The encoder gives left hands the shape of right ones, but keeps the path of the wrist. So in a block
of a left hand that flicks to the right, the fingers flick to the left. The features of the picture
undo this: there the fingers move as the camera sees them, whichever hand it is.
"""

from itertools import combinations

import numpy as np

from handlore.landmarks.hands import N_LANDMARKS, FloatArray, HandLandmark
from handlore.models.card import INPUT
from handlore.models.encoders import N_CHANNELS, N_CONTEXT

from .onnx_graph import Graph

_SHORT, _LONG = 1, 4
"""Strides of motion, in points in time."""
_TIPS = [4, 8, 12, 16, 20]
_PALM, _FINGERTIPS = [0, 5, 9, 13, 17], [8, 12, 16, 20]
_IN_PICTURE = ((_PALM, True), (_FINGERTIPS, True), ([8], True), (_FINGERTIPS, False))
"""Means of landmarks as the camera sees them; from the first position of the wrist, or from the
wrist of the moment."""
_BASES = [1, 5, 9, 13, 17]
_WRIST, _PALM_END = HandLandmark.WRIST, HandLandmark.MIDDLE_FINGER_MCP
_ACROSS = (HandLandmark.INDEX_FINGER_MCP, HandLandmark.PINKY_MCP)
_PAIRS = [
    *combinations(_TIPS, 2),
    *((tip, _WRIST) for tip in _TIPS),
    *((tip, _PALM_END) for tip in _TIPS),
    *zip(_TIPS, _BASES, strict=True),
    _ACROSS,
    (_WRIST, _PALM_END),
    (HandLandmark.THUMB_TIP, HandLandmark.INDEX_FINGER_MCP),
    (HandLandmark.THUMB_TIP, HandLandmark.PINKY_MCP),
]

N_FEATURES = {
    "shape": 3 * (N_LANDMARKS - 1),
    "distances": len(_PAIRS),
    "orientation": 6,
    "path": 3,
    "path_motion": 3,
    "short_motion": 3 * N_LANDMARKS,
    "long_motion": 3 * N_LANDMARKS,
    "presence": 1,
    "picture": 3 * len(_IN_PICTURE),
    "picture_short_motion": 3 * len(_IN_PICTURE),
    "picture_long_motion": 3 * len(_IN_PICTURE),
}
"""Number of features per hand by group: landmarks relative to the wrist; distances between
fingertips, knuckles and wrist; direction and normal of the palm; path of the wrist; motion of the
wrist and of all landmarks, at two strides; presence of the hand; position and motion of palm,
fingertips and index fingertip as the camera sees them."""


IN_PICTURE = ("picture", "picture_long_motion", "picture_short_motion")
"""The groups that do not depend on which hand it is."""

_N_POINTS = 32
"""Points in time of the features, each the average over an interval."""
_N_SEGMENTS = 4
_UNKNOWN_SECONDS = 2.0


def facts(graph: Graph, n_channels: int) -> tuple[str, str | None]:
    """Add the seconds (n, 1) of blocks, and the side of the hand (n, 1) if they have it."""
    n_own = n_channels // N_CHANNELS * N_CHANNELS
    if n_channels - n_own != N_CONTEXT:
        return graph.constant([[_UNKNOWN_SECONDS]]), None
    return graph.corner(INPUT, n_own), graph.corner(INPUT, n_own + 2)


def movement_features(graph: Graph, n_channels: int, n_timepoints: int) -> dict[str, str]:
    """Add all features to a graph, and return their names for each group.

    They are computed from blocks (n, n_channels, n_timepoints), the input of the graph, and are
    (n, n_hands * N_FEATURES[group], n_points), in palm lengths.
    """
    n_hands, n_points = n_channels // N_CHANNELS, points_of(n_timepoints)
    apart = graph.part(INPUT, 0, n_hands * N_CHANNELS, 1)
    apart = graph.reshape(apart, -1, N_CHANNELS, n_points, n_timepoints // n_points)
    hands = graph.op("ReduceMean", apart, axes=[3], keepdims=0)
    landmarks = graph.part(hands, 0, 3 * N_LANDMARKS, 1)
    _, side = facts(graph, n_channels)

    def linear(matrix: FloatArray) -> str:
        return graph.op("Conv", landmarks, graph.constant(matrix[..., None]))

    def motion(stride: int, values: str) -> str:
        moved = graph.op(
            "Sub",
            graph.part(values, stride, n_points, 2),
            graph.part(values, 0, n_points - stride, 2),
        )
        return graph.op("Pad", moved, graph.constant([0, 0, 0, 0, 0, stride]))

    path = graph.part(hands, 0, 3, 1)
    picture = _in_picture(graph, landmarks, side)
    found = {
        "shape": linear(_differences([(m, _WRIST) for m in range(1, N_LANDMARKS)])),
        "distances": _length(graph, linear(_differences(_PAIRS)), len(_PAIRS), n_points),
        "orientation": _orientation(
            graph,
            linear(_differences([(_PALM_END, _WRIST)])),
            linear(_differences([_ACROSS[::-1]])),
        ),
        "path": path,
        "path_motion": motion(_LONG, path),
        "short_motion": motion(_SHORT, landmarks),
        "long_motion": motion(_LONG, landmarks),
        "presence": graph.part(hands, 3 * N_LANDMARKS, N_CHANNELS, 1),
        "picture": picture,
        "picture_short_motion": motion(_SHORT, picture),
        "picture_long_motion": motion(_LONG, picture),
    }
    return {
        group: graph.reshape(values, -1, n_hands * N_FEATURES[group], n_points)
        for group, values in found.items()
    }


def points_of(n_timepoints: int) -> int:
    """Return at how many points in time the features of blocks are."""
    return n_timepoints if n_timepoints % _N_POINTS else _N_POINTS


def joined(graph: Graph, features: dict[str, str], groups: tuple[str, ...]) -> str:
    """Add all features of some groups, one below the other."""
    return graph.op("Concat", *(features[group] for group in groups), axis=1)


def summary(graph: Graph, values: str, n_points: int) -> list[str]:
    """Add mean, deviation, least and largest value and the mean of each quarter of the time."""
    mean = graph.op("ReduceMean", values, axes=[2], keepdims=1)
    off = graph.op("ReduceL2", graph.op("Sub", values, mean), axes=[2], keepdims=0)
    deviation = graph.op("Mul", off, graph.constant([n_points**-0.5]))
    least = graph.op("ReduceMin", values, axes=[2], keepdims=0)
    largest = graph.op("ReduceMax", values, axes=[2], keepdims=0)
    bounds = np.linspace(0, n_points, _N_SEGMENTS + 1).round().astype(int)
    segments = [
        graph.op("ReduceMean", graph.part(values, start, end, 2), axes=[2], keepdims=0)
        for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    ]
    return [graph.op("Flatten", mean), deviation, least, largest, *segments]


def _in_picture(graph: Graph, landmarks: str, side: str | None) -> str:
    """Add means of landmarks with the shape of a left hand turned back, (n, 12, n_timepoints)."""
    shape, path = np.zeros((2, len(_IN_PICTURE), 3, N_LANDMARKS, 3), np.float32)
    for row, from_start, (marks, is_from_start) in zip(shape, path, _IN_PICTURE, strict=True):
        for axis in range(3):
            row[axis, marks, axis] = 1 / len(marks)
            row[axis, _WRIST, axis] -= 1
            from_start[axis, _WRIST, axis] = is_from_start
    shape, path = (rows.reshape(-1, 3 * N_LANDMARKS) for rows in (shape, path))
    if side is None:
        return graph.op("MatMul", graph.constant(shape + path), landmarks)
    # 1, or -1 along x for a left hand. Only single hands are mirrored, so there is one a sample.
    is_x = np.tile([[1.0], [0.0], [0.0]], (len(_IN_PICTURE), 1))[None]
    off = graph.op("Sub", graph.reshape(side, -1, 1, 1), graph.constant([1.0]))
    turn = graph.op("Add", graph.op("Mul", off, graph.constant(is_x)), graph.constant([1.0]))
    turned = graph.op("Mul", graph.op("MatMul", graph.constant(shape), landmarks), turn)
    return graph.op("Add", graph.op("MatMul", graph.constant(path), landmarks), turned)


def _differences(pairs: list[tuple[int, int]]) -> FloatArray:
    """Return the matrix (3 * n_pairs, 63) that takes the second landmark from the first."""
    matrix = np.zeros((len(pairs), 3, N_LANDMARKS, 3), np.float32)
    for row, (one, other) in enumerate(pairs):
        for axis in range(3):
            matrix[row, axis, one, axis] = 1
            matrix[row, axis, other, axis] -= 1
    return matrix.reshape(3 * len(pairs), 3 * N_LANDMARKS)


def _length(graph: Graph, vectors: str, n: int, n_timepoints: int) -> str:
    apart = graph.reshape(vectors, -1, n, 3, n_timepoints)
    return graph.op("ReduceL2", apart, axes=[2], keepdims=0)


def _orientation(graph: Graph, along: str, across: str) -> str:
    def unit(vector: str) -> str:
        length = graph.op("ReduceL2", vector, axes=[1], keepdims=1)
        return graph.op("Div", vector, graph.op("Add", length, graph.constant([1e-3])))

    def turned(vector: str, order: list[int]) -> str:
        return graph.take(vector, order, 1)

    direction = unit(along)
    normal = graph.op(
        "Sub",
        graph.op("Mul", turned(direction, [1, 2, 0]), turned(across, [2, 0, 1])),
        graph.op("Mul", turned(direction, [2, 0, 1]), turned(across, [1, 2, 0])),
    )
    return graph.op("Concat", direction, unit(normal), axis=1)
