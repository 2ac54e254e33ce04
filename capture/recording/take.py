"""From frames to a recording: a landmark dataset with its labels and options."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from handlore.datasets.dataset import Header, Kind, LandmarkDataset, Samples
from handlore.landmarks.detector import DetectorInfo
from handlore.landmarks.hands import Hand, Pixels, by_slot


@dataclass(frozen=True)
class SessionInfo:
    """What all recordings of a session share."""

    detector: DetectorInfo
    camera: str
    subject: str = ""
    session: str = ""
    note: str = ""
    max_hands: int = 1


@dataclass
class Take:
    """Collects the frames of a recording."""

    label: str
    kind: Kind
    times: list[float] = field(default_factory=list)
    hands: list[Sequence[Hand]] = field(default_factory=list)
    size: tuple[int, int] = (0, 0)
    """Width and height of the pictures."""

    def add(self, pixels: Pixels, hands: Sequence[Hand], seconds: float) -> None:
        """Add a frame."""
        height, width = pixels.shape[:2]
        self.size = (width, height)
        self.times.append(seconds)
        self.hands.append(hands)

    def dataset(
        self, info: SessionInfo, first: int, last: int, *, mirrored: bool = False
    ) -> LandmarkDataset:
        """Make a recording of frames ``first:last``.

        Parameters
        ----------
        info
            What all recordings of the session share.
        mirrored
            Whether the preview was mirrored; the landmarks never are.

        Returns
        -------
        A movement is one sample, a pose has one sample per frame. Times are seconds from the
        first frame.
        """
        times = [seconds - self.times[first] for seconds in self.times[first:last]]
        slots = [by_slot(hands, info.max_hands) for hands in self.hands[first:last]]
        rows = len(times) if self.kind == "pose" else 1
        samples = Samples.make(
            [self.label] * rows, group=[info.subject] * rows, session=[info.session] * rows
        )
        header = Header(
            kind=self.kind,
            detector=info.detector,
            options=self._options(info, times, mirrored),
        )
        return LandmarkDataset.of_hands(
            slots,
            samples,
            time=None if self.kind == "pose" else times,
            offsets=list(range(rows + 1)) if self.kind == "pose" else [0, len(times)],
            header=header,
        )

    def _options(
        self, info: SessionInfo, times: Sequence[float], mirrored: bool
    ) -> Mapping[str, Any]:
        rate = (len(times) - 1) / times[-1] if len(times) > 1 and times[-1] > 0 else None
        return {
            "camera": info.camera,
            "size": list(self.size),
            "frame_rate": None if rate is None else round(rate, 3),
            "mirrored": mirrored,
            "note": info.note,
            "session": info.session,
            "max_hands": info.max_hands,
        }
