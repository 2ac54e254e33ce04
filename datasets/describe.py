"""What is in a dataset file or a folder of recordings, as facts to print or to compare."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .dataset import Header, Kind
from .label_problems import LabelProblems, find_label_problems
from .loading import load_recordings
from .recording_files import is_recordings
from .recordings import RecordingEntry, RecordingFolder
from .storage import load_dataset

Counts = Mapping[str, int]
"""How many there are by name, sorted by name; an empty name is one that is not known."""


@dataclass(frozen=True)
class DatasetDescription:
    """What is in a dataset. Unless it says otherwise, augmented copies are not counted."""

    path: str
    bytes: int
    kind: Kind
    n_samples: int
    """How many samples there are, augmented copies included."""
    n_copies: int
    """How many of them are augmented copies."""
    n_items: int
    """How many pictures or clips there are."""
    n_no_hand: int
    n_frames: int
    n_hands: int
    """How many hands a frame has room for."""
    labels: Mapping[str, tuple[int, int]]
    """By label: how many samples, and how many of them with a hand."""
    groups: Counts
    sessions: Counts
    splits: Counts
    n_recordings: int
    stages: Counts
    """In how many frames each search stage found a hand."""
    label_problems: LabelProblems
    header: Header
    digest: str
    """See :meth:`~.dataset.LandmarkDataset.digest`."""

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        labels = {name: {"n": n, "n_with_hand": found} for name, (n, found) in self.labels.items()}
        facts = {field: getattr(self, field) for field in self.__dataclass_fields__}
        for field in ("path", "bytes", "kind", "n_samples", "n_copies", "label_problems"):
            del facts[field]
        return {
            "type": "dataset",
            "kind": self.kind,
            "n_samples": self.n_samples,
            "n_views": self.n_copies,
            **facts,
            "labels": labels,
            **self.label_problems.as_json(),
            "header": self.header.as_json(),
            "path": self.path,
            "bytes": self.bytes,
        }


@dataclass(frozen=True)
class _RecordedLabel:
    """The recordings of one label."""

    n_movements: int
    n_poses: int
    seconds: float
    n_frames: int
    n_frames_with_hand: int


@dataclass(frozen=True)
class RecordingsDescription:
    """What is in a folder of recordings."""

    path: str
    n_recordings: int
    n_discarded: int
    labels: Mapping[str, _RecordedLabel]
    groups: Counts
    """Recordings by person."""
    sessions: Counts
    cameras: Counts
    detectors: Counts
    failures: Sequence[tuple[str, str]]
    """Files that cannot be read, relative to the folder, and why."""

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        return {"type": "recordings", **asdict(self), "failures": [list(f) for f in self.failures]}


def describe(path: Path) -> DatasetDescription | RecordingsDescription:
    """Return what is in a dataset file or a folder of recordings.

    Raises
    ------
    HandloreError
        If it is neither, or cannot be read.

    Examples
    --------
    >>> import handlore
    >>> handlore.describe("poses.npz").kind
    'pose'
    """
    path = Path(path)
    return _describe_recordings(path) if is_recordings(path) else _describe_dataset(path)


def _describe_dataset(path: Path) -> DatasetDescription:
    dataset = load_dataset(path)
    copies = dataset.samples.view > 0
    own = dataset.select(~copies) if copies.any() else dataset
    samples, has_hand = own.samples, own.has_hand
    n, found = Counter(samples.label.tolist()), Counter(samples.label[has_hand].tolist())
    return DatasetDescription(
        path=str(path),
        bytes=path.stat().st_size,
        kind=own.header.kind,
        n_samples=dataset.n_samples,
        n_copies=int(copies.sum()),
        n_items=len(set(samples.items().tolist())),
        n_no_hand=int((~has_hand).sum()),
        n_frames=own.n_frames,
        n_hands=own.n_hands,
        labels={label: (n[label], found[label]) for label in sorted(n)},
        groups=_counts(samples.group.tolist()),
        sessions=_counts(samples.session.tolist()),
        splits=_counts(samples.split.tolist()),
        n_recordings=len(set(samples.recording.tolist()) - {""}),
        stages=own.stage_counts(),
        label_problems=find_label_problems(own),
        header=own.header,
        digest=dataset.digest(),
    )


def _describe_recordings(folder: Path) -> RecordingsDescription:
    recordings, loaded = RecordingFolder.open(folder, create=False), load_recordings(folder)
    entries = recordings.entries()
    detectors = (one.header.detector for one in loaded.recordings)
    return RecordingsDescription(
        path=str(folder),
        n_recordings=len(entries),
        n_discarded=len(recordings.entries(discarded=True)),
        labels={
            label: _label([entry for entry in entries if entry.label == label])
            for label in recordings.counts()
        },
        groups=_counts(entry.subject for entry in entries),
        sessions=_counts(entry.session for entry in entries),
        cameras=_counts(entry.camera for entry in entries),
        detectors=_counts(f"{d.name} {d.version}, {d.landmarker}" for d in detectors if d),
        failures=loaded.failures,
    )


def _label(entries: Sequence[RecordingEntry]) -> _RecordedLabel:
    return _RecordedLabel(
        n_movements=sum(entry.kind == "sequence" for entry in entries),
        n_poses=sum(entry.kind == "pose" for entry in entries),
        seconds=round(sum(entry.seconds for entry in entries), 3),
        n_frames=sum(entry.n_frames for entry in entries),
        n_frames_with_hand=round(sum(entry.n_frames * entry.share_with_hand for entry in entries)),
    )


def _counts(names: Any) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
