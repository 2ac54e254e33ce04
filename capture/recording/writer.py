"""From frames to a recording, written in a thread so that a slow disk never delays the loop."""

import queue
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from handlore.datasets.dataset import Header, Kind, LandmarkDataset, Samples
from handlore.datasets.recordings import RecordingFolder
from handlore.landmarks.detector import DetectorInfo
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Hand, Pixels, by_slot

from .video import FinishVideo


@dataclass(frozen=True)
class SessionInfo:
    """What all recordings of a session share."""

    detector: DetectorInfo
    camera: str
    subject: str = ""
    session: str = ""
    note: str = ""
    max_hands: int = 1

    def recording(
        self,
        label: str,
        kind: Kind,
        slots: Sequence[Sequence[Hand | None]],
        times: Sequence[float],
        **options: Any,
    ) -> LandmarkDataset:
        """Make a recording from the hands of frames, and their times in seconds of any clock.

        A movement is one sample, a pose has one sample per frame. The times in it are seconds
        from the first frame. ``options`` are written into its header too.
        """
        rows = len(times) if kind == "pose" else 1
        group, session = [self.subject] * rows, [self.session] * rows
        same = {
            "camera": self.camera,
            "note": self.note,
            "session": self.session,
            "max_hands": self.max_hands,
        }
        return LandmarkDataset.of_hands(
            slots,
            Samples.make([label] * rows, group=group, session=session),
            time=None if kind == "pose" else [seconds - times[0] for seconds in times],
            offsets=list(range(rows + 1)) if kind == "pose" else [0, len(times)],
            header=Header(kind=kind, detector=self.detector, options=same | options),
        )


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
        """Make a recording of frames ``first:last``; ``mirrored`` is only about the preview."""
        times = self.times[first:last]
        slots = [by_slot(hands, info.max_hands) for hands in self.hands[first:last]]
        passed = times[-1] - times[0]
        rate = round((len(times) - 1) / passed, 3) if passed > 0 else None
        return info.recording(
            self.label,
            self.kind,
            slots,
            times,
            size=list(self.size),
            frame_rate=rate,
            mirrored=mirrored,
        )


@dataclass(frozen=True)
class Job:
    """A recording to write."""

    recording: LandmarkDataset
    video: FinishVideo | None = None
    """Writes the video of its frames, if there is one."""

    @property
    def label(self) -> str:
        """The label of the recording."""
        return self.recording.labels[0]


@dataclass(frozen=True)
class Written:
    """The result of a job: where the recording is, or why it could not be written."""

    label: str
    path: Path | None = None
    """None also if it was discarded before it could be written."""
    discarded: bool = False
    problem: str | None = None


@dataclass
class _Entry:
    """A recording of this session: a job that has failed so far, or the path of the file."""

    label: str
    job: Job | None
    path: Path | None = None


class RecordingWriter:
    """A thread that keeps and discards recordings in the order of the calls.

    What cannot be written stays in memory, to be retried. Only the thread uses the folder.
    """

    def __init__(self, store: RecordingFolder) -> None:
        self.counts = Counter(store.counts())
        """Kept recordings of each label."""
        self._recordings: list[_Entry] = []
        """Recordings of this session in their order, written or not."""
        self._store = store
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Written] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="handlore-writer", daemon=True)
        self._thread.start()

    @property
    def unsaved(self) -> list[Job]:
        """The jobs that could not be done."""
        return [one.job for one in self._recordings if one.job is not None]

    @property
    def kept(self) -> list[tuple[str, Path]]:
        """The recordings that this session has kept, with labels, in order."""
        return [(one.label, one.path) for one in self._recordings if one.path is not None]

    def keep(self, job: Job) -> None:
        """Queue writing a recording."""
        self._jobs.put(lambda: self._keep(job))

    def undo(self) -> None:
        """Queue discarding the last recording of this session, written or not."""
        self._jobs.put(self._undo)

    def forget(self, n: int) -> None:
        """Queue forgetting the oldest ``n`` recordings: they can be neither retried nor undone.

        A live run never undoes, and must not remember for weeks what it has kept.
        """
        self._jobs.put(lambda: self._forget(n))

    def retry(self) -> None:
        """Queue writing again what could not be written."""
        self._jobs.put(self._retry)

    def poll(self) -> list[Written]:
        """Return the results since the last call; never waits."""
        done = []
        while not self._done.empty():
            done.append(self._done.get())
        return done

    def close(self) -> list[Written]:
        """Finish all jobs and return the results that :meth:`poll` has not returned yet."""
        self._jobs.put(None)
        self._thread.join()
        return self.poll()

    def finish(self, say: Callable[[str], None]) -> int:
        """Retry once what has failed, close, and return how many recordings are not written."""
        self.retry()
        for written in self.close():
            if written.problem is not None:
                say(written.problem)
        return len(self.unsaved)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _keep(self, job: Job) -> None:
        recording = _Entry(job.label, None)
        self._write(job, recording)
        self._recordings.append(recording)

    def _write(self, job: Job, recording: _Entry) -> None:
        video = None
        try:
            video = job.video and job.video()
            path = self._store.keep(job.recording, video)
        except (HandloreError, OSError) as error:
            recording.job = job
            if video is not None:
                video.unlink(missing_ok=True)  # it would fill the disk; the job writes it again
            self._done.put(Written(job.label, problem=str(error)))
            return
        recording.job, recording.path = None, path
        self.counts[job.label] += 1
        self._done.put(Written(job.label, path))

    def _retry(self) -> None:
        for recording in self._recordings:
            if recording.job is not None:
                self._write(recording.job, recording)

    def _forget(self, n: int) -> None:
        del self._recordings[:n]

    def _undo(self) -> None:
        if not self._recordings:
            problem = "this session has no kept recording to discard"
            self._done.put(Written("", problem=problem))
            return
        last = self._recordings[-1]
        moved = None
        if last.path is not None:
            try:
                moved = self._store.discard(last.path)
            except (HandloreError, OSError) as error:
                self._done.put(Written(last.label, problem=str(error)))
                return
            self.counts[last.label] -= 1
        self._recordings.pop()
        self._done.put(Written(last.label, moved, discarded=True))
