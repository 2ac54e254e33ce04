"""The landmarks of the last minutes, in memory; what led to an event is kept on disk.

So that a wrong trigger can be replayed, given the right label and learned from. Pictures are kept
only if somebody asks for them.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.landmarks.hands import Hand, by_slot
from handlore.models.stream.events import Event

from ..recording.take import SessionInfo
from ..recording.video import Finish, VideoFolder
from ..recording.writer import Job, RecordingWriter
from ..views.live import LiveState, LiveView

BEFORE, AFTER = 1.0, 1.0
"""Seconds that are kept around an event."""

UNSORTED = "unsorted"
"""The label of a recording that nobody has looked at."""

MOST_WAITING = 16
"""So many recordings wait for a slow or full disk; more are not kept."""

KEEP_KEY = "k"


@dataclass(frozen=True, eq=False)
class _Frame:
    seconds: float
    slots: Sequence[Hand | None]
    size: tuple[int, int]
    picture: Future[bytes] | None


class LandmarkBuffer(LiveView):
    """Keeps a clip of every event, and on the key ``k`` or at the end all that is remembered.

    Parameters
    ----------
    writer
        Writes to the disk, beside the loop.
    sitting
        What all recordings share.
    remember
        How many seconds are kept in memory.
    say
        Is told what was written, and what could not be.
    all_at_end
        Whether what is remembered is kept when it ends.
    videos
        Writes the pictures too, if given; a second of them takes some megabytes of memory.
    """

    def __init__(
        self,
        writer: RecordingWriter,
        sitting: SessionInfo,
        remember: float = 120.0,
        say: Callable[[str], None] = lambda text: None,
        *,
        all_at_end: bool = True,
        videos: VideoFolder | None = None,
    ) -> None:
        self._writer = writer
        self._sitting = sitting
        self._remember = remember
        self._say = say
        self._all_at_end = all_at_end
        self._videos = videos
        self._frames: deque[_Frame] = deque()
        self._waiting: deque[Event] = deque(maxlen=64)
        """Events whose clips still lack what comes after."""
        self._open = 0
        self._lost = 0

    @property
    def lost(self) -> int:
        """How many recordings could not be written; after :meth:`close` it is final."""
        return self._lost + len(self._writer.unsaved)

    def show(self, moment: LiveState) -> None:
        """Remember a frame, and forget the oldest."""
        if moment.pixels is not None:
            slots = by_slot(moment.hands, self._sitting.max_hands)
            size = moment.pixels.shape[1], moment.pixels.shape[0]
            picture = None if self._videos is None else self._videos.encode(moment.pixels)
            self._frames.append(_Frame(moment.seconds, slots, size, picture))
            while moment.seconds - self._frames[0].seconds > self._remember:
                self._frames.popleft()
        while self._waiting and moment.seconds >= self._waiting[0].end + AFTER:
            self._keep_event(self._waiting.popleft())
        self._tell_written()

    def tell(self, event: Event) -> None:
        """Keep a clip of it as soon as its end has been seen."""
        self._waiting.append(event)

    def restart(self) -> None:
        """Keep what is waiting; a recording has no gaps."""
        self._keep_waiting()
        self._frames.clear()

    def key(self, key: str) -> None:
        """Keep all with ``k``."""
        if key != KEEP_KEY:
            return
        if not self._frames:
            self._say("no picture has come yet, so there is nothing to keep")
        elif self.keep_all():
            self._say(f"the last {self._remembered():.0f} seconds are kept as {UNSORTED}")

    def keep_all(self) -> bool:
        """Keep all that is remembered; say whether there was anything, and room for it."""
        return bool(self._frames) and self._keep(UNSORTED, list(self._frames))

    def close(self) -> None:
        """Keep the rest, and wait for the disk."""
        self._keep_waiting()
        if self._all_at_end:
            self.keep_all()
        self._writer.retry()
        for written in self._writer.close():
            if written.problem is not None:
                self._say(written.problem)

    def _remembered(self) -> float:
        return self._frames[-1].seconds - self._frames[0].seconds if self._frames else 0.0

    def _keep_waiting(self) -> None:
        while self._waiting:
            self._keep_event(self._waiting.popleft())

    def _keep_event(self, event: Event) -> None:
        first, last = event.start - BEFORE, event.end + AFTER
        clip = [frame for frame in self._frames if first <= frame.seconds <= last]
        if clip:
            self._keep(event.label, clip)

    def _keep(self, label: str, frames: Sequence[_Frame]) -> bool:
        if self._open >= MOST_WAITING:
            self._say(f"a recording of {label} is not kept: the disk does not keep up")
            self._lost += 1
            return False
        self._open += 1
        self._writer.keep(Job(self._dataset(label, frames), self._video(frames)))
        return True

    def _video(self, frames: Sequence[_Frame]) -> Finish:
        """Return what writes the pictures, if there are any."""
        pictures = [frame.picture for frame in frames if frame.picture is not None]
        if self._videos is None or not pictures:
            return lambda: None
        return self._videos.finisher(pictures, [f.seconds for f in frames], frames[0].size)

    def _dataset(self, label: str, frames: Sequence[_Frame]) -> LandmarkDataset:
        """Return one clip, with times in seconds from its first frame."""
        sitting, start = self._sitting, frames[0].seconds
        options = {
            "camera": sitting.camera, "note": sitting.note, "session": sitting.session,
            "max_hands": sitting.max_hands, "live": True,
        }  # fmt: skip
        return LandmarkDataset.of_hands(
            [frame.slots for frame in frames],
            Samples.make([label], group=[sitting.subject], session=[sitting.session]),
            time=[frame.seconds - start for frame in frames],
            offsets=[0, len(frames)],
            header=Header(kind="sequence", detector=sitting.detector, options=options),
        )

    def _tell_written(self) -> None:
        done = self._writer.poll()
        for written in done:
            self._open -= 1
            if written.problem is not None:
                self._say(written.problem)
                self._lost += 1
        if done:
            # Neither what cannot be written nor the names of what was may fill the memory of a
            # process that runs for weeks. What has been done since is not counted yet.
            self._writer.forget(len(done))
