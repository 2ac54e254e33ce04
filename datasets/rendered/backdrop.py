"""What is behind the hand."""

import cv2
import numpy as np
from numpy.typing import NDArray

from .scene import Background

_SMALL = 12


def make_backdrop(
    kind: Background, rng: np.random.Generator, size: tuple[int, int]
) -> NDArray[np.float32]:
    """Make a background of size (width, height): (height, width, 3), RGB, 0 to 255."""
    width, height = size
    base = _quiet_colour(rng)
    if kind == "plain":
        return np.broadcast_to(base, (height, width, 3)).copy()
    if kind == "gradient":
        corners = np.stack([base, _quiet_colour(rng), base * 0.8, _quiet_colour(rng)])
        return _grow(corners.reshape(2, 2, 3), size)
    if kind == "noise":
        return _grow(base + _clouds(rng), size)
    return _room(base, rng, size)


def _clouds(rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.normal(0, 14, (_SMALL, _SMALL, 1)) + rng.normal(0, 4, (_SMALL, _SMALL, 3))


def _quiet_colour(rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a colour with little red in it, so that it is nobody's skin."""
    grey, cold = rng.uniform(45, 215), rng.uniform(0, 30, 3)
    return np.asarray(grey + cold * (-1.0, 0.3, 1.0), np.float32)


def _grow(small: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float32]:
    grown = cv2.resize(small.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(grown, 0, 255), np.float32)


def _room(
    base: NDArray[np.float32], rng: np.random.Generator, size: tuple[int, int]
) -> NDArray[np.float32]:
    """Stack out-of-focus rectangles: shelves, pictures, windows."""
    width, height = size
    picture = np.broadcast_to(base, (height, width, 3)).copy()
    for _ in range(int(rng.integers(4, 9))):
        corner = rng.uniform((-0.2, -0.2), (0.9, 0.9)) * size
        extent = rng.uniform((0.1, 0.1), (0.6, 0.6)) * size
        start, end = corner.astype(int), (corner + extent).astype(int)
        colour = [float(c) for c in _quiet_colour(rng)]
        cv2.rectangle(picture, start.tolist(), end.tolist(), colour, -1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.01 * width), np.float32)
