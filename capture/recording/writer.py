"""Writing recordings beside the loop, so that the disk never keeps the camera waiting."""

import queue
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.errors import HandloreError


class Keeper(Protocol):
    """Where recordings are kept; :class:`handlore.datasets.recordings.RecordingFolder` is one."""

    def keep(self, recording: LandmarkDataset, video: Path | None = None) -> Path:
        """Keep a recording, wholly or not at all."""
        ...

    def discard(self, path: Path) -> Path:
        """Take a recording that was kept out again."""
        ...

    def counts(self) -> dict[str, int]:
        """Return how many recordings of each label there are."""
        ...


@dataclass(frozen=True)
class Job:
    """A recording to write."""

    recording: LandmarkDataset
    video: Callable[[], Path | None]
    """Finishes the video of its frames and says where it is."""

    @property
    def label(self) -> str:
        """What it shows."""
        return self.recording.labels[0]


@dataclass(frozen=True)
class Written:
    """What came of a job: where the recording is, or why it could not be written."""

    label: str
    path: Path | None = None
    """None too where it was discarded before it could be written."""

    discarded: bool = False
    problem: str | None = None


@dataclass
class _Recording:
    """A recording of this session: a job that could not be done yet, or where it is kept."""

    label: str
    job: Job | None
    path: Path | None = None


class RecordingWriter:
    """A thread that keeps and discards recordings in the order in which it is told.

    What cannot be written stays in memory until it can.

    Parameters
    ----------
    keeper
        Where recordings go. After this only the thread uses it.
    """

    def __init__(self, keeper: Keeper) -> None:
        self.counts = Counter(keeper.counts())
        """Recordings kept, by label."""
        self._recordings: list[_Recording] = []
        """Of this session, in the order in which they were made, written or not."""
        self._keeper = keeper
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Written] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="handlore-writer", daemon=True)
        self._thread.start()

    @property
    def unsaved(self) -> list[Job]:
        """What could not be written."""
        return [one.job for one in self._recordings if one.job is not None]

    @property
    def kept(self) -> list[tuple[str, Path]]:
        """What this session has kept, with labels, in order."""
        return [(one.label, one.path) for one in self._recordings if one.path is not None]

    def keep(self, job: Job) -> None:
        """Write a recording soon."""
        self._jobs.put(lambda: self._keep(job))

    def undo(self) -> None:
        """Discard the last recording of this session, written or not, soon."""
        self._jobs.put(self._undo)

    def forget(self, n: int) -> None:
        """Let go, soon, of the oldest ``n`` recordings: they can be neither retried nor undone.

        For who never undoes, and would else remember for weeks what was kept.
        """
        self._jobs.put(lambda: self._forget(n))

    def retry(self) -> None:
        """Try again, soon, to write what could not be written."""
        self._jobs.put(self._retry)

    def poll(self) -> list[Written]:
        """Return what has been done since the last call; never waits."""
        done = []
        while not self._done.empty():
            done.append(self._done.get())
        return done

    def close(self) -> list[Written]:
        """Finish everything, wait for it, and return what :meth:`poll` has not yet returned."""
        self._jobs.put(None)
        self._thread.join()
        return self.poll()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _keep(self, job: Job) -> None:
        recording = _Recording(job.label, None)
        self._write(job, recording)
        self._recordings.append(recording)

    def _write(self, job: Job, recording: _Recording) -> None:
        video = None
        try:
            video = job.video()
            path = self._keeper.keep(job.recording, video)
        except (HandloreError, OSError) as error:
            recording.job = job
            if video is not None:
                video.unlink(missing_ok=True)  # it would fill the disk; the job makes it anew
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
            nothing = "nothing that this session has kept is left to discard"
            self._done.put(Written("", problem=nothing))
            return
        last = self._recordings[-1]
        moved = None
        if last.path is not None:
            try:
                moved = self._keeper.discard(last.path)
            except (HandloreError, OSError) as error:
                self._done.put(Written(last.label, problem=str(error)))
                return
            self.counts[last.label] -= 1
        self._recordings.pop()
        self._done.put(Written(last.label, moved, discarded=True))
