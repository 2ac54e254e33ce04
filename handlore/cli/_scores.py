"""Showing scores: on the terminal, and as a folder with a report."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._common import make_folder, percent, print_table, without_nan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handlore.classifiers.evaluation.evaluation import Evaluation
    from handlore.report.findings import About

MOST_LABELS_SHOWN = 60

report_option = click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write report.html, its pictures and scores.json into this folder.",
)


def print_scores(outcome: "Evaluation", title: str) -> None:
    """Print scores for a person."""
    scores, spread = outcome.scores, outcome.intervals
    what = "pictures" if outcome.dataset.header.kind == "pose" else "clips"
    click.echo(f"{title}: {scores.n} {what} of {len(scores.per_class)} labels")
    low, high = (percent(bound) for bound in spread.accuracy)
    click.echo(f"  accuracy {percent(scores.accuracy)} [{low[:-2]} to {high[:-2]}]", nl=False)
    low, high = (f"{bound:.3f}" for bound in spread.macro_f1)
    click.echo(f"   macro-F1 {scores.macro_f1:.3f} [{low} to {high}]", nl=False)
    click.echo(
        f"\n  errors: {scores.n_wrong} answered wrong, {scores.n_missed} because no hand was found"
    )
    click.echo(f"  in brackets: {spread.words}\n")
    rows = [
        [label, row["support"], *(f"{row[key]:.2f}" for key in ("precision", "recall", "f1"))]
        for label, row in list(scores.per_class.items())[:MOST_LABELS_SHOWN]
    ]
    print_table(["label", "n", "precision", "recall", "F1"], rows)
    pairs = scores.most_confused(3)
    if pairs:
        click.echo("\nmost confused: " + "; ".join(f"{a} taken for {b} ({n})" for a, b, n in pairs))


def print_scores_json(result: "Mapping[str, Any]") -> None:
    """Print scores as JSON on stdout: a line a key, since the items are many."""
    click.echo(scores_json(result))


def scores_json(result: "Mapping[str, Any]") -> str:
    """Return scores as JSON text in ASCII, a line a key."""
    rows = (
        f"  {json.dumps(key)}: {json.dumps(value)}"
        for key, value in without_nan(dict(result)).items()
    )
    return "{\n" + ",\n".join(rows) + "\n}"


def write_report(
    folder: Path, outcome: "Evaluation", about: "About", result: "Mapping[str, Any]"
) -> None:
    """Write a report folder; ``result`` is what becomes scores.json.

    Figures of an earlier report there that this one does not have are removed.
    """
    from handlore.landmarks.files import atomic_write, require_writable
    from handlore.report.findings import Findings
    from handlore.report.folder import FIGURES, report_files

    files = report_files(Findings.of(outcome, about))
    files |= {"scores.json": scores_json(result).encode()}
    make_folder(folder)
    for name in files:
        require_writable(folder / name)
    if (folder / "report.html").exists() and (folder / "scores.json").exists():
        for name in FIGURES - set(files):
            (folder / name).unlink(missing_ok=True)
    for name, data in files.items():
        with atomic_write(folder / name) as stream:
            stream.write(data)


def words_of(values: "Mapping[str, Any]") -> str:
    """Return names and values in a line."""
    return ", ".join(f"{name} {value}" for name, value in values.items())
