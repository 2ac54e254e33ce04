"""The report of an evaluation as a folder: page, figures and scores."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from handlore.classifiers.evaluation.evaluation import Evaluation
from handlore.classifiers.evaluation.streams import StreamScores
from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.files import atomic_write, make_folder, require_writable
from handlore.models.model import Model

from .charts import (
    BarRow,
    HandTile,
    bar_chart,
    class_chart,
    confusion_chart,
    hand_grid,
    interval_chart,
    reliability_chart,
    training_chart,
)
from .dataplots import detection_chart
from .drawing import Drawing, cut, png
from .findings import About, Confusion, Findings
from .sections import report_page

FIGURES = frozenset(
    {
        "classes.png",
        "confusion.png",
        "importance.png",
        "mistakes.png",
        "people.png",
        "reliability.png",
        "stages.png",
        "training.png",
        "yield.png",
    }
)
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
    folder = Path(folder)
    about = _model_file(evaluation, data) if evaluation.tested else _trained(evaluation, data)
    files = _report_files(Findings.of(evaluation, about))
    files |= {"scores.json": evaluation.json_text().encode()}
    make_folder(folder)
    for name in files:
        require_writable(folder / name)
    if (folder / "report.html").exists() and (folder / "scores.json").exists():
        for name in FIGURES - set(files):
            (folder / name).unlink(missing_ok=True)
    for name, content in files.items():
        with atomic_write(folder / name) as stream:
            stream.write(content)
    return folder / "report.html"


def _report_files(findings: Findings) -> dict[str, bytes]:
    """Return the files of a report by name; figures without content are left out."""
    scores, history = findings.outcome.scores, findings.about.history
    drawn = {
        "confusion.png": confusion_chart(scores),
        "classes.png": class_chart(scores),
        "yield.png": detection_chart(list(findings.detection_rates)),
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
    files = {name: png(one) for name, one in drawn.items()}
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
