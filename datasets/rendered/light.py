"""Light what was traced."""

import cv2
import numpy as np

from .draw import Image, Layers
from .flesh import PALM, SLEEVE, THUMB

Colour = tuple[int, int, int]


def shine(
    layers: Layers,
    unit: float,
    lamp: tuple[float, float, float],
    skin: Colour,
    sleeve: Colour | None,
) -> Image:
    """Shade a body; black where it is not.

    Parameters
    ----------
    unit
        Palm length in pixels.
    lamp
        Direction to the lamp: x right, y down, z away from the camera.

    Returns
    -------
    ndarray of shape (height, width, 3)
        RGB, 0 to 255.
    """
    body = layers.part >= 0
    shade = np.maximum(_hollows(layers, unit) * _outlines(layers, unit), 0.5) * layers.paint
    shade = shade[body] * _lambert(layers.normal[body], lamp)
    shade = np.clip(shade, 0.05, 1.25)[:, None]
    base = np.where(layers.part[body][:, None] == SLEEVE, sleeve or skin, skin)
    # Light that went through flesh comes out red: blue dies first in the shade.
    lit = base * np.hstack([shade * (1.15 - 0.15 * shade), shade, shade * (0.9 + 0.1 * shade)])
    colour = np.zeros((*body.shape, 3), np.float32)
    colour[body] = np.clip(lit, 0, 255)
    return colour


def _lambert(normal: Image, lamp: tuple[float, float, float]) -> Image:
    direction = np.array(lamp, np.float32) / np.float32(np.linalg.norm(lamp))
    wrapped = np.clip((normal @ direction + 0.35) / 1.35, 0, 1)
    return np.asarray(0.38 + 0.50 * wrapped + 0.20 * np.clip(-normal[:, 2], 0, 1), np.float32)


def _hollows(layers: Layers, unit: float) -> Image:
    """Darken what lies deeper than its surroundings: the depth minus its blur."""
    cover = (layers.part >= 0).astype(np.float32)
    stack = np.dstack([np.where(cover > 0, layers.depth, 0), cover])
    half = (cover.shape[1] // 2, cover.shape[0] // 2)
    small = cv2.resize(stack, half, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 0.5 * 0.08 * unit)
    mean, weight = cv2.split(cv2.resize(small, cover.shape[::-1], interpolation=cv2.INTER_LINEAR))
    sunk = np.clip((layers.depth - mean / (weight + 1e-6)) / (0.25 * unit), 0, 1) * cover
    return np.asarray(1 - 0.45 * sunk, np.float32)


def _outlines(layers: Layers, unit: float) -> Image:
    """Draw the contours where one finger lies before another or before the palm."""
    kernel = np.ones((3, 3), np.uint8)
    finger = np.maximum(layers.part, PALM).astype(np.uint8)
    border = (cv2.dilate(finger, kernel) != cv2.erode(finger, kernel)).astype(np.float32)
    depth = np.where(layers.part >= 0, layers.depth, layers.depth.min())
    jump = cv2.dilate(depth, kernel) - cv2.erode(depth, kernel)
    between = cv2.erode((layers.part >= THUMB).astype(np.uint8), kernel) * border
    line = np.maximum(np.clip(jump / (0.10 * unit), 0, 1) * border, 0.6 * between)
    line *= cv2.erode((layers.part >= 0).astype(np.uint8), kernel)
    line = cv2.GaussianBlur(line.astype(np.float32), (0, 0), 0.014 * unit)
    return np.asarray(1 - np.clip(0.9 * line, 0, 0.6), np.float32)
