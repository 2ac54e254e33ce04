"""Hands, text and shapes drawn on pictures: for windows, pages and contact sheets.

All pictures are (height, width, 3) RGB and are drawn into in place; points are (column, row) in
pixels.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .fonts import font_runs, load_font
from .hands import HAND_CONNECTIONS, FloatArray, Hand, Pixels

Color = tuple[int, int, int]
Points = NDArray[np.float64]
_Point = tuple[int, int]
_FixedPoints = list[list[int]]

GROUND: Color = (24, 28, 34)
RAISED: Color = (42, 48, 57)
WHITE: Color = (243, 246, 248)
GREY: Color = (150, 160, 171)
BLACK: Color = (0, 0, 0)
TEAL: Color = (25, 211, 162)
AMBER: Color = (255, 190, 60)
RED: Color = (240, 62, 76)
ORANGE: Color = (255, 138, 48)
BLUE: Color = (96, 165, 250)

_TIP: Color = (255, 93, 115)
_EDGE: Color = (12, 20, 24)

PALM = (0, 5, 9, 13, 17)
TIPS = (4, 8, 12, 16, 20)
"""Landmarks of the palm, and of the finger tips."""
_SHIFT = 4
"""Points are drawn to a sixteenth of a pixel; whole pixels would make a moving hand tremble."""
_MIN_EXTENT = 2.6
"""A picture shows at least this many palm lengths, or a hand at rest would fill it."""
_MAX_GAP = 6
"""A path has a gap where a hand was lost for more than this many usual steps."""


def draw_hands(picture: Pixels, hands: Sequence[Hand], *, mirrored: bool = False) -> None:
    """Draw skeletons, in image widths of the picture before it was perhaps mirrored."""
    for hand in hands:
        draw_hand(picture, hand.image, mirrored=mirrored)


def draw_hand(picture: Pixels, image: FloatArray, *, mirrored: bool = False) -> None:
    """Draw the skeleton of image landmarks (21, 3) in image widths, see :func:`draw_hands`."""
    if not np.isfinite(image[:, :2]).all():
        return
    x = 1 - image[:, 0] if mirrored else image[:, 0]
    points = np.column_stack([x, image[:, 1]]) * picture.shape[1]
    # Lines as thick as the hand is large: thin on a distant one.
    thick = int(np.clip(round(float(np.linalg.norm(points[0] - points[9])) / 28), 1, 5))
    # The middle of the first pixel is half a pixel from the edge.
    fixed = _fixed(points - 0.5)
    _draw_connections(picture, fixed, TEAL, _EDGE, thick)
    for number, point in enumerate(fixed):
        radius = thick + (1.5 if number in TIPS else 0.5)
        _draw_dot(picture, point, radius + 1, _EDGE)
        _draw_dot(picture, point, radius, _TIP if number in TIPS else TEAL)


def draw_hand_label(
    picture: Pixels, image: FloatArray, label: str, size: int, *, mirrored: bool = False
) -> None:
    """Write a label beside a hand (21, 3), see :func:`draw_hands`: where there is room for it."""
    if not np.isfinite(image[:, :2]).all():
        return
    height, width = picture.shape[:2]
    label = _fitted(label, size, True, width // 2)
    pad = size // 3
    columns, rows = round(_length(label, size, True)) + 2 * pad, size + 2 * pad
    x = 1 - image[:, 0] if mirrored else image[:, 0]
    low, high = (f(np.column_stack([x, image[:, 1]]) * width, axis=0) for f in (np.min, np.max))
    (middle_x, middle_y), gap = (low + high) / 2, 2 * pad
    places = (
        (high[0] + gap, middle_y - rows / 2),
        (low[0] - gap - columns, middle_y - rows / 2),
        (middle_x - columns / 2, low[1] - gap - rows),
        (middle_x - columns / 2, high[1] + gap),
    )
    fits = (p for p in places if 0 <= p[0] <= width - columns and 0 <= p[1] <= height - rows)
    left, top = np.clip(next(fits, places[0]), 0, (max(0, width - columns), max(0, height - rows)))
    left, top = round(left), round(top)
    shade(picture, (left, top), (left + columns, top + rows), BLACK, 0.62)
    draw_text(picture, label, (left + pad, top + rows // 2), size, TEAL, bold=True)


def draw_outline(picture: Pixels, hand: Points, color: Color, edge: Color, thick: int) -> None:
    """Draw the skeleton of a hand (21, 2) in one colour, set off by an edge of another."""
    fixed = _fixed(hand)
    _draw_connections(picture, fixed, color, edge, thick)
    for number, point in enumerate(fixed):
        _draw_dot(picture, point, thick + (1.0 if number in TIPS else 0.2), color)


def draw_path(
    picture: Pixels,
    points: Points,
    share: Points,
    frames: NDArray[np.int64],
    thick: int,
    *,
    dark: bool = False,
) -> None:
    """Draw the path of a point (n, 2) over time, on a light background or a ``dark`` one.

    The ``share`` (n,) of the time that is over at each point, from 0 to 1, decides its colour. By
    the numbers of the ``frames`` (n,) there is a gap where the hand was lost for long.
    """
    usual = np.median(np.diff(frames)) if len(frames) > 1 else 1
    fixed = _fixed(points)
    for k in range(len(points) - 1):
        if frames[k + 1] - frames[k] <= _MAX_GAP * usual:
            color = color_at(share[k], dark=dark)
            _draw_line(picture, fixed[k], fixed[k + 1], color, thick)


def fitted(points: FloatArray, width: int, height: int, margin: float = 14.0) -> Points:
    """Return landmarks (..., 21, 2) in pixels of a picture that shows all of them.

    They may have any unit, x right, y down; NaN for no hand, but not all of them.
    """
    flat = points.reshape(-1, 21, 2).astype(np.float64)
    palms = np.linalg.norm(flat[:, 9] - flat[:, 0], axis=-1)
    low, high = np.nanmin(flat, axis=(0, 1)), np.nanmax(flat, axis=(0, 1))
    room = np.array([width, height]) - 2 * margin
    extent = np.maximum(high - low, 1e-9)
    smallest = max(_MIN_EXTENT * float(np.nanmedian(palms)), 1e-9)
    scale = min(*(room / extent), min(room) / smallest)
    pixels: Points = (points - (low + high) / 2) * scale + [width / 2, height / 2]
    return pixels


def color_at(share: float, *, dark: bool = False) -> Color:
    """Return the colour of a moment, from 0 at the start to 1 at the end."""
    return _colors(dark)[round(255 * min(max(float(share), 0.0), 1.0))]


@lru_cache
def _colors(dark: bool) -> list[Color]:
    """Return the part of the colour map plasma that is visible on a light or dark background."""
    ramp = np.linspace(*((70, 255) if dark else (20, 205)), 256).round().astype(np.uint8)
    bgr = cv2.applyColorMap(ramp[:, None], cv2.COLORMAP_PLASMA)[:, 0]
    return [(int(r), int(g), int(b)) for b, g, r in bgr]


def _draw_connections(
    picture: Pixels, points: _FixedPoints, color: Color, edge: Color, thick: int
) -> None:
    for shade_of, more in ((edge, 2), (color, 0)):
        for a, b in HAND_CONNECTIONS:
            _draw_line(picture, points[a], points[b], shade_of, thick + more)


def _draw_line(picture: Pixels, start: list[int], end: list[int], color: Color, thick: int) -> None:
    cv2.line(picture, start, end, color, thick, cv2.LINE_AA, _SHIFT)


def _draw_dot(picture: Pixels, at: list[int], radius: float, color: Color) -> None:
    cv2.circle(picture, at, round(radius * 2**_SHIFT), color, -1, cv2.LINE_AA, _SHIFT)


def _fixed(points: Points) -> _FixedPoints:
    """Return points in OpenCV's fixed-point coordinates, within what these can hold."""
    fixed = np.clip(points * 2**_SHIFT, -(2**30), 2**30).round().astype(int)
    return list(fixed.tolist())


def draw_text(
    picture: Pixels,
    text: str,
    at: _Point,
    size: int,
    color: Color,
    *,
    bold: bool = False,
    anchor: str = "left",
    width: int = 0,
    keep_end: bool = False,
) -> int:
    """Write a line of text with a font of ``size`` pixels; return its width in pixels.

    ``at`` is the left end (or ``anchor`` ``middle`` or ``right``) of the line's middle. A line
    longer than ``width`` pixels is cut off with an ellipsis, at its start to ``keep_end``; 0: no
    limit.
    """
    if width:
        text = _fitted(text, size, bold, width, keep_end=keep_end)
    mask = _mask(text, size, bold)
    x = at[0] - {"left": 0, "middle": mask.shape[1] // 2, "right": mask.shape[1]}[anchor]
    _blend(picture, mask, x, at[1] - mask.shape[0] // 2, color)
    return int(mask.shape[1])


def wrap_text(text: str, size: int, width: int) -> list[str]:
    """Break a text into lines of at most ``width`` pixels."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _length(longer, size, False) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return [part for line in lines for part in _broken(line, size, width)]


def _broken(line: str, size: int, width: int) -> list[str]:
    """Break a line that is too long without a blank, as in Chinese, wherever it has to be."""
    parts = [""]
    for character in line if _length(line, size, False) > width else [line]:
        if parts[-1] and _length(parts[-1] + character, size, False) > width:
            parts.append("")
        parts[-1] += character
    return parts


def shade(
    picture: Pixels, top_left: _Point, bottom_right: _Point, color: Color, alpha: float
) -> None:
    """Cover a rectangle with a colour, ``alpha`` from 0 (invisible) to 1."""
    (x0, y0), (x1, y1) = top_left, bottom_right
    part = picture[max(y0, 0) : y1, max(x0, 0) : x1]
    if part.size:
        # Integers take half the time of floats.
        weight = round(256 * alpha)
        cover = np.array(color, np.uint16) * weight
        part[:] = (part.astype(np.uint16) * (256 - weight) + cover) >> 8


def rounded(
    picture: Pixels, top_left: _Point, bottom_right: _Point, color: Color, radius: int
) -> None:
    """Fill a rectangle with round corners."""
    (x0, y0), (x1, y1) = top_left, bottom_right
    cv2.rectangle(picture, (x0 + radius, y0), (x1 - radius, y1), color, -1)
    cv2.rectangle(picture, (x0, y0 + radius), (x1, y1 - radius), color, -1)
    for center in product((x0 + radius, x1 - radius), (y0 + radius, y1 - radius)):
        cv2.circle(picture, center, radius, color, -1, cv2.LINE_AA)


def _blend(picture: Pixels, mask: NDArray[np.uint8], x: int, y: int, color: Color) -> None:
    height, width = picture.shape[:2]
    left, top = max(0, -x), max(0, -y)
    mask = mask[top : max(top, height - y), left : max(left, width - x)]
    if not mask.size:
        return
    x, y = x + left, y + top
    part = picture[y : y + mask.shape[0], x : x + mask.shape[1]]
    weight = mask[..., None].astype(np.uint16) + (mask[..., None] >> 7)
    part[:] = (part * (256 - weight) + np.array(color, np.uint16) * weight) >> 8


def _fitted(text: str, size: int, bold: bool, width: int, *, keep_end: bool = False) -> str:
    cut = text
    while cut and _length(text, size, bold) > width:
        cut = cut[1:] if keep_end else cut[:-1]
        text = f"…{cut}" if keep_end else f"{cut}…"
    return text


@lru_cache(512)
def _mask(text: str, size: int, bold: bool) -> NDArray[np.uint8]:
    """Return the coverage of each pixel by a line of text, 0 to 255."""
    ascent, descent = load_font(None, size, bold).getmetrics()
    image = Image.new("L", (max(1, round(_length(text, size, bold)) + 2), 2 * size))
    draw, x, baseline = ImageDraw.Draw(image), 1.0, size + (ascent - descent) / 2
    for path, part in font_runs(text):
        font = load_font(path, size, bold)
        draw.text((x, baseline), part, fill=255, font=font, anchor="ls")
        x += font.getlength(part)
    return np.asarray(image, np.uint8)


def _length(text: str, size: int, bold: bool) -> float:
    lengths = (load_font(path, size, bold).getlength(part) for path, part in font_runs(text))
    return float(sum(lengths))
