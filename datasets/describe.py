"""What is in a dataset file or a folder of recordings, and what is wrong with the labels."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import compress
from pathlib import Path
from typing import Any

from handlore.landmarks.files import as_path

from .dataset import Header, LandmarkDataset, listed
from .kinds import Kind
from .loading import load_recordings
from .recorded import RecordingEntry
from .recording_files import is_recordings
from .recordings import RecordingFolder
from .storage import load_dataset

Counts = Mapping[str, int]
"""How many there are by name, sorted by name; an empty name is one that is not known."""

_MIN_ITEMS = 5
"""A class with fewer items that show a hand is nearly empty."""


@dataclass(frozen=True)
class _Conflict:
    """Identical pictures under different labels."""

    labels: tuple[str, ...]
    n: int
    """How many pictures, counted under every label."""
    sources: tuple[str, ...]
    """The first of them and its copies."""


@dataclass(frozen=True)
class LabelProblems:
    """The label problems of a dataset. Items are pictures or clips, not augmented copies."""

    conflicts: tuple[_Conflict, ...]
    """Identical items under different labels; most items first."""
    n_duplicates: int
    """Items that are identical to an earlier one of the same label."""
    detection: Mapping[str, tuple[int, int]]
    """By label: how many items, and in how many a hand was found."""
    one_class_groups: tuple[str, ...]
    """Groups with a single class, where others have more: they cannot show a confusion."""

    @property
    def n_conflicts(self) -> int:
        """How many pictures are under more than one label."""
        return sum(conflict.n for conflict in self.conflicts)

    @property
    def near_empty(self) -> dict[str, int]:
        """The classes with hardly any hand, and how many there are; ``none`` needs no hand."""
        short = {label: found for label, (_, found) in self.detection.items() if found < _MIN_ITEMS}
        return {label: found for label, found in short.items() if label != "none"}

    @property
    def handless(self) -> list[str]:
        """The classes without any hand, where others have some; ``none`` needs no hand."""
        found = {label: hands for label, (_, hands) in self.detection.items() if label != "none"}
        return [label for label, hands in found.items() if not hands] if any(found.values()) else []

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        return {
            "conflicts": self.n_conflicts,
            "conflict_labels": [
                {"labels": list(one.labels), "n": one.n, "such_as": list(one.sources)}
                for one in self.conflicts
            ],
            "duplicates": self.n_duplicates,
            "near_empty": self.near_empty,
            "one_class_groups": list(self.one_class_groups),
        }

    @property
    def about_conflicts(self) -> str | None:
        """The labels that share identical items, in a line: they cannot be distinguished."""
        if not self.conflicts:
            return None
        pairs = [f"{' = '.join(one.labels)} ({one.n})" for one in self.conflicts]
        return (
            f"{self.n_conflicts} identical items are under two labels or more: {listed(pairs)};"
            f" such as {' = '.join(self.conflicts[0].sources[:2])}"
        )

    def lines(self) -> Iterator[str]:
        """Yield the problems as text, the most important first, long lists cut."""
        if self.about_conflicts:
            yield self.about_conflicts
        if self.near_empty:
            few = [f"{label} ({found})" for label, found in self.near_empty.items()]
            yield f"fewer than {_MIN_ITEMS} items with a hand: {listed(few)}"
        if self.one_class_groups:
            yield f"groups with one class only: {listed(self.one_class_groups)}"
        if self.n_duplicates:
            items = "item is" if self.n_duplicates == 1 else "items are"
            yield f"{self.n_duplicates} {items} identical to another one of the same label"

    @classmethod
    def of(cls, dataset: LandmarkDataset) -> "LabelProblems":
        """Find conflicting labels, duplicates, and classes with hardly any hand.

        Items are identical if their digests are; items without a digest are not compared.
        """
        samples, first = dataset.samples, dataset.samples.view == 0
        labels, groups = samples.label[first].tolist(), samples.group[first].tolist()
        found = dataset.has_hand[first].tolist()
        copies: dict[str, list[tuple[str, str]]] = defaultdict(list)
        digests, sources = dataset.digests[first].tolist(), samples.source[first].tolist()
        for label, source, digest in zip(labels, sources, digests, strict=True):
            if digest:
                copies[digest].append((label, source))
        repeated = sum(len(rows) - len({label for label, _ in rows}) for rows in copies.values())
        return cls(
            _conflicts(copies.values()),
            repeated,
            _detection(labels, found),
            _one_class(groups, labels),
        )


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

    @property
    def labels(self) -> Mapping[str, tuple[int, int]]:
        """By label: how many samples, and how many of them with a hand."""
        return self.label_problems.detection

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


def describe(path: str | Path) -> DatasetDescription | RecordingsDescription:
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
    path = as_path(path)
    return _describe_recordings(path) if is_recordings(path) else _describe_dataset(path)


def _describe_dataset(path: Path) -> DatasetDescription:
    dataset = load_dataset(path)
    copies = dataset.samples.view > 0
    own = dataset.select(~copies) if copies.any() else dataset
    samples = own.samples
    return DatasetDescription(
        path=str(path),
        bytes=path.stat().st_size,
        kind=own.header.kind,
        n_samples=dataset.n_samples,
        n_copies=int(copies.sum()),
        n_items=len(set(samples.items().tolist())),
        n_no_hand=int((~own.has_hand).sum()),
        n_frames=own.n_frames,
        n_hands=own.n_hands,
        groups=_counts(samples.group.tolist()),
        sessions=_counts(samples.session.tolist()),
        splits=_counts(samples.split.tolist()),
        n_recordings=len(set(samples.recording.tolist()) - {""}),
        stages=own.stage_counts(),
        label_problems=LabelProblems.of(own),
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


def _conflicts(copies: Any) -> tuple[_Conflict, ...]:
    by_labels: dict[tuple[str, ...], list[list[str]]] = defaultdict(list)
    for rows in copies:
        labels = tuple(sorted({label for label, _ in rows}))
        if len(labels) > 1:
            by_labels[labels].append([source for _, source in rows])
    found = [
        _Conflict(labels, sum(map(len, alike)), tuple(alike[0]))
        for labels, alike in by_labels.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.n, one.labels)))


def _detection(labels: Sequence[str], found: Sequence[bool]) -> dict[str, tuple[int, int]]:
    n, with_hand = Counter(labels), Counter(compress(labels, found))
    return {label: (n[label], with_hand[label]) for label in sorted(n)}


def _one_class(groups: Sequence[str], labels: Sequence[str]) -> tuple[str, ...]:
    classes = defaultdict(set)
    for group, label in zip(groups, labels, strict=True):
        classes[group].add(label)
    classes.pop("", None)
    if len(set(labels)) < 2:
        return ()
    return tuple(sorted(group for group, shown in classes.items() if len(shown) == 1))
