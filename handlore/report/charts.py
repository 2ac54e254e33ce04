"""Charts as SVG in the colours of the page, so that light and dark both suit them."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from math import floor

import numpy as np
from numpy.typing import NDArray

from handlore.classifiers.evaluation.breakdown import GroupScore, Reliability
from handlore.classifiers.evaluation.scores import Scores
from handlore.landmarks.drawing import PALM
from handlore.landmarks.hands import FINGERS, FloatArray

# Hands as SVG, drawn from landmarks alone: a finger a colour, movements with their way.


Points = NDArray[np.float64]
SIZE = 112
_MARGIN = 10
_LEAST = 1.7
"""A drawing shows at least so many palm lengths."""

_MOST_POINTS = 60


def hand_svg(image: FloatArray, title: str = "", size: int = SIZE) -> str:
    """Draw a pose, or the way of a movement and the hand at its end.

    Parameters
    ----------
    image
        (n_frames, n_hands, 21, 3) landmarks in any unit: x right, y down; NaN for no hand.
    title
        What it is; is shown where the pointer rests.
    size
        Width and height.
    """
    seen = ~np.isnan(image[..., 0, 0])
    inside, hidden = (
        (f"<title>{escape(title)}</title>", 'role="img"') if title else ("", 'aria-hidden="true"')
    )
    if seen.any():
        points = _fitted(image[..., :2], size)
        for slot in np.flatnonzero(seen.any(axis=0)).tolist():
            there = points[seen[:, slot], slot]
            inside += way(there[:, PALM].mean(axis=1)) if len(there) > 1 else ""
            inside += outline(there[-1])
    return f'<svg class="hand" viewBox="0 0 {size} {size}" {hidden}>{inside}</svg>'


def _fitted(points: FloatArray, size: int) -> Points:
    """Return landmarks (..., 21, 2) in pixels of a square that they fill, a fist not quite."""
    palms = np.linalg.norm(points[..., 9, :] - points[..., 0, :], axis=-1)
    low, high = np.nanmin(points, axis=(0, 1, 2)), np.nanmax(points, axis=(0, 1, 2))
    extent = max(*(high - low).tolist(), _LEAST * float(np.nanmedian(palms)), 1e-9)
    pixels: Points = (points - (low + high) / 2) * (size - 2 * _MARGIN) / extent + size / 2
    return pixels


def outline(points: Points, strength: Mapping[str, float] | None = None) -> str:
    """Return the strokes of one hand (21, 2) in pixels.

    With ``strength``, 0 to 1 by finger, fingers are as strong in one colour as that says.
    """
    palm = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points[list(PALM)]) + "Z"
    strokes = f'<path class="palm" d="{palm}"/>'
    for finger, landmarks in FINGERS.items():
        joints = [0, *landmarks] if finger == "thumb" else list(landmarks)
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points[joints])
        if strength is None:
            strokes += f'<polyline class="{finger}" points="{line}"/>'
        else:
            faint = f'style="stroke-opacity:{0.12 + 0.88 * strength[finger]:.2f}"'
            strokes += f'<polyline class="weighed" {faint} points="{line}"/>'
    return strokes


def way(points: Points) -> str:
    """Return the way (n, 2) of a hand, faint at its start."""
    points = points[:: -(-len(points) // _MOST_POINTS)]
    last = max(len(points) - 2, 1)
    lines = (
        f'<line class="way" style="stroke-opacity:{0.15 + 0.75 * k / last:.2f}" x1="{a[0]:.1f}"'
        f' y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}"/>'
        for k, (a, b) in enumerate(pairwise(points))
    )
    return "".join(lines)


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


def spans_svg(parts: Sequence[GroupScore], what: str) -> str:
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


# The confusion matrix as SVG, readable for three labels and for a hundred.


MOST_NUMBERED = 50
"""Up to so many labels, the cells carry their numbers."""

_FEW, _SOME = 10, 30
_MIDDLE, _STRONG = 0.4, 0.8
"""From which shares on numbers are set in another colour, on dark and on light pages."""


def confusion_svg(scores: Scores) -> str:
    """Draw a confusion matrix: truth by row, answers by column, shaded by share of the row."""
    n = len(scores.labels)
    cell = 44 if n <= _FEW else 28 if n <= _SOME else 24 if n <= MOST_NUMBERED else 13
    labels = [cut(label) for label in scores.labels]
    longest = max(map(len, labels))
    turned = longest * LETTER > cell - 4
    left, top = 26 + LETTER * longest, 24 + LETTER * longest if turned else 38.0
    # Labels that are turned lean out to the right of the last column.
    width, height = left + n * cell + 14, top + n * cell + 4
    marks = [
        f'<rect class="ground" x="{left:.0f}" y="{top:.0f}" width="{n * cell}"'
        f' height="{n * cell}"/>',
        f'<text class="axis" x="{left:.0f}" y="11">answer →</text>',
        f'<text class="axis" x="0" y="{top - 6:.0f}">truth ↓</text>',
    ]
    for place, label in enumerate(labels):
        marks += _names(escape(label), place, cell, left, top, turned=turned)
    shares = scores.confusion / np.maximum(scores.confusion.sum(axis=1, keepdims=True), 1)
    for row, column in np.argwhere(scores.confusion).tolist():
        at = left + column * cell, top + row * cell
        marks.append(_cell(scores, row, column, float(shares[row, column]), at, cell))
    said = f"Confusion matrix of {n} labels; the table of classes says the same in numbers"
    return svg("confusion", width, height, marks, said, fixed=True)


def _names(
    label: str, place: int, cell: int, left: float, top: float, *, turned: bool
) -> tuple[str, str]:
    middle = (place + 0.5) * cell
    row = f'<text class="end" x="{left - 6:.0f}" y="{top + middle + 4:.0f}">{label}</text>'
    x, y = left + middle, top - 6
    if not turned:
        return row, f'<text class="mid" x="{x:.0f}" y="{y:.0f}">{label}</text>'
    turn = f'transform="rotate(-90 {x + 4:.0f} {y:.0f})"'
    return row, f'<text x="{x + 4:.0f}" y="{y:.0f}" {turn}>{label}</text>'


def _cell(
    scores: Scores, row: int, column: int, share: float, at: tuple[float, float], cell: int
) -> str:
    count, (x, y) = int(scores.confusion[row, column]), at
    kind = "right" if row == column else "wrong"
    said = f"{scores.labels[row]} taken for {scores.labels[column]}: {count} ({share:.0%})"
    mark = (
        f'<rect class="{kind}" x="{x + 1:.0f}" y="{y + 1:.0f}" width="{cell - 2}"'
        f' height="{cell - 2}" rx="3" style="fill-opacity:{0.2 + 0.8 * share:.2f}">'
        f"<title>{escape(said)}</title></rect>"
    )
    if len(scores.labels) > MOST_NUMBERED:
        return mark
    strong = " on" if share > _STRONG else " between" if share > _MIDDLE else ""
    return (
        f'{mark}<text class="mid{strong}" x="{x + cell / 2:.0f}" y="{y + cell / 2 + 4:.0f}"'
        f' pointer-events="none">{count}</text>'
    )
