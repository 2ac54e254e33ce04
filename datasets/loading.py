"""What a command was given as data: dataset files, folders of recordings, or both."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .dataset import Kind, LandmarkDataset, concatenate
from .recorded import CALLED, DEFAULT, KINDS, Recorded, read_recordings, usual_length
from .recordingfiles import is_recordings
from .storage import load_dataset


@dataclass(frozen=True)
class Loaded:
    """Data that was loaded."""

    dataset: LandmarkDataset
    failures: tuple[tuple[str, str], ...] = ()
    """Recordings that could not be read, and why."""

    notes: tuple[str, ...] = ()
    """What was decided."""


def load_data(paths: Sequence[Path], kind: Kind | None = None) -> Loaded:
    """Load dataset files and folders of recordings, and join them.

    Parameters
    ----------
    paths
        Files as ``convert`` writes them, and folders as ``capture`` does; at least one.
    kind
        Which recordings are wanted of a folder that holds movements and poses. Default: the kind
        of the files, else movements.

    Raises
    ------
    HandloreError
        If something cannot be read, or a folder holds no recordings of that kind.
    InvalidDataError
        If they cannot be joined.
    """
    read = [read_recordings(path) if is_recordings(path) else load_dataset(path) for path in paths]
    folders = [one for one in read if isinstance(one, Recorded)]
    if not folders:
        return Loaded(concatenate([one for one in read if isinstance(one, LandmarkDataset)]))
    files = [one for one in read if isinstance(one, LandmarkDataset)]
    taken = kind or (files[0].header.kind if files else None) or _first_kind(folders)
    # One length for all, since a folder may hold nothing but `none`.
    window = usual_length([one for folder in folders for one in folder.recordings])
    joined = concatenate(
        [one.dataset(taken, window) if isinstance(one, Recorded) else one for one in read]
    )
    notes = [] if kind else _other_kind(folders, taken)
    failures = tuple((str(one.root / name), why) for one in folders for name, why in one.failures)
    return Loaded(joined, failures, tuple(notes))


def _first_kind(folders: Sequence[Recorded]) -> Kind:
    there = {kind for folder in folders for kind in folder.counts()}
    return next((kind for kind in KINDS if kind in there), KINDS[0])


def _other_kind(folders: Sequence[Recorded], taken: Kind) -> list[str]:
    """Say that there is more, and how to get it."""
    counts: Counter[Kind] = Counter()
    for folder in folders:
        counts.update(folder.counts())
    return [
        f"{counts[taken]} recordings of {CALLED[taken]} were taken, not the {n} of {CALLED[kind]};"
        f" --model {DEFAULT[kind]} takes those"
        for kind, n in counts.items()
        if kind != taken
    ]
