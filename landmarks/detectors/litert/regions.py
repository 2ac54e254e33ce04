"""Where in a picture the hand network looks: a square that may be turned.

The numbers are those of MediaPipe's graphs: mediapipe/tasks/cc/vision/hand_detector/
hand_detector_graph.cc for the region from a palm, mediapipe/tasks/cc/vision/hand_landmarker/
hand_landmarks_detector_graph.cc for the region from landmarks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, cos, floor, pi, sin, sqrt

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...hands import HandLandmark, Pixels

# Cutting a square, turned and scaled, out of a picture: one affine warp.
#
# MediaPipe crops with the bilinear ``warpPerspective`` of an OpenCV that rounds every source
# coordinate to 1/32 pixel (mediapipe/calculators/tensor/image_to_tensor_converter_opencv.cc). The
# hand network does not mind the exact coordinates of OpenCV 5, the palm network does: one tight
# crop in twenty of asl_massey then gets landmarks more than 0.5 % of its width away, with the same
# rounding not one in 705. So :class:`RoundedWarp` computes the rounded coordinates itself.


Matrix = NDArray[np.float64]

LARGEST_SIDE = 12_000
"""The longest side, in pixels, that is sampled as it is. OpenCV has 16-bit coordinates, and
a region may reach half its side past the border; of larger pictures every n-th pixel is taken."""

_ONE = 1 << 16
_HALF_STEP = _ONE // 64
_STEP_MASK = 31 << 5


class Warp:
    """Samples squares of one size; keeps its buffers, so that a frame allocates nothing large.

    Parameters
    ----------
    size
        Side of the square, in pixels.
    border
        What lies outside the picture: ``cv2.BORDER_CONSTANT`` (black) or ``BORDER_REPLICATE``.
    """

    def __init__(self, size: int, border: int) -> None:
        self._size = size
        self._border = border
        self._square = np.empty((size, size, 3), np.uint8)

    def __call__(self, picture: Pixels, to_picture: Matrix) -> Pixels:
        """Return the square that a matrix cuts out of a picture.

        Parameters
        ----------
        picture
            (height, width, 3) RGB.
        to_picture
            (2, 3) from pixels of the square to pixels of the picture.

        Returns
        -------
        (size, size, 3) RGB. The buffer is used again by the next call.
        """
        stride = -(-max(picture.shape[:2]) // LARGEST_SIDE)
        if stride > 1:
            picture, to_picture = picture[::stride, ::stride], to_picture / stride
        self._sample(np.ascontiguousarray(picture), to_picture)
        return self._square

    def _sample(self, picture: Pixels, to_picture: Matrix) -> None:
        cv2.warpAffine(
            picture,
            to_picture,
            (self._size, self._size),
            dst=self._square,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=self._border,
        )


class RoundedWarp(Warp):
    """The same in fixed point, with the pixels of an OpenCV before version 5 in any version."""

    def __init__(self, size: int, border: int) -> None:
        super().__init__(size, border)
        self._grid = np.arange(size)
        # Each entry holds x in its low and y in its high 32 bits, both with 16 fractional bits: a
        # single addition makes both coordinates, and a view of 16 bits takes out the whole pixels.
        self._both = np.empty((size, size), np.int64)
        self._whole = self._both.view(np.int16).reshape(size, size, 4)[..., 1::2]
        self._pixel = np.empty((size, size, 2), np.int16)
        self._step = np.empty((size, size), np.uint16)
        self._step_y = np.empty((size, size), np.uint16)
        self._prepared_for = b""

    def _sample(self, picture: Pixels, to_picture: Matrix) -> None:
        # Palms are sought in the same square of every picture of one size.
        if (key := to_picture.tobytes()) != self._prepared_for:
            self._coordinates(to_picture)
            self._prepared_for = key
        cv2.remap(
            picture,
            self._pixel,
            self._step,
            cv2.INTER_LINEAR,
            dst=self._square,
            borderMode=self._border,
        )

    def _coordinates(self, matrix: Matrix) -> None:
        """Fill in the whole pixel and the 32nds of one, as fixed-point maps of OpenCV.

        A coordinate is the sum of what its row and what its column adds, so whole squares need
        additions only.
        """
        columns = np.rint(matrix[:, :1] * self._grid * _ONE).astype(np.int64)
        rows = np.rint((matrix[:, 1:2] * self._grid + matrix[:, 2:]) * _ONE).astype(np.int64)
        # Odd rows and even columns make odd sums: in the packed addition a negative x takes 1 from
        # y, which then never runs out of its 16 fractional bits.
        columns, rows = columns & ~1, (rows + _HALF_STEP) | 1
        np.add(_packed(rows)[:, None], _packed(columns)[None, :], out=self._both)
        np.copyto(self._pixel, self._whole)
        self._add_steps(rows.astype(np.uint16), columns.astype(np.uint16))

    def _add_steps(self, rows: NDArray[np.uint16], columns: NDArray[np.uint16]) -> None:
        """Fill in 32 * y + x, both in 32nds of a pixel; what overflows is the whole pixels."""
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


Points = NDArray[np.float64]

MEDIAPIPE_PALM_ANGLE = 90.0
"""The angle, in radians, to which MediaPipe turns the line from the wrist to the middle-finger MCP
before the first look at a hand. Its graph sets ``rotation_vector_target_angle(90)``, an option in
radians (the one in degrees has another name), so the first crop is not upright: 90 rad is 26.6
degrees more than 14 turns and a quarter. Landmarks equal to MediaPipe's need the same."""

UPRIGHT_PALM_ANGLE = pi / 2
"""The angle, in radians, that was probably meant: fingers point up in the first crop, too."""

PALM_SCALE, PALM_SHIFT = 2.6, -0.5
HAND_SCALE, HAND_SHIFT = 2.0, -0.1
"""The square's side in sides of the box, and how far it moves along its own y axis, in heights."""

_PALM_MIDDLE_MCP = 2
"""The place of this joint among the seven keypoints of a palm; 0 is the wrist."""

_STEADY = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""The landmarks whose box the region from landmarks is: those of the palm, the PIP joints and the
thumb without its tip, so that the region does not jump when fingers bend. MediaPipe's calculator
gets these twelve only, so what it calls the PIP joints 4, 6 and 8 are the MCPs 5, 9 and 13."""

_KNUCKLES = (5, 9, 13)


@dataclass(frozen=True)
class Region:
    """A turned square in a picture."""

    x: float
    """Centre, in pixels from the picture's left edge."""

    y: float
    """Centre, in pixels from the picture's upper edge."""

    side: float
    """In pixels."""

    rotation: float
    """In radians, clockwise positive: by how much the square is turned against the picture."""

    def to_picture(self, size: int, *, flip: bool = False) -> Matrix:
        """Return the matrix that cuts the square out.

        Parameters
        ----------
        size
            Side of the square that is cut out, in its own pixels.
        flip
            Mirror left and right in the square.

        Returns
        -------
        (2, 3) affine matrix from pixels of the square to pixels of the picture.
        """
        step = self.side / size
        c, s = cos(self.rotation) * step, sin(self.rotation) * step
        right_x, right_y = (-c, -s) if flip else (c, s)
        x = self.x - (right_x - s) * size / 2
        y = self.y - (right_y + c) * size / 2
        return np.array([[right_x, -s, x], [right_y, c, y]])

    def turned(self, radians: float, scale: float = 1.0) -> "Region":
        """Return the same square turned further and scaled about its centre."""
        return Region(self.x, self.y, self.side * scale, wrapped(self.rotation + radians))

    def stretched(self, across: float, down: float) -> "Region":
        """Return the square in the same picture stretched; it stays a square of equal area."""
        return Region(
            self.x * across, self.y * down, self.side * sqrt(across * down), self.rotation
        )


def letterbox(height: int, width: int) -> Region:
    """Return the upright square about a whole picture."""
    return Region(width / 2, height / 2, max(height, width), 0.0)


def region_from_palm(
    box: ArrayLike, keypoints: ArrayLike, target_angle: float = MEDIAPIPE_PALM_ANGLE
) -> Region:
    """Return the square around the hand that belongs to a palm.

    mediapipe/calculators/util/detections_to_rects_calculator.cc and
    rect_transformation_calculator.cc.

    Parameters
    ----------
    box
        (2, 2) upper left and lower right corner of the palm, in pixels of the picture.
    keypoints
        (7, 2) in pixels of the picture.
    target_angle
        Where the line from wrist to middle-finger MCP points in the square, in radians from its
        x axis, anticlockwise.
    """
    (left, top), (right, bottom) = np.asarray(box, np.float64).tolist()
    wrist, middle = np.asarray(keypoints, np.float64)[[0, _PALM_MIDDLE_MCP]].tolist()
    rotation = _turn(wrist, middle, target_angle)
    centre = (left + right) / 2, (top + bottom) / 2
    return _grown(centre, (right - left, bottom - top), rotation, (PALM_SCALE, PALM_SHIFT))


def region_from_landmarks(points: ArrayLike) -> Region:
    """Return the square in which to look for the same hand in the next frame.

    The box of the steadier landmarks in the axes of the hand, whose direction is that from the
    wrist to the knuckles, the middle one counting half:
    mediapipe/modules/hand_landmark/calculators/hand_landmarks_to_rect_calculator.cc.

    Parameters
    ----------
    points
        (21, 2) in pixels of the picture.
    """
    # Some twenty numbers: Python is done with them before numpy has begun.
    marks = np.asarray(points, np.float64).tolist()
    (wrist_x, wrist_y), knuckles = marks[HandLandmark.WRIST], [marks[i] for i in _KNUCKLES]
    (index_x, index_y), (middle_x, middle_y), (ring_x, ring_y) = knuckles
    towards = (index_x + ring_x) / 4 + middle_x / 2, (index_y + ring_y) / 4 + middle_y / 2
    rotation = _turn((wrist_x, wrist_y), towards, pi / 2)
    c, s = cos(rotation), sin(rotation)
    steady = [marks[i] for i in _STEADY]
    across, down = [x * c + y * s for x, y in steady], [y * c - x * s for x, y in steady]
    left, right, top, bottom = min(across), max(across), min(down), max(down)
    x, y = (left + right) / 2, (top + bottom) / 2
    centre = x * c - y * s, x * s + y * c
    return _grown(centre, (right - left, bottom - top), rotation, (HAND_SCALE, HAND_SHIFT))


def wrapped(radians: float) -> float:
    """Return the same angle in [-pi, pi)."""
    return radians - 2 * pi * floor((radians + pi) / (2 * pi))


def overlap(one: Region, other: Region) -> float:
    """Return the intersection over union of two squares, as if neither were turned.

    mediapipe/util/rectangle_util.cc does not regard the rotation either.
    """
    reach = (one.side + other.side) / 2
    width = min(reach - abs(one.x - other.x), one.side, other.side)
    height = min(reach - abs(one.y - other.y), one.side, other.side)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.side**2 + other.side**2 - shared)


def _turn(start: Sequence[float], end: Sequence[float], target_angle: float) -> float:
    return wrapped(target_angle - atan2(start[1] - end[1], end[0] - start[0]))


def _grown(
    centre: tuple[float, float],
    size: tuple[float, float],
    rotation: float,
    grow: tuple[float, float],
) -> Region:
    (scale, shift), (width, height), (x, y) = grow, size, centre
    x -= height * shift * sin(rotation)
    y += height * shift * cos(rotation)
    return Region(x, y, max(width, height) * scale, rotation)
