"""Recordings that ``handlore capture`` made: movements, and static poses beside them."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from handlore.landmarks.errors import HandloreError, InvalidDataError, NewerFormatError

from ..kinds import KIND_NAMES, Kind
from ..loading import about_unsorted, load_recordings
from ..recording_files import MARKER, is_recordings, lost_marker
from ._landmarks import BadItem, LandmarkSource
from .base import SOURCES, Listing


@SOURCES.register
@dataclass(frozen=True)
class _RecordedMovements(LandmarkSource):
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
        kinds = _kinds_in(root)
        return kinds is not None and (not kinds or self.kind in kinds)

    def why_not(self, root: Path) -> str:
        """Say what a folder of recordings without its marker needs."""
        return lost_marker(root)

    def scan(self, root: Path) -> Listing:
        """Return the samples as a dataset; the items are the files that cannot be read."""
        if not is_recordings(root):
            return Listing([])
        recordings = load_recordings(root)
        bad = [BadItem(root / f, f, "unknown", reason=why) for f, why in recordings.failures]
        if not recordings.recordings:
            return Listing(bad)
        notes = about_unsorted([recordings])
        notes += [recordings.renamed] if recordings.renamed else []
        recordings = recordings.sorted
        counts = recordings.counts()
        if counts and self.kind not in counts:
            other = "recordings-poses" if self.kind == "sequence" else "recordings"
            raise HandloreError(
                f"{root} holds no {KIND_NAMES[self.kind]}; convert the others with --source {other}"
            )
        dataset = recordings.dataset(self.kind)
        notes += dataset.header.log
        return Listing(bad, notes=notes, detector=dataset.header.detector, dataset=dataset)


@SOURCES.register
@dataclass(frozen=True)
class _RecordedPoses(_RecordedMovements):
    """Static poses that `handlore capture` sampled, with subject and session.

    Every frame is a sample; those of one recording stay together. Of streams of `none` a frame
    is used every 0.25 s.

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
    """Return how many recordings a folder has of each kind; None if it is no such folder."""
    if not is_recordings(root):
        return None
    try:
        return load_recordings(root).counts()
    except NewerFormatError:
        raise
    except InvalidDataError:
        return None  # another program's file of this name
