"""``handlore recordings``: list, review, discard, restore and relabel recordings."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from handlore.capture.keys import ending_on_signals, has_terminal, terminal_keys
from handlore.capture.recording.options import checked_label, near_label, same_label
from handlore.capture.review import review_recordings
from handlore.capture.views.review import ReviewTerminal, ReviewWindow
from handlore.capture.window import why_no_window
from handlore.datasets.dataset import NONE_LABEL
from handlore.datasets.recordings import RecordingEntry, RecordingFolder
from handlore.landmarks.errors import HandloreError, counted
from handlore.landmarks.fonts import unwritable

from ._common import PATH, end, examples, json_option, percent, print_json, say_failures, talk
from ._rich import print_table

_COLUMNS = ("number", "label", "kind", "seconds", "frames", "with a hand", "subject", "session", "")
_folder = click.argument("folder", metavar="DIR", type=PATH)
_numbers = click.argument(
    "numbers", metavar="NUMBER...", nargs=-1, required=True, type=click.IntRange(1)
)


@click.group(
    "recordings",
    epilog=examples(
        "handlore recordings list my_gestures",
        "handlore recordings review my_gestures",
        "handlore recordings discard my_gestures 7 12",
        "handlore recordings relabel my_gestures 9 stop",
    ),
)
def command() -> None:
    """List, review and edit the recordings of a folder.

    DIR is a folder that `handlore capture` or `handlore live --record` wrote. The number
    of a recording never changes. Discarded recordings are moved aside, and can be restored.
    """


@command.command(
    "list",
    epilog=examples(
        "handlore recordings list my_gestures", "handlore recordings list my_gestures --json"
    ),
)
@_folder
@json_option
def _list_command(folder: Path, as_json: bool) -> None:
    """List all recordings, kept and discarded."""
    recordings = RecordingFolder.open(folder, create=False)
    entries = recordings.entries(discarded=None)
    if as_json:
        print_json([_json(entry) for entry in entries])
    else:
        print_table(_COLUMNS, [_row(entry) for entry in entries])
    _end(recordings)


@command.command("review", epilog=examples("handlore recordings review my_gestures"))
@_folder
def _review_command(folder: Path) -> None:
    """Play the recordings in a window: their videos, if they were kept, or drawn hands.

    Without a display, the drawn hands are shown in the terminal.

    n and p step, u discards a recording, k restores it, a digit, a click or + changes its label, f
    fills the screen, h shows all keys, q quits. In a folder of `handlore live --record`, n also
    keeps that the label is right, for `handlore improve`.
    """
    recordings = RecordingFolder.open(folder, create=False)
    review(recordings)
    _end(recordings)


def review(
    recordings: RecordingFolder,
    numbers: Collection[int] | None = None,
    labels: Sequence[str] = (),
    otherwise: str = "`handlore recordings list`, discard and relabel",
) -> None:
    """Review recordings in a window or a terminal; HandloreError says what to do without both.

    ``numbers`` and ``labels`` are those of :func:`~handlore.capture.review.review_recordings`.
    """
    before = {entry.number: entry for entry in recordings.entries(discarded=None)}
    with _view(recordings, otherwise) as view:
        review_recordings(recordings, view, numbers=numbers, labels=labels)
    after = recordings.entries(discarded=None)
    changed = sum(before.get(entry.number) != entry for entry in after)
    n = len(after) if numbers is None else len(numbers)
    talk(f"{counted(n, 'recording')}, {changed} changed")


@contextmanager
def _view(recordings: RecordingFolder, otherwise: str) -> Iterator[ReviewWindow | ReviewTerminal]:
    reason = why_no_window()
    if reason is None:
        if (lacking := unwritable(recordings.labels())) is not None:
            talk(f"note: {lacking}")
        with closing(ReviewWindow()) as window:
            yield window
    elif has_terminal():
        talk(f"no window, the review is in this terminal: {reason}")
        with ending_on_signals(), terminal_keys() as keys:
            yield ReviewTerminal(keys)
    else:
        raise HandloreError(
            f"a review needs a window or a terminal: {reason}; without both use {otherwise}"
        )


@command.command("discard", epilog=examples("handlore recordings discard my_gestures 7 12"))
@_folder
@_numbers
@json_option
def _discard_command(folder: Path, numbers: tuple[int, ...], as_json: bool) -> None:
    """Discard recordings: training and evaluation ignore them. Damaged ones, too."""
    _move(folder, numbers, as_json, restore=False)


@command.command("restore", epilog=examples("handlore recordings restore my_gestures 7"))
@_folder
@_numbers
@json_option
def _restore_command(folder: Path, numbers: tuple[int, ...], as_json: bool) -> None:
    """Restore discarded recordings."""
    _move(folder, numbers, as_json, restore=True)


def _move(folder: Path, numbers: Sequence[int], as_json: bool, *, restore: bool) -> None:
    """Discard or restore recordings."""
    recordings = RecordingFolder.open(folder, create=False)
    paths = recordings.files(numbers, discarded=restore)
    labels = _labels(recordings, paths)
    for path in paths:
        recordings.restore(path) if restore else recordings.discard(path)
    _report(recordings, labels, "restored" if restore else "discarded", as_json)


@command.command("relabel", epilog=examples("handlore recordings relabel my_gestures 9 stop"))
@_folder
@click.argument("number", metavar="NUMBER", type=click.IntRange(1))
@click.argument("label", metavar="LABEL")
@json_option
def _relabel_command(folder: Path, number: int, label: str, as_json: bool) -> None:
    """Change the label of a recording; `none` for everyday movement."""
    recordings = RecordingFolder.open(folder, create=False)
    label = checked_label(label)
    label = same_label(label, [NONE_LABEL]) or label
    entries = recordings.find([number])
    others = [one for one in recordings.entries(discarded=None) if one.path != entries[0].path]
    if near := near_label(label, [one.label for one in others]):
        talk(f"note: {label} is a new label; did you mean {near}?")
    recordings.relabel(entries[0].path, label)
    _report(recordings, {number: entries[0].label}, f"now {label}", as_json)


def _labels(recordings: RecordingFolder, paths: Sequence[Path]) -> dict[int, str]:
    """Return the label of each number."""
    known = {entry.path: entry.label for entry in recordings.entries(discarded=None)}
    return {int(path.stem): known.get(path, "damaged") for path in paths}


def _report(
    recordings: RecordingFolder, before: Mapping[int, str], change: str, as_json: bool
) -> None:
    """Say what was done with each number; ``before`` has their labels."""
    for number, label in before.items():
        talk(f"recording {number} ({label}): {change}")
    if as_json:
        changed = (e for e in recordings.entries(discarded=None) if e.number in before)
        print_json([_json(entry) for entry in changed])


def _end(recordings: RecordingFolder) -> None:
    failures = recordings.failures()
    say_failures(failures)
    end(failures)


def _row(entry: RecordingEntry) -> list[object]:
    return [
        entry.number,
        entry.label,
        "movement" if entry.kind == "sequence" else "pose",
        f"{entry.seconds:.1f}",
        entry.n_frames,
        percent(entry.share_with_hand),
        entry.subject,
        entry.session,
        "discarded" if entry.discarded else "",
    ]


def _json(entry: RecordingEntry) -> dict[str, Any]:
    paths = {"path": str(entry.path), "video": str(entry.video) if entry.video else None}
    return asdict(entry) | paths
