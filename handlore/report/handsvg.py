"""Hands as SVG, drawn from landmarks alone: a finger a colour, movements with their way."""

from collections.abc import Mapping
from html import escape
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from handlore.capture.drawing.strokes import PALM
from handlore.landmarks.hands import FloatArray
from handlore.landmarks.topology import FINGERS

Points = NDArray[np.float64]
SIZE = 112
_MARGIN = 10
_LEAST = 1.7
"""A drawing shows at least so many palm lengths."""

_MOST_POINTS = 60


def hand_svg(image: FloatArray, title: str = "", size: int = SIZE) -> str:
    """Draw a pose, or the way of a movement and the hand at its end.

    Parameters
    ----------
    image
        (n_frames, n_hands, 21, 3) landmarks in any unit: x right, y down; NaN for no hand.
    title
        What it is; is shown where the pointer rests.
    size
        Width and height.
    """
    seen = ~np.isnan(image[..., 0, 0])
    inside, hidden = (
        (f"<title>{escape(title)}</title>", 'role="img"') if title else ("", 'aria-hidden="true"')
    )
    if seen.any():
        points = _fitted(image[..., :2], size)
        for slot in np.flatnonzero(seen.any(axis=0)).tolist():
            there = points[seen[:, slot], slot]
            inside += way(there[:, PALM].mean(axis=1)) if len(there) > 1 else ""
            inside += outline(there[-1])
    return f'<svg class="hand" viewBox="0 0 {size} {size}" {hidden}>{inside}</svg>'


def _fitted(points: FloatArray, size: int) -> Points:
    """Return landmarks (..., 21, 2) in pixels of a square that they fill, a fist not quite."""
    palms = np.linalg.norm(points[..., 9, :] - points[..., 0, :], axis=-1)
    low, high = np.nanmin(points, axis=(0, 1, 2)), np.nanmax(points, axis=(0, 1, 2))
    extent = max(*(high - low).tolist(), _LEAST * float(np.nanmedian(palms)), 1e-9)
    pixels: Points = (points - (low + high) / 2) * (size - 2 * _MARGIN) / extent + size / 2
    return pixels


def outline(points: Points, strength: Mapping[str, float] | None = None) -> str:
    """Return the strokes of one hand (21, 2) in pixels.

    With ``strength``, 0 to 1 by finger, fingers are as strong in one colour as that says.
    """
    palm = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points[list(PALM)]) + "Z"
    strokes = f'<path class="palm" d="{palm}"/>'
    for finger, landmarks in FINGERS.items():
        joints = [0, *landmarks] if finger == "thumb" else list(landmarks)
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points[joints])
        if strength is None:
            strokes += f'<polyline class="{finger}" points="{line}"/>'
        else:
            faint = f'style="stroke-opacity:{0.12 + 0.88 * strength[finger]:.2f}"'
            strokes += f'<polyline class="weighed" {faint} points="{line}"/>'
    return strokes


def way(points: Points) -> str:
    """Return the way (n, 2) of a hand, faint at its start."""
    points = points[:: -(-len(points) // _MOST_POINTS)]
    last = max(len(points) - 2, 1)
    lines = (
        f'<line class="way" style="stroke-opacity:{0.15 + 0.75 * k / last:.2f}" x1="{a[0]:.1f}"'
        f' y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}"/>'
        for k, (a, b) in enumerate(pairwise(points))
    )
    return "".join(lines)
