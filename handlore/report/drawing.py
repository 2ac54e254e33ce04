"""Drawings: SVG elements, for the page as they are and for papers as PNG (:mod:`.raster`).

How an element looks is written once, in ``page.css``, by class; its colours there are variables,
so that a page suits a light and a dark screen. A PNG has the light ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any
from unicodedata import east_asian_width

import numpy as np
from numpy.typing import ArrayLike, NDArray

from handlore.landmarks.drawing import PALM
from handlore.landmarks.hands import FINGERS, FloatArray

Points = NDArray[np.float64]

FONT_SIZE = 11.0
LONGEST_LABEL = 26
_LETTER = 6.6
"""Width of a letter in pixels, on average and a little more."""


@dataclass(frozen=True)
class Element:
    """One SVG element: ``rect``, ``circle``, ``polyline``, ``polygon`` or ``text``."""

    tag: str
    style: str
    """Class in ``page.css``."""

    at: Mapping[str, Any]
    """Attributes."""

    opacity: float = 1.0
    text: str = ""

    def svg(self) -> str:
        """Return the element as text."""
        attributes = {"class": self.style, **self.at}
        if self.opacity < 1:
            attributes["opacity"] = self.opacity
        shown = "".join(
            f' {name}="{value if isinstance(value, str) else f"{value:.4g}"}"'
            for name, value in attributes.items()
        )
        return f"<{self.tag}{shown}>{escape(self.text)}</{self.tag}>"


class Drawing:
    """Elements on a rectangle, in pixels of the page: x right, y down.

    Parameters
    ----------
    width, height
        Of the rectangle.
    title
        What the drawing shows, for people who cannot see it; without one it is decoration.
    """

    def __init__(self, width: float, height: float, title: str = "") -> None:
        self.width, self.height, self.title = width, height, title
        self._groups: list[tuple[str, list[Element]]] = [("", [])]

    @property
    def elements(self) -> Iterator[Element]:
        """All elements, the lowest first."""
        return (element for _, group in self._groups for element in group)

    def line(
        self, style: str, points: ArrayLike, opacity: float = 1.0, *, closed: bool = False
    ) -> None:
        """Draw a line through points (n, 2)."""
        at = {"points": " ".join(f"{x:.1f},{y:.1f}" for x, y in np.asarray(points))}
        self._add(Element("polygon" if closed else "polyline", style, at, opacity))

    def box(
        self,
        style: str,
        corner: tuple[float, float],
        width: float,
        height: float,
        opacity: float = 1.0,
    ) -> None:
        """Fill a rectangle, from its upper left corner."""
        at = {"x": corner[0], "y": corner[1], "width": width, "height": height}
        self._add(Element("rect", style, at, opacity))

    def dot(self, style: str, x: float, y: float) -> None:
        """Fill a small circle."""
        self._add(Element("circle", style, {"cx": x, "cy": y, "r": 4.5}))

    def text(
        self,
        text: str,
        x: float,
        y: float,
        style: str = "axis",
        *,
        anchor: str = "start",
        turned: bool = False,
    ) -> None:
        """Write a line, its middle at height y; turned, it reads upwards and x is its middle."""
        baseline = (x + 4, y) if turned else (x, y + 4)
        at: dict[str, Any] = {"x": baseline[0], "y": baseline[1], "text-anchor": anchor}
        if turned:
            at["transform"] = f"rotate(-90 {baseline[0]:.1f} {baseline[1]:.1f})"
        self._add(Element("text", style, at, text=text))

    def _add(self, element: Element) -> None:
        self._groups[-1][1].append(element)

    @contextmanager
    def titled(self, title: str) -> Iterator[None]:
        """Give what is drawn meanwhile a text that is shown under the pointer."""
        self._groups.append((title, []))
        yield
        self._groups.append(("", []))

    def svg(self, kind: str = "chart", *, fixed: bool = False) -> str:
        """Return the drawing as an SVG element of the classes ``kind``.

        ``fixed`` keeps its size where the page is narrower.
        """
        size = f' width="{self.width:.0f}" height="{self.height:.0f}"' if fixed else ""
        named = f'role="img" aria-label="{escape(self.title)}"'
        role = named if self.title else 'aria-hidden="true"'
        inside = ""
        for title, group in self._groups:
            shapes = "".join(element.svg() for element in group)
            inside += f"<g><title>{escape(title)}</title>{shapes}</g>" if title else shapes
        box = f'viewBox="0 0 {self.width:.0f} {self.height:.0f}"'
        return f'<svg class="{kind}" {box}{size} {role}>{inside}</svg>'


def cut(label: str, longest: int = LONGEST_LABEL) -> str:
    """Return a label, with an ellipsis if it is long."""
    return label if len(label) <= longest else label[: longest - 1] + "…"


def text_width(text: str) -> float:
    """Return about how wide a text is, in pixels."""
    return sum(FONT_SIZE + 1 if east_asian_width(sign) in "WF" else _LETTER for sign in text)


HAND_SIZE = 112
_MARGIN = 10
_LEAST_EXTENT = 1.7
"""A drawing of a hand covers at least this many palm lengths, or a fist would fill it."""

_MOST_STEPS = 60


def hand_drawing(image: FloatArray, title: str = "") -> Drawing:
    """Draw a pose, or the path of a movement and the hand at its end.

    Parameters
    ----------
    image
        (n_frames, n_hands, 21, 3) landmarks in any unit: x right, y down; NaN for no hand.
    title
        What it is.
    """
    drawn = Drawing(HAND_SIZE, HAND_SIZE, title)
    with drawn.titled(title):
        draw_hand(drawn, image)
    return drawn


def draw_hand(
    drawn: Drawing,
    image: FloatArray,
    corner: tuple[float, float] = (0, 0),
    examples: Sequence[FloatArray] = (),
) -> None:
    """Draw a hand, see :func:`hand_drawing`, into a square of :data:`HAND_SIZE`.

    Parameters
    ----------
    drawn
        The drawing.
    image
        (n_frames, n_hands, 21, 3) landmarks.
    corner
        Upper left corner of the square.
    examples
        Other hands in the same unit, each as ``image``, drawn thin below it.
    """
    if np.isnan(image).all():
        return
    palms = np.linalg.norm(image[..., 9, :2] - image[..., 0, :2], axis=-1)
    # Of a movement among the examples only the path of its palm is drawn.
    others = [one[:, :, list(PALM)] if len(one) > 1 else one for one in examples]
    points = np.concatenate([one[..., :2].reshape(-1, 2) for one in (image, *others)])
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    extent = max(*(high - low).tolist(), _LEAST_EXTENT * float(np.nanmedian(palms)), 1e-9)
    scale = (HAND_SIZE - 2 * _MARGIN) / extent
    middle = np.array(corner) + HAND_SIZE / 2

    def pixels(hand: FloatArray) -> Points:
        return np.asarray((hand[..., :2] - (low + high) / 2) * scale + middle, np.float64)

    for example in examples:
        for hand in pixels(example).swapaxes(0, 1):
            _example(drawn, hand[~np.isnan(hand[:, 0, 0])])
    for hand in pixels(image).swapaxes(0, 1):
        there = hand[~np.isnan(hand[:, 0, 0])]
        if len(there) > 1:
            _path(drawn, there[:, PALM].mean(axis=1))
        if len(there):
            outline(drawn, there[-1])


def _example(drawn: Drawing, hand: Points) -> None:
    """Draw one hand thin: the path of a movement, the outline of a pose."""
    if len(hand) > 1:
        drawn.line("example", hand[:, PALM].mean(axis=1))
    for joints in FINGERS.values() if len(hand) == 1 else ():
        drawn.line("example", hand[0, list(joints)])


def outline(drawn: Drawing, points: Points, strength: Mapping[str, float] | None = None) -> None:
    """Draw one hand (21, 2), a colour a finger.

    With ``strength``, 0 to 1 by finger, all have one colour that is as strong as that.
    """
    drawn.line("palm", points[list(PALM)], closed=True)
    for finger, landmarks in FINGERS.items():
        joints = [0, *landmarks] if finger == "thumb" else list(landmarks)
        if strength is None:
            drawn.line(finger, points[joints])
        else:
            drawn.line("weighted", points[joints], 0.12 + 0.88 * strength[finger])


def _path(drawn: Drawing, points: Points) -> None:
    """Draw the path (n, 2) of a hand, faint at its start."""
    points = points[:: -(-len(points) // _MOST_STEPS)]
    last = max(len(points) - 2, 1)
    for step, ends in enumerate(pairwise(points)):
        drawn.line("path", ends, 0.15 + 0.75 * step / last)
