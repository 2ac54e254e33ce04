"""Drawings as PNG, in the light colours of the page.

matplotlib is used as a rasteriser only: its lines are smooth, and it takes each character from an
installed font that has it.
"""

import io
import re
import warnings
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle

from .drawing import FONT_SIZE, Drawing, Element

_SCALE = 2.0
"""Pixels of the PNG for each pixel of the page."""

_MOST_PIXELS = 6000
"""Larger drawings get a smaller scale: a matrix of a thousand labels must fit into memory."""

_POINTS = 72 / 96
"""Points of matplotlib for each pixel of the page."""

_FONT_NAMES = """
DejaVu Sans, Noto Sans CJK SC, Noto Sans CJK JP, Noto Sans CJK KR, Noto Sans Devanagari, Noto Sans
Bengali, Noto Sans Tamil, Noto Sans Thai, Noto Sans Ethiopic, Droid Sans Fallback, WenQuanYi Micro
Hei, Unifont, Microsoft YaHei, Yu Gothic, Malgun Gothic, Nirmala UI, Leelawadee UI, Ebrima,
Hiragino Sans, PingFang SC, Apple SD Gothic Neo, Kohinoor Devanagari, Thonburi, Arial Unicode MS"""
FONTS = tuple(name.strip() for name in _FONT_NAMES.split(","))
"""Searched in this order for each character: fonts of Linux, Windows and macOS for labels in
scripts that matplotlib's own font lacks."""


def png(drawing: Drawing) -> bytes:
    """Return a drawing as the bytes of a PNG file."""
    width, height = drawing.width, drawing.height
    # matplotlib.figure instead of pyplot: no global state, no display is ever looked for.
    figure = Figure(figsize=(width / 96, height / 96), facecolor=_colors()["card"])
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    installed = set(fontManager.get_font_names())
    families = [name for name in FONTS if name in installed]
    for order, element in enumerate(drawing.elements):
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


def _text(element: Element) -> dict[str, Any]:
    return {
        "x": element.at["x"],
        "y": element.at["y"],
        "s": element.text,
        "color": _look(element)["fill"],
        "fontsize": FONT_SIZE * _POINTS,
        "ha": {"start": "left", "middle": "center", "end": "right"}[str(element.at["text-anchor"])],
        "rotation": 90 if "transform" in element.at else 0,
        "rotation_mode": "anchor",
        "parse_math": False,
    }


def _shape(element: Element) -> Line2D | Rectangle | Circle:
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
        linewidth=float(look.get("stroke-width", 1)) * _POINTS,
        alpha=element.opacity * float(look.get("stroke-opacity", 1)),
        linestyle=(0, (4, 4)) if "stroke-dasharray" in look else "-",
        solid_capstyle="round",
        solid_joinstyle="round",
    )


def _look(element: Element) -> dict[str, str]:
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
