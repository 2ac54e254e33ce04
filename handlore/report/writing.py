"""Folders of figures: the report of an evaluation with its page and scores, plots of a dataset."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from handlore.classifiers.evaluation.breakdown import DetectionRate, detection_rates
from handlore.classifiers.evaluation.evaluation import Evaluation
from handlore.classifiers.evaluation.streams import StreamScores
from handlore.classifiers.typical import median_hand
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.kinds import KIND_NAMES
from handlore.datasets.loading import load_recordings
from handlore.datasets.recording_files import is_recordings
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import HandloreError, require_type
from handlore.landmarks.files import (
    as_path,
    make_folder,
    require_writable,
    write_bytes,
    write_together,
)
from handlore.landmarks.hands import FloatArray
from handlore.models.model import Model

from .charts import (
    BarRow,
    HandTile,
    bar_chart,
    class_chart,
    confusion_chart,
    hand_grid,
    interval_chart,
    matrix_chart,
    reliability_chart,
    training_chart,
)
from .contactsheet import contact_sheet_png, tiles_of
from .drawing import Drawing, cut
from .findings import About, Confusion, Findings, hands_by_label, stage_name, stage_styles
from .sections import report_page

_FIGURE_NAMES = "classes confusion importance mistakes people reliability stages training yield"
FIGURES = frozenset(f"{name}.png" for name in _FIGURE_NAMES.split())
"""Every figure that a report may have."""


def write_report(evaluation: Evaluation, folder: str | Path, *, data: str = "") -> Path:
    """Write the report of an evaluation.

    The folder gets ``report.html``, its figures as PNG files and ``scores.json``. Figures of an
    earlier report that this one does not have are removed.

    Parameters
    ----------
    evaluation
        What ``cross_validate`` or ``evaluate`` returned.
    folder
        Is created if it does not exist.
    data
        Names of the datasets, for the page.

    Returns
    -------
    The path of the page.

    Raises
    ------
    HandloreError
        If a file cannot be written.

    Examples
    --------
    >>> result = handlore.cross_validate(handlore.load_dataset("poses.npz"), "linear")
    >>> handlore.write_report(result, "report", data="poses.npz").name
    'report.html'
    """
    require_type(data, str, "the names of the datasets as text")
    require_type(evaluation, Evaluation, "what cross_validate or evaluate returned")
    folder = as_path(folder, "a folder")
    about = _model_file(evaluation, data) if evaluation.tested else _trained(evaluation, data)
    files = _report_files(Findings.of(evaluation, about))
    files |= {"scores.json": evaluation.json_text().encode()}
    make_folder(folder)
    for name in files:
        require_writable(folder / name)
    is_report = (folder / "report.html").exists() and (folder / "scores.json").exists()
    write_together(folder, files)
    if is_report:
        for name in FIGURES - set(files):
            (folder / name).unlink(missing_ok=True)
    return folder / "report.html"


def _report_files(findings: Findings) -> dict[str, bytes]:
    """Return the files of a report by name; figures without content are left out."""
    scores, history = findings.outcome.scores, findings.about.history
    drawn = {
        "confusion.png": confusion_chart(scores),
        "classes.png": class_chart(scores),
        "yield.png": _detection_chart(list(findings.detection_rates)),
    }
    if findings.people:
        drawn["people.png"] = interval_chart(findings.people, f"Accuracy by {findings.over}")
    if len(findings.stages) > 1:
        drawn["stages.png"] = interval_chart(findings.named_stages, "Accuracy by search stage")
    if findings.confusions:
        drawn["mistakes.png"] = _mistake_chart(findings.confusions)
    if findings.reliability:
        drawn["reliability.png"] = reliability_chart(findings.reliability)
    if found := findings.outcome.importances:
        rows = [BarRow(one.part, {"s0": one.lost}, f"{100 * one.lost:.1f}") for one in found]
        unit = "accuracy lost without it, in points"
        drawn["importance.png"] = bar_chart(rows, unit, "What the model uses")
    if history:
        drawn["training.png"] = training_chart(history)
    files = {name: one.png() for name, one in drawn.items()}
    return files | {"report.html": report_page(findings).encode("utf-8", "replace")}


def _trained(evaluation: Evaluation, data: str) -> About:
    folds = evaluation.split.n_folds if evaluation.split else 1
    card = {
        "Parameters": _in_words(evaluation.params),
        "Features": ", ".join(evaluation.features),
    }
    gap = evaluation.gap_sentence
    return About(
        f"{evaluation.model}: accuracy on hands it has not seen",
        {"Model": evaluation.model, "Data": data, "Protocol": evaluation.protocol},
        [*evaluation.notes, *([gap] if gap else [])],
        speed={"Training and testing": f"{evaluation.seconds:.1f} s for {folds} folds"},
        card={key: value for key, value in card.items() if value},
    )


def _model_file(evaluation: Evaluation, data: str) -> About:
    model, path = evaluation.tested, Path(evaluation.model)
    if model is None:
        raise ValueError("this evaluation is not of a model file")
    card, training = model.card, model.card.training
    speed = {"File": f"{path.stat().st_size / 1000:.0f} KB"} if path.is_file() else {}
    seconds = _answer_time(model, evaluation.dataset)
    if seconds is not None:
        speed["One prediction"] = (
            f"{1e6 * seconds:.0f} µs on this machine, from landmarks to probabilities (median)"
        )
    streams = StreamScores.from_json(training.get("streams"))
    facts = {
        "Trained on": f"{training.get('n', '?')} samples",
        "People": ", ".join(map(str, training.get("groups") or ())),
        "Parameters": _in_words(training.get("params") or {}),
        "Cross-validated": _in_words(training.get("crossval") or {}),
        "Left-out clips": streams.sentence if streams else "",
        "Features": ", ".join(card.features),
        "Landmarks": card.landmarker,
        "Versions": _in_words(training.get("versions") or {}),
    }
    return About(
        f"{path.name}: accuracy",
        {
            "Model": f"{path.name} ({card.estimator})",
            "Data": data,
            "Protocol": f"a model file, trained on {training.get('n', '?')} samples",
        },
        evaluation.notes,
        card.history,
        speed,
        {key: value for key, value in facts.items() if value},
    )


def _in_words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _mistake_chart(pairs: Sequence[Confusion]) -> Drawing:
    """Draw the worst mistakes: a pair a row, first a typical hand of either label."""
    rows = []
    for pair in pairs:
        typical = ((pair.typical_truth, pair.truth), (pair.typical_answer, pair.answer))
        tiles = [HandTile(cut(label, 16), one.image) for one, label in typical if one]
        caption = f"{cut(pair.truth, 8)} → {cut(pair.answer, 8)}"
        rows.append(tiles + [HandTile(caption, one.image) for one in pair.wrong])
    return hand_grid(rows, "Hands that were confused")


_MOST_SAMPLES = 100


def _answer_time(model: Model, dataset: LandmarkDataset) -> float | None:
    """Return the median seconds from landmarks to probabilities; None if no hand was found."""
    samples = np.flatnonzero(dataset.has_hand)[:_MOST_SAMPLES]
    if not len(samples):
        return None
    ones = [dataset.select(np.array([sample])) for sample in samples]
    seconds = []
    for one in (ones[0], *ones):  # the first call allocates memory
        started = time.perf_counter()
        model.predict_proba(model.encoder.encode_samples(one))
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds[1:]))


_ALWAYS = frozenset({"labels.png", "yield.png", "contact-sheet.png"})
_PLOTS = _ALWAYS | {"people.png", "hands.png", "paths.png"}
"""Every plot that a dataset may have; those in _ALWAYS are drawn of any."""
_MOST_EXAMPLES = 40
"""Samples of a label that are drawn, thin, below its mean."""
_MOST_GROUPS = 40
"""A table of labels and more people than this cannot be read."""
_COLUMNS = 6


def _data_plots(dataset: LandmarkDataset, title: str) -> dict[str, bytes]:
    """Draw a dataset; return PNG files by name. The title is that of the contact sheet."""
    found = detection_rates(dataset)
    items = "pictures" if dataset.header.kind == "pose" else "clips"
    drawn = {"labels.png": _label_chart(found, items), "yield.png": _detection_chart(found)}
    groups = set(dataset.samples.group.tolist())
    if 1 < len(groups) <= _MOST_GROUPS:
        drawn["people.png"] = _people_chart(dataset)
    aligned = hands_by_label(dataset)
    if aligned:
        name = "paths.png" if dataset.header.kind == "sequence" else "hands.png"
        drawn[name] = _mean_chart(dict(aligned))
    files = {name: one.png() for name, one in drawn.items()}
    return files | {"contact-sheet.png": contact_sheet_png(tiles_of(dataset), title)}


def _label_chart(found: list[DetectionRate], items: str) -> Drawing:
    rows = [
        BarRow(one.label, {"s0": one.n_found, "count": one.n - one.n_found}, str(one.n))
        for one in found
    ]
    legend = {"s0": "with a hand", "count": "no hand found"}
    complete = all(one.n == one.n_found for one in found)
    return bar_chart(rows, items, "Items of each label", None if complete else legend)


def _detection_chart(found: list[DetectionRate]) -> Drawing:
    """Draw in which share of each label a hand was found, by search stage."""
    styles = stage_styles(found)
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
            median_hand(hands),
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
    write_bytes(out, contact_sheet_png(tiles, path.resolve().name))
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
    files: dict[str, bytes] = {}
    for one in data:
        # Movements and poses of one folder must not overwrite each other.
        prefix = prefixes[one.header.kind] if len(data) > 1 else ""
        drawn = _data_plots(one, path.resolve().name)
        files |= {f"{prefix}{name}": content for name, content in drawn.items()}
    drawn_before = [
        f"{prefix}{name}"
        for prefix in ("", *prefixes.values())
        if all((folder / f"{prefix}{name}").exists() for name in _ALWAYS)
        for name in _PLOTS
    ]
    write_together(folder, files)
    for name in set(drawn_before) - set(files):
        (folder / name).unlink(missing_ok=True)
    return [folder / name for name in files]
