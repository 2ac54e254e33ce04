"""A folder of recordings, as a session of ``handlore capture`` writes it.

A recording is a landmark dataset in a file of its own: a movement is one sample of kind
``sequence``, a held pose is a dataset of kind ``pose`` with one sample a frame. Its number is its
name: it is unique in a folder, and stays when the recording is discarded or relabelled.
``docs/reference/formats.md`` specifies the folder.
"""

import contextlib
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from handlore.landmarks.errors import HandloreError, InvalidDataError, counted, shell_line

from .dataset import LandmarkDataset
from .files import file_stamp
from .recorded import (
    UNSORTED,
    RecordingEntry,
    as_reviewed,
    entry_of,
    normalized,
    numbered,
    only_label,
)
from .recording_files import (
    DISCARDED,
    MARKER,
    folder_of,
    labels_in_marker,
    move_recording,
    new_recording,
    number_of,
    open_recordings_folder,
    recording_files,
    write_marker,
)
from .storage import load_dataset, save_dataset

_MOST_RENAMED = 3
"""Most folders that a note names."""


class RecordingFolder:
    """A folder of recordings, open for reading and writing."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._known: dict[Path, tuple[tuple[int, int], RecordingEntry | str]] = {}
        self._made: list[Path] = []
        """What :meth:`open` has made: the marker, the folder, and those above it."""

    @classmethod
    def open(cls, root: str | Path, *, create: bool = True) -> Self:
        """Open a folder; half-written files of killed processes are removed.

        With ``create`` it is made if it does not exist, or is empty, and must be writable.
        HandloreError is raised if it holds something else, or a later version of handlore made it.
        """
        folder = cls(Path(root))
        if create:
            needed = (folder.root / MARKER, folder.root, *folder.root.parents)
            folder._made = [path for path in needed if not path.exists()]
        try:
            open_recordings_folder(folder.root, create=create)
        except HandloreError:
            folder.remove_unused()
            raise
        return folder

    def entries(self, *, discarded: bool | None = False) -> list[RecordingEntry]:
        """List the recordings that are kept, or those that were discarded (None: both), by number.

        Files that cannot be read are left out, see :meth:`failures`.
        """
        sides = (False, True) if discarded is None else (discarded,)
        paths = (path for side in sides for path in recording_files(self.root, discarded=side))
        found = (self._look(path) for path in paths)
        return sorted(
            (e for e in found if isinstance(e, RecordingEntry)), key=lambda e: (e.number, e.path)
        )

    def renamed(self) -> str:
        """Return what :func:`about_renamed` says of the recordings that are kept."""
        return about_renamed(self.root, ((e.path.parent.name, e.label) for e in self.entries()))

    def failures(self) -> list[tuple[str, str]]:
        """Return the files that should be recordings but cannot be read, and why."""
        looked = ((path, self._look(path)) for path in recording_files(self.root))
        return [(self.name_of(path), said) for path, said in looked if isinstance(said, str)]

    def find(
        self, wanted: Sequence[int | Path], *, discarded: bool = False
    ) -> list[RecordingEntry]:
        """Return the recordings of :meth:`files`; all must be readable."""
        entries = []
        for path in self.files(wanted, discarded=discarded):
            found = self._look(path)
            if isinstance(found, str):
                raise InvalidDataError(f"{self.root}: {self.name_of(path)}: {found}")
            entries.append(found)
        return entries

    def files(self, wanted: Sequence[int | Path], *, discarded: bool = False) -> list[Path]:
        """Return the files of kept, or of discarded, recordings, damaged ones too.

        They are given by number, or by path, as seen from here or from the folder. All must exist,
        and a number must have one file: in folders that were joined by hand it may have more.
        """
        paths = recording_files(self.root, discarded=discarded)
        readable = {entry.path for entry in self.entries(discarded=discarded)}
        found = []
        for one in wanted:
            if isinstance(one, Path):
                same = {os.path.realpath(one), os.path.realpath(self.root / one)}
                fitting = [path for path in paths if os.path.realpath(path) in same]
            else:
                fitting = [path for path in paths if number_of(path) == one]
                # Beside a damaged file of its number, the one that can be read counts.
                fitting = [path for path in fitting if path in readable] or fitting
            kind = "discarded" if discarded else "kept"
            if not fitting:
                raise HandloreError(f"{self.root} has no {kind} recording {one}")
            if len(fitting) > 1:
                names = " and ".join(self.name_of(path) for path in fitting)
                raise HandloreError(
                    f"{self.root} has {len(fitting)} {kind} recordings {one}: {names}; give the"
                    " path of one in place of the number, or delete the others if they are copies"
                )
            found += fitting
        return list(dict.fromkeys(found))

    def counts(self) -> dict[str, int]:
        """Return how many recordings of each label are kept, sorted by label."""
        return dict(sorted(Counter(entry.label for entry in self.entries()).items()))

    def labels(self) -> list[str]:
        """Return all labels in the order of their keys in the last session.

        Then come those that only recordings have, in the order of the first ones that are kept.
        """
        own = (entry.label for entry in self.entries())
        return list(dict.fromkeys([*labels_in_marker(self.root), *own]))

    def order_labels(self, labels: Sequence[str]) -> None:
        """Remember labels, with or without recordings, in the order of their keys."""
        if list(labels) != labels_in_marker(self.root):
            write_marker(self.root, labels)

    def warnings_for(self, subject: str, camera: str) -> list[str]:
        """Return warnings for a session that adds recordings of a subject to this folder."""
        entries, lines = self.entries(), []
        for what, given in (("subject", normalized(subject)), ("camera", camera)):
            there = sorted({getattr(entry, what) for entry in entries} - {""})
            if there and given not in there:
                adds = f"adds {given}" if given else f"does not name its {what}"
                same = [one for one in there if one.casefold() == given.casefold()]
                other = f", which is another {what} than {same[0]}" if same else ""
                lines.append(
                    f"{self.root} holds recordings of {what} {', '.join(there)};"
                    f" this session {adds}{other}"
                )
        return lines

    def keep(self, recording: LandmarkDataset, video: Path | None = None) -> Path:
        """Keep a recording under the next number, whole or not at all; return its file.

        It is one sample of kind ``sequence``, or samples of kind ``pose`` of one label; its frames
        as a ``video`` are moved beside it. A video that is written to ``.NAME.tmp.avi`` in the
        folder is on the same disk, and is removed later if it is not kept. If the recording cannot
        be written, such as on a full disk, HandloreError is raised, nothing of it is left, and the
        video is where it was.
        """
        with new_recording(self.root, only_label(recording), video) as path:
            save_dataset(numbered(recording, int(path.stem), self.name_of(path)), path)
        return path

    def discard(self, path: Path) -> Path:
        """Move a kept recording, with its video, to the discarded ones; return where it is now."""
        inner = self._inner(path, discarded=False)
        return move_recording(self.root, path, self.root / DISCARDED / inner)

    def restore(self, path: Path) -> Path:
        """Move a discarded recording, with its video, back; return where it is now."""
        return move_recording(self.root, path, self.root / self._inner(path, discarded=True))

    def relabel(self, path: Path, label: str) -> Path:
        """Give a kept recording another label; return where it is now.

        The label must not be empty or hold control characters.
        """
        self._inner(path, discarded=False)
        recording = as_reviewed(load_dataset(path))
        column = np.full(recording.n_samples, label)
        recording = replace(recording, samples=replace(recording.samples, label=column))
        # Moved first, then rewritten in its place, so there are never two of it. If this is
        # interrupted in between, it still has its old label: the label in the file counts.
        moved = move_recording(self.root, path, self.root / folder_of(label) / path.name)
        save_dataset(numbered(recording, int(moved.stem), self.name_of(moved)), moved)
        return moved

    def confirm(self, path: Path) -> None:
        """Keep that somebody has reviewed a kept recording: it shows what its label says."""
        self._inner(path, discarded=False)
        save_dataset(as_reviewed(load_dataset(path)), path)

    def remove_unused(self) -> None:
        """Remove what :meth:`open` has made, if nothing was put into it since."""
        with contextlib.suppress(OSError):
            used = self.root.exists() and not {MARKER}.issuperset(os.listdir(self.root))
            for path in () if used else self._made:
                if path.is_dir():
                    path.rmdir()
                else:
                    path.unlink(missing_ok=True)

    def name_of(self, path: Path) -> str:
        """Return the path of a file relative to the folder, with forward slashes."""
        return Path(path).relative_to(self.root).as_posix()

    def _inner(self, path: Path, *, discarded: bool) -> Path:
        """Return <label>/<number>.npz of a recording of this folder."""
        above = self.root / DISCARDED if discarded else self.root
        inner = Path(path).relative_to(above) if Path(path).is_relative_to(above) else Path()
        if len(inner.parts) != 2 or inner.parts[0] == DISCARDED:
            what = "discarded" if discarded else "kept"
            raise HandloreError(f"{path} is no {what} recording of {self.root}")
        return inner

    def _look(self, path: Path) -> RecordingEntry | str:
        """Return what is in a file, or why it cannot be read; cached until the file changes."""
        stamp = file_stamp(path)
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            known = self._known[path] = (stamp, entry_of(self.root, path))
        return known[1]


def about_renamed(root: Path, labels: Iterable[tuple[str, str]]) -> str:
    """Say which recordings are in the folder of another label than theirs; else nothing.

    Given are the name of the folder and the label of each recording. A folder that was renamed by
    hand changes no label.
    """
    found = [
        f'{counted(n, "recording")} in "{folder}" {"is" if n == 1 else "are"} labelled {label}'
        for (folder, label), n in sorted(Counter(labels).items())
        if folder != UNSORTED and not _is_called(folder, label)
    ]
    if not found:
        return ""
    more = f"; and {len(found) - _MOST_RENAMED} more such folders" if found[_MOST_RENAMED:] else ""
    relabel = shell_line("handlore", "recordings", "relabel", root, "NUMBER", "LABEL")
    return (
        f"{'; '.join(found[:_MOST_RENAMED])}{more}: the name of a folder does not count,"
        f" `{relabel}` changes a label"
    )


def _is_called(folder: str, label: str) -> bool:
    """Return whether a folder has the name of a label, as any file system writes it."""
    names = {folder_of(unicodedata.normalize(form, label)) for form in ("NFC", "NFD")}
    return folder_of(normalized(folder)).casefold() in {name.casefold() for name in names}
