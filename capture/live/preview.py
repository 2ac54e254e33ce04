"""What the window of live recognition shows: the picture with the hand, and what is made of it."""

from functools import lru_cache

import cv2
import numpy as np

from handlore.landmarks.hands import Pixels

from ..drawing.colors import BLACK, GREY, GROUND, ORANGE, RAISED, TEAL, WHITE
from ..drawing.paint import rounded, shade, wrapped, write
from ..drawing.skeleton import draw_hands
from .views import Moment

HEIGHT, PANEL = 600, 300
"""Height of the window and width of the panel beside the picture, in pixels."""

MARGIN = 20


def draw_live(moment: Moment, told: str = "", *, mirrored: bool = True) -> Pixels:
    """Draw the window.

    Parameters
    ----------
    moment
        What there is to see.
    told
        What was told last, in a few words.
    mirrored
        Whether the picture is shown as a mirror would.

    Returns
    -------
    (:data:`HEIGHT`, width, 3) RGB.
    """
    picture = _scene(moment, mirrored=mirrored)
    if moment.trouble:
        _trouble(picture, moment.trouble)
    else:
        _label(picture, moment.label)
    return np.hstack([picture, _panel(moment, told)])


def _scene(moment: Moment, *, mirrored: bool) -> Pixels:
    if moment.pixels is None:
        return np.full((HEIGHT, HEIGHT * 4 // 3, 3), GROUND, np.uint8)
    height, width = moment.pixels.shape[:2]
    size = (max(HEIGHT * 3 // 4, round(width * HEIGHT / height)), HEIGHT)
    scaled = cv2.resize(moment.pixels, size, interpolation=cv2.INTER_LINEAR)
    picture = np.asarray(cv2.flip(scaled, 1) if mirrored else scaled, np.uint8)
    draw_hands(picture, moment.hands, mirrored=mirrored)
    return picture


def _label(picture: Pixels, label: str | None) -> None:
    """Write what is shown along the lower edge."""
    if label is None:
        return
    height, width = picture.shape[:2]
    shade(picture, (0, height - 76), (width, height), BLACK, 0.62)
    write(picture, label, (width // 2, height - 40), 38, TEAL, bold=True, anchor="middle",
          width=width - 2 * MARGIN)  # fmt: skip


def _trouble(picture: Pixels, words: str) -> None:
    height, width = picture.shape[:2]
    shade(picture, (0, 0), (width, height), BLACK, 0.6)
    write(picture, "no picture", (width // 2, height // 3), 34, ORANGE, bold=True, anchor="middle")
    for number, line in enumerate(wrapped(words, 20, width - 4 * MARGIN)):
        at = (width // 2, height // 3 + 56 + 30 * number)
        write(picture, line, at, 20, WHITE, anchor="middle")


def _panel(moment: Moment, told: str) -> Pixels:
    panel = _ground().copy()
    y = 50
    for label, probability in moment.bars():
        _bar(panel, label, probability, y)
        y += 58
    if not moment.bars():
        words = "no hand" if not moment.hands else "…"
        write(panel, words, (PANEL // 2, y), 20, GREY, anchor="middle")
    if told:
        write(panel, "last event", (MARGIN, HEIGHT - 216), 15, GREY)
        write(panel, told, (MARGIN, HEIGHT - 190), 20, WHITE, bold=True, width=PANEL - 2 * MARGIN)
    armed = {None: "", True: "armed", False: "not armed"}[moment.armed]
    rows = (
        ("actions", armed, TEAL if moment.armed else ORANGE),
        ("latency", f"{1000 * moment.latency:.0f} ms", WHITE),
        ("frames a second", f"{moment.fps:.0f}", WHITE),
    )
    y = HEIGHT - 136
    for name, value, color in rows:
        if value:
            write(panel, name, (MARGIN, y), 15, GREY)
            write(panel, value, (PANEL - MARGIN, y), 17, color, bold=True, anchor="right")
        y += 26
    return panel


def _bar(panel: Pixels, label: str, probability: float, y: int) -> None:
    """Draw a label with its probability, and a bar as long as that."""
    right = PANEL - MARGIN
    write(panel, label, (MARGIN, y), 18, WHITE, width=right - MARGIN - 60)
    write(panel, f"{100 * probability:.0f} %", (right, y), 17, GREY, anchor="right")
    rounded(panel, (MARGIN, y + 14), (right, y + 26), RAISED, 6)
    end = MARGIN + round(probability * (right - MARGIN))
    if end - MARGIN > 12:
        rounded(panel, (MARGIN, y + 14), (end, y + 26), TEAL, 6)


@lru_cache(1)
def _ground() -> Pixels:
    panel = np.full((HEIGHT, PANEL, 3), GROUND, np.uint8)
    cv2.line(panel, (MARGIN, HEIGHT - 54), (PANEL - MARGIN, HEIGHT - 54), RAISED, 2)
    write(panel, "m mirror   q end", (PANEL // 2, HEIGHT - 30), 15, GREY, anchor="middle")
    return panel
