"""``handlore capture --review DIR``: stepping through recordings, in a window or as a table."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlore.landmarks.errors import HandloreError

from ._common import (
    SOME_INPUTS_FAILED,
    Function,
    percent,
    print_json,
    print_table,
    say_failures,
    talk,
)

if TYPE_CHECKING:
    from handlore.datasets.recordings import RecordingEntry, RecordingFolder


@dataclass(frozen=True)
class Edits:
    """What is to be done without a window: numbers of recordings, or NUMBER=LABEL."""

    discard: Sequence[int] = ()
    restore: Sequence[int] = ()
    relabel: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.discard or self.restore or self.relabel)


def seconds_or_folder(_ctx: click.Context, _param: click.Parameter, value: str) -> "float | Path":
    """Take what is no number of seconds for the name of a folder; one called 2 is ./2."""
    try:
        return float(value)
    except ValueError:
        return Path(value)


def edit_options(function: Function) -> Function:
    """Add the options that change recordings without a window."""
    for option in (
        click.option("--discard", type=click.IntRange(1), multiple=True, metavar="NUMBER",
                     help="With --review DIR: discard this recording."),
        click.option("--restore", type=click.IntRange(1), multiple=True, metavar="NUMBER",
                     help="With --review DIR: bring this one back."),
        click.option("--relabel", multiple=True, metavar="NUMBER=LABEL",
                     help="With --review DIR: give this one another label."),
    ):  # fmt: skip
        function = option(function)
    return function


def review_recordings(folder: Path, edits: Edits, *, headless: bool, as_json: bool) -> None:
    """Step through a folder in a window; without one, or with edits, list what is there.

    Raises
    ------
    HandloreError
        If it is no folder of recordings, or an edit names what is not there.
    """
    from handlore.datasets.recordings import RecordingFolder

    recordings = RecordingFolder.open(folder, create=False)
    if edits:
        _edit(recordings, edits)
    if not edits and not headless and not as_json and _window_opens():
        _step_through(recordings)
    else:
        _list(recordings, as_json=as_json)
    failures = recordings.failures()
    say_failures(failures)
    if failures:
        raise click.exceptions.Exit(SOME_INPUTS_FAILED)


def _window_opens() -> bool:
    from handlore.capture.window import why_no_window

    reason = why_no_window()
    if reason is not None:
        talk(f"no window, so this is a list; change it with --discard, --relabel: {reason}")
    return reason is None


def _step_through(recordings: "RecordingFolder") -> None:
    from handlore.capture.views.record import SessionWindow
    from handlore.capture.views.review import review_recordings

    before = _by_number(recordings)
    with SessionWindow("handlore review", quiet=True) as window:
        review_recordings(recordings, window)
    after = _by_number(recordings)
    changed = sum(before.get(number) != entry for number, entry in after.items())
    talk(f"{len(after)} recordings, {changed} changed")


def _by_number(recordings: "RecordingFolder") -> dict[int, "RecordingEntry"]:
    both = (*recordings.entries(), *recordings.entries(discarded=True))
    return {entry.number: entry for entry in both}


def _edit(recordings: "RecordingFolder", edits: Edits) -> None:
    """Make the edits, after all of them have been checked."""
    from handlore.capture.recording.labels import checked_label, same_label
    from handlore.datasets.dataset import NONE_LABEL

    pairs = [_number_and_label(text) for text in edits.relabel]
    checked = [(number, checked_label(label)) for number, label in pairs]
    relabelled = [(number, same_label(label, [NONE_LABEL]) or label) for number, label in checked]
    known = _by_number(recordings)
    kept = [*edits.discard, *(number for number, _ in relabelled)]
    for number, discarded in [*((n, False) for n in kept), *((n, True) for n in edits.restore)]:
        if number not in known or known[number].discarded != discarded:
            what = "discarded" if discarded else "kept"
            raise HandloreError(f"{recordings.root} has no {what} recording {number}")
    for number, label in relabelled:
        talk(f"recording {number}: {known[number].label} is now {label}")
        moved = recordings.relabel(known[number].path, label)
        known[number] = next(e for e in recordings.entries() if e.path == moved)
    for number in edits.discard:
        recordings.discard(known[number].path)
        talk(f"recording {number} ({known[number].label}) is discarded")
    for number in edits.restore:
        recordings.restore(known[number].path)
        talk(f"recording {number} ({known[number].label}) is back")


def _number_and_label(text: str) -> tuple[int, str]:
    number, _, label = text.partition("=")
    if not (number.isdecimal() and label):
        raise HandloreError(f"--relabel is {text!r}, expected NUMBER=LABEL such as 7=swipe_left")
    return int(number), label


def _list(recordings: "RecordingFolder", *, as_json: bool) -> None:
    both = (*recordings.entries(), *recordings.entries(discarded=True))
    entries = sorted(both, key=lambda entry: (entry.number, entry.path))
    if as_json:
        print_json([_row(entry) for entry in entries])
        return
    cells = [
        [
            entry.number, entry.label, "movement" if entry.kind == "sequence" else "pose",
            f"{entry.seconds:.1f}", entry.n_frames, percent(entry.share_with_hand),
            entry.subject, entry.session, "discarded" if entry.discarded else "",
        ]
        for entry in entries
    ]  # fmt: skip
    columns = ["number", "label", "kind", "seconds", "frames", "with a hand", "subject",
               "session", ""]  # fmt: skip
    print_table(columns, cells)


def _row(entry: "RecordingEntry") -> dict[str, Any]:
    paths = {"path": str(entry.path), "video": str(entry.video) if entry.video else None}
    return asdict(entry) | paths
