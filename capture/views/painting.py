"""What all windows share: a canvas in units, the picture with its hands, the panel beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

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
    draw_hand_label,
    draw_hands,
    draw_text,
    rounded,
    shade,
    wrap_text,
)
from handlore.landmarks.hands import Hand, Pixels

from ..keys import WINDOW_KEY_BINDINGS, KeyBindings, choosing
from ..window import Drawn, Size, Target

HEIGHT, PANEL = 600, 300
"""Height of a window and width of the panel beside the picture, in units of a canvas."""
_LEAST_PICTURE = 450
"""Width of the part for the picture: a phone's upright picture would leave no room for text."""
MARGIN = 20
_ROW, _LEAST_ROW = 36, 24
"""Height of a row of the list of labels."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in units."""


@dataclass
class Canvas:
    """Pixels that are painted into in units, of which a window of the usual size has one a pixel.

    All positions and sizes are units, x right, y down; fonts too.
    """

    pixels: Pixels
    """(height, width, 3) RGB."""
    scale: float = 1.0
    """Pixels in a unit."""
    origin: tuple[int, int] = (0, 0)
    """Column and row of its first pixel in the window."""
    targets: list[Target] = field(default_factory=list)
    """What can be clicked, shared by all parts."""

    @classmethod
    def blank(cls, size: Size) -> Self:
        """Make an empty one of a width and height in pixels."""
        width, height = size
        scale = min(height / HEIGHT, width / (_LEAST_PICTURE + PANEL))
        return cls(np.full((height, width, 3), GROUND, np.uint8), scale)

    @property
    def width(self) -> float:
        """Its width."""
        return float(self.pixels.shape[1] / self.scale)

    @property
    def height(self) -> float:
        """Its height."""
        return float(self.pixels.shape[0] / self.scale)

    def beside_panel(self) -> tuple[Self, Self]:
        """Return the part for the picture, and the panel."""
        at = self.width - PANEL
        return self.part((0, 0, at, self.height)), self.part((at, 0, self.width, self.height))

    def part(self, box: Box) -> Self:
        """Return a part that is painted into on its own."""
        x0, y0, x1, y1 = self.px(*box)
        origin = (self.origin[0] + x0, self.origin[1] + y0)
        return type(self)(self.pixels[y0:y1, x0:x1], self.scale, origin, self.targets)

    def drawn(self) -> Drawn:
        """Return what the window shows."""
        return Drawn(self.pixels, tuple(self.targets))

    def px(self, *units: float) -> list[int]:
        """Return units in whole pixels."""
        return [round(unit * self.scale) for unit in units]

    def text(
        self,
        text: str,
        at: tuple[float, float],
        size: int,
        color: Color,
        *,
        bold: bool = False,
        anchor: str = "left",
        width: float = 0,
        keep_end: bool = False,
    ) -> int:
        """Write a line of text, see :func:`~handlore.landmarks.drawing.draw_text`."""
        x, y, room = self.px(*at, width)
        room = max(room, 1) if width else 0
        font = self._font(size)
        how: Any = {"bold": bold, "anchor": anchor, "width": room, "keep_end": keep_end}
        used = draw_text(self.pixels, text, (x, y), font, color, **how)
        return round(used / self.scale)

    def wrapped(self, text: str, size: int, width: float) -> list[str]:
        """Break a text into lines."""
        return wrap_text(text, self._font(size), *self.px(width))

    def shade(self, box: Box, color: Color, alpha: float) -> None:
        """Cover a box with a colour."""
        x0, y0, x1, y1 = self.px(*box)
        shade(self.pixels, (x0, y0), (x1, y1), color, alpha)

    def box(self, box: Box, color: Color, radius: float = 0) -> None:
        """Fill a box, perhaps with round corners."""
        x0, y0, x1, y1, r = self.px(*box, radius)
        r = min(r, (x1 - x0) // 2, (y1 - y0) // 2)
        if r > 0:
            rounded(self.pixels, (x0, y0), (x1, y1), color, r)
        else:
            cv2.rectangle(self.pixels, (x0, y0), (x1, y1), color, -1)

    def frame(self, color: Color, thick: float) -> None:
        """Draw a frame along the edges, half of it outside."""
        height, width = self.pixels.shape[:2]
        cv2.rectangle(self.pixels, (0, 0), (width - 1, height - 1), color, *self.px(thick))

    def dot(self, at: tuple[float, float], radius: float, color: Color) -> None:
        """Draw a disc."""
        x, y, r = self.px(*at, radius)
        cv2.circle(self.pixels, (x, y), r, color, -1, cv2.LINE_AA)

    def target(self, box: Box, key: str) -> None:
        """Let a click into a box press a key."""
        (x0, y0, x1, y1), (x, y) = self.px(*box), self.origin
        self.targets.append(Target(x + x0, y + y0, x + x1, y + y1, key))

    def _font(self, size: int) -> int:
        return max(6, round(size * self.scale))


def usual_size(pixels: Pixels | None) -> Size:
    """Return the width and height of a window for pictures like this one (height, width, 3)."""
    height, width = (3, 4) if pixels is None else pixels.shape[:2]
    return max(_LEAST_PICTURE, round(width * HEIGHT / height)) + PANEL, HEIGHT


def paint_scene(
    canvas: Canvas,
    pixels: Pixels | None,
    hands: Sequence[Hand],
    *,
    mirrored: bool,
    labels: Sequence[str] = (),
) -> None:
    """Show a picture as large as it fits in, with its hands, mirrored on request.

    ``pixels`` are (height, width, 3) RGB as the camera saw it; None while there is no picture.
    ``labels`` are written beside the hands, empty for none.
    """
    if pixels is None:
        return
    part = fitting_part(canvas.pixels, pixels)
    scaled = cv2.resize(pixels, part.shape[1::-1], interpolation=_interpolation(pixels, part))
    picture = np.asarray(cv2.flip(scaled, 1) if mirrored else scaled, np.uint8)
    draw_hands(picture, hands, mirrored=mirrored)
    for hand, label in zip(hands, labels, strict=False):
        if label:
            size = max(10, *canvas.px(22))
            draw_hand_label(picture, hand.image, label, size, mirrored=mirrored)
    part[:] = picture


def fitting_part(area: Pixels, pixels: Pixels) -> Pixels:
    """Return the middle part of an area that has the shape of a picture, as a view."""
    (height, width), (h, w) = area.shape[:2], pixels.shape[:2]
    scale = min(width / w, height / h)
    n_columns, n_rows = max(1, round(w * scale)), max(1, round(h * scale))
    left, top = (width - n_columns) // 2, (height - n_rows) // 2
    return area[top : top + n_rows, left : left + n_columns]


def _interpolation(pixels: Pixels, part: Pixels) -> int:
    return cv2.INTER_AREA if part.shape[1] < pixels.shape[1] / 2 else cv2.INTER_LINEAR


def paint_centered(
    canvas: Canvas, text: str, y: float, size: int, color: Color, *, bold: bool = False
) -> None:
    """Write a line in the middle of the width."""
    middle, room = canvas.width / 2, canvas.width - 2 * MARGIN
    canvas.text(text, (middle, y), size, color, bold=bold, anchor="middle", width=room)


def paint_camera_problem(canvas: Canvas, problem: str, *, dim: bool) -> None:
    """Write what is wrong with the camera, over a dimmed picture if there is one."""
    canvas.shade((0, 0, canvas.width, canvas.height), BLACK, 0.6 if dim else 0.0)
    lines = canvas.wrapped(problem, 22, canvas.width - 6 * MARGIN)
    y = canvas.height / 2 - 16 * len(lines)
    paint_centered(canvas, "no picture", y - 30, 34, ORANGE, bold=True)
    for number, line in enumerate(lines):
        paint_centered(canvas, line, y + 26 + 32 * number, 22, WHITE)


def paint_typing_or_help(
    canvas: Canvas, typed: str | None, bindings: KeyBindings, *, show_help: bool
) -> None:
    """Show a label while it is typed, or else on request what the keys do."""
    if typed is not None:
        _paint_typing(canvas, typed)
    elif show_help:
        _paint_key_bindings(canvas, bindings)


def _paint_typing(canvas: Canvas, typed: str) -> None:
    canvas.shade((0, 0, canvas.width, canvas.height), BLACK, 0.55)
    x, y = canvas.width / 2, canvas.height / 2
    half = min(x - MARGIN, 260)
    paint_centered(canvas, "new label", y - 62, 20, GREY)
    canvas.box((x - half, y - 32, x + half, y + 32), WHITE, 10)
    how: Any = {"anchor": "middle", "width": 2 * half - MARGIN, "keep_end": True}
    canvas.text(f"{typed}|", (x, y), 28, GROUND, bold=True, **how)
    paint_centered(canvas, "Enter: save, Esc: cancel", y + 62, 18, WHITE)


def _paint_key_bindings(canvas: Canvas, bindings: KeyBindings) -> None:
    canvas.shade((0, 0, canvas.width, canvas.height), BLACK, 0.75)
    bindings = (*bindings[:-1], *WINDOW_KEY_BINDINGS, bindings[-1])
    is_narrow = canvas.width < _LEAST_PICTURE + 100
    x, row, size = (115, 38, 18) if is_narrow else (canvas.width / 2 - 90, 38, 21)
    y = canvas.height / 2 - row * (len(bindings) - 1) / 2
    for keys, action in bindings:
        canvas.text(keys, (x, y), size, TEAL, bold=True, anchor="right")
        canvas.text(action, (x + 24, y), size, WHITE, width=canvas.width - x - 30)
        y += row


def paint_panel(panel: Canvas, keys: str, heading: tuple[str, Color] | None = None) -> None:
    """Paint a coloured heading, and the most important keys along the lower edge."""
    low = panel.height - 54
    panel.box((MARGIN, low, PANEL - MARGIN, low + 2), RAISED)
    panel.text(keys, (PANEL / 2, low + 24), 15, GREY, anchor="middle", width=PANEL - MARGIN)
    if heading is not None:
        text, color = heading
        panel.box((MARGIN, 22, PANEL - MARGIN, 60), color, 9)
        panel.text(text, (PANEL / 2, 41), 20, GROUND, bold=True, anchor="middle")


def paint_value(panel: Canvas, name: str, value: str, color: Color, y: float) -> None:
    """Write a row of a name and its value; the value takes the room that the name leaves."""
    used = panel.text(name, (MARGIN, y), 15, GREY)
    room, at = PANEL - 2 * MARGIN - used - 8, (PANEL - MARGIN, y)
    panel.text(value, at, 16, color, bold=True, anchor="right", width=room)


def paint_labels(
    panel: Canvas,
    labels: Sequence[str],
    current: str,
    top: float,
    bottom: float,
    counts: Sequence[int] = (),
) -> float:
    """List labels with their keys between two heights; return the height below the list.

    A click on one chooses it. The last label has the key 0; ``counts`` has a number for each, if
    there are any. Rows are lower where there are many; if there is no room for all, those around
    the current label are shown.
    """
    row = min(_ROW, max(_LEAST_ROW, (bottom - top) / max(len(labels), 1)))
    n_rows = int((bottom - top) / row + 1e-6)
    here = labels.index(current) if current in labels else 0
    first = min(max(0, here - n_rows // 2), max(0, len(labels) - n_rows))
    for place in range(first, min(first + n_rows, len(labels))):
        box = (MARGIN - 8, top, PANEL - MARGIN + 8, top + row)
        panel.target(box, choosing(labels[place]))
        count = counts[place] if counts else None
        _paint_label(panel, labels, place, box, count, chosen=place == here)
        top += row
    return top


def _paint_label(
    panel: Canvas,
    labels: Sequence[str],
    place: int,
    box: Box,
    count: int | None,
    *,
    chosen: bool,
) -> None:
    left, top, right, bottom = box
    y, small = (top + bottom) / 2, bottom - top < _ROW - 6
    if chosen:
        panel.box((left, top + 2, right, bottom - 2), RAISED, 8)
    key = "0" if place == len(labels) - 1 else str(place + 1) if place < 9 else ""
    panel.text(key, (MARGIN + 8, y), 15, GREY, anchor="middle")
    room, color = PANEL - 3 * MARGIN - (30 if count is None else 68), WHITE if chosen else GREY
    size = 15 if small else 18
    panel.text(labels[place], (MARGIN + 30, y), size, color, bold=chosen, width=room)
    if count is not None:
        color = TEAL if count else GREY
        at = (PANEL - MARGIN - 4, y)
        panel.text(str(count), at, size, color, bold=bool(count), anchor="right")
