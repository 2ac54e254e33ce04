"""Figures as PNG bytes, drawn with matplotlib without a display."""

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from handlore.classifiers.evaluation import Scores
    from handlore.landmarks.hands import FloatArray, Pixels

DPI = 110
LONGEST_LABEL = 24
MOST_NUMBERED = 50
"""Up to so many labels, the cells of a confusion matrix carry their numbers."""


def confusion_png(scores: "Scores") -> bytes:
    """Draw a confusion matrix: truth by row, answers by column, shaded by share of the row."""
    matrix = scores.confusion
    n = len(scores.labels)
    side = min(max(4.0, 0.36 * n + 1.6), 18)
    figure, axes = _figure(side, side)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    labels = [_cut(label) for label in scores.labels]
    axes.set_xticks(range(n), labels, rotation=90 if n > 8 or max(map(len, labels)) > 8 else 0)
    axes.set_yticks(range(n), labels)
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set_parse_math(False)
    axes.set_xlabel("answer")
    axes.set_ylabel("truth")
    axes.tick_params(labelsize=9, length=0)
    axes.spines[:].set_visible(False)
    if n <= MOST_NUMBERED:
        for row, column in np.argwhere(matrix):
            shade = "white" if shares[row, column] > 0.5 else "#333333"
            axes.text(column, row, matrix[row, column], ha="center", va="center",
                      fontsize=8, color=shade)  # fmt: skip
    return _png(figure)


def hands_png(
    pictures: "Sequence[Pixels]", hands: "Sequence[FloatArray | None]", captions: "Sequence[str]"
) -> bytes:
    """Draw pictures in a row of tiles with their landmarks over them.

    Parameters
    ----------
    pictures
        (height, width, 3) RGB each.
    hands
        (21, 3) image landmarks in image widths for each picture, None where there is no hand.
    captions
        A line under each.
    """
    from handlore.landmarks.topology import HAND_CONNECTIONS

    columns = min(len(pictures), 6)
    rows = -(-len(pictures) // columns)
    figure, grid = _figure(2.0 * columns, 2.25 * rows, rows, columns)
    for axes in np.ravel(grid):
        axes.set_axis_off()
    for axes, picture, hand, caption in zip(
        np.ravel(grid), pictures, hands, captions, strict=False
    ):
        axes.imshow(picture)
        axes.set_title(caption, fontsize=9, y=-0.14, parse_math=False)
        if hand is not None:
            points = hand[:, :2] * picture.shape[1]
            for a, b in HAND_CONNECTIONS:
                axes.plot(*points[[a, b]].T, color="#19d3a2", linewidth=1.6)
            axes.scatter(*points.T, s=8, color="#ff5d73", zorder=3)
    return _png(figure)


def training_png(history: "Sequence[Mapping[str, float | None]]") -> bytes:
    """Draw how training went: loss and accuracy by epoch, on what was learnt and held back.

    Parameters
    ----------
    history
        A row an epoch with ``epoch``, ``loss`` and ``accuracy``; ``val_loss`` and
        ``val_accuracy`` are None where nothing was held back.
    """
    figure, panels = _figure(8.0, 3.0, 1, 2)
    epochs = [row["epoch"] for row in history]
    for axes, what in zip(panels, ("loss", "accuracy"), strict=True):
        for name, key in (("learnt from", what), ("held back", f"val_{what}")):
            values = [row.get(key) for row in history]
            if any(value is not None for value in values):
                axes.plot(epochs, [np.nan if v is None else v for v in values], label=name)
        axes.set_xlabel("epoch")
        axes.set_ylabel(what)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=9)
    return _png(figure)


def _cut(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def _figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Any, Any]:
    # matplotlib.figure instead of pyplot: no global state, no display is ever looked for.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    return figure, figure.subplots(rows, columns)


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A script that the font does not have is drawn as boxes; the tables beside show it.
        warnings.simplefilter("ignore", UserWarning)
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
