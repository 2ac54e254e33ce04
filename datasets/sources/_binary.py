"""Telling silhouettes from photos."""

import numpy as np

from handlore.landmarks.hands import Pixels

NEAR_LEVELS = 24
"""How many grey levels a pixel may lie from black or white: JPEG blurs the edge."""

SHARE_NEAR = 0.97
SHARE_OF_EACH = 0.01
LEAST_CONTRAST = 64
MOST_COLOUR = 16.0


def looks_binary(pixels: Pixels) -> bool:
    """Say whether a picture is a silhouette: nearly all of it one of two grey levels.

    Parameters
    ----------
    pixels
        (height, width, 3) RGB.
    """
    if pixels.size == 0:
        return False
    shades = pixels.astype(np.int16)
    if float(np.mean(shades.max(axis=2) - shades.min(axis=2))) > MOST_COLOUR:
        return False
    grey = shades.mean(axis=2)
    low, high = float(grey.min()), float(grey.max())
    if high - low < LEAST_CONTRAST:
        return False
    dark = float(np.mean(grey <= low + NEAR_LEVELS))
    bright = float(np.mean(grey >= high - NEAR_LEVELS))
    return dark + bright >= SHARE_NEAR and min(dark, bright) >= SHARE_OF_EACH
