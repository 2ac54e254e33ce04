"""The region of a picture that the hand network sees: a square that may be rotated.

The numbers are those of MediaPipe's graphs: mediapipe/tasks/cc/vision/hand_detector/
hand_detector_graph.cc for the region from a palm, mediapipe/tasks/cc/vision/hand_landmarker/
hand_landmarks_detector_graph.cc for the region from landmarks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, cos, floor, pi, sin, sqrt
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...hands import HandLandmark, Pixels

Matrix = NDArray[np.float64]
Points = NDArray[np.float64]

MEDIAPIPE_PALM_ANGLE = 90.0
"""The angle, in radians, to which MediaPipe turns the line from the wrist to the middle-finger MCP
for the first crop of a hand. Its graph sets ``rotation_vector_target_angle(90)``, an option in
radians (the one in degrees has another name), so the first crop is not upright: 90 rad is 26.6
degrees more than 14 turns and a quarter. Landmarks equal to MediaPipe's need the same."""
UPRIGHT_PALM_ANGLE = pi / 2
"""The angle, in radians, that was probably meant: the fingers then point up in the first crop."""
_PALM_GROWTH, _HAND_GROWTH = (2.6, -0.5), (2.0, -0.1)
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
    """A rotated square in a picture."""

    x: float
    """Centre, in pixels from the picture's left edge."""
    y: float
    """Centre, in pixels from the picture's upper edge."""
    side: float
    """In pixels."""
    rotation: float
    """Of the square against the picture, in radians, clockwise positive."""

    @classmethod
    def around(cls, picture: Pixels) -> Self:
        """Return the upright square about a whole picture (height, width, 3)."""
        height, width = picture.shape[:2]
        return cls(width / 2, height / 2, max(height, width), 0.0)

    @classmethod
    def from_palm(
        cls, box: ArrayLike, keypoints: ArrayLike, target_angle: float = MEDIAPIPE_PALM_ANGLE
    ) -> Self:
        """Return the square around the hand that belongs to a palm.

        The corners of its box (2, 2) and its keypoints (7, 2) are in pixels of the picture. In the
        square, the line from wrist to middle-finger MCP points to ``target_angle``, in radians from
        the x axis, anticlockwise. mediapipe/calculators/util/detections_to_rects_calculator.cc and
        rect_transformation_calculator.cc.
        """
        (left, top), (right, bottom) = np.asarray(box, np.float64).tolist()
        wrist, middle = np.asarray(keypoints, np.float64)[[0, _PALM_MIDDLE_MCP]].tolist()
        rotation = _turn(wrist, middle, target_angle)
        centre = (left + right) / 2, (top + bottom) / 2
        return cls._grown(centre, (right - left, bottom - top), rotation, _PALM_GROWTH)

    @classmethod
    def from_landmarks(cls, points: ArrayLike) -> Self:
        """Return the square in which the same hand (21, 2), in pixels, is expected next.

        The box of the steadier landmarks in the axes of the hand, whose direction is that from the
        wrist to the knuckles, the middle one counting half:
        mediapipe/modules/hand_landmark/calculators/hand_landmarks_to_rect_calculator.cc.
        """
        # For some twenty numbers plain Python is faster than numpy.
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
        return cls._grown(centre, (right - left, bottom - top), rotation, _HAND_GROWTH)

    @classmethod
    def _grown(
        cls,
        centre: tuple[float, float],
        size: tuple[float, float],
        rotation: float,
        growth: tuple[float, float],
    ) -> Self:
        (scale, shift), (width, height), (x, y) = growth, size, centre
        x -= height * shift * sin(rotation)
        y += height * shift * cos(rotation)
        return cls(x, y, max(width, height) * scale, rotation)

    def to_picture(self, size: int, *, flip: bool = False) -> Matrix:
        """Return the matrix (2, 3) from pixels of a square of this size to pixels of the picture.

        With ``flip``, left and right are mirrored in the square.
        """
        step = self.side / size
        c, s = cos(self.rotation) * step, sin(self.rotation) * step
        right_x, right_y = (-c, -s) if flip else (c, s)
        x = self.x - (right_x - s) * size / 2
        y = self.y - (right_y + c) * size / 2
        return np.array([[right_x, -s, x], [right_y, c, y]])

    def turned(self, radians: float, scale: float = 1.0) -> "Region":
        """Return the square rotated and scaled about its centre."""
        return Region(self.x, self.y, self.side * scale, _wrapped(self.rotation + radians))

    def moved(self, right: float, down: float) -> "Region":
        """Return the square moved by this many pixels."""
        return Region(self.x + right, self.y + down, self.side, self.rotation)

    def contains(self, points: Points) -> bool:
        """Say whether points (n, 2), in pixels of the picture, are all inside the square."""
        c, s = cos(self.rotation), sin(self.rotation)
        x, y = points[:, 0] - self.x, points[:, 1] - self.y
        across, down = np.abs(x * c + y * s), np.abs(y * c - x * s)
        return bool(max(across.max(), down.max()) <= self.side / 2)

    def stretched(self, across: float, down: float) -> "Region":
        """Return the square after the picture is stretched: a square of the same area as then."""
        return Region(
            self.x * across, self.y * down, self.side * sqrt(across * down), self.rotation
        )

    def overlap(self, other: "Region") -> float:
        """Return the intersection over union of two squares, as if neither were rotated.

        mediapipe/util/rectangle_util.cc ignores the rotation, too.
        """
        reach = (self.side + other.side) / 2
        width = min(reach - abs(self.x - other.x), self.side, other.side)
        height = min(reach - abs(self.y - other.y), self.side, other.side)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return min(1.0, shared / (self.side**2 + other.side**2 - shared))


def _wrapped(radians: float) -> float:
    """Return the same angle in [-pi, pi)."""
    return radians - 2 * pi * floor((radians + pi) / (2 * pi))


def _turn(start: Sequence[float], end: Sequence[float], target_angle: float) -> float:
    return _wrapped(target_angle - atan2(start[1] - end[1], end[0] - start[0]))
