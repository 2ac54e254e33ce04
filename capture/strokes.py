"""A hand over time as strokes: its way, coloured from start to end, and its outline.

Everything is drawn in place into a picture (height, width, 3) RGB; points are pixels.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.hands import FloatArray, Pixels
from handlore.landmarks.topology import HAND_CONNECTIONS

from .paint import Color

PALM = (0, 5, 9, 13, 17)
TIPS = (4, 8, 12, 16, 20)

_SMALLEST = 2.6
"""A picture shows at least so many palm lengths, or a hand at rest would fill it."""

_SHIFT = 4
"""Points are drawn to a sixteenth of a pixel."""

Points = NDArray[np.float64]


def fitted(points: FloatArray, width: int, height: int, margin: float = 14.0) -> Points:
    """Return landmarks in pixels of a picture that shows all of them.

    Parameters
    ----------
    points
        (..., 21, 2) in any unit, x right, y down; NaN for no hand, but not all of them.
    width, height, margin
        Of the picture, in pixels.
    """
    flat = points.reshape(-1, 21, 2).astype(np.float64)
    palms = np.linalg.norm(flat[:, 9] - flat[:, 0], axis=-1)
    low, high = np.nanmin(flat, axis=(0, 1)), np.nanmax(flat, axis=(0, 1))
    room = np.array([width, height]) - 2 * margin
    extent = np.maximum(high - low, 1e-9)
    smallest = max(_SMALLEST * float(np.nanmedian(palms)), 1e-9)
    scale = min(*(room / extent), min(room) / smallest)
    pixels: Points = (points - (low + high) / 2) * scale + [width / 2, height / 2]
    return pixels


def draw_way(
    picture: Pixels,
    points: Points,
    share: Points,
    frames: NDArray[np.int64],
    thick: int,
    *,
    dark: bool = False,
) -> None:
    """Draw a way.

    Parameters
    ----------
    picture
        Where.
    points
        (n, 2)
    share
        (n,) how much of the time is over at each, from 0 to 1; decides the colour.
    frames
        (n,) their frames: where the hand was lost for long there is a gap.
    thick
        Pixels.
    dark
        Whether the ground is dark.
    """
    usual = np.median(np.diff(frames)) if len(frames) > 1 else 1
    fixed = _fixed(points)
    for k in range(len(points) - 1):
        if frames[k + 1] - frames[k] <= 6 * usual:
            color = color_at(share[k], dark=dark)
            cv2.line(picture, fixed[k].tolist(), fixed[k + 1].tolist(), color, thick,
                     cv2.LINE_AA, _SHIFT)  # fmt: skip


def draw_outline(picture: Pixels, hand: Points, color: Color, edge: Color, thick: int) -> None:
    """Draw a hand (21, 2), on an edge that sets it off from what is below."""
    fixed = _fixed(hand)
    for shade, more in ((edge, 2), (color, 0)):
        for a, b in HAND_CONNECTIONS:
            cv2.line(picture, fixed[a].tolist(), fixed[b].tolist(), shade, thick + more,
                     cv2.LINE_AA, _SHIFT)  # fmt: skip
    for number, point in enumerate(fixed.tolist()):
        radius = thick + (1.0 if number in TIPS else 0.2)
        cv2.circle(picture, point, round(radius * 2**_SHIFT), color, -1, cv2.LINE_AA, _SHIFT)


def color_at(share: float, *, dark: bool = False) -> Color:
    """Return the colour of a moment, from 0 at the start to 1 at the end."""
    return _colors(dark)[round(255 * min(max(float(share), 0.0), 1.0))]


@lru_cache
def _colors(dark: bool) -> list[Color]:
    """Return the part of plasma that shows on a light or a dark ground."""
    ramp = np.linspace(*((70, 255) if dark else (20, 205)), 256).round().astype(np.uint8)
    bgr = cv2.applyColorMap(ramp[:, None], cv2.COLORMAP_PLASMA)[:, 0]
    return [(int(r), int(g), int(b)) for b, g, r in bgr]


def _fixed(points: Points) -> NDArray[np.int64]:
    return np.asarray(np.round(points * 2**_SHIFT), np.int64)
