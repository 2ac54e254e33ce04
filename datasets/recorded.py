"""One recording of a folder: what is in its file, and how a list shows it."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any, Self

import numpy as np

from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.untrusted import reason

from .dataset import LandmarkDataset
from .files import read_start
from .kinds import Kind
from .recording_files import DISCARDED, number_of, video_of
from .storage import CONVERT_AGAIN, load_dataset

_RECORD_AGAIN = "record it again, or delete the file"
"""What to do about a damaged recording, which has no source."""

UNSORTED = "unsorted"
"""The label of what `live` kept of the last minutes: whoever reviews it says what it shows."""


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
        label = only_label(recording)
    except HandloreError as error:
        why = str(error).replace(f"{path} ", "").replace(f"{path}: ", "")
        raise InvalidDataError(why.replace(CONVERT_AGAIN, _RECORD_AGAIN)) from error
    columns: dict[str, Any] = {
        "label": np.full(recording.n_samples, normalized(label) or label),
        "group": np.array([normalized(one) for one in recording.samples.group], np.str_),
    }
    recording = replace(recording, samples=replace(recording.samples, **columns))
    return numbered(recording, number, path.relative_to(root).as_posix())


def numbered(recording: LandmarkDataset, number: int, source: str) -> LandmarkDataset:
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


def as_reviewed(recording: LandmarkDataset) -> LandmarkDataset:
    """Return a recording whose label somebody has confirmed or given."""
    header = recording.header
    return replace(recording, header=replace(header, options={**header.options, "reviewed": True}))


def only_label(recording: LandmarkDataset) -> str:
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


def entry_of(root: Path, path: Path) -> RecordingEntry | str:
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
