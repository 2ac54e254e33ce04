"""Recordings that ``handlore capture`` made: movements, and static poses beside them."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from handlore.landmarks.detector import DetectorInfo
from handlore.landmarks.errors import HandloreError, InvalidDataError, NewerFormatError
from handlore.landmarks.hands import Hand

from ..dataset import Kind, LandmarkDataset, Samples
from ..loading import CALLED, LoadedRecordings, read_recordings
from ..recording_files import MARKER, is_recordings
from ._landmarks import BadItem, LandmarkSource
from .base import SOURCES, Item, LandmarkClip

_COLUMNS = ("label", "group", "session", "recording", "split")


@dataclass(frozen=True)
class _Sample(Item):
    """A sample of the dataset that a folder of recordings is."""

    root: Path = Path()
    state: str = ""
    """Of the folder when it was listed."""


@SOURCES.register
@dataclass(frozen=True)
class RecordedMovements(LandmarkSource):
    """Movements that `handlore capture` recorded, with subject and session.

    Discarded ones are left out. Recordings of `none` are cut into windows as long as the other
    movements usually are, half overlapping; windows without a hand are left out.

    Commands that take a dataset take such a folder directly, too.
    """

    name = "recordings"
    layout = f"{MARKER} of `handlore capture`, <label>/<number>.npz with movements"
    kind: ClassVar[Kind] = "sequence"
    specificity = 101

    def fits(self, root: Path) -> bool:
        """Say whether it is a folder of recordings with movements, or without any recording."""
        there = _kinds_in(root)
        return there is not None and (not there or self.kind in there)

    def items(self, root: Path) -> list[Item]:
        """List the samples, and the files that cannot be read."""
        if not is_recordings(root):
            return []
        recorded = read_recordings(root)
        bad: list[Item] = [
            BadItem(root / name, name, "unknown", reason=why) for name, why in recorded.failures
        ]
        if not recorded.recordings:
            return bad
        samples = _dataset(recorded, self.kind).samples
        made = [
            _Sample(
                root / source.partition("#")[0],
                source,
                part=part,
                root=root,
                state=recorded.state,
                **_texts(samples, part),
            )
            for part, source in enumerate(map(str, samples.source))
        ]
        return [*made, *bad]

    def detector_of(self, root: Path) -> DetectorInfo | None:
        """Return what found the hands while they were recorded."""
        return _dataset(read_recordings(root), self.kind).header.detector

    def notes(self, root: Path) -> list[str]:
        """Say what was cut, and whether detectors differ."""
        return list(_dataset(read_recordings(root), self.kind).header.log)

    def read_landmarks(self, item: Item) -> LandmarkClip:
        """Return one sample."""
        assert isinstance(item, _Sample)  # noqa: S101 - items() made it
        dataset = _listed(item.root, item.state, self.kind)
        start, end = dataset.offsets[item.part : item.part + 2]
        frames = [
            (float(dataset.time[frame]), _hands(dataset, frame)) for frame in range(start, end)
        ]
        return LandmarkClip(str(dataset.samples.sha256[item.part]), frames, dataset.n_hands == 1)


@SOURCES.register
@dataclass(frozen=True)
class RecordedPoses(RecordedMovements):
    """Static poses that `handlore capture` sampled, with subject and session.

    Every frame is a sample; those of one recording stay together. Of streams of `none` a frame
    is taken every 0.25 s.

    Commands that take a dataset take such a folder directly, too.
    """

    name = "recordings-poses"
    layout = f"{MARKER} of `handlore capture`, <label>/<number>.npz with static poses"
    kind: ClassVar[Kind] = "pose"
    specificity = 100

    def fits(self, root: Path) -> bool:
        """Say whether it is a folder of recordings with poses."""
        return self.kind in (_kinds_in(root) or ())


def _kinds_in(root: Path) -> dict[Kind, int] | None:
    """Return how many recordings a folder has of each kind; None if it is none of recordings."""
    if not is_recordings(root):
        return None
    try:
        return read_recordings(root).counts()
    except NewerFormatError:
        raise
    except InvalidDataError:
        return None  # a file that happens to have this name


@lru_cache(maxsize=2)
def _listed(root: Path, state: str, kind: Kind) -> LandmarkDataset:
    """Return the dataset whose samples were listed; they are asked for one by one."""
    recorded = read_recordings(root)
    if recorded.state != state:
        raise InvalidDataError("the recordings were changed on the way; convert them again")
    return _dataset(recorded, kind)


def _dataset(recorded: LoadedRecordings, kind: Kind) -> LandmarkDataset:
    there = recorded.counts()
    if there and kind not in there:
        other = "recordings-poses" if kind == "sequence" else "recordings"
        raise HandloreError(
            f"{recorded.root} holds no {CALLED[kind]}; take the others with --source {other}"
        )
    return recorded.dataset(kind)


def _texts(samples: Samples, row: int) -> dict[str, Any]:
    return {name: str(getattr(samples, name)[row]) for name in _COLUMNS}


def _hands(dataset: LandmarkDataset, frame: int) -> list[Hand]:
    return [
        Hand(
            dataset.image[frame, slot],
            dataset.world[frame, slot],
            float(dataset.handedness[frame, slot]),
            float(dataset.score[frame, slot]),
            int(dataset.stage[frame, slot]),
        )
        for slot in range(dataset.n_hands)
        if dataset.stage[frame, slot] >= 0
    ]
