"""``handlore improve``: a model learns from the corrected triggers of a live session."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import handlore
from handlore.datasets.dataset import listed
from handlore.datasets.recordings import RecordingFolder
from handlore.landmarks.errors import HandloreError, counted, shell_line
from handlore.models.card import ModelCard

from ._common import (
    MODEL,
    PATH,
    RenamedOption,
    end,
    examples,
    json_option,
    percent,
    print_json,
    say,
    say_failures,
    say_notes,
)
from ._rich import print_table, progress
from .recordings import review as review_recordings

if TYPE_CHECKING:
    # Needs scikit-learn, which printing help does not.
    from handlore.classifiers.evaluation.standings import Standing
    from handlore.classifiers.improving import Improvement


@dataclass(frozen=True)
class _ImproveOptions:
    model: str | Path
    triggers: Path
    out: Path | None
    data: tuple[Path, ...]
    yes: bool
    review: bool
    dry_run: bool
    as_json: bool


@click.command(
    "improve",
    epilog=examples(
        "handlore live poses.onnx --record triggers",
        "handlore improve poses.onnx --from triggers",
        "handlore improve poses.onnx --from triggers --dry-run",
        "handlore improve poses.onnx --from triggers --data moved/photos.npz",
        "handlore improve everyday --from triggers --out mine.onnx",
        "handlore recordings relabel triggers 7 none",
        "handlore improve poses.onnx --from triggers --yes --json",
    ),
)
@click.argument("model", type=MODEL)
@click.option(
    "--from",
    "triggers",
    required=True,
    metavar="DIR",
    type=PATH,
    help="The folder of `handlore live --record`.",
)
@click.option(
    "--out",
    "--output",
    "out",
    cls=RenamedOption,
    type=PATH,
    help="The improved model; default: MODEL itself, which is kept as NAME.old.onnx.",
)
@click.option(
    "--data",
    multiple=True,
    metavar="DATA",
    type=PATH,
    help="Where the data of MODEL is, if it is no longer where it was; may be given several times.",
)
@click.option(
    "--review/--no-review",
    default=True,
    show_default=True,
    help="First review the triggers that nobody has reviewed; those that remain are left out.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Review nothing: the labels of all triggers are right as they are now.",
)
@click.option("--dry-run", is_flag=True, help="Train and compare, and write no model.")
@json_option
def command(**given: Any) -> None:
    """Train a model also on the corrected triggers of a live session.

    `handlore live MODEL --record DIR` keeps a recording of each event. They are shown one by one:
    n if the label is right, 0 if it is none of the gestures, a digit for another gesture, u to
    discard. Then a model is trained on the data of MODEL, with the options that it was trained
    with, and on these triggers.

    Both models are compared on what neither was trained on. If the new one is worse, MODEL stays
    as it is, and the exit code is 1; what was reviewed stays reviewed.
    """
    _improve(_ImproveOptions(**given))


def _improve(options: _ImproveOptions) -> None:
    if options.review and not options.yes:
        _review(options, handlore.load_model(options.model).card)
    with progress("training", counted=False) as show:
        found = handlore.improve(
            options.model,
            options.triggers,
            options.out,
            data=options.data,
            all_reviewed=options.yes,
            dry_run=options.dry_run,
            progress=show,
        )
    say_notes(found.notes)
    say_failures(found.failures)
    if options.as_json:
        print_json(found.as_json())
    else:
        _print(found)
    if found.worse:
        raise HandloreError(
            f"the new model is worse: {found.worse}; {options.model} stays as it is, and the"
            f" reviewed triggers stay in {options.triggers}"
        )
    end(found.failures)


def _review(options: _ImproveOptions, card: ModelCard) -> None:
    """Review the triggers that nobody has reviewed, if there are any."""
    recordings = RecordingFolder.open(options.triggers, create=False)
    entries = (one for one in recordings.entries() if one.needs_review)
    waiting = {one.number for one in entries if one.recognised in card.labels}
    if waiting:
        relabel = shell_line(
            "handlore", "recordings", "relabel", options.triggers, "NUMBER", "none"
        )
        otherwise = f"`{relabel}` for each wrong trigger, then --yes"
        review_recordings(recordings, waiting, card.labels, otherwise)


def _print(found: "Improvement") -> None:
    new = found.triggers
    say(
        f"{counted(len(new.reviewed), 'new trigger')}: {new.n_right} right, {new.n_wrong} wrong"
        f" ({new.n_none} none, {new.n_wrong - new.n_none} another gesture)"
    )
    for count, why in (
        (
            found.n_relearnt - found.n_unlabelled,
            "learnt with another label before, and not compared",
        ),
        (found.n_unlabelled, "learnt before, with what label is not known, and not compared"),
        (found.n_forgotten, "discarded, and forgotten"),
        (new.n_unreviewed, "not reviewed, and left out"),
        (new.n_other, "not about this model"),
    ):
        if count:
            say(f"{count} {why}")
    say(f"tested on what neither was trained on (data: {found.protocol}):\n")
    print_table(["", "before", "after"], _rows(found.before, found.after))
    if found.raised and not found.worse:
        each = listed([f"{label} ({amount:g})" for label, amount in found.raised.items()])
        say(f"\nthresholds are higher, for fewer false activations: {each}")
    if found.is_written:
        say(f"\nwrote {found.out}")
        if found.backup is not None:
            say(f"the model so far is {found.backup}; copy it back to undo")
    elif not found.worse:
        say(f"\nnothing written (--dry-run); it would be {found.out}")


def _rows(before: "Standing", after: "Standing") -> list[list[object]]:
    rows: list[list[object]] = []
    items, of_base = counted(before.n, "item"), counted(before.n_base, "sample")
    rows.append([f"accuracy, {items}", percent(before.accuracy), percent(after.accuracy)])
    if before.n_base:
        accuracies = percent(before.base_accuracy), percent(after.base_accuracy)
        rows.append([f"accuracy, {of_base} of the base", *accuracies])
    if before.triggers.n:
        of = counted(before.triggers.n, "trigger")
        rows.append([f"false activations, {of}", before.triggers.n_false, after.triggers.n_false])
        rows.append([f"missed gestures, {of}", before.triggers.n_missed, after.triggers.n_missed])
    if before.streams and after.streams:
        of = counted(before.streams.n, "gesture")
        both = before.streams, after.streams
        rows.append([f"found in streams of the data, {of}", *(one.n_found for one in both)])
        rows.append(["false activations there", *(one.n_false for one in both)])
    return rows
