"""Charts as SVG in the colours of the page, so that light and dark both suit them."""

from collections.abc import Mapping, Sequence
from html import escape
from math import floor

import numpy as np

from handlore.classifiers.assessment.breakdown import Part
from handlore.classifiers.assessment.reliability import Reliability

from .handsvg import outline

LONGEST_LABEL = 26
LETTER = 6.6
"""Width of a letter in pixels, on average and a little more."""


def cut(label: str, longest: int = LONGEST_LABEL) -> str:
    """Return a label, with an ellipsis where it is long."""
    return label if len(label) <= longest else label[: longest - 1] + "…"


def svg(
    kind: str, width: float, height: float, marks: Sequence[str], said: str, *, fixed: bool = False
) -> str:
    """Return a drawing of marks; ``said`` is what it shows, for those who cannot see it."""
    size = f' width="{width:.0f}" height="{height:.0f}"' if fixed else ""
    return (
        f'<svg class="{kind}" viewBox="0 0 {width:.0f} {height:.0f}"{size} role="img"'
        f' aria-label="{escape(said)}">{"".join(marks)}</svg>'
    )


def spans_svg(parts: Sequence[Part], what: str) -> str:
    """Draw the accuracy of each part as a dot on its interval, one a row.

    The scale ends at 100 % and starts where the widest interval needs it to.
    """
    start = floor(10 * min(part.interval[0] for part in parts)) / 10
    left = 14 + LETTER * max(len(cut(part.name)) for part in parts)
    width, row, top = 250.0, 22, 24

    def x(value: float) -> float:
        return left + width * (value - start) / (1 - start)

    bottom = top + row * len(parts)
    marks = [
        mark for tick in _ticks(start) for mark in (
            f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top}" y2="{bottom}"/>',
            f'<text class="axis mid" x="{x(tick):.1f}" y="{top - 8}">{tick:.0%}</text>',
        )
    ]  # fmt: skip
    for place, part in enumerate(parts):
        y = top + row * (place + 0.5)
        (a, b), middle = part.interval, x(part.accuracy)
        said = f"{part.name}: {part.n_right} of {part.n} right, 95 % interval {a:.1%} to {b:.1%}"
        marks.append(
            f"<g><title>{escape(said)}</title>"
            f'<text class="end" x="{left - 10:.0f}" y="{y + 4:.0f}">{escape(cut(part.name))}</text>'
            f'<line class="span" x1="{x(a):.1f}" x2="{x(b):.1f}" y1="{y}" y2="{y}"/>'
            f'<circle class="dot" cx="{middle:.1f}" cy="{y}" r="4.5"/>'
            f'<text x="{left + width + 12:.0f}" y="{y + 4:.0f}">{100 * part.accuracy:.1f} %</text>'
            f'<text class="axis" x="{left + width + 62:.0f}" y="{y + 4:.0f}">of {part.n}</text></g>'
        )
    return svg("chart", left + width + 112, bottom + 4, marks, what)


def _ticks(start: float) -> list[float]:
    step = 0.1 if start >= 0.6 else 0.25 if start < 0.3 else 0.2
    ticks = np.arange(1, start - 1e-9, -step)
    return [float(tick) for tick in ticks[::-1]]


def reliability_svg(found: Reliability) -> str:
    """Draw how often answers are right against how sure they were; the diagonal is honest.

    Below stands how many answers there are of each probability.
    """
    side, left, top, foot = 240, 56, 10, 34
    most = max(one.n for one in found.bins)

    def x(value: float) -> float:
        return left + side * value

    def y(value: float) -> float:
        return top + side * (1 - value)

    marks = [f'<rect class="ground" x="{left}" y="{top}" width="{side}" height="{side}"/>']
    for tick in (0, 0.25, 0.5, 0.75, 1):
        marks += [
            f'<line class="grid" x1="{x(0)}" x2="{x(1)}" y1="{y(tick)}" y2="{y(tick)}"/>',
            f'<text class="axis end" x="{left - 6}" y="{y(tick) + 4}">{tick:.0%}</text>',
            f'<text class="axis mid" x="{x(tick)}" y="{top + side + foot + 16}">{tick:.0%}</text>',
        ]
    marks.append(f'<line class="honest" x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}"/>')
    points = " ".join(f"{x(one.probability):.1f},{y(one.accuracy):.1f}" for one in found.bins)
    marks.append(f'<polyline class="curve" points="{points}"/>')
    for one in found.bins:
        said = f"{one.n} answers, {one.probability:.0%} sure, {one.accuracy:.0%} right"
        at, (a, b) = f"{x(one.probability):.1f}", one.interval
        height = foot * one.n / most
        marks.append(
            f"<g><title>{said}</title>"
            f'<line class="span" x1="{at}" x2="{at}" y1="{y(a):.1f}" y2="{y(b):.1f}"/>'
            f'<circle class="dot" cx="{at}" cy="{y(one.accuracy):.1f}" r="4.5"/>'
            f'<rect class="count" x="{x(one.low) + 1:.1f}" y="{top + side + foot - height:.1f}"'
            f' width="{side * (one.high - one.low) - 2:.1f}" height="{height:.1f}"/></g>'
        )
    marks.append(f'<text class="axis mid" x="{x(0.5)}" y="{top + side + foot + 34}">'
                 "how sure it was (grey: how many answers)</text>")  # fmt: skip
    marks.append(f'<text class="axis mid" x="12" y="{y(0.5)}"'
                 f' transform="rotate(-90 12 {y(0.5)})">how often it was right</text>')  # fmt: skip
    said = "; ".join(f"{one.probability:.0%} sure: {one.accuracy:.0%} right" for one in found.bins)
    return svg("chart square", left + side + 24, top + side + foot + 42, marks, said)


def curves_svg(history: Sequence[Mapping[str, float | None]], what: str) -> str:
    """Draw ``loss`` or ``accuracy`` by epoch, on what was learnt from and what was held back."""
    width, height, left, top = 340, 180, 44, 10
    series = {"learnt": what, "held": f"val_{what}"}
    values = [row[key] for key in series.values() for row in history if row.get(key) is not None]
    numbers = np.array(values or [0.0], float)
    high = 1.0 if what == "accuracy" else max(float(numbers.max()), 1e-9)
    last = max(len(history) - 1, 1)
    marks = [f'<rect class="ground" x="{left}" y="{top}" width="{width}" height="{height}"/>']
    for share in (0, 0.5, 1):
        value, at = share * high, top + height * (1 - share)
        shown = f"{value:.0%}" if what == "accuracy" else f"{value:.2g}"
        marks += [f'<line class="grid" x1="{left}" x2="{left + width}" y1="{at}" y2="{at}"/>',
                  f'<text class="axis end" x="{left - 6}" y="{at + 4}">{shown}</text>']  # fmt: skip
    for kind, key in series.items():
        points = " ".join(
            f"{left + width * k / last:.1f},{top + height * (1 - value / high):.1f}"
            for k, value in enumerate(row.get(key) for row in history) if value is not None
        )  # fmt: skip
        marks.append(f'<polyline class="{kind}" points="{points}"/>' if points else "")
    marks.append(f'<text class="axis" x="{left}" y="{top + height + 18}">{what} by epoch, 1 to'
                 f" {len(history)}</text>")  # fmt: skip
    return svg("chart", left + width + 8, top + height + 26, marks, f"{what} by epoch")


def weighed_hand_svg(lost: Mapping[str, float]) -> str:
    """Draw a hand whose fingers are as strong as what they are worth.

    Parameters
    ----------
    lost
        Accuracy lost without each finger.
    """
    most = max(*lost.values(), 1e-9)
    strength = {finger: max(value, 0.0) / most for finger, value in lost.items()}
    said = "A hand; the stronger a finger, the more it is worth"
    return svg("hand weighed-hand", 150, 160, [outline(_OPEN_HAND, strength)], said)


_OPEN_HAND = np.array([
    (72, 148), (50, 134), (34, 114), (22, 98), (10, 84), (49, 84), (44, 58), (41, 42), (38, 27),
    (69, 80), (68, 50), (67, 32), (66, 16), (88, 84), (91, 57), (93, 41), (95, 27), (105, 93),
    (113, 73), (118, 60), (123, 48),
], float)  # fmt: skip
"""An open right hand (21, 2) in pixels, its palm towards us."""
