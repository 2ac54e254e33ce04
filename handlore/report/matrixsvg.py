"""The confusion matrix as SVG, readable for three labels and for a hundred."""

from html import escape

import numpy as np

from handlore.classifiers.evaluation import Scores

from .charts import LETTER, cut, svg

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
