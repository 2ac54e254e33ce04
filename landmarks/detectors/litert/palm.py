"""From the 2016 candidates of the palm network to a few palms.

The parameters are those of mediapipe/tasks/cc/vision/hand_detector/hand_detector_graph.cc.
"""

from dataclasses import dataclass
from functools import cache
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from ...hands import FloatArray, Pixels
from .networks import PALM_SIZE, Networks
from .regions import letterbox

_N_KEYPOINTS = 7
_SAME_PALM = 0.3
"""Candidates that overlap the best one by more than this (intersection over union) are one palm."""

_SCORE_LIMIT = 100.0
"""Raw scores are clipped to this on either side, so that the exponential stays finite."""

_LAYERS = ((8, 2), (16, 6))
"""(stride in pixels, anchors a cell): the strides 8, 16, 16, 16 with two anchors each."""


@dataclass(frozen=True, eq=False)
class _Palm:
    score: float
    box: NDArray[np.float64]
    """(2, 2): upper left and lower right corner, in pixels of the picture."""

    keypoints: NDArray[np.float64]
    """(7, 2) in pixels of the picture: wrist, MCPs of index, middle, ring and little finger, and
    two joints of the thumb."""


def find_palms(networks: Networks, picture: Pixels, min_score: float) -> list[_Palm]:
    """Find palms in a picture, the highest score first; candidates below a score are ignored."""
    height, width = picture.shape[:2]
    square = letterbox(height, width)
    boxes, scores = networks.palms(picture, square.to_picture(PALM_SIZE))
    probabilities, shapes = _decode(boxes, scores, min_score)
    corner = np.array([(width - square.side) / 2, (height - square.side) / 2])
    return [
        _Palm(score, points[:2] * square.side + corner, points[2:] * square.side + corner)
        for score, points in _merge(probabilities, shapes)
    ]


@cache
def _anchors() -> FloatArray:
    """Return the centres (2016, 2) of the candidates, x and y in [0, 1].

    mediapipe/calculators/tflite/ssd_anchors_calculator.cc for anchors of fixed size.
    """
    layers = []
    for stride, repeats in _LAYERS:
        n_cells = PALM_SIZE // stride
        line = (np.arange(n_cells) + 0.5) / n_cells
        y, x = np.meshgrid(line, line, indexing="ij")
        layers.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), repeats, axis=0))
    centres = np.concatenate(layers).astype(np.float32)
    centres.flags.writeable = False
    return centres


def _decode(
    boxes: FloatArray, scores: FloatArray, min_score: float
) -> tuple[FloatArray, FloatArray]:
    """Return the candidates whose probability is high enough, best first.

    mediapipe/calculators/tensor/tensors_to_detections_calculator.cc. Boxes (2016, 18) are centre,
    size and seven keypoints, x before y, in pixels about the anchor; scores are before the sigmoid.
    The points (n, 9, 2) are two corners of the box and the keypoints, in sides of the square.
    """
    # The raw threshold leaves few of 2016 for the exponential; the exact one is applied after it.
    likely = np.flatnonzero(scores >= _raw(min_score))
    clipped = np.clip(scores[likely].astype(np.float64), -_SCORE_LIMIT, _SCORE_LIMIT)
    probabilities = (1 / (1 + np.exp(-clipped))).astype(np.float32)
    order = np.argsort(-probabilities, kind="stable")
    order = order[probabilities[order] >= min_score]
    chosen, probabilities = likely[order], probabilities[order]
    pairs = boxes[chosen].reshape(-1, 2 + _N_KEYPOINTS, 2) / np.float32(PALM_SIZE)
    centre = _anchors()[chosen]
    middle, half = pairs[:, 0] + centre, pairs[:, 1] / 2
    points = pairs + centre[:, None]
    points[:, 0], points[:, 1] = middle - half, middle + half
    valid = (half >= 0).all(axis=1)
    return probabilities[valid], points[valid]


def _raw(probability: float) -> float:
    """Return a raw score a little below the one that has this probability."""
    if not 0 < probability < 1:
        return -inf if probability <= 0 else _SCORE_LIMIT / 10
    return log(probability / (1 - probability)) - 0.01


def _merge(probabilities: FloatArray, points: FloatArray) -> list[tuple[float, FloatArray]]:
    """Average the candidates that belong to one palm, weighted by their probability.

    mediapipe/calculators/util/non_max_suppression_calculator.cc, algorithm WEIGHTED. Takes what
    :func:`_decode` returns; gives the best probability and the points (9, 2) of each palm.
    """
    palms = []
    while len(probabilities):
        same = _overlaps(points[:, :2], points[0, :2]) > _SAME_PALM
        same[0] = True
        weights, members = probabilities[same], points[same]
        mean = (weights @ members.reshape(len(members), -1)) / weights.sum()
        palms.append((float(probabilities[0]), mean.reshape(-1, 2)))
        probabilities, points = probabilities[~same], points[~same]
    return palms


def _overlaps(boxes: FloatArray, box: FloatArray) -> FloatArray:
    """Return the intersection over union (n,) of boxes (n, 2, 2) with one box (2, 2)."""
    low, high = np.maximum(boxes[:, 0], box[0]), np.minimum(boxes[:, 1], box[1])
    edges = np.maximum(high - low, 0)
    shared = edges[:, 0] * edges[:, 1]
    sizes = boxes[:, 1] - boxes[:, 0]
    areas = sizes[:, 0] * sizes[:, 1]
    both: FloatArray = areas + (box[1, 0] - box[0, 0]) * (box[1, 1] - box[0, 1]) - shared
    # Two boxes without area share none.
    ratios: FloatArray = shared / np.maximum(both, np.finfo(np.float32).tiny)
    return ratios
