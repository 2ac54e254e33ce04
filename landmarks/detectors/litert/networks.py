"""MediaPipe's two hand networks in LiteRT: the input they are cut out of, the palms they find."""

import importlib
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import inf, log
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import HandloreError
from ...hands import N_LANDMARKS, FloatArray, Pixels
from ...nativelog import without_chatter
from ...weights import HAND_MEMBER, PALM_MEMBER, Bundle
from .regions import Matrix, Region

PALM_SIZE, HAND_SIZE = 192, 224
"""Side of each network's square input, in pixels."""
_N_ANCHORS, _N_PALM_VALUES = 2016, 18
_TO_UNIT = np.float32(1 / 255)

_MAX_SIDE = 12_000
"""The longest side, in pixels, that is sampled directly. OpenCV has 16-bit coordinates, and a
region may extend half its side past the border; of larger pictures every n-th pixel is taken."""
_ONE = 1 << 16
_HALF_STEP = _ONE // 64
_STEP_MASK = 31 << 5


class _Warp:
    """Cuts squares of one size, rotated and scaled, out of pictures; reuses its buffers."""

    def __init__(self, size: int, border: int) -> None:
        self._size = size
        self._border = border
        self._square = np.empty((size, size, 3), np.uint8)

    def __call__(self, picture: Pixels, to_picture: Matrix) -> Pixels:
        """Return the square; the matrix (2, 3) maps its pixels to those of the picture.

        The buffer is used again by the next call.
        """
        stride = -(-max(picture.shape[:2]) // _MAX_SIDE)
        if stride > 1:
            picture, to_picture = picture[::stride, ::stride], to_picture / stride
        self._sample(np.ascontiguousarray(picture), to_picture)
        return self._square

    def _sample(self, picture: Pixels, to_picture: Matrix) -> None:
        size, flags = (self._size, self._size), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(picture, to_picture, size, self._square, flags, self._border)


class _RoundedWarp(_Warp):
    """The same with source coordinates rounded to 1/32 pixel.

    MediaPipe crops with the bilinear ``warpPerspective`` of an OpenCV before version 5, which
    rounds like that (mediapipe/calculators/tensor/image_to_tensor_converter_opencv.cc). The hand
    network does not depend on it, the palm network does: without rounding one tight crop in twenty
    of asl_massey gets landmarks that differ by more than 0.5 % of its width, with it none in 705.
    """

    def __init__(self, size: int, border: int) -> None:
        super().__init__(size, border)
        self._grid = np.arange(size)
        # Each entry holds x in its low and y in its high 32 bits, both with 16 fractional bits: one
        # addition computes both coordinates, and a 16-bit view of it gives the whole pixels.
        self._both = np.empty((size, size), np.int64)
        self._whole = self._both.view(np.int16).reshape(size, size, 4)[..., 1::2]
        self._pixel = np.empty((size, size, 2), np.int16)
        self._step = np.empty((size, size), np.uint16)
        self._step_y = np.empty((size, size), np.uint16)
        self._prepared_for = b""

    def _sample(self, picture: Pixels, to_picture: Matrix) -> None:
        # The palm network sees the same square of every picture of one size.
        if (key := to_picture.tobytes()) != self._prepared_for:
            self._coordinates(to_picture)
            self._prepared_for = key
        maps = self._pixel, self._step
        cv2.remap(picture, *maps, cv2.INTER_LINEAR, self._square, self._border)

    def _coordinates(self, matrix: Matrix) -> None:
        """Fill in the whole pixel and the 32nds of one, as fixed-point maps of OpenCV.

        A coordinate is the sum of a term of its row and a term of its column, so the whole square
        needs additions only.
        """
        columns = np.rint(matrix[:, :1] * self._grid * _ONE).astype(np.int64)
        rows = np.rint((matrix[:, 1:2] * self._grid + matrix[:, 2:]) * _ONE).astype(np.int64)
        # Odd rows and even columns make odd sums: in the packed addition a negative x takes 1 from
        # y, which then does not leave its 16 fractional bits.
        columns, rows = columns & ~1, (rows + _HALF_STEP) | 1
        np.add(_packed(rows)[:, None], _packed(columns)[None, :], out=self._both)
        np.copyto(self._pixel, self._whole)
        self._add_steps(rows.astype(np.uint16), columns.astype(np.uint16))

    def _add_steps(self, rows: NDArray[np.uint16], columns: NDArray[np.uint16]) -> None:
        """Fill in 32 * y + x, both in 32nds of a pixel; whole pixels overflow."""
        np.add(rows[0][:, None], columns[0][None, :], out=self._step)
        np.add(rows[1][:, None], columns[1][None, :], out=self._step_y)
        np.right_shift(self._step, 11, out=self._step)
        np.right_shift(self._step_y, 6, out=self._step_y)
        np.bitwise_and(self._step_y, _STEP_MASK, out=self._step_y)
        np.bitwise_or(self._step, self._step_y, out=self._step)


def _packed(xy: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return x and y (2, n) in one number each: x in the low, y in the high 32 bits."""
    packed: NDArray[np.int64] = xy[0] + (xy[1] << 32)
    return packed


@dataclass(frozen=True, eq=False)
class HandOutput:
    """The outputs of the hand network for one square."""

    image: FloatArray
    """(21, 3): x, y in pixels of the square, z in the same scale before correction."""
    world: FloatArray
    """(21, 3) in metres, axes of the square."""
    presence: float
    """Probability that a hand is in the square."""
    right: float
    """Probability that it is a right hand."""


class Networks:
    """The palm and the hand network, with the warps that feed them.

    ``threads`` is for each network; None: half the processors, at most 4. Without the palm network,
    which takes 37 MB, hands that are known can be detected again. HandloreError is raised
    if ai-edge-litert is not installed, or the bundle does not hold the two networks.
    """

    def __init__(
        self, bundle: Bundle, threads: int | None = None, *, with_palms: bool = True
    ) -> None:
        threads = threads or _default_threads()
        members = _members(bundle)
        # Around the picture palms see black and hands its repeated border: the border modes of
        # mediapipe/tasks/cc/vision/hand_detector/hand_detector_graph.cc and of the default.
        palm_warp = _RoundedWarp(PALM_SIZE, cv2.BORDER_CONSTANT)
        hand_warp = _Warp(HAND_SIZE, cv2.BORDER_REPLICATE)
        self._hand = _Network(members[HAND_MEMBER], bundle, threads, hand_warp)
        if with_palms:
            self._palm = _Network(members[PALM_MEMBER], bundle, threads, palm_warp)
            self._palm.require(bundle, (_N_ANCHORS * _N_PALM_VALUES, _N_ANCHORS))
        self._hand.require(bundle, (3 * N_LANDMARKS, 1, 1, 3 * N_LANDMARKS))

    def palms(self, picture: Pixels, to_picture: Matrix) -> tuple[FloatArray, FloatArray]:
        """Return the raw boxes (2016, 18) and raw scores (2016,) of the palm network.

        The matrix (2, 3) maps the pixels of its 192x192 square to those of the picture.
        """
        boxes, scores = self._palm.run(picture, to_picture)
        return boxes.reshape(_N_ANCHORS, _N_PALM_VALUES), scores.reshape(_N_ANCHORS)

    def hand(self, picture: Pixels, to_picture: Matrix) -> HandOutput:
        """Run the hand network on a 224x224 square, see :meth:`palms`."""
        image, presence, right, world = self._hand.run(picture, to_picture)
        return HandOutput(
            image.reshape(N_LANDMARKS, 3),
            world.reshape(N_LANDMARKS, 3),
            float(presence.item()),
            float(right.item()),
        )


class _Network:
    def __init__(self, data: bytes, bundle: Bundle, threads: int, warp: _Warp) -> None:
        self._warp = warp
        self._interpreter: Any = _interpreter(data, bundle, threads)
        self._input = int(self._interpreter.get_input_details()[0]["index"])
        self._outputs = [int(o["index"]) for o in self._interpreter.get_output_details()]

    def run(self, picture: Pixels, to_picture: Matrix) -> list[NDArray[np.float32]]:
        square = self._warp(picture, to_picture)
        # Straight into the interpreter's memory. The view is made anew for each call, because
        # LiteRT does not run while a view of its memory exists.
        np.multiply(square, _TO_UNIT, out=self._interpreter.tensor(self._input)()[0])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]

    def require(self, bundle: Bundle, sizes: tuple[int, ...]) -> None:
        details = self._interpreter.get_output_details()
        found = tuple(int(np.prod(output["shape"])) for output in details)
        if found != sizes:
            raise HandloreError(
                f"the bundle {bundle.path} has other networks: outputs of {found} values,"
                f" expected {sizes}"
            )


def _default_threads() -> int:
    """Return half of the processors that this process may use, at least 1 and at most 4.

    The other half is for the camera, the display and the classifier. Two threads take 0.63 of the
    time and 1.16 of the processor time of one (two cores, x86-64).
    """
    usable = getattr(os, "sched_getaffinity", None)
    n_processors = len(usable(0)) if usable else os.cpu_count() or 1
    return min(max(n_processors // 2, 1), 4)


def _interpreter(data: bytes, bundle: Bundle, threads: int) -> Any:
    try:
        module = importlib.import_module("ai_edge_litert.interpreter")
    except ImportError as error:
        raise HandloreError(
            f"ai-edge-litert cannot be imported ({error}); install it with"
            " `pip install ai-edge-litert`"
        ) from error
    try:
        with without_chatter():
            interpreter = module.Interpreter(model_content=data, num_threads=threads)
            interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise HandloreError(
            f"LiteRT refuses the bundle {bundle.path}: {(str(error).splitlines() or ['?'])[0]}"
        ) from error
    return interpreter


def _members(bundle: Bundle) -> Mapping[str, bytes]:
    try:
        with zipfile.ZipFile(bundle.path) as archive:
            return {name: archive.read(name) for name in (PALM_MEMBER, HAND_MEMBER)}
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise HandloreError(f"cannot read the bundle {bundle.path}: {error}") from error


# From the 2016 candidates of the palm network to a few palms. The parameters are those of
# mediapipe/tasks/cc/vision/hand_detector/hand_detector_graph.cc.

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
    square = Region.around(picture)
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
