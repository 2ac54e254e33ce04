"""Plots of a dataset as PNG bytes: what there is, where hands were found, how classes look."""

from typing import Any

import numpy as np

from handlore.classifiers.evaluation.breakdown import DetectionRate, detection_rates
from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.drawing import PALM
from handlore.landmarks.hands import FloatArray

from .contactsheet import contact_sheet_png, tiles_of
from .figures import BLUE, STAGE_COLORS, cut, figure, hand_on, named_rows, png
from .findings import aligned_hands, mean_hand, stage_name

ALWAYS = frozenset({"labels.png", "yield.png", "contact-sheet.png"})
PLOTS = ALWAYS | {"people.png", "hands.png", "paths.png"}
"""Every plot that a dataset may have; some are drawn of any."""

MOST_EXAMPLES = 40
"""So many samples of a label are drawn, pale, behind its mean."""

MOST_GROUPS = 40
"""With more people than that, a table of labels and people cannot be read."""

_COLUMNS = 6
GREY = "#c9d1d9"


def data_plots(dataset: LandmarkDataset, title: str) -> dict[str, bytes]:
    """Draw a dataset; return PNG files by name.

    Parameters
    ----------
    dataset
        Poses or movements.
    title
        Stands above the contact sheet.
    """
    found = detection_rates(dataset)
    files = {"labels.png": labels_png(found, dataset), "yield.png": yield_png(found)}
    groups = set(dataset.samples.group.tolist())
    if 1 < len(groups) <= MOST_GROUPS:
        files["people.png"] = people_png(dataset)
    aligned = aligned_hands(dataset)
    if aligned:
        name = "paths.png" if dataset.header.kind == "sequence" else "hands.png"
        files[name] = classes_drawn_png(dict(aligned))
    return files | {"contact-sheet.png": contact_sheet_png(tiles_of(dataset), title)}


def labels_png(found: list[DetectionRate], dataset: LandmarkDataset) -> bytes:
    """Draw how many items there are of each label, and in how many a hand was found."""
    drawn, axes = figure(7.0, _height(len(found)))
    places, n = np.arange(len(found)), [one.n for one in found]
    axes.barh(places, n, color=GREY, label="no hand found")
    axes.barh(places, [one.n_found for one in found], color=BLUE, label="with a hand")
    for place, one in enumerate(found):
        axes.text(one.n, place, f" {one.n}", va="center", fontsize=8, color="#55677a")
    axes.margins(x=0.1)
    axes.set_xlabel("pictures" if dataset.header.kind == "pose" else "clips")
    if sum(n) > sum(one.n_found for one in found):
        _legend(axes)
    named_rows(axes, [one.label for one in found])
    return png(drawn)


def yield_png(found: list[DetectionRate]) -> bytes:
    """Draw in which share of each label a hand was found, by search stage."""
    drawn, axes = figure(7.0, _height(len(found)) + 0.3)
    places, left = np.arange(len(found)), np.zeros(len(found))
    n = np.array([one.n for one in found])
    for number, stage in enumerate(sorted({stage for one in found for stage in one.by_stage})):
        shares = 100 * np.array([one.by_stage.get(stage, 0) for one in found]) / n
        color = STAGE_COLORS[min(number, len(STAGE_COLORS) - 1)]
        axes.barh(places, shares, left=left, color=color, label=stage_name(stage))
        left = left + shares
    for place, share in enumerate(left):
        axes.text(101, place, f"{share:.1f}", va="center", fontsize=8, color="#55677a")
    axes.set(xlim=(0, 109), xlabel="hand found, in % of the label's items, by search stage")
    _legend(axes)
    named_rows(axes, [one.label for one in found])
    return png(drawn)


def people_png(dataset: LandmarkDataset) -> bytes:
    """Draw how many items there are of each label and group."""
    own = dataset.samples.view == 0
    labels, row = np.unique(dataset.samples.label[own], return_inverse=True)
    groups, column = np.unique(dataset.samples.group[own], return_inverse=True)
    counts = np.zeros((len(labels), len(groups)), int)
    np.add.at(counts, (row, column), 1)
    drawn, axes = figure(2.2 + 0.36 * len(groups), _height(len(labels)) + 0.6)
    axes.imshow(counts, cmap="Blues", vmin=0, aspect="auto")
    axes.set_xticks(range(len(groups)), [cut(g) or "(unknown)" for g in groups.tolist()],
                    rotation=90, fontsize=8)  # fmt: skip
    for text in axes.get_xticklabels():
        text.set_parse_math(False)
    for place in np.ndindex(counts.shape):
        shade = "white" if counts[place] > 0.6 * counts.max() else "#33414d"
        axes.text(place[1], place[0], counts[place], ha="center", va="center", fontsize=7,
                  color=shade if counts[place] else "#c53f1d")  # fmt: skip
    named_rows(axes, labels.tolist())
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.spines[:].set_visible(False)
    return png(drawn)


def classes_drawn_png(aligned: dict[str, FloatArray]) -> bytes:
    """Draw the mean of each label over its samples: a hand, or the way that it takes.

    Parameters
    ----------
    aligned
        By label, see :func:`~.typical.aligned_hands`.
    """
    columns = min(_COLUMNS, len(aligned))
    rows = -(-len(aligned) // columns)
    drawn, grid = figure(1.9 * columns, 2.1 * rows, rows, columns)
    for axes in np.ravel(grid):
        axes.set_axis_off()
    for axes, (label, hands) in zip(np.ravel(grid), aligned.items(), strict=False):
        axes.set_title(f"{cut(label, 18)} ({len(hands)})", fontsize=9, parse_math=False)
        for one in hands[:: -(-len(hands) // MOST_EXAMPLES)]:
            _faintly(axes, one)
        hand_on(axes, mean_hand(hands))
    return png(drawn)


def _faintly(axes: Any, hand: FloatArray) -> None:
    """Draw one sample, pale: the outline of a pose, the way of a movement."""
    for slot in range(hand.shape[1]):
        if np.isnan(hand[0, slot, 0, 0]):
            continue
        if len(hand) > 1:
            axes.plot(*hand[:, slot, list(PALM), :2].mean(axis=1).T, color=BLUE, alpha=0.25,
                      linewidth=0.8)  # fmt: skip
        else:
            hand_on(axes, hand[:, slot : slot + 1], GREY, linewidth=0.6, alpha=0.6)


def _legend(axes: Any) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=8, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))


def _height(n: int) -> float:
    return min(max(1.6, 0.26 * n + 0.9), 40)
