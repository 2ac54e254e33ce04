"""Charts as SVG in the colours of the page, so that light and dark both suit them."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from handlore.classifiers.assessment.reliability import Reliability
from handlore.classifiers.evaluation import Scores

from .handsvg import outline

MOST_NUMBERED = 50
"""Up to so many labels, the cells of a confusion matrix carry their numbers."""

LONGEST_LABEL = 18
_LETTER = 7.0


def cut(label: str, longest: int = LONGEST_LABEL) -> str:
    """Return a label, with an ellipsis where it is long."""
    return label if len(label) <= longest else label[: longest - 1] + "…"


def confusion_svg(scores: Scores) -> str:
    """Draw a confusion matrix: truth by row, answers by column, shaded by share of the row."""
    n = len(scores.labels)
    cell = 26 if n <= MOST_NUMBERED else 12
    labels = [cut(label) for label in scores.labels]
    left = 24 + _LETTER * max(map(len, labels))
    turned = max(map(len, labels)) > 2
    top = left if turned else 40
    width, height = left + n * cell + 4, top + n * cell + 4
    marks = [f'<text class="axis" x="{left:.0f}" y="11">answer →</text>',
             f'<text class="axis" x="0" y="{top - 4:.0f}">truth ↓</text>']  # fmt: skip
    for k, label in enumerate(labels):
        middle = (k + 0.5) * cell
        marks.append(f'<text class="end" x="{left - 6:.0f}" y="{top + middle + 4:.0f}">'
                     f"{escape(label)}</text>")  # fmt: skip
        at = f"{left + middle + (4 if turned else 0):.0f}", f"{top - 6:.0f}"
        turn = f' transform="rotate(-90 {at[0]} {at[1]})"' if turned else ' text-anchor="middle"'
        marks.append(f'<text x="{at[0]}" y="{at[1]}"{turn}>{escape(label)}</text>')
    shares = scores.confusion / np.maximum(scores.confusion.sum(axis=1, keepdims=True), 1)
    marks.append(f'<rect class="ground" x="{left:.0f}" y="{top:.0f}" width="{n * cell}"'
                 f' height="{n * cell}"/>')  # fmt: skip
    for row, column in np.argwhere(scores.confusion).tolist():
        count, share = int(scores.confusion[row, column]), float(shares[row, column])
        x, y = left + column * cell, top + row * cell
        kind = "right" if row == column else "wrong"
        said = f"{scores.labels[row]} taken for {scores.labels[column]}: {count}"
        marks.append(f'<rect class="{kind}" x="{x + 1:.0f}" y="{y + 1:.0f}" width="{cell - 2}"'
                     f' height="{cell - 2}" rx="3" style="fill-opacity:{0.18 + 0.82 * share:.2f}">'
                     f"<title>{escape(said)}</title></rect>")  # fmt: skip
        if n <= MOST_NUMBERED:
            strong = ' class="on"' if share > 0.45 else ""
            marks.append(f'<text{strong} x="{x + cell / 2:.0f}" y="{y + cell / 2 + 4:.0f}"'
                         f' text-anchor="middle">{count}</text>')  # fmt: skip
    return _svg("confusion", width, height, marks, fixed=True)


def reliability_svg(found: Reliability) -> str:
    """Draw how often answers are right against how sure they were; the diagonal is honest."""
    side, left, top = 260, 44, 10
    most = max(one.n for one in found.bins)

    def x(value: float) -> float:
        return left + side * value

    def y(value: float) -> float:
        return top + side * (1 - value)

    marks = [f'<rect class="ground" x="{left}" y="{top}" width="{side}" height="{side}"/>']
    for tick in (0, 0.25, 0.5, 0.75, 1):
        marks += [
            f'<line class="grid" x1="{x(0)}" x2="{x(1)}" y1="{y(tick)}" y2="{y(tick)}"/>',
            f'<text class="end" x="{left - 6}" y="{y(tick) + 4}">{tick:.0%}</text>',
            f'<text x="{x(tick)}" y="{top + side + 16}" text-anchor="middle">{tick:.0%}</text>',
        ]
    marks.append(f'<line class="honest" x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}"/>')
    line = " ".join(f"{x(one.probability):.1f},{y(one.accuracy):.1f}" for one in found.bins)
    marks.append(f'<polyline class="curve" points="{line}"/>')
    for one in found.bins:
        said = f"{one.n} answers, {one.probability:.0%} sure, {one.accuracy:.0%} right"
        marks.append(f'<circle class="dot" cx="{x(one.probability):.1f}" cy="{y(one.accuracy):.1f}"'
                     f' r="{3 + 6 * np.sqrt(one.n / most):.1f}"><title>{said}</title></circle>'
                     )  # fmt: skip
    marks.append(f'<text class="axis" x="{x(0.5)}" y="{top + side + 34}" text-anchor="middle">'
                 "how sure it was</text>")  # fmt: skip
    marks.append(f'<text class="axis" x="12" y="{y(0.5)}" text-anchor="middle"'
                 f' transform="rotate(-90 12 {y(0.5)})">how often it was right</text>')  # fmt: skip
    return _svg("chart", left + side + 12, top + side + 42, marks)


def curves_svg(history: Sequence[Mapping[str, float | None]], what: str) -> str:
    """Draw ``loss`` or ``accuracy`` by epoch, on what was learnt from and what was held back."""
    width, height, left, top = 340, 180, 44, 10
    series = {"learnt": what, "held": f"val_{what}"}
    values = [row[key] for key in series.values() for row in history if row.get(key) is not None]
    numbers = np.array(values or [0.0], float)
    low, high = (0.0, max(float(numbers.max()), 1e-9))
    last = max(len(history) - 1, 1)
    marks = [f'<rect class="ground" x="{left}" y="{top}" width="{width}" height="{height}"/>']
    for share in (0, 0.5, 1):
        value, at = low + share * (high - low), top + height * (1 - share)
        marks += [f'<line class="grid" x1="{left}" x2="{left + width}" y1="{at}" y2="{at}"/>',
                  f'<text class="end" x="{left - 6}" y="{at + 4}">{value:.2g}</text>']  # fmt: skip
    for kind, key in series.items():
        points = " ".join(
            f"{left + width * k / last:.1f},{top + height * (1 - (v - low) / (high - low)):.1f}"
            for k, v in enumerate(row.get(key) for row in history) if v is not None
        )  # fmt: skip
        marks.append(f'<polyline class="{kind}" points="{points}"/>' if points else "")
    marks.append(f'<text class="axis" x="{left}" y="{top + height + 18}">{what} by epoch, 1 to'
                 f" {len(history)}</text>")  # fmt: skip
    return _svg("chart", left + width + 8, top + height + 26, marks)


def weighed_hand_svg(lost: Mapping[str, float]) -> str:
    """Draw a hand whose fingers are as strong as what they are worth.

    Parameters
    ----------
    lost
        Accuracy lost without each finger.
    """
    most = max(*lost.values(), 1e-9)
    strength = {finger: max(value, 0.0) / most for finger, value in lost.items()}
    return _svg("hand weighed-hand", 150, 160, [outline(_OPEN_HAND, strength)])


_OPEN_HAND = np.array([
    (72, 148), (50, 134), (34, 114), (22, 98), (10, 84), (49, 84), (44, 58), (41, 42), (38, 27),
    (69, 80), (68, 50), (67, 32), (66, 16), (88, 84), (91, 57), (93, 41), (95, 27), (105, 93),
    (113, 73), (118, 60), (123, 48),
], float)  # fmt: skip
"""An open right hand (21, 2) in pixels, its palm towards us."""


def _svg(
    kind: str, width: float, height: float, marks: Sequence[str], *, fixed: bool = False
) -> str:
    size = f' width="{width:.0f}" height="{height:.0f}"' if fixed else ""
    return (
        f'<svg class="{kind}" viewBox="0 0 {width:.0f} {height:.0f}"{size} role="img">'
        f"{''.join(marks)}</svg>"
    )
