"""Text and shapes on pictures. All pictures are (height, width, 3) RGB and are painted in place."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.hands import Pixels

Color = tuple[int, int, int]
Point = tuple[int, int]


def write(
    picture: Pixels,
    text: str,
    at: Point,
    size: int,
    color: Color,
    *,
    bold: bool = False,
    anchor: str = "left",
    width: int = 0,
) -> int:
    """Write a line of text.

    Parameters
    ----------
    picture
        Where.
    text
        Any script that the font has.
    at
        Column and row in pixels: the left end (or ``anchor`` ``middle`` or ``right``) of the
        line's middle.
    size
        Height of the font in pixels.
    color
        RGB.
    width
        What is wider than this is cut off with an ellipsis; 0: nothing is.

    Returns
    -------
    How wide it has become, in pixels.
    """
    if width:
        text = _fitted(text, size, bold, width)
    mask = _mask(text, size, bold)
    x = at[0] - {"left": 0, "middle": mask.shape[1] // 2, "right": mask.shape[1]}[anchor]
    _blend(picture, mask, x, at[1] - mask.shape[0] // 2, color)
    return int(mask.shape[1])


def wrapped(text: str, size: int, width: int) -> list[str]:
    """Break a text into lines that are at most so many pixels wide."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _length(longer, size, False) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def shade(
    picture: Pixels, top_left: Point, bottom_right: Point, color: Color, alpha: float
) -> None:
    """Lay a rectangle over a picture, more or less transparent."""
    (x0, y0), (x1, y1) = top_left, bottom_right
    part = picture[max(y0, 0) : y1, max(x0, 0) : x1]
    if part.size:
        # Integers: half the time of floats.
        weight = round(256 * alpha)
        cover = np.array(color, np.uint16) * weight
        part[:] = (part.astype(np.uint16) * (256 - weight) + cover) >> 8


def rounded(
    picture: Pixels, top_left: Point, bottom_right: Point, color: Color, radius: int
) -> None:
    """Fill a rectangle with round corners."""
    (x0, y0), (x1, y1) = top_left, bottom_right
    cv2.rectangle(picture, (x0 + radius, y0), (x1 - radius, y1), color, -1)
    cv2.rectangle(picture, (x0, y0 + radius), (x1, y1 - radius), color, -1)
    for center in ((x0 + radius, y0 + radius), (x1 - radius, y0 + radius),
                   (x0 + radius, y1 - radius), (x1 - radius, y1 - radius)):  # fmt: skip
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


def _fitted(text: str, size: int, bold: bool, width: int) -> str:
    if _length(text, size, bold) <= width:
        return text
    while text and _length(text + "…", size, bold) > width:
        text = text[:-1]
    return text + "…"


@lru_cache(512)
def _mask(text: str, size: int, bold: bool) -> NDArray[np.uint8]:
    """Return how much each pixel of a line is covered, 0 to 255."""
    from PIL import Image, ImageDraw

    font = _font(size, bold)
    width = max(1, round(_length(text, size, bold)) + 2)
    if _is_foreign(text):
        mask = np.zeros((round(1.5 * size), width), np.uint8)
        at = (1, round(1.1 * size))
        cv2.putText(mask, text, at, (255,), _unicode_font(), size)
        return mask
    image = Image.new("L", (width, round(1.5 * size)))
    ImageDraw.Draw(image).text((1, 0.75 * size), text, fill=255, font=font, anchor="lm")
    return np.asarray(image, np.uint8)


def _length(text: str, size: int, bold: bool) -> float:
    """Return how wide a line is, in pixels."""
    if _is_foreign(text):
        box = cv2.getTextSize((0, 0), text, (0, 0), _unicode_font(), size)
        return float(box[0] + box[2])
    return float(_font(size, bold).getlength(text))


def _is_foreign(text: str) -> bool:
    """Say whether a text has signs that only the font in OpenCV 5 has, as Chinese ones."""
    return not text.isascii() and _unicode_font() is not None and not all(map(_is_known, text))


@lru_cache(1)
def _unicode_font() -> Any:
    """Return OpenCV's font with the signs of most scripts; None before OpenCV 5."""
    face = getattr(cv2, "FontFace", None)
    return None if face is None else face("uni")


@lru_cache(4096)
def _is_known(character: str) -> bool:
    """Say whether the usual font has a sign, and not a box in its place."""
    font = _font(16, False)
    return bytes(font.getmask(character)) != bytes(font.getmask("\U0010fffe"))


@lru_cache(32)
def _font(size: int, bold: bool) -> Any:
    """Return the font of matplotlib, which has Greek and Cyrillic too, or else that of Pillow."""
    from PIL import ImageFont

    found = find_spec("matplotlib")
    if found is not None and found.origin is not None:
        fonts = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
        path = fonts / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")
        if path.is_file():
            return ImageFont.truetype(str(path), size)
    return ImageFont.load_default(size)
