"""Drawing with matplotlib without a display: what all figures share."""

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from handlore.capture.drawing.strokes import PALM, color_at
from handlore.landmarks.topology import FINGERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handlore.landmarks.hands import FloatArray

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
