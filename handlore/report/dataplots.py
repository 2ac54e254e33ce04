"""Plots of a dataset as PNG: its labels, where hands were found, its people, how labels look."""

from pathlib import Path

import numpy as np

from handlore.classifiers.evaluation.breakdown import DetectionRate, detection_rates
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.loading import KIND_NAMES, load_recordings
from handlore.datasets.recording_files import is_recordings
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.files import atomic_write
from handlore.landmarks.hands import FloatArray

from .charts import BarRow, HandTile, bar_chart, hand_grid, matrix_chart
from .contactsheet import contact_sheet_png, tiles_of
from .drawing import Drawing, cut, png
from .findings import aligned_hands, mean_hand, stage_name

ALWAYS = frozenset({"labels.png", "yield.png", "contact-sheet.png"})
_PLOTS = ALWAYS | {"people.png", "hands.png", "paths.png"}
"""Every plot that a dataset may have; those in ALWAYS are drawn of any."""
_MOST_EXAMPLES = 40
"""Samples of a label that are drawn, thin, below its mean."""
_MOST_GROUPS = 40
"""A table of labels and more people than this cannot be read."""
_COLUMNS = 6


def _data_plots(dataset: LandmarkDataset, title: str) -> dict[str, bytes]:
    """Draw a dataset; return PNG files by name. The title is that of the contact sheet."""
    found = detection_rates(dataset)
    items = "pictures" if dataset.header.kind == "pose" else "clips"
    drawn = {"labels.png": _label_chart(found, items), "yield.png": detection_chart(found)}
    groups = set(dataset.samples.group.tolist())
    if 1 < len(groups) <= _MOST_GROUPS:
        drawn["people.png"] = _people_chart(dataset)
    aligned = aligned_hands(dataset)
    if aligned:
        name = "paths.png" if dataset.header.kind == "sequence" else "hands.png"
        drawn[name] = _mean_chart(dict(aligned))
    files = {name: png(one) for name, one in drawn.items()}
    return files | {"contact-sheet.png": contact_sheet_png(tiles_of(dataset), title)}


def _label_chart(found: list[DetectionRate], items: str) -> Drawing:
    rows = [
        BarRow(one.label, {"s0": one.n_found, "count": one.n - one.n_found}, str(one.n))
        for one in found
    ]
    legend = {"s0": "with a hand", "count": "no hand found"}
    complete = all(one.n == one.n_found for one in found)
    return bar_chart(rows, items, "Items of each label", None if complete else legend)


def detection_chart(found: list[DetectionRate]) -> Drawing:
    """Draw in which share of each label a hand was found, by search stage."""
    stages = sorted({stage for one in found for stage in one.by_stage})
    styles = {stage: f"s{min(place, 5)}" for place, stage in enumerate(stages)}
    rows = []
    for one in found:
        lengths: dict[str, float] = {}
        for stage, n in sorted(one.by_stage.items()):
            lengths[styles[stage]] = lengths.get(styles[stage], 0) + n / one.n
        rows.append(BarRow(one.label, lengths, f"{100 * one.n_found / one.n:.1f} %"))
    legend: dict[str, str] = {}
    for stage, style in styles.items():
        legend.setdefault(style, stage_name(stage))
    unit = "share of the label's items in which a hand was found, by search stage"
    return bar_chart(rows, unit, "Detection rate of each label", legend)


def _people_chart(dataset: LandmarkDataset) -> Drawing:
    own = dataset.samples.view == 0
    labels, row = np.unique(dataset.samples.label[own], return_inverse=True)
    groups, column = np.unique(dataset.samples.group[own], return_inverse=True)
    counts = np.zeros((len(labels), len(groups)), int)
    np.add.at(counts, (row, column), 1)
    names = labels.tolist(), [name or "(unknown)" for name in groups.tolist()]
    shares = counts / counts.max()
    return matrix_chart(names, counts, shares, ("label", "group"), "Items by label and group")


def _mean_chart(aligned: dict[str, FloatArray]) -> Drawing:
    """Draw the mean of each label over its samples: a hand, or its path."""
    tiles = [
        HandTile(
            f"{cut(label, 12)} ({len(hands)})",
            mean_hand(hands),
            list(hands[:: -(-len(hands) // _MOST_EXAMPLES)]),
        )
        for label, hands in aligned.items()
    ]
    rows = [tiles[start : start + _COLUMNS] for start in range(0, len(tiles), _COLUMNS)]
    return hand_grid(rows, "The mean of each label")


def write_contact_sheet(path: Path, out: Path) -> int:
    """Draw every recording of a folder, or sample of a dataset file; return how many."""
    data = load_recordings(path).recordings if is_recordings(path) else (load_dataset(path),)
    tiles = [tile for one in data for tile in tiles_of(one)]
    if not tiles:
        raise HandloreError(f"{path} holds nothing to draw")
    with atomic_write(out) as stream:
        stream.write(contact_sheet_png(tiles, path.resolve().name))
    return len(tiles)


def write_plots(path: Path, folder: Path) -> list[Path]:
    """Draw what is in a dataset file or a folder of recordings into a folder; return the files.

    Plots of an earlier dataset there that this one does not have are removed.
    """
    recordings = load_recordings(path) if is_recordings(path) else None
    data = [recordings.dataset(kind) for kind in recordings.counts()] if recordings else []
    data = data if recordings else [load_dataset(path)]
    if not any(one.n_samples for one in data):
        raise HandloreError(f"{path} holds nothing to draw")
    prefixes = {kind: f"{name.replace(' ', '-')}-" for kind, name in KIND_NAMES.items()}
    files: dict[Path, bytes] = {}
    for one in data:
        # Movements and poses of one folder must not overwrite each other.
        prefix = prefixes[one.header.kind] if len(data) > 1 else ""
        drawn = _data_plots(one, path.resolve().name)
        files |= {folder / f"{prefix}{name}": content for name, content in drawn.items()}
    for prefix in ("", *prefixes.values()):
        if all((folder / f"{prefix}{name}").exists() for name in ALWAYS):
            for old in {folder / f"{prefix}{name}" for name in _PLOTS} - set(files):
                old.unlink(missing_ok=True)
    for file, content in files.items():
        with atomic_write(file) as stream:
            stream.write(content)
    return list(files)
