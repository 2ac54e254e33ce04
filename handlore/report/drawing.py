"""Drawings: SVG elements, for the page as they are and for papers as PNG.

How an element looks is written once, in ``page.css``, by class; its colours there are variables,
so that a page suits a light and a dark screen. A PNG has the light ones; for it, matplotlib is a
rasteriser only: its lines are smooth, and it takes each character from an installed font that has
it.
"""

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle
from numpy.typing import ArrayLike, NDArray

from handlore.landmarks.drawing import PALM
from handlore.landmarks.hands import FINGERS, FloatArray

Points = NDArray[np.float64]

FONT_SIZE = 11.0
_LONGEST_LABEL = 26
_SCALE = 2.0
"""Pixels of the PNG for each pixel of the page."""
_MOST_PIXELS = 6000
"""Larger drawings get a smaller scale: a matrix of a thousand labels must fit into memory."""
_POINT = 72 / 96
"""Points of matplotlib for each pixel of the page."""

_FONT_NAMES = """
DejaVu Sans, Noto Sans CJK SC, Noto Sans CJK JP, Noto Sans CJK KR, Noto Sans Devanagari, Noto Sans
Bengali, Noto Sans Tamil, Noto Sans Thai, Noto Sans Ethiopic, Droid Sans Fallback, WenQuanYi Micro
Hei, Unifont, Microsoft YaHei, Yu Gothic, Malgun Gothic, Nirmala UI, Leelawadee UI, Ebrima,
Hiragino Sans, PingFang SC, Apple SD Gothic Neo, Kohinoor Devanagari, Thonburi, Arial Unicode MS"""
FONTS = tuple(name.strip() for name in _FONT_NAMES.split(","))
"""Searched in this order for each character: fonts of Linux, Windows and macOS for labels in
scripts that matplotlib's own font lacks."""


@dataclass(frozen=True)
class _Element:
    """One SVG element: ``rect``, ``circle``, ``polyline``, ``polygon`` or ``text``."""

    tag: str
    style: str
    """Class in ``page.css``."""
    at: Mapping[str, Any]
    """Attributes."""
    opacity: float = 1.0
    text: str = ""

    def svg(self) -> str:
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

    The title says what it shows, for people who cannot see it; without one it is decoration.
    """

    def __init__(self, width: float, height: float, title: str = "") -> None:
        self.width, self.height, self.title = width, height, title
        self._groups: list[tuple[str, list[_Element]]] = [("", [])]

    @property
    def elements(self) -> Iterator[_Element]:
        """All elements, the lowest first."""
        return (element for _, group in self._groups for element in group)

    def line(
        self, style: str, points: ArrayLike, opacity: float = 1.0, *, closed: bool = False
    ) -> None:
        """Draw a line through points (n, 2)."""
        at = {"points": " ".join(f"{x:.1f},{y:.1f}" for x, y in np.asarray(points))}
        self._add(_Element("polygon" if closed else "polyline", style, at, opacity))

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
        self._add(_Element("rect", style, at, opacity))

    def dot(self, style: str, x: float, y: float) -> None:
        """Fill a small circle."""
        self._add(_Element("circle", style, {"cx": x, "cy": y, "r": 4.5}))

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
        self._add(_Element("text", style, at, text=text))

    def _add(self, element: _Element) -> None:
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

    def hand(
        self,
        image: FloatArray,
        corner: tuple[float, float] = (0, 0),
        examples: Sequence[FloatArray] = (),
    ) -> None:
        """Draw a pose, or the path of a movement and the hand at its end, into a square.

        The landmarks (n_frames, n_hands, 21, 3) are in any unit: x right, y down; NaN for no hand.
        The square has sides of :data:`HAND_SIZE`, and its upper left corner at ``corner``;
        ``examples``, each as ``image`` and in the same unit, are drawn thin below the hand.
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
                _example(self, hand[~np.isnan(hand[:, 0, 0])])
        for hand in pixels(image).swapaxes(0, 1):
            there = hand[~np.isnan(hand[:, 0, 0])]
            if len(there) > 1:
                _path(self, there[:, PALM].mean(axis=1))
            if len(there):
                self.outline(there[-1])

    def outline(self, points: Points, strength: Mapping[str, float] | None = None) -> None:
        """Draw one hand (21, 2), a colour a finger.

        With ``strength``, 0 to 1 by finger, all have one colour that is as strong as that.
        """
        self.line("palm", points[list(PALM)], closed=True)
        for finger, landmarks in FINGERS.items():
            joints = [0, *landmarks] if finger == "thumb" else list(landmarks)
            if strength is None:
                self.line(finger, points[joints])
            else:
                self.line("weighted", points[joints], 0.12 + 0.88 * strength[finger])

    def png(self) -> bytes:
        """Return it as the bytes of a PNG file."""
        width, height = self.width, self.height
        # matplotlib.figure instead of pyplot: no global state, no display is ever looked for.
        figure = Figure(figsize=(width / 96, height / 96), facecolor=_colors()["card"])
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, width), ylim=(height, 0))
        axes.set_axis_off()
        installed = set(fontManager.get_font_names())
        families = [name for name in FONTS if name in installed]
        for order, element in enumerate(self.elements):
            if element.tag == "text":
                axes.text(**_text(element), fontfamily=families, zorder=order)
            else:
                axes.add_artist(_shape(element)).set_zorder(order)
        buffer = io.BytesIO()
        dpi = 96 * min(_SCALE, _MOST_PIXELS / max(width, height))
        with warnings.catch_warnings():
            # A script that no font here has is drawn as boxes; the tables of the page show it.
            warnings.simplefilter("ignore", UserWarning)
            figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
        return buffer.getvalue()


def _text(element: _Element) -> dict[str, Any]:
    return {
        "x": element.at["x"],
        "y": element.at["y"],
        "s": element.text,
        "color": _look(element)["fill"],
        "fontsize": FONT_SIZE * _POINT,
        "ha": {"start": "left", "middle": "center", "end": "right"}[str(element.at["text-anchor"])],
        "rotation": 90 if "transform" in element.at else 0,
        "rotation_mode": "anchor",
        "parse_math": False,
    }


def _shape(element: _Element) -> Line2D | Rectangle | Circle:
    look, at = _look(element), element.at
    fill: dict[str, Any] = {"color": look.get("fill"), "linewidth": 0}
    fill["alpha"] = element.opacity * float(look.get("fill-opacity", 1))
    if element.tag == "rect":
        return Rectangle((at["x"], at["y"]), at["width"], at["height"], **fill)
    if element.tag == "circle":
        return Circle((at["cx"], at["cy"]), at["r"], **fill)
    points = np.array([pair.split(",") for pair in str(at["points"]).split()], float)
    if element.tag == "polygon":
        points = np.concatenate([points, points[:1]])
    return Line2D(
        *points.T,
        color=look["stroke"],
        linewidth=float(look.get("stroke-width", 1)) * _POINT,
        alpha=element.opacity * float(look.get("stroke-opacity", 1)),
        linestyle=(0, (4, 4)) if "stroke-dasharray" in look else "-",
        solid_capstyle="round",
        solid_joinstyle="round",
    )


def _look(element: _Element) -> dict[str, str]:
    """Return the declarations of the style sheet for an element, with colours as they are."""
    return {
        name: _colors()[value[6:-1]] if value.startswith("var(") else value
        for name, value in _styles()[element.style].items()
    }


@cache
def _sheet() -> str:
    return resources.files(__package__).joinpath("page.css").read_text("utf-8")


@cache
def _colors() -> dict[str, str]:
    """Return the light colours of the style sheet by name."""
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", _sheet().split("@media")[0]))


@cache
def _styles() -> dict[str, dict[str, str]]:
    """Return the declarations of elements of drawings by class."""
    rules = re.findall(r"svg \.([\w-]+) {(.*?)}", _sheet())
    return {name: dict(re.findall(r"([\w-]+): ([^;]+);", text)) for name, text in rules}


def cut(label: str, longest: int = _LONGEST_LABEL) -> str:
    """Return a label, with an ellipsis if it is long."""
    return label if len(label) <= longest else label[: longest - 1] + "…"


HAND_SIZE = 112
_MARGIN = 10
_LEAST_EXTENT = 1.7
"""A drawing of a hand covers at least this many palm lengths, or a fist would fill it."""
_MOST_STEPS = 60


def _example(drawn: Drawing, hand: Points) -> None:
    """Draw one hand thin: the path of a movement, the outline of a pose."""
    if len(hand) > 1:
        drawn.line("example", hand[:, PALM].mean(axis=1))
    for joints in FINGERS.values() if len(hand) == 1 else ():
        drawn.line("example", hand[0, list(joints)])


def _path(drawn: Drawing, points: Points) -> None:
    """Draw the path (n, 2) of a hand, faint at its start."""
    points = points[:: -(-len(points) // _MOST_STEPS)]
    last = max(len(points) - 2, 1)
    for step, ends in enumerate(pairwise(points)):
        drawn.line("path", ends, 0.15 + 0.75 * step / last)
