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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any, Self

import numpy as np

from handlore.landmarks.errors import HandloreError, InvalidDataError, counted, shell_line
from handlore.landmarks.untrusted import reason

from .dataset import LandmarkDataset
from .files import file_stamp, read_start
from .kinds import Kind
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
    video_of,
    write_marker,
)
from .storage import CONVERT_AGAIN, load_dataset, save_dataset

_RECORD_AGAIN = "record it again, or delete the file"
"""What to do about a damaged recording, which has no source."""

UNSORTED = "unsorted"
"""The label of what `live` kept of the last minutes: whoever reviews it says what it shows."""

_MOST_RENAMED = 3
"""Most folders that a note names."""


def is_live(recording: LandmarkDataset) -> bool:
    """Return whether a live run kept a recording."""
    return recording.header.options.get("live") is True


def normalized(name: str) -> str:
    """Return a label or a subject in Unicode form NFC, without surrounding blanks.

    Else names that look the same could be two: keyboards and systems write ``ü`` in two ways.
    """
    return unicodedata.normalize("NFC", name).strip()


@dataclass(frozen=True)
class RecordingEntry:
    """One recording, as a list shows it."""

    number: int
    path: Path
    label: str
    kind: Kind
    n_frames: int
    seconds: float
    """From the first frame to the last one."""
    share_with_hand: float
    """Share of its frames in which a hand was found, from 0 to 1."""
    subject: str
    session: str
    camera: str
    discarded: bool
    video: Path | None
    """The frames as a video, if they were kept."""
    recognised: str = ""
    """The label of the event of a live run around which it was kept, if there was one."""
    probability: float | None = None
    """Of that event."""
    recognised_at: str = ""
    """When it was emitted, such as ``2026-11-27 14:32:05``; empty if it is not known."""
    reviewed: bool = False
    """Whether somebody has said what it shows; recordings of live runs only."""

    @property
    def needs_review(self) -> bool:
        """Whether a live run has labelled it, and nobody has looked at it."""
        return bool(self.recognised) and not self.reviewed and not self.discarded


@dataclass(frozen=True)
class RecordedEvent:
    """The event of a live run around which a recording was kept."""

    label: str
    """What was recognised; the label of the recording says what it shows."""
    start: float
    end: float
    """Seconds on the clock of the recording."""
    slot: int = 0
    """The first hand of a frame that it is about."""
    probability: float | None = None
    at: str = ""
    """The date and time at which it was emitted, as the computer's clock said."""

    @classmethod
    def of(cls, recording: LandmarkDataset) -> Self | None:
        """Return the event of a recording; None if there was none."""
        said = recording.header.options.get("event")
        if not isinstance(said, Mapping):
            return None
        label, slot = said.get("label"), said.get("slot", 0)
        times: list[Any] = [said.get("start"), said.get("end")]
        if not isinstance(label, str) or not label or slot not in range(recording.n_hands):
            return None
        if not all(isinstance(one, int | float) and isfinite(one) for one in times):
            return None
        start, end = map(float, times)
        if start > end:
            return None
        share, at = said.get("probability"), said.get("at")
        known = float(share) if isinstance(share, int | float) and 0 <= share <= 1 else None
        return cls(
            normalized(label), start, end, int(slot), known, at if isinstance(at, str) else ""
        )


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
        with new_recording(self.root, _only_label(recording), video) as path:
            save_dataset(_numbered(recording, int(path.stem), self.name_of(path)), path)
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
        recording = _as_reviewed(load_dataset(path))
        column = np.full(recording.n_samples, label)
        recording = replace(recording, samples=replace(recording.samples, label=column))
        # Moved first, then rewritten in its place, so there are never two of it. If this is
        # interrupted in between, it still has its old label: the label in the file counts.
        moved = move_recording(self.root, path, self.root / folder_of(label) / path.name)
        save_dataset(_numbered(recording, int(moved.stem), self.name_of(moved)), moved)
        return moved

    def confirm(self, path: Path) -> None:
        """Keep that somebody has reviewed a kept recording: it shows what its label says."""
        self._inner(path, discarded=False)
        save_dataset(_as_reviewed(load_dataset(path)), path)

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
            known = self._known[path] = (stamp, _entry(self.root, path))
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


def load_recording(root: Path, path: Path) -> LandmarkDataset:
    """Read one recording of a folder, a dataset of one label.

    Its columns ``recording`` and ``source`` follow the file's name, so they are right wherever the
    file was moved to; labels and subjects are :func:`normalized`. InvalidDataError is raised,
    without the path, if it is no recording.
    """
    number = number_of(path)
    if number is None:
        raise InvalidDataError("its name is no number, so it is no recording")
    if path.is_dir():
        raise InvalidDataError("it is a folder, so it is no recording")
    if path.is_file() and not read_start(path, 2).startswith(b"PK"):
        what = "damaged" if path.stat().st_size else "damaged (it is empty)"
        raise InvalidDataError(f"is {what}; {_RECORD_AGAIN}")
    try:
        recording = load_dataset(path)
        label = _only_label(recording)
    except HandloreError as error:
        why = str(error).replace(f"{path} ", "").replace(f"{path}: ", "")
        raise InvalidDataError(why.replace(CONVERT_AGAIN, _RECORD_AGAIN)) from error
    columns: dict[str, Any] = {
        "label": np.full(recording.n_samples, normalized(label) or label),
        "group": np.array([normalized(one) for one in recording.samples.group], np.str_),
    }
    recording = replace(recording, samples=replace(recording.samples, **columns))
    return _numbered(recording, number, path.relative_to(root).as_posix())


def _numbered(recording: LandmarkDataset, number: int, source: str) -> LandmarkDataset:
    """Return a recording with its number and its file in its table.

    The column ``recording`` is shared by the frames of a pose. The session is part of it, so that
    the recordings of two folders stay apart.
    """
    n = recording.n_samples
    name = recording_name(str(recording.samples.session[0]), number)
    is_movement = recording.header.kind == "sequence"
    sources = [source] if is_movement else [f"{source}#{k}" for k in range(1, n + 1)]
    columns: dict[str, Any] = {"recording": np.full(n, name), "source": np.array(sources, np.str_)}
    return replace(recording, samples=replace(recording.samples, **columns))


def recording_name(session: str, number: int) -> str:
    """Return the name of a recording in the column ``recording``."""
    return f"{session} {number:04d}".strip()


def _as_reviewed(recording: LandmarkDataset) -> LandmarkDataset:
    header = recording.header
    return replace(recording, header=replace(header, options={**header.options, "reviewed": True}))


def _only_label(recording: LandmarkDataset) -> str:
    """Return the label of a recording; refuse other datasets."""
    if not recording.n_samples:
        raise InvalidDataError("it holds no samples, expected one recording")
    if len(recording.labels) != 1:
        raise InvalidDataError(
            f"it holds the labels {', '.join(recording.labels)}; a recording has one"
        )
    if recording.header.kind == "sequence" and recording.n_samples != 1:
        raise InvalidDataError(f"it holds {recording.n_samples} clips; a recording is one clip")
    return recording.labels[0]


def _seconds(recording: LandmarkDataset) -> float:
    """Return the length of a recording in seconds; frames of a pose have no times of their own."""
    rate = recording.header.options.get("frame_rate")
    if recording.header.kind == "sequence" or not isinstance(rate, int | float) or rate <= 0:
        return float(np.ptp(recording.time))
    return (recording.n_frames - 1) / rate


def is_unreviewed(recording: LandmarkDataset) -> bool:
    """Return whether the label of a recording is that of a model, and nobody has looked at it."""
    event, said = RecordedEvent.of(recording), recording.header.options.get("reviewed") is True
    return event is not None and not said and recording.labels[0] == event.label


def _entry(root: Path, path: Path) -> RecordingEntry | str:
    """Return what a list shows of a file, or why it is no recording."""
    try:
        recording = load_recording(root, path)
    except HandloreError as error:
        return str(error)
    except MemoryError as error:
        return reason(error)
    samples, event = recording.samples, RecordedEvent.of(recording)
    label = recording.labels[0]
    return RecordingEntry(
        number=int(path.stem),
        path=path,
        label=label,
        kind=recording.header.kind,
        n_frames=recording.n_frames,
        seconds=_seconds(recording),
        share_with_hand=float(recording.detected.any(axis=1).mean()),
        subject=str(samples.group[0]),
        session=str(samples.session[0]),
        camera=str(recording.header.options.get("camera", "")),
        discarded=path.relative_to(root).parts[0] == DISCARDED,
        video=video_of(path),
        recognised=event.label if event else "",
        probability=event.probability if event else None,
        recognised_at=event.at if event else "",
        reviewed=event is not None and not is_unreviewed(recording),
    )
