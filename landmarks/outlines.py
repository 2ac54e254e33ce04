"""Whether the outline of a mask may be that of a hand, judged before anything is looked for in it.

A hand is one piece with many soft corners: round finger tips, valleys between them, and an arm that
may be cut off at the border of the picture. Blots, polygons and what is put together of ellipses
are bent too little, too much, or too evenly. The limits let pass 528 of 528 silhouettes and 565 of
the masks of 574 photos, and most hands as small as 28 pixels (``docs/decisions.md``).
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .relight import Figure

LEAST_IN_ONE_PIECE = 0.7
"""Share of the figure that its largest piece makes."""

MOST_CUT_OFF = 0.27
"""Share of the outline that lies on the border of the picture."""

FEWEST_CORNERS, FEWEST_SURE_CORNERS = 13, 11
"""In how many corners the outline may be drawn, to 0.4 % of its length, if it is smoothed; and if
besides three quarters of a pixel of the picture are let pass, as the steps of pixels are no
corners."""

LOWER_BEND, MIDDLE_BEND, UPPER_BEND = (-2.05, 0.25), 1.55, 4.0
"""The quartiles of the bend of the outline: a quarter of it is straight or bent inwards, though not
sharply, half of it is hardly bent outwards, and most of it not sharply. A bend is in radians per
square root of the area, outwards positive; a circle has 1.77 everywhere."""

STRAIGHT, SHARE_STRAIGHT = 0.4, (0.07, 0.4)
"""Which bend counts as none, either way, and how much of the outline has none: of a polygon it is
more, of ellipses and blots less."""

_TOLERANCE, _PIXELS_LET_PASS, _SMOOTHED = 0.004, 0.75, 0.08


def may_be_hand(figure: Figure) -> bool:
    """Say whether the largest piece of a figure is shaped like a hand."""
    pieces = _outlines(figure, max(3.0, 0.7 * figure.scale))
    areas = [cv2.contourArea(piece) for piece in pieces]
    if not areas or max(areas) <= 0 or max(areas) < LEAST_IN_ONE_PIECE * sum(areas):
        return False
    outline = pieces[int(np.argmax(areas))]
    if _corners(outline, 0.0) < FEWEST_CORNERS:
        return False
    height, width = figure.mask.shape
    x, y = outline.T
    cut_off = (np.minimum(x, width - 1 - x) <= 1) | (np.minimum(y, height - 1 - y) <= 1)
    if cut_off.mean() > MOST_CUT_OFF:
        return False
    sharp = max(_outlines(figure, max(1.5, 0.35 * figure.scale)), key=cv2.contourArea)
    if _corners(sharp, _PIXELS_LET_PASS * figure.scale) < FEWEST_SURE_CORNERS:
        return False
    bend = bends(outline)[~cut_off]
    lower, middle, upper = np.quantile(bend, (0.25, 0.5, 0.75))
    straight = (abs(bend) < STRAIGHT).mean()
    return bool(
        LOWER_BEND[0] <= lower <= LOWER_BEND[1]
        and middle <= MIDDLE_BEND
        and upper <= UPPER_BEND
        and SHARE_STRAIGHT[0] <= straight <= SHARE_STRAIGHT[1]
    )


def bends(outline: NDArray[Any]) -> NDArray[np.float64]:
    """Return how sharply a closed outline is bent at each of its points.

    Parameters
    ----------
    outline
        (n, 2) x and y of neighbouring pixels.

    Returns
    -------
    (n,) in radians per square root of the area, outwards positive. The outline is smoothed before,
    over 0.08 of that length.
    """
    points = outline[:, 0] + 1j * outline[:, 1]
    closed = np.append(points, points[0])
    along = np.append(0.0, np.cumsum(abs(np.diff(closed))))
    even = np.interp(np.linspace(0, along[-1], len(points), endpoint=False), along, closed)
    unit = np.sqrt(cv2.contourArea(outline))
    waves = np.fft.fftfreq(len(even), along[-1] / len(even) / unit)
    smooth = np.fft.ifft(np.fft.fft(even) * np.exp(-2 * (np.pi * waves * _SMOOTHED) ** 2))
    steps = np.roll(smooth, -1) - smooth
    turns = np.angle(steps / np.roll(steps, 1)) / (along[-1] / len(even) / unit)
    return np.asarray(turns * np.sign(turns.sum()), np.float64)


def _outlines(figure: Figure, smoothing: float) -> list[NDArray[np.int32]]:
    """Return the outlines of the pieces, (n, 2) each, of a figure smoothed by so many pixels."""
    mask = cv2.GaussianBlur(figure.mask, (0, 0), smoothing, borderType=cv2.BORDER_REPLICATE)
    pieces, _ = cv2.findContours(
        (mask > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    return [np.asarray(piece[:, 0], np.int32) for piece in pieces]


def _corners(outline: NDArray[np.int32], least: float) -> int:
    """Return in how many corners an outline may be drawn, so many pixels let pass at least."""
    tolerance = max(_TOLERANCE * cv2.arcLength(outline, True), least)
    return len(cv2.approxPolyDP(outline, tolerance, True))
