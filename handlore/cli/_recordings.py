"""What ``info`` shows of a folder of recordings."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._common import percent, print_table, say_failures

if TYPE_CHECKING:
    from handlore.datasets.loading import LoadedRecordings
    from handlore.datasets.recordings import RecordingEntry


def recordings_summary(folder: Path) -> dict[str, Any]:
    """Return what is in a folder of recordings, under the names that scripts rely on."""
    from handlore.datasets.loading import load_recordings
    from handlore.datasets.recordings import RecordingFolder

    recordings, recorded = RecordingFolder.open(folder, create=False), load_recordings(folder)
    entries = recordings.entries()
    return {
        "type": "recordings",
        "path": str(folder),
        "n_recordings": len(entries),
        "n_discarded": len(recordings.entries(discarded=True)),
        "labels": {
            label: _label_summary([entry for entry in entries if entry.label == label])
            for label in recordings.counts()
        },
        **{
            f"{column}s": dict(sorted(Counter(getattr(entry, of) for entry in entries).items()))
            for column, of in (("group", "subject"), ("session", "session"), ("camera", "camera"))
        },
        "detectors": _detectors(recorded),
        "failures": [list(failure) for failure in recorded.failures],
    }


def _label_summary(entries: "Sequence[RecordingEntry]") -> dict[str, Any]:
    n_frames = sum(entry.n_frames for entry in entries)
    seen = sum(entry.n_frames * entry.share_with_hand for entry in entries)
    return {
        "n_movements": sum(entry.kind == "sequence" for entry in entries),
        "n_poses": sum(entry.kind == "pose" for entry in entries),
        "seconds": round(sum(entry.seconds for entry in entries), 3),
        "n_frames": n_frames,
        "n_frames_with_hand": round(seen),
    }


def _detectors(recorded: "LoadedRecordings") -> dict[str, int]:
    known = (one.header.detector for one in recorded.recordings)
    names = Counter(f"{one.name} {one.version}, {one.landmarker}" for one in known if one)
    return dict(sorted(names.items()))


def print_recordings(summary: dict[str, Any]) -> None:
    """Print it for a person."""
    gone = f", {summary['n_discarded']} discarded" if summary["n_discarded"] else ""
    click.echo(f"{summary['path']}: {summary['n_recordings']} recordings{gone}")
    for what in ("groups", "sessions", "cameras", "detectors"):
        named = {name: n for name, n in summary[what].items() if name}
        if named:
            click.echo(f"  {what}: " + "; ".join(f"{name} ({n})" for name, n in named.items()))
    rows = [
        [
            label, row["n_movements"], row["n_poses"], f"{row['seconds']:.1f}", row["n_frames"],
            percent(row["n_frames_with_hand"] / max(row["n_frames"], 1)),
        ]
        for label, row in summary["labels"].items()
    ]  # fmt: skip
    if rows:
        click.echo()
        print_table(["label", "movements", "poses", "seconds", "frames", "with a hand"], rows)
    say_failures([(name, reason) for name, reason in summary["failures"]])


def advice_on(folder: Path) -> list[str]:
    """Return what to record next; takes a few seconds."""
    from handlore.capture.coach import advise
    from handlore.datasets.loading import load_recordings

    return advise(load_recordings(folder))


def print_advice(lines: Sequence[str]) -> None:
    """Print it for a person."""
    if lines:
        click.echo("\nNext:")
    for line in lines:
        click.echo(f"  {line}")


def write_contact_sheet(path: Path, out: Path) -> int:
    """Draw every recording of a folder, or sample of a dataset file; return how many.

    Raises
    ------
    HandloreError
        If there is nothing to draw, or the picture cannot be written.
    """
    from handlore.datasets.loading import load_recordings
    from handlore.datasets.recording_files import is_recordings
    from handlore.datasets.storage import load_dataset
    from handlore.landmarks.errors import HandloreError
    from handlore.landmarks.files import atomic_write
    from handlore.report.contactsheet import contact_sheet_png, tiles_of

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

    Raises
    ------
    HandloreError
        If there is nothing to draw, or a file cannot be written.
    """
    from handlore.datasets.loading import KIND_NAMES, load_recordings
    from handlore.datasets.recording_files import is_recordings
    from handlore.datasets.storage import load_dataset
    from handlore.landmarks.errors import HandloreError
    from handlore.landmarks.files import atomic_write
    from handlore.report.dataplots import ALWAYS, PLOTS, data_plots

    recorded = load_recordings(path) if is_recordings(path) else None
    data = [recorded.dataset(kind) for kind in recorded.counts()] if recorded else []
    data = data if recorded else [load_dataset(path)]
    if not any(one.n_samples for one in data):
        raise HandloreError(f"{path} holds nothing to draw")
    starts = {kind: f"{called.replace(' ', '-')}-" for kind, called in KIND_NAMES.items()}
    files: dict[Path, bytes] = {}
    for one in data:
        # Movements and poses of one folder must not overwrite each other.
        start = starts[one.header.kind] if len(data) > 1 else ""
        drawn = data_plots(one, path.resolve().name)
        files |= {folder / f"{start}{name}": content for name, content in drawn.items()}
    for start in ("", *starts.values()):
        if all((folder / f"{start}{name}").exists() for name in ALWAYS):
            for old in {folder / f"{start}{name}" for name in PLOTS} - set(files):
                old.unlink(missing_ok=True)
    for file, content in files.items():
        with atomic_write(file) as stream:
            stream.write(content)
    return list(files)
