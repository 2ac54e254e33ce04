"""From frames to a recording, written in a thread so that a slow disk never delays the loop.

The frames of its video are encoded as they come in, and written when it is kept.
"""

import os
import queue
import struct
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np

from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.datasets.kinds import Kind
from handlore.datasets.recorded import normalized
from handlore.datasets.recordings import RecordingFolder
from handlore.landmarks.detector import DetectorInfo
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Hand, Pixels, by_slot

_QUALITY = 95
"""Of the JPEG pictures, at most 100."""
FinishVideo = Callable[[], Path]
"""Writes the video and returns its path; HandloreError if it cannot be written, NoVideoError if it
never can."""


class NoVideoError(HandloreError):
    """The frames make no video, however often it is tried."""


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
        group, session = [normalized(self.subject)] * rows, [self.session] * rows
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
    videos: "VideoFolder | None" = None
    """Where its video goes, if it has one."""
    times: list[float] = field(default_factory=list)
    hands: list[Sequence[Hand]] = field(default_factory=list)
    pictures: list[Future[bytes]] = field(default_factory=list)
    """The frames of the video, encoded by another thread."""
    size: tuple[int, int] = (0, 0)
    """Width and height of the pictures."""

    def add(self, pixels: Pixels, hands: Sequence[Hand], seconds: float) -> None:
        """Add a frame, (height, width, 3) RGB; one that a signal interrupts does not count."""
        height, width = pixels.shape[:2]
        self.size = (width, height)
        self.times.append(seconds)
        self.hands.append(hands)
        if self.videos is not None:
            self.pictures.append(self.videos.encode(pixels))

    def dataset(
        self, info: SessionInfo, first: int, last: int, *, mirrored: bool = False
    ) -> LandmarkDataset:
        """Make a recording of frames ``first:last``; ``mirrored`` is only about the preview."""
        slots = [by_slot(hands, info.max_hands) for hands in self.hands[first:last]]
        times = self.times[first : first + len(slots)]
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

    def video(self, first: int, last: int) -> FinishVideo | None:
        """Return a function that writes the video of frames ``first:last``, if there is one."""
        if self.videos is None:
            return None
        part = slice(first, last)
        return self.videos.finisher(self.pictures[part], self.times[part], self.size)


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
    note: str = ""
    """What is missing although the recording was written."""

    @property
    def line(self) -> str:
        """The result in one line."""
        if self.problem is not None:
            return self.problem
        what = "discarded" if self.discarded else "kept"
        where = "not written yet" if self.path is None else self.path.name
        missing = f", {self.note}" if self.note else ""
        return f"{what}: {self.label} ({where}){missing}"


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

    def finish(self) -> list[Written]:
        """Retry once what has failed, and close."""
        self.retry()
        return self.close()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _keep(self, job: Job) -> None:
        recording = _Entry(job.label, None)
        self._write(job, recording)
        self._recordings.append(recording)

    def _write(self, job: Job, recording: _Entry) -> None:
        video, note = None, ""
        try:
            try:
                video = job.video and job.video()
            except NoVideoError as error:
                note = str(error)
            path = self._store.keep(job.recording, video)
        # Whatever is wrong with one recording, the thread has to go on: others would be lost.
        except Exception as error:  # noqa: BLE001
            recording.job = job
            if video is not None:
                video.unlink(missing_ok=True)  # it would fill the disk; the job writes it again
            self._done.put(Written(job.label, problem=str(error) or type(error).__name__))
            return
        recording.job, recording.path = None, path
        self.counts[job.label] += 1
        self._done.put(Written(job.label, path, note=note))

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


class VideoFolder:
    """Writes videos into a folder, with hidden names until the recording is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._encoder = ThreadPoolExecutor(1, "handlore-encoder")

    def encode(self, pixels: Pixels) -> Future[bytes]:
        """Encode a picture, (height, width, 3) RGB, in another thread."""
        return self._encoder.submit(_encoded, pixels)

    def finisher(
        self, pictures: Sequence[Future[bytes]], times: Sequence[float], size: tuple[int, int]
    ) -> FinishVideo:
        """Return a function that writes a video of encoded pictures; their times are seconds."""
        path = self._folder / f".{os.getpid()}.tmp.avi"
        passed = times[-1] - times[0]
        frame_rate = (len(times) - 1) / passed if passed > 0 else 30.0

        def finish() -> Path:
            try:
                with path.open("wb") as stream:
                    _write_avi(stream, [one.result() for one in pictures], size, frame_rate)
            except OSError as error:
                path.unlink(missing_ok=True)
                raise HandloreError(
                    f"cannot write the video {path}: {error.strerror or error}"
                ) from error
            except (ValueError, struct.error, cv2.error) as error:
                path.unlink(missing_ok=True)
                raise NoVideoError(f"without its video: {error}") from error
            return path

        return finish


def _encoded(pixels: Pixels) -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), options)
    return bytes(data)


# Motion JPEG in an AVI file, written here because OpenCV's writer does not report a full disk and
# cannot drop the first frames afterwards. Source: Microsoft, "AVI RIFF File Reference".
_HAS_INDEX = 0x10
_KEY_FRAME = 0x10
_LARGEST = 2**31 - 2**20
"""Most bytes of a file without the extension for larger ones."""
_CHUNK_HEADER = 8
"""Bytes of the name and the length of a chunk."""


def _write_avi(
    stream: BinaryIO, pictures: Sequence[bytes], size: tuple[int, int], frame_rate: float
) -> None:
    """Write JPEG files as the frames of a video; ValueError if none, or too large for AVI."""
    n_bytes = sum(map(len, pictures))
    if not pictures or n_bytes > _LARGEST:
        raise ValueError(f"{len(pictures)} frames of {n_bytes / 1e6:,.0f} MB do not fit into AVI")
    index, place = b"", 4
    for picture in pictures:
        index += struct.pack("<4sIII", b"00dc", _KEY_FRAME, place, len(picture))
        place += _CHUNK_HEADER + len(picture) + len(picture) % 2
    header = _list(b"hdrl", _header(len(pictures), size, frame_rate, max(map(len, pictures))))
    tail = _chunk(b"idx1", index)
    n_riff = 4 + len(header) + _CHUNK_HEADER + place + len(tail)
    stream.write(struct.pack("<4sI4s", b"RIFF", n_riff, b"AVI ") + header)
    stream.write(struct.pack("<4sI4s", b"LIST", place, b"movi"))
    for picture in pictures:
        stream.write(_chunk(b"00dc", picture))
    stream.write(tail)


def _header(n_frames: int, size: tuple[int, int], frame_rate: float, largest: int) -> bytes:
    width, height = size
    scale, rate = 1000, round(frame_rate * 1000)
    period = round(1e6 / frame_rate)
    fields = (period, 0, 0, _HAS_INDEX, n_frames, 0, 1, largest, width, height, 0, 0, 0, 0)
    main = struct.pack("<14I", *fields)
    numbers = (0, 0, 0, 0, scale, rate, 0, n_frames, largest, 0xFFFFFFFF, 0, 0, 0, width, height)
    stream = struct.pack("<4s4sIHHIIIIIIII4H", b"vids", b"MJPG", *numbers)
    picture = struct.pack(
        "<IiiHH4sIiiII", 40, width, height, 1, 24, b"MJPG", width * height * 3, 0, 0, 0, 0
    )
    track = _list(b"strl", _chunk(b"strh", stream) + _chunk(b"strf", picture))
    return _chunk(b"avih", main) + track


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack("<4sI", name, len(data)) + data + b"\0" * (len(data) % 2)


def _list(name: bytes, data: bytes) -> bytes:
    return _chunk(b"LIST", name + data)
