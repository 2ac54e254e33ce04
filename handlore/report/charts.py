"""Charts of scores and of data, each drawn once for the page and for papers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from unicodedata import east_asian_width

import numpy as np
from numpy.typing import NDArray

from handlore.classifiers.evaluation.breakdown import GroupScore, Reliability
from handlore.classifiers.evaluation.scores import Scores
from handlore.landmarks.hands import FloatArray

from .drawing import FONT_SIZE, HAND_SIZE, Drawing, cut

_ROW = 22
"""Height of a row of a chart, in pixels."""
_MOST_NUMBERED = 50
"""A matrix of more labels has no numbers in its cells."""
_FEW, _SOME = 10, 30
_MEDIUM, _STRONG = 0.4, 0.8
"""From these shares on, numbers in a cell change their colour (dark page, light page)."""


def interval_chart(parts: Sequence[GroupScore], title: str) -> Drawing:
    """Draw the accuracy of each part as a dot on its 95 % interval, one a row.

    The scale ends at 100 % and starts where the widest interval needs it to.
    """
    start = floor(10 * min(part.interval[0] for part in parts)) / 10
    left, width, top = _name_width(part.name for part in parts), 250.0, 24

    def x(value: float) -> float:
        return left + width * (value - start) / (1 - start)

    drawn = Drawing(left + width + 112, top + _ROW * len(parts) + 4, title)
    step = 0.1 if start >= 0.6 else 0.25 if start < 0.3 else 0.2
    for tick in np.arange(1, start - 1e-9, -step).tolist():
        drawn.line("grid", [(x(tick), top), (x(tick), drawn.height - 4)])
        drawn.text(f"{tick:.0%}", x(tick), top - 12, anchor="middle")
    for place, part in enumerate(parts):
        y, (low, high) = top + _ROW * (place + 0.5), part.interval
        right = f"{part.name}: {part.n_right} of {part.n} right"
        with drawn.titled(f"{right}, 95 % interval {low:.1%} to {high:.1%}"):
            drawn.text(cut(part.name), left - 10, y, "label", anchor="end")
            drawn.line("interval", [(x(low), y), (x(high), y)])
            drawn.dot("dot", x(part.accuracy), y)
            drawn.text(f"{100 * part.accuracy:.1f} %", left + width + 12, y, "label")
            drawn.text(f"of {part.n}", left + width + 62, y)
    return drawn


def _name_width(names: Iterable[str]) -> float:
    return 20 + max(_text_width(cut(name)) for name in names)


def _legend(drawn: Drawing, names: Mapping[str, str], left: float) -> None:
    """Explain styles at the top: a square of each and its name."""
    for style, name in names.items():
        drawn.box(style, (left, 7), 10, 10)
        drawn.text(name, left + 16, 12)
        left += _legend_width([name])


def _legend_width(names: Iterable[str]) -> float:
    return sum(36 + _text_width(name) for name in names)


def reliability_chart(found: Reliability) -> Drawing:
    """Draw how often answers are right by their probability; on the diagonal both are equal.

    Bars below show how many answers there are of each probability.
    """
    side, left, top, foot = 240, 56, 10, 34
    most = max(one.n for one in found.bins)

    def x(value: float) -> float:
        return left + side * value

    def y(value: float) -> float:
        return top + side * (1 - value)

    points = [(one.probability, one.accuracy) for one in found.bins]
    title = "; ".join(f"probability {p:.0%}: {right:.0%} right" for p, right in points)
    bottom = top + side + foot
    drawn = Drawing(left + side + 24, bottom + 42, title)
    drawn.box("panel", (left, top), side, side)
    for tick in (0, 0.25, 0.5, 0.75, 1):
        drawn.line("grid", [(x(0), y(tick)), (x(1), y(tick))])
        drawn.text(f"{tick:.0%}", left - 6, y(tick), anchor="end")
        drawn.text(f"{tick:.0%}", x(tick), bottom + 12, anchor="middle")
    drawn.line("diagonal", [(x(0), y(0)), (x(1), y(1))])
    drawn.line("curve0", [(x(p), y(right)) for p, right in points])
    for one in found.bins:
        (low, high), at, count = one.interval, x(one.probability), foot * one.n / most
        shares = f"probability {one.probability:.0%}, {one.accuracy:.0%} right"
        with drawn.titled(f"{one.n} answers, {shares}"):
            drawn.line("interval", [(at, y(low)), (at, y(high))])
            drawn.dot("dot", at, y(one.accuracy))
            width = side * (one.high - one.low) - 2
            drawn.box("count", (x(one.low) + 1, bottom - count), width, count)
    words = "probability (grey: number of answers)"
    drawn.text(words, x(0.5), bottom + 30, anchor="middle")
    drawn.text("share of right answers", 10, y(0.5), anchor="middle", turned=True)
    return drawn


def training_chart(history: Sequence[Mapping[str, float | None]]) -> Drawing:
    """Draw loss and accuracy by epoch, on training data and on validation data.

    The history has a row an epoch with ``loss`` and ``accuracy``; ``val_loss`` and ``val_accuracy``
    are None where nothing was held out.
    """
    width, height, left = 340, 150, 44
    drawn = Drawing(left + width + 12, 2 * (height + 40) + 20, "Loss and accuracy by epoch")
    _legend(drawn, {"s0": "training data", "s1": "validation data"}, left)
    last = max(len(history) - 1, 1)
    for top, what in ((26, "loss"), (66 + height, "accuracy")):
        curves = [[row.get(key) for row in history] for key in (what, f"val_{what}")]
        known = [value for curve in curves for value in curve if value is not None]
        high = 1.0 if what == "accuracy" else max([*known, 1e-9])
        drawn.box("panel", (left, top), width, height)
        for share in (0, 0.5, 1):
            y, value = top + height * (1 - share), share * high
            drawn.line("grid", [(left, y), (left + width, y)])
            shown = f"{value:.0%}" if what == "accuracy" else f"{value:.2g}"
            drawn.text(shown, left - 6, y, anchor="end")
        for number, curve in enumerate(curves):
            points = [
                (left + width * epoch / last, top + height * (1 - value / high))
                for epoch, value in enumerate(curve)
                if value is not None
            ]
            if points:
                drawn.line(f"curve{number}", points)
        drawn.text(f"{what} by epoch, 1 to {len(history)}", left, top + height + 14)
    return drawn


@dataclass(frozen=True)
class BarRow:
    """A row of a bar chart: stacked lengths by style, and a text beside the bar."""

    name: str
    lengths: Mapping[str, float]
    text: str


def bar_chart(
    rows: Sequence[BarRow], unit: str, title: str, legend: Mapping[str, str] | None = None
) -> Drawing:
    """Draw a bar a row, the first on top and the longest as wide as the chart.

    ``unit`` is written below; ``legend`` names the styles if there are several.
    """
    names = legend or {}
    left, top = _name_width(row.name for row in rows), 28 if names else 8
    width = max(360.0, _text_width(unit) - 60, _legend_width(names.values()) - 60)
    drawn = Drawing(left + width + 60, top + _ROW * len(rows) + 22, title)
    _legend(drawn, names, left)
    longest = max([1e-9, *(sum(row.lengths.values()) for row in rows)])
    for place, row in enumerate(rows):
        y, x = top + _ROW * (place + 0.5), left
        drawn.text(cut(row.name), left - 10, y, "label", anchor="end")
        for style, length in row.lengths.items():
            # Negative where by chance accuracy rose without a part of the hand.
            wide = width * max(length, 0) / longest
            drawn.box(style, (x, y - 7), wide, 14)
            x += wide
        drawn.text(row.text, x + 6, y)
    drawn.text(unit, left, drawn.height - 12)
    return drawn


def class_chart(scores: Scores) -> Drawing:
    """Draw how many items there are of each class, and its precision, recall and F1."""
    left, width, top = _name_width(scores.per_class), 200.0, 30
    start, bottom = left + width + 50, top + _ROW * len(scores.per_class)
    drawn = Drawing(start + width + 20, bottom + 22, "Precision, recall and F1 of each class")
    measures = {"s0": "precision", "s1": "recall", "s2": "F1"}
    _legend(drawn, measures, drawn.width - _legend_width(measures.values()))
    for share in (0, 0.5, 1):
        x = start + share * width
        drawn.line("grid", [(x, top), (x, bottom)])
        drawn.text(f"{share:g}", x, bottom + 12, anchor="middle")
    most = max(row["support"] for row in scores.per_class.values())
    for place, (label, row) in enumerate(scores.per_class.items()):
        y, wide = top + _ROW * (place + 0.5), width * row["support"] / most
        drawn.text(cut(label), left - 10, y, "label", anchor="end")
        drawn.box("count", (left, y - 7), wide, 14)
        drawn.text(f"{row['support']:.0f}", left + wide + 6, y)
        for style, measure in measures.items():
            drawn.dot(style, start + width * row[measure.lower()], y)
    drawn.text("items", left, bottom + 12)
    return drawn


def confusion_chart(scores: Scores) -> Drawing:
    """Draw a confusion matrix: truth by row, answers by column, shaded by share of the row."""
    shares = scores.confusion / np.maximum(scores.confusion.sum(axis=1, keepdims=True), 1)
    title = f"Confusion matrix of {len(scores.labels)} labels; the table of classes has the numbers"
    names = scores.labels, scores.labels
    return matrix_chart(names, scores.confusion, shares, ("truth", "answer"), title)


def matrix_chart(
    names: tuple[Sequence[str], Sequence[str]],
    counts: NDArray[np.int64],
    shares: NDArray[np.float64],
    axes: tuple[str, str],
    title: str,
) -> Drawing:
    """Draw a matrix of counts (n_rows, n_columns), a cell as strong as its share, 0 to 1.

    If rows and columns have the same names, cells off the diagonal are errors; ``axes`` says what
    rows and columns are.
    """
    rows, columns = ([cut(name) for name in side] for side in names)
    most = max(len(rows), len(columns))
    cell = 44 if most <= _FEW else 28 if most <= _SOME else 24 if most <= _MOST_NUMBERED else 13
    longest = max(map(_text_width, columns))
    turned = longest > cell - 4
    left = max(52, 26 + max(map(_text_width, rows)))
    top = 24 + longest if turned else 38.0
    drawn = Drawing(left + cell * len(columns) + 14, top + cell * len(rows) + 4, title)
    drawn.box("panel", (left, top), cell * len(columns), cell * len(rows))
    drawn.text(f"{axes[1]} →", left, 7)
    drawn.text(f"{axes[0]} ↓", 0, top - 10)
    for place, name in enumerate(rows):
        drawn.text(name, left - 6, top + (place + 0.5) * cell, "label", anchor="end")
    for place, name in enumerate(columns):
        x, y = left + (place + 0.5) * cell, top - (6 if turned else 10)
        anchor = "start" if turned else "middle"
        drawn.text(name, x, y, "label", anchor=anchor, turned=turned)
    same = list(names[0]) == list(names[1])
    # Empty cells are numbered, too, where they are combinations that the data lacks.
    for row, column in np.argwhere(counts if same else counts >= 0).tolist():
        share, count = float(shares[row, column]), int(counts[row, column])
        corner = left + column * cell + 1, top + row * cell + 1
        verb = " answered as " if same else ", "
        with drawn.titled(f"{names[0][row]}{verb}{names[1][column]}: {count} ({share:.0%})"):
            style = "wrong" if same and row != column else "right"
            drawn.box(style, corner, cell - 2, cell - 2, 0.2 + 0.8 * share if count else 0)
        if most <= _MOST_NUMBERED:
            x, y = (place + cell / 2 - 1 for place in corner)
            drawn.text(str(count), x, y, _ink(share) if count else "zero", anchor="middle")
    return drawn


def _ink(share: float) -> str:
    return "on-strong" if share > _STRONG else "on-medium" if share > _MEDIUM else "label"


@dataclass(frozen=True)
class HandTile:
    """A hand with a caption."""

    caption: str
    image: FloatArray
    """(n_frames, n_hands, 21, 3) landmarks in any unit: x right, y down; NaN for no hand."""
    examples: Sequence[FloatArray] = ()
    """Other hands drawn thin below it, each as ``image``."""


def hand_grid(rows: Sequence[Sequence[HandTile]], title: str) -> Drawing:
    """Draw hands in rows, with their captions above."""
    gap, caption = 12, 22
    row_height = HAND_SIZE + caption + gap
    columns = max(map(len, rows))
    drawn = Drawing(columns * (HAND_SIZE + gap) + gap, len(rows) * row_height + gap, title)
    for row, tiles in enumerate(rows):
        for column, tile in enumerate(tiles):
            x, y = gap + column * (HAND_SIZE + gap), gap + row * row_height
            drawn.text(tile.caption, x + HAND_SIZE / 2, y + 8, "label", anchor="middle")
            drawn.hand(tile.image, (x, y + caption), tile.examples)
    return drawn


_LETTER = 6.6
"""Width of a letter in pixels, on average and a little more."""


def _text_width(text: str) -> float:
    """Return about how wide a text is, in pixels."""
    return sum(FONT_SIZE + 1 if east_asian_width(sign) in "WF" else _LETTER for sign in text)
