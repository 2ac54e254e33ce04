"""Rendered hands in pictures with three marks, by which their place in a window is found."""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from handlore.datasets.rendered import Person, Scene, render_pose
from handlore.landmarks.drawing import TIPS
from handlore.landmarks.hands import Hand

SIZES = ((320, 240), (640, 480), (1920, 1080), (360, 640))
"""Width and height of a camera's pictures; the last one is a phone's, held upright."""
_SIDE = 0.05
_MARKS = {(0, 0, 255): (0.06, 0.17), (0, 255, 255): (0.94, 0.17), (0, 255, 0): (0.06, 0.6)}
"""Colour and centre of each mark, as shares of the width and the height."""


class MarkedPicture(NamedTuple):
    pixels: np.ndarray
    hand: Hand


@lru_cache
def marked_picture(width: int, height: int, pose: str = "open_palm") -> MarkedPicture:
    scene = Scene(x=0.45, y=0.5, size=0.2, roll=10.0, seed=4)
    shown = render_pose(pose, Person.random(3), scene, size=(width, height))
    pixels = shown.pixels.copy()
    for color, (x, y) in _MARKS.items():
        # In whole pixels, so that the centre is known exactly.
        half = round(_SIDE * width / 2)
        column, row = round(x * width), round(y * height)
        pixels[row - half : row + half, column - half : column + half] = color
    pixels.flags.writeable = False
    return MarkedPicture(pixels, Hand(shown.image, shown.world, shown.handedness))


def tip_errors(window: np.ndarray, picture: MarkedPicture) -> np.ndarray:
    """Return how far the tips of a drawn skeleton are from the hand's, in pixels of a window.

    Everything is measured in the window: the marks say where the picture is.
    """
    height, width = picture.pixels.shape[:2]
    there = np.array([_center(window, color) for color in _MARKS])
    marks = [(round(x * width), round(y * height)) for x, y in _MARKS.values()]
    to_window = cv2.getAffineTransform(np.array(marks, np.float32), there.astype(np.float32))
    tips = picture.hand.image[list(TIPS), :2] * width
    expected = np.column_stack([tips, np.ones(len(tips))]) @ to_window.T
    found = _tips(window)
    assert len(found) == len(TIPS), f"{len(found)} tips are drawn"
    away = np.linalg.norm(expected[:, None] - found[None], axis=2)
    assert sorted(away.argmin(axis=1)) == list(range(len(TIPS))), "one dot for each tip"
    return away.min(axis=1)


def _center(window: np.ndarray, color: tuple[int, int, int]) -> tuple[float, float]:
    mask = np.abs(window.astype(int) - color).max(axis=2) < 80
    _, _, stats, centers = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    x, y = centers[largest]
    return float(x) + 0.5, float(y) + 0.5


def _tips(window: np.ndarray) -> np.ndarray:
    """Return the centres of the dots in the colour of tips, which nothing else has."""
    red, green, blue = (window[..., k].astype(int) for k in range(3))
    mask = ((red - green > 75) & (red - blue > 60) & (blue > green - 15)).astype(np.uint8)
    _, _, stats, centers = cv2.connectedComponentsWithStats(mask)
    order = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])
    areas = stats[order, cv2.CC_STAT_AREA]
    # Specks of a JPEG picture are much smaller.
    return centers[order[areas > 0.3 * areas[0]]] + 0.5
