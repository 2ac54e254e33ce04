"""Figures of scores as PNG bytes, for papers."""

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from handlore.landmarks.drawing import PALM, color_at
from handlore.landmarks.hands import FINGERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from handlore.classifiers.evaluation.breakdown import GroupScore, Reliability
    from handlore.classifiers.evaluation.scores import Scores
    from handlore.landmarks.hands import FloatArray, Pixels

    from .findings import Confusion


# Drawing with matplotlib without a display: what all figures share.


DPI = 110
LONGEST_LABEL = 24
BLUE, AMBER, GREEN = "#0b67a3", "#e39a26", "#12806f"
STAGE_COLORS = ("#0b67a3", "#b1730c", "#12806f", "#c02f76", "#7a4bc6", "#6b7885")
FINGER_COLORS = ("#c4541a", "#12806f", "#2a74c4", "#7a4bc6", "#c02f76")
"""Of thumb to pinky; all as on the page."""

FONTS = (
    "DejaVu Sans",
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans Devanagari",
    "Noto Sans Bengali", "Noto Sans Tamil", "Noto Sans Thai", "Noto Sans Ethiopic",
    "Droid Sans Fallback", "WenQuanYi Micro Hei", "Unifont",
    "Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "Nirmala UI", "Leelawadee UI", "Ebrima",
    "Hiragino Sans", "PingFang SC", "Apple SD Gothic Neo", "Kohinoor Devanagari", "Thonburi",
    "Arial Unicode MS",
)  # fmt: skip
"""Looked for in this order, for each character: what Linux, Windows and macOS have for labels in
scripts that matplotlib's own font lacks."""


def hand_on(axes: Any, image: "FloatArray", color: str | None = None, **options: Any) -> None:
    """Draw a hand, and its way if it moves, on axes of matplotlib.

    Parameters
    ----------
    axes
        Of a figure.
    image
        (n_frames, n_hands, 21, 3) landmarks in any unit: x right, y down; NaN for no hand.
    color
        Of all lines; default: a finger a colour.
    options
        For the lines.
    """
    for hand in image.swapaxes(0, 1):
        there = hand[~np.isnan(hand[:, 0, 0])]
        if not len(there):
            continue
        if len(there) > 1:
            way_on(axes, there[:, list(PALM), :2].mean(axis=1))
        points, style = there[-1], {"linewidth": 1.8, "solid_capstyle": "round"} | options
        axes.plot(*points[[0, 5, 9, 13, 17, 0], :2].T, color=color or "#9aa7b2", **style)
        for (finger, joints), own in zip(FINGERS.items(), FINGER_COLORS, strict=True):
            line = points[[0, *joints] if finger == "thumb" else list(joints), :2]
            axes.plot(*line.T, color=color or own, **style)
    axes.set_aspect("equal")
    if not axes.yaxis_inverted():
        axes.invert_yaxis()


def way_on(axes: Any, points: "FloatArray") -> None:
    """Draw a way (n, 2), coloured from its start to its end."""
    from matplotlib.collections import LineCollection

    steps = np.stack([points[:-1], points[1:]], axis=1)
    shares = np.linspace(0, 1, len(steps))
    colors = [np.array(color_at(share)) / 255 for share in shares]
    axes.add_collection(LineCollection(list(steps), colors=colors, linewidths=2.5))
    axes.autoscale_view()


def named_rows(axes: Any, names: "Sequence[str]") -> None:
    """Name the rows of axes, the first on top."""
    axes.set_yticks(range(len(names)), [cut(name) for name in names], fontsize=8)
    for text in axes.get_yticklabels():
        text.set_parse_math(False)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.spines[["top", "right"]].set_visible(False)


def cut(label: str, longest: int = LONGEST_LABEL) -> str:
    """Return a label, with an ellipsis where it is long."""
    return label if len(label) <= longest else label[: longest - 1] + "…"


def figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Any, Any]:
    """Return a new figure, its size in inches, and its axes."""
    # matplotlib.figure instead of pyplot: no global state, no display is ever looked for.
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    return made, made.subplots(rows, columns)


def png(drawn: Any) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    _in_all_scripts(drawn)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A script that no font here has is drawn as boxes; the tables beside show it.
        warnings.simplefilter("ignore", UserWarning)
        drawn.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _in_all_scripts(drawn: Any) -> None:
    """Let every text of a figure take characters that its font lacks from others."""
    from matplotlib.font_manager import fontManager
    from matplotlib.text import Text

    installed = set(fontManager.get_font_names())
    families = [name for name in FONTS if name in installed]
    for text in drawn.findobj(Text):
        text.set_fontfamily(families)


MOST_NUMBERED = 50
"""Up to so many labels, the cells of a confusion matrix carry their numbers."""


def confusion_png(scores: "Scores") -> bytes:
    """Draw a confusion matrix: truth by row, answers by column, shaded by share of the row."""
    matrix = scores.confusion
    n = len(scores.labels)
    side = min(max(4.0, 0.36 * n + 1.6), 18)
    drawn, axes = figure(side, side)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    labels = [cut(label) for label in scores.labels]
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
    return png(drawn)


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
    from handlore.landmarks.hands import HAND_CONNECTIONS

    columns = min(len(pictures), 6)
    rows = -(-len(pictures) // columns)
    drawn, grid = figure(2.0 * columns, 2.25 * rows, rows, columns)
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
    return png(drawn)


def training_png(history: "Sequence[Mapping[str, float | None]]") -> bytes:
    """Draw how training went: loss and accuracy by epoch, on what was learnt and held back.

    Parameters
    ----------
    history
        A row an epoch with ``epoch``, ``loss`` and ``accuracy``; ``val_loss`` and
        ``val_accuracy`` are None where nothing was held back.
    """
    drawn, panels = figure(8.0, 3.0, 1, 2)
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
    return png(drawn)


def classes_png(scores: "Scores") -> bytes:
    """Draw how many there are of each class, and precision, recall and F1 of each."""
    labels, n = list(scores.per_class), len(scores.per_class)
    drawn, (left, right) = figure(9.0, min(max(2.2, 0.26 * n + 1), 24), 1, 2)
    places = np.arange(n)
    left.barh(places, [scores.per_class[label]["support"] for label in labels], color=BLUE)
    left.set_xlabel("items")
    marks = {"precision": "o", "recall": "s", "f1": "D"}
    for (key, mark), color in zip(marks.items(), (BLUE, AMBER, GREEN), strict=True):
        values = [scores.per_class[label][key] for label in labels]
        right.plot(values, places, mark, color=color, label=key, markersize=5, alpha=0.85)
    right.set_xlim(-0.02, 1.02)
    right.legend(frameon=False, fontsize=9, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
    named_rows(left, labels)
    named_rows(right, [""] * n)
    right.grid(axis="x", color="#dddddd", linewidth=0.7)
    return png(drawn)


def reliability_png(found: "Reliability") -> bytes:
    """Draw how often answers are right against how sure they were."""
    drawn, axes = figure(4.2, 4.0)
    axes.plot([0, 1], [0, 1], linestyle="--", color="#888888", linewidth=1)
    sure, right = ([getattr(one, what) for one in found.bins]
                   for what in ("probability", "accuracy"))  # fmt: skip
    axes.plot(sure, right, color=BLUE)
    most = max(one.n for one in found.bins)
    axes.scatter(sure, right, s=[15 + 110 * one.n / most for one in found.bins], color=BLUE)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="how sure it was",
             ylabel="how often it was right")  # fmt: skip
    axes.set_title(f"expected calibration error {found.error:.3f}", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    return png(drawn)


def bars_png(names: "Sequence[str]", values: "Sequence[float]", what: str) -> bytes:
    """Draw a bar a name, the first on top.

    Parameters
    ----------
    names, values
        (n,)
    what
        The values are; stands below.
    """
    drawn, axes = figure(6.0, min(max(1.6, 0.28 * len(names) + 0.9), 24))
    bars = axes.barh(np.arange(len(names)), values, color=BLUE)
    axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=8)
    axes.margins(x=0.12)
    axes.set_xlabel(what)
    named_rows(axes, list(names))
    return png(drawn)


def spans_png(parts: "Sequence[GroupScore]", what: str) -> bytes:
    """Draw the accuracy of each part as a dot on its 95 % interval, the first on top."""
    drawn, axes = figure(6.0, min(max(1.6, 0.28 * len(parts) + 0.9), 24))
    places = np.arange(len(parts))
    low, high = 100 * np.array([part.interval for part in parts]).T
    axes.hlines(places, low, high, color=BLUE, alpha=0.3, linewidth=5)
    axes.plot([100 * part.accuracy for part in parts], places, "o", color=BLUE)
    axes.set_xlabel(f"{what} in %, with 95 % intervals")
    axes.grid(axis="x", color="#dddddd", linewidth=0.7)
    named_rows(axes, [f"{part.name}  ({part.n})" for part in parts])
    return png(drawn)


def mistakes_png(pairs: "Sequence[Confusion]") -> bytes:
    """Draw the worst mistakes: a pair a row, first a typical hand of either label."""
    from .findings import MOST_OF_A_PAIR

    columns = MOST_OF_A_PAIR + 2
    drawn, grid = figure(1.35 * columns, 1.6 * len(pairs), len(pairs), columns)
    for row, pair in zip(np.reshape(grid, (len(pairs), columns)), pairs, strict=True):
        typical = ((pair.typical_truth, pair.truth), (pair.typical_answer, pair.answer))
        wrong = ((one, f"{cut(pair.truth, 8)} → {cut(pair.answer, 8)}") for one in pair.wrong)
        for axes in row:
            axes.set_axis_off()
        for axes, (shown, caption) in zip(row, (*typical, *wrong), strict=False):
            if shown is not None:
                hand_on(axes, shown.image)
                axes.set_title(caption, fontsize=8, parse_math=False)
    return png(drawn)
