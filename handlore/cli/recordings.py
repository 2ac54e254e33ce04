"""``handlore recordings``: list, review, discard, restore and relabel recordings."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
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
from handlore.datasets.recorded import RecordingEntry
from handlore.datasets.recording_files import number_of
from handlore.datasets.recordings import RecordingFolder
from handlore.landmarks.errors import HandloreError, counted
from handlore.landmarks.fonts import unwritable

from ._common import PATH, end, examples, json_option, percent, print_json, say_failures, talk
from ._rich import print_table

_COLUMNS = ("number", "label", "kind", "seconds", "frames", "with a hand", "subject", "session", "")
_folder = click.argument("folder", metavar="DIR", type=PATH)


class _RecordingType(click.ParamType):  # type: ignore[type-arg]
    """The number of a recording, or the path of its file where two have the same number."""

    name = "number"
    _number = click.IntRange(1)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | Path:
        """Return a number or a path."""
        if isinstance(value, str) and value.endswith(".npz"):
            return Path(value)
        number: int = self._number.convert(value, param, ctx)
        return number


_numbers = click.argument(
    "numbers", metavar="NUMBER...", nargs=-1, required=True, type=_RecordingType()
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
    Where copied or joined folders have a number twice, a path takes its place: wave/0016.npz.
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
        uses = Counter((entry.number, entry.discarded) for entry in entries)
        twice = {entry.path for entry in entries if uses[entry.number, entry.discarded] > 1}
        rows = [
            [*_row(entry), recordings.name_of(entry.path) if entry.path in twice else _state(entry)]
            for entry in entries
        ]
        print_table(_COLUMNS, rows)
        if twice:
            talk(
                f"note: {counted(len(twice), 'recording')} have the number of another: give their"
                " paths in place of the number, or delete those that are copies"
            )
    if renamed := recordings.renamed():
        talk(f"note: {renamed}")
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
    before = set(recordings.entries(discarded=None))
    with _view(recordings, otherwise) as view:
        review_recordings(recordings, view, numbers=numbers, labels=labels)
    after = recordings.entries(discarded=None)
    changed = len(set(after) - before)
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
def _discard_command(folder: Path, numbers: tuple[int | Path, ...], as_json: bool) -> None:
    """Discard recordings: training and evaluation ignore them. Damaged ones, too."""
    _move(folder, numbers, as_json, restore=False)


@command.command("restore", epilog=examples("handlore recordings restore my_gestures 7"))
@_folder
@_numbers
@json_option
def _restore_command(folder: Path, numbers: tuple[int | Path, ...], as_json: bool) -> None:
    """Restore discarded recordings."""
    _move(folder, numbers, as_json, restore=True)


def _move(folder: Path, numbers: Sequence[int | Path], as_json: bool, *, restore: bool) -> None:
    """Discard or restore recordings."""
    recordings = RecordingFolder.open(folder, create=False)
    paths = recordings.files(numbers, discarded=restore)
    known = {entry.path: entry.label for entry in recordings.entries(discarded=None)}
    moved = [recordings.restore(one) if restore else recordings.discard(one) for one in paths]
    for path in paths:
        _say_change(path, known.get(path, "damaged"), "restored" if restore else "discarded")
    _print_changed(recordings, moved, as_json)


@command.command("relabel", epilog=examples("handlore recordings relabel my_gestures 9 stop"))
@_folder
@click.argument("number", metavar="NUMBER", type=_RecordingType())
@click.argument("label", metavar="LABEL")
@json_option
def _relabel_command(folder: Path, number: int | Path, label: str, as_json: bool) -> None:
    """Change the label of a recording; `none` for everyday movement."""
    recordings = RecordingFolder.open(folder, create=False)
    label = checked_label(label)
    label = same_label(label, [NONE_LABEL]) or label
    (entry,) = recordings.find([number])
    others = [one for one in recordings.entries(discarded=None) if one.path != entry.path]
    if near := near_label(label, [one.label for one in others]):
        talk(f"note: {label} is a new label; did you mean {near}?")
    moved = recordings.relabel(entry.path, label)
    _say_change(entry.path, entry.label, f"now {label}")
    _print_changed(recordings, [moved], as_json)


def _say_change(path: Path, label: str, change: str) -> None:
    talk(f"recording {number_of(path)} ({label}): {change}")


def _print_changed(recordings: RecordingFolder, paths: Sequence[Path], as_json: bool) -> None:
    if as_json:
        changed = (entry for entry in recordings.entries(discarded=None) if entry.path in paths)
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
    ]


def _state(entry: RecordingEntry) -> str:
    return "discarded" if entry.discarded else ""


def _json(entry: RecordingEntry) -> dict[str, Any]:
    paths = {"path": str(entry.path), "video": str(entry.video) if entry.video else None}
    return asdict(entry) | paths
