"""Hands as SVG, drawn from landmarks alone: a finger a colour, movements with their way."""

from collections.abc import Mapping
from html import escape
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from handlore.capture.strokes import PALM, fitted
from handlore.landmarks.hands import FloatArray
from handlore.landmarks.topology import FINGERS

Points = NDArray[np.float64]
SIZE = 112
_MOST_POINTS = 60


def hand_svg(image: FloatArray, title: str = "", size: int = SIZE) -> str:
    """Draw a pose, or the way of a movement and the hand at its end.

    Parameters
    ----------
    image
        (n_frames, n_hands, 21, 3) landmarks in any unit: x right, y down; NaN for no hand.
    title
        Is shown where the pointer rests.
    size
        Width and height.
    """
    seen = ~np.isnan(image[..., 0, 0])
    inside = f"<title>{escape(title)}</title>" if title else ""
    if seen.any():
        points = fitted(image[..., :2], size, size, margin=10)
        for slot in np.flatnonzero(seen.any(axis=0)).tolist():
            there = points[seen[:, slot], slot]
            inside += way(there[:, PALM].mean(axis=1)) if len(there) > 1 else ""
            inside += outline(there[-1])
    return f'<svg class="hand" viewBox="0 0 {size} {size}" role="img">{inside}</svg>'


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
