"""Scores on the terminal, and the options for a report."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._common import percent, print_table, talk

if TYPE_CHECKING:
    # Needs scikit-learn, which printing help does not.
    from handlore.classifiers.evaluation.evaluation import Evaluation

_MAX_LABELS = 60

report_option = click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write report.html, its figures and scores.json into this folder.",
)


def print_notes(evaluation: "Evaluation") -> None:
    """Print what limits the scores, on stderr."""
    leaks = evaluation.leaks.lines() if evaluation.leaks else []
    for line in [*evaluation.notes, *leaks]:
        talk(f"note: {line}")


def print_scores(evaluation: "Evaluation", title: str) -> None:
    """Print scores as text."""
    scores, spread = evaluation.scores, evaluation.intervals
    items = "pictures" if evaluation.dataset.header.kind == "pose" else "clips"
    click.echo(f"{title}: {scores.n} {items} of {len(scores.per_class)} labels")
    low, high = (percent(bound)[:-2] for bound in spread.accuracy)
    low_f1, high_f1 = (f"{bound:.3f}" for bound in spread.macro_f1)
    click.echo(
        f"  accuracy {percent(scores.accuracy)} [{low} to {high}]"
        f"   macro-F1 {scores.macro_f1:.3f} [{low_f1} to {high_f1}]"
    )
    click.echo(
        f"  errors: {scores.n_wrong} wrong predictions, {scores.n_missed} because no hand was found"
    )
    click.echo(f"  in brackets: {spread.words}\n")
    rows = [
        [label, row["support"], *(f"{row[key]:.2f}" for key in ("precision", "recall", "f1"))]
        for label, row in list(scores.per_class.items())[:_MAX_LABELS]
    ]
    print_table(["label", "n", "precision", "recall", "F1"], rows)
    pairs = scores.most_confused(3)
    if pairs:
        confused = "; ".join(f"{a} with {b} ({n})" for a, b, n in pairs)
        click.echo(f"\nmost often confused: {confused}")
