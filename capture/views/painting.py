"""What all windows share: the picture with its hands, texts laid over it, the panel beside it.

All pictures are (height, width, 3) RGB and are painted in place; positions are pixels.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from handlore.landmarks.drawing import (
    BLACK,
    GREY,
    GROUND,
    ORANGE,
    RAISED,
    TEAL,
    WHITE,
    Color,
    draw_hands,
    draw_text,
    rounded,
    shade,
    wrap_text,
)
from handlore.landmarks.hands import Hand, Pixels

from ..keys import KeyBindings

HEIGHT, PANEL = 600, 300
"""Height of a window and width of the panel beside the picture, in pixels."""
MARGIN = 20
_ROW, _MOST_ROWS = 36, 8


def paint_scene(pixels: Pixels | None, hands: Sequence[Hand], *, mirrored: bool) -> Pixels:
    """Return a picture scaled to the window's height, with its hands, mirrored on request.

    ``pixels`` are (height, width, 3) RGB as the camera saw it; None while there is no picture.
    """
    if pixels is None:
        return np.full((HEIGHT, HEIGHT * 4 // 3, 3), GROUND, np.uint8)
    height, width = pixels.shape[:2]
    # A phone's upright picture would leave no room for text.
    size = (max(HEIGHT * 3 // 4, round(width * HEIGHT / height)), HEIGHT)
    scaled = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    picture = np.asarray(cv2.flip(scaled, 1) if mirrored else scaled, np.uint8)
    draw_hands(picture, hands, mirrored=mirrored)
    return picture


def paint_centered(
    picture: Pixels, text: str, y: int, size: int, color: Color, *, bold: bool = False
) -> None:
    """Write a line in the middle of the picture's width."""
    width = picture.shape[1]
    draw_text(
        picture,
        text,
        (width // 2, y),
        size,
        color,
        bold=bold,
        anchor="middle",
        width=width - 2 * MARGIN,
    )


def paint_camera_problem(picture: Pixels, problem: str, *, dim: bool) -> None:
    """Write what is wrong with the camera, over a dimmed picture if there is one."""
    height, width = picture.shape[:2]
    shade(picture, (0, 0), (width, height), BLACK, 0.6 if dim else 0.0)
    lines = wrap_text(problem, 22, width - 6 * MARGIN)
    y = height // 2 - 16 * len(lines)
    paint_centered(picture, "no picture", y - 30, 34, ORANGE, bold=True)
    for number, line in enumerate(lines):
        paint_centered(picture, line, y + 26 + 32 * number, 22, WHITE)


def paint_typing_or_help(
    picture: Pixels, typed: str | None, bindings: KeyBindings, *, show_help: bool
) -> None:
    """Show a label while it is typed, or else on request what the keys do."""
    if typed is not None:
        _paint_typing(picture, typed)
    elif show_help:
        _paint_key_bindings(picture, bindings)


def _paint_typing(picture: Pixels, typed: str) -> None:
    height, width = picture.shape[:2]
    shade(picture, (0, 0), (width, height), BLACK, 0.55)
    x, y = width // 2, height // 2
    half = min(x - MARGIN, 260)
    paint_centered(picture, "new label", y - 62, 20, GREY)
    rounded(picture, (x - half, y - 32), (x + half, y + 32), WHITE, 10)
    at, room = (x, y), 2 * half - MARGIN
    draw_text(picture, f"{typed}|", at, 28, GROUND, bold=True, anchor="middle", width=room)
    paint_centered(picture, "Enter: save, Esc: cancel", y + 62, 18, WHITE)
    paint_centered(picture, _typing_hint(), y + 90, 15, GREY)


def _paint_key_bindings(picture: Pixels, bindings: KeyBindings) -> None:
    height, width = picture.shape[:2]
    shade(picture, (0, 0), (width, height), BLACK, 0.75)
    x, y = width // 2 - 90, height // 2 - 20 * len(bindings)
    for keys, action in bindings:
        draw_text(picture, keys, (x, y), 21, TEAL, bold=True, anchor="right")
        draw_text(picture, action, (x + 24, y), 21, WHITE)
        y += 40


def new_panel(keys: str, heading: tuple[str, Color] | None = None) -> Pixels:
    """Return a panel with a colored heading, and the most important keys at its lower edge."""
    panel = np.full((HEIGHT, PANEL, 3), GROUND, np.uint8)
    cv2.line(panel, (MARGIN, HEIGHT - 54), (PANEL - MARGIN, HEIGHT - 54), RAISED, 2)
    draw_text(panel, keys, (PANEL // 2, HEIGHT - 30), 15, GREY, anchor="middle")
    if heading is not None:
        text, color = heading
        rounded(panel, (MARGIN, 22), (PANEL - MARGIN, 60), color, 9)
        draw_text(panel, text, (PANEL // 2, 41), 20, GROUND, bold=True, anchor="middle")
    return panel


def paint_value(panel: Pixels, name: str, value: str, color: Color, y: int) -> None:
    """Write a row of a name and its value; the value takes the room that the name leaves."""
    used = draw_text(panel, name, (MARGIN, y), 15, GREY)
    room, at = PANEL - 2 * MARGIN - used - 8, (PANEL - MARGIN, y)
    draw_text(panel, value, at, 16, color, bold=True, anchor="right", width=room)


def paint_labels(
    panel: Pixels, labels: Sequence[str], current: str, y: int, counts: Sequence[int] = ()
) -> int:
    """List labels with their keys, those around the current one if there are many.

    The last label has the key 0; ``counts`` has a number for each, if there are any. ``y`` is the
    middle of the first row; the row below the list is returned.
    """
    here = labels.index(current) if current in labels else 0
    first = min(max(0, here - _MOST_ROWS // 2), max(0, len(labels) - _MOST_ROWS))
    for place in range(first, min(first + _MOST_ROWS, len(labels))):
        chosen, name, left = place == here, labels[place], (MARGIN + 30, y)
        if chosen:
            rounded(panel, (MARGIN - 8, y - 16), (PANEL - MARGIN + 8, y + 16), RAISED, 8)
        key = "0" if place == len(labels) - 1 else str(place + 1) if place < 9 else ""
        draw_text(panel, key, (MARGIN + 8, y), 15, GREY, anchor="middle")
        room, color = PANEL - 3 * MARGIN - (68 if counts else 30), WHITE if chosen else GREY
        draw_text(panel, name, left, 18, color, bold=chosen, width=room)
        if counts:
            n, right = counts[place], (PANEL - MARGIN - 4, y)
            draw_text(panel, str(n), right, 18, TEAL if n else GREY, bold=bool(n), anchor="right")
        y += _ROW
    return y + 8


def _typing_hint() -> str:
    """Return what is special about typing in a window here, if anything."""
    framework = getattr(cv2, "currentUIFramework", lambda: "")()  # missing in older versions
    return "for a capital press Shift before each one" if framework.startswith("QT") else ""
