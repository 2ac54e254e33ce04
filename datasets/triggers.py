"""Triggers: recordings of what a live run recognised, and what they show to a person.

A session of ``live --record`` keeps a recording of each event, with the label that was recognised.
Somebody reviews them; then each is an example, right or corrected, for the model that emitted it. A
gesture that this model does not know is ``none`` to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from handlore.landmarks.errors import HandloreError, naming, shell_line

from .dataset import NONE_LABEL, LandmarkDataset
from .kinds import Kind
from .loading import LoadedRecordings, load_recordings
from .recorded import UNSORTED, RecordedEvent, RecordingEntry, is_live, recording_name
from .recordings import RecordingFolder
from .windows import frames_as_poses

_MARGIN = 1.0
"""Seconds around the event in recordings that do not say when it was."""
_POSE_INTERVAL = 0.04
"""Seconds between the frames of a held pose that become samples."""


@dataclass(frozen=True, eq=False)
class Trigger:
    """A reviewed recording: what was recognised in it, and what it shows."""

    recording: LandmarkDataset
    """One sample with the hands that the model sees, and about a second around the event."""
    recognised: str
    """The label of the event; empty for a recording of everyday movement."""
    label: str
    """What it shows, as the model would say it."""
    start: float
    end: float
    """Of the event, in seconds on the clock of the recording."""

    @property
    def name(self) -> str:
        """Session and number."""
        return str(self.recording.samples.recording[0])

    @property
    def is_right(self) -> bool:
        """Whether it was recognised as what it is."""
        return self.label == self.recognised

    def part(self) -> LandmarkDataset:
        """Return the frames of the event, a sample of the label."""
        time = self.recording.time
        first, last = np.searchsorted(time, [self.start - 1e-6, self.end + 1e-6])
        first = min(first, len(time) - 1)
        kept = np.arange(first, max(last, first + 1))
        samples = replace(self.recording.samples, label=np.array([self.label]))
        return self.recording.at_frames([kept], samples).from_zero()


@dataclass(frozen=True)
class Triggers:
    """What a folder of recordings holds for one model."""

    root: Path
    reviewed: tuple[Trigger, ...]
    """In the order in which they were recorded."""
    settled: frozenset[str]
    """The names of the reviewed and the discarded recordings."""
    n_unreviewed: int = 0
    n_other: int = 0
    """Recordings of labels that the model does not know, or of another number of hands."""
    failures: tuple[tuple[str, str], ...] = ()
    """Files that cannot be read, and why."""

    @property
    def names(self) -> set[str]:
        """Those of the reviewed recordings."""
        return {one.name for one in self.reviewed}

    @property
    def n_right(self) -> int:
        """How many were recognised as what they are."""
        return sum(one.is_right for one in self.reviewed)

    @property
    def n_wrong(self) -> int:
        """How many were not."""
        return len(self.reviewed) - self.n_right

    @property
    def n_none(self) -> int:
        """How many of them show no gesture of the model."""
        return sum(one.label == NONE_LABEL for one in self.reviewed)

    def confirm(self) -> None:
        """Keep in the folder that these triggers have been reviewed: their labels are right."""
        folder, names = RecordingFolder.open(self.root, create=False), self.names
        for entry in folder.entries():
            if entry.needs_review and recording_name(entry.session, entry.number) in names:
                folder.confirm(entry.path)

    def samples(
        self, kind: Kind, window: float | None = None, emphasis: int = 1
    ) -> LandmarkDataset | None:
        """Return the training samples of all triggers; None if none of them shows a hand.

        A trigger of a movement is one sample, one of a pose has a sample for each frame with a
        hand. Minutes of ``none`` are cut into windows of so many seconds, as in other recordings.
        Mistakes are there ``emphasis`` times, as copies.
        """
        parts = [_as_pose(one) if kind == "pose" else one.part() for one in self.reviewed]
        seen = tuple(part for part in parts if part.has_hand.any())
        if not seen:
            return None
        mistakes = [one.name for one in self.reviewed if one.recognised and not one.is_right]
        dataset = LoadedRecordings(self.root, seen, ()).dataset(kind, window)
        return _emphasised(dataset, mistakes, emphasis)


def _emphasised(dataset: LandmarkDataset, names: Sequence[str], times: int) -> LandmarkDataset:
    """Return a dataset with copies of some recordings."""
    once = np.arange(dataset.n_samples)
    chosen = np.flatnonzero(np.isin(dataset.samples.recording, names))
    copied = dataset.select(np.concatenate([once, np.tile(chosen, times - 1)]))
    view = np.concatenate([0 * once, np.repeat(np.arange(1, times), len(chosen))])
    return replace(copied, samples=replace(copied.samples, view=view))


def _as_pose(trigger: Trigger) -> LandmarkDataset:
    part = trigger.part()
    if not trigger.recognised:
        return part  # of minutes of `none` the loader takes a frame now and then
    poses = frames_as_poses(part, _POSE_INTERVAL)
    return poses.select(poses.has_hand)


def load_triggers(
    root: str | Path, labels: Sequence[str], n_hands: int, *, all_reviewed: bool = False
) -> Triggers:
    """Load the recordings of a folder of ``live --record`` that are about a model.

    Parameters
    ----------
    root
        The folder.
    labels, n_hands
        Those of the model.
    all_reviewed
        Take recordings that nobody has reviewed too: their labels are right.

    Raises
    ------
    HandloreError
        If it is no folder of recordings, or holds none of a live run.
    """
    folder, loaded = RecordingFolder.open(Path(root), create=False), load_recordings(Path(root))
    known = {entry.path.relative_to(folder.root).as_posix(): entry for entry in folder.entries()}
    found, n_unreviewed, n_other, n_live = [], 0, 0, 0
    for recording in sorted(loaded.recordings, key=_moment):
        trigger = _trigger(recording, labels, n_hands)
        n_live += is_live(recording)
        if trigger is None:
            n_other += recording.labels != [UNSORTED]
        elif _is_open(recording, known) and not all_reviewed:
            n_unreviewed += 1
        else:
            found.append(trigger)
    gone = folder.entries(discarded=True)
    if not n_live and not gone:
        with naming(loaded.failed()):
            live = shell_line("handlore", "live", "MODEL", "--record", root)
            raise HandloreError(f"{root} holds no recordings of a live run; `{live}` makes some")
    settled = {one.name for one in found} | {recording_name(e.session, e.number) for e in gone}
    return Triggers(
        folder.root, tuple(found), frozenset(settled), n_unreviewed, n_other, loaded.failed()
    )


def _moment(recording: LandmarkDataset) -> tuple[str, int]:
    """Return what sorts recordings by time: session, and number."""
    session, name = str(recording.samples.session[0]), str(recording.samples.recording[0])
    return session, int(name.rpartition(" ")[2])


def _is_open(recording: LandmarkDataset, known: dict[str, RecordingEntry]) -> bool:
    entry = known.get(str(recording.samples.source[0]))
    return entry is not None and entry.needs_review


def _trigger(recording: LandmarkDataset, labels: Sequence[str], n_hands: int) -> Trigger | None:
    """Return a recording as a trigger of a model; None if it is not about it."""
    if recording.header.kind != "sequence" or not is_live(recording):
        return None
    shown, event = recording.labels[0], _event_of(recording)
    if event is None and shown == NONE_LABEL:
        event = RecordedEvent("", float(recording.time[0]), float(recording.time[-1]))
    if event is None or (event.label and event.label not in labels):
        return None
    first = event.slot - event.slot % n_hands
    if first + n_hands > recording.n_hands:
        return None
    label = shown if shown in labels else NONE_LABEL
    own = recording.with_slots(slice(first, first + n_hands))
    return Trigger(own, event.label, label, event.start, event.end)


def _event_of(recording: LandmarkDataset) -> RecordedEvent | None:
    """Return the event; recordings of earlier versions lack its times, and its label too."""
    event, label = RecordedEvent.of(recording), recording.labels[0]
    if event is not None or label in (UNSORTED, NONE_LABEL):
        return event
    first, last = float(recording.time[0]), float(recording.time[-1])
    margin = min(_MARGIN, (last - first) / 3)
    return RecordedEvent(label, first + margin, last - margin)
