"""The landmarks of the last minutes in memory; the part around each event is kept on disk.

A false activation can then be replayed, relabelled and used for training. Pictures are kept only
on request.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from handlore.datasets.recorded import UNSORTED
from handlore.landmarks.errors import counted
from handlore.landmarks.hands import Hand, by_slot
from handlore.models.stream.events import Event

from ..recording.writer import FinishVideo, Job, RecordingWriter, SessionInfo, VideoFolder
from .loop import LiveState, LiveView

BEFORE, AFTER = 1.0, 1.0
"""Seconds that are kept around an event."""
_SHORTEST = 0.2
"""Seconds below which nothing can be seen in a recording, or learnt from it: it is not kept."""
_MOST_WAITING = 16
"""Most recordings that wait for a slow or full disk; more are not kept."""
_KEEP_KEY = "k"


@dataclass(frozen=True, eq=False)
class _Frame:
    seconds: float
    slots: Sequence[Hand | None]
    size: tuple[int, int]
    picture: Future[bytes] | None


class LandmarkBuffer(LiveView):
    """Keeps a clip of every event, and the whole buffer on the key ``k`` and at the end.

    ``seconds`` is the length of the buffer. If ``videos`` is given, the pictures are kept too; they
    take some megabytes of memory per second.
    """

    def __init__(
        self,
        writer: RecordingWriter,
        info: SessionInfo,
        seconds: float = 120.0,
        say: Callable[[str], None] = lambda text: None,
        *,
        all_at_end: bool = True,
        videos: VideoFolder | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._writer = writer
        self._info = info
        self._seconds = seconds
        self._say = say
        self._all_at_end = all_at_end
        self._videos = videos
        self._frames: deque[_Frame] = deque()
        self._clock = clock
        self._waiting: deque[tuple[Event, float]] = deque(maxlen=64)
        """Events whose clips are not complete yet, and when they were emitted."""
        self._open = 0
        self._lost = 0

    @property
    def lost(self) -> int:
        """How many recordings could not be written; after :meth:`close` it is final."""
        return self._lost + len(self._writer.unsaved)

    def show(self, state: LiveState) -> None:
        """Add a frame and drop the oldest ones."""
        if state.pixels is not None:
            slots = by_slot(state.hands, self._info.max_hands)
            size = state.pixels.shape[1], state.pixels.shape[0]
            picture = None if self._videos is None else self._videos.encode(state.pixels)
            self._frames.append(_Frame(state.seconds, slots, size, picture))
            while state.seconds - self._frames[0].seconds > self._seconds:
                self._frames.popleft()
        while self._waiting and state.seconds >= self._waiting[0][0].end + AFTER:
            self._keep_event(*self._waiting.popleft())
        self._collect()

    def on_event(self, event: Event) -> None:
        """Keep a clip of it as soon as the clip is complete."""
        self._waiting.append((event, self._clock()))

    def restart(self) -> None:
        """Keep the clips of waiting events; a recording has no gaps."""
        self._keep_waiting()
        self._frames.clear()

    def on_key(self, key: str) -> None:
        """Keep the buffer with ``k``."""
        if key != _KEEP_KEY:
            return
        if not self._frames:
            self._say("the buffer is still empty, nothing was kept")
        elif self.keep_all():
            self._say(f"the last {self._length():.0f} seconds were kept as {UNSORTED}")

    def keep_all(self) -> bool:
        """Keep the buffer; return whether there was anything to keep, and room for it."""
        return bool(self._frames) and self._keep(UNSORTED, list(self._frames))

    def close(self) -> None:
        """Keep the rest, and wait for the disk."""
        self._keep_waiting()
        if self._all_at_end:
            self.keep_all()
        # What failed is retried, and mostly fails for the same reason.
        for problem in dict.fromkeys(written.problem for written in self._writer.finish()):
            if problem is not None:
                self._say(problem)

    def _length(self) -> float:
        return self._frames[-1].seconds - self._frames[0].seconds if self._frames else 0.0

    def _keep_waiting(self) -> None:
        while self._waiting:
            self._keep_event(*self._waiting.popleft())

    def _keep_event(self, event: Event, emitted: float) -> None:
        first, last = event.start - BEFORE, event.end + AFTER
        clip = [frame for frame in self._frames if first <= frame.seconds <= last]
        if clip:
            self._keep(event.label, clip, event=_facts(event, clip[0].seconds, emitted))

    def _keep(self, label: str, frames: Sequence[_Frame], **options: Any) -> bool:
        if frames[-1].seconds - frames[0].seconds < _SHORTEST:
            n_frames = counted(len(frames), "frame")
            self._say(f"a recording of {label} was not kept: too short ({n_frames})")
            return False
        if self._open >= _MOST_WAITING:
            self._say(f"a recording of {label} was not kept: the disk is too slow")
            self._lost += 1
            return False
        self._open += 1
        slots, times = [one.slots for one in frames], [one.seconds for one in frames]
        options |= {"live": True, "size": list(frames[0].size)}
        recording = self._info.recording(label, "sequence", slots, times, **options)
        self._writer.keep(Job(recording, self._video(frames)))
        return True

    def _video(self, frames: Sequence[_Frame]) -> FinishVideo | None:
        """Return the function that writes the pictures, if there are any."""
        pictures = [frame.picture for frame in frames if frame.picture is not None]
        if self._videos is None or not pictures:
            return None
        return self._videos.finisher(pictures, [f.seconds for f in frames], frames[0].size)

    def _collect(self) -> None:
        done = self._writer.poll()
        for written in done:
            self._open -= 1
            if written.problem is not None:
                self._say(written.problem)
                self._lost += 1
            elif written.note:
                self._say(f"kept a recording of {written.label} {written.note}")
        if done:
            # A process that runs for weeks must neither remember all files that it has written
            # nor all recordings that it could not write.
            self._writer.forget(len(done))


def _facts(event: Event, began: float, emitted: float) -> dict[str, Any]:
    """Return what a recording keeps of its event, given the time of its first frame and of day."""
    start, end = round(event.start - began, 3), round(event.end - began, 3)
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(emitted))
    said = {"label": event.label, "start": start, "end": end, "slot": event.slot, "at": at}
    return said | {"probability": round(event.probability, 3)}
