"""The frames of a recording as a video: encoded as they come in, written when it is kept."""

import os
import struct
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Pixels

# Motion JPEG in an AVI file, written here because OpenCV's writer does not report a full disk and
# cannot drop the first frames afterwards. Source: Microsoft, "AVI RIFF File Reference".
_HAS_INDEX = 0x10
_KEY_FRAME = 0x10
_LARGEST = 2**31 - 2**20
"""Most bytes of a file without the extension for larger ones."""


def _write_avi(
    stream: BinaryIO, pictures: Sequence[bytes], size: tuple[int, int], frame_rate: float
) -> None:
    """Write JPEG files as the frames of a video; ValueError if none, or too large for AVI."""
    if not pictures or sum(map(len, pictures)) > _LARGEST:
        raise ValueError(f"{len(pictures)} pictures do not fit into an AVI file")
    frames = [_chunk(b"00dc", picture) for picture in pictures]
    index, place = b"", 4
    for picture, frame in zip(pictures, frames, strict=True):
        index += struct.pack("<4sIII", b"00dc", _KEY_FRAME, place, len(picture))
        place += len(frame)
    header = _list(b"hdrl", _header(len(pictures), size, frame_rate, max(map(len, pictures))))
    n_movie = 4 + sum(map(len, frames))
    tail = _chunk(b"idx1", index)
    n_riff = 4 + len(header) + 8 + n_movie + len(tail)
    stream.write(struct.pack("<4sI4s", b"RIFF", n_riff, b"AVI ") + header)
    stream.write(struct.pack("<4sI4s", b"LIST", n_movie, b"movi"))
    for frame in frames:
        stream.write(frame)
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


QUALITY = 95
"""Of the JPEG pictures, at most 100."""
_PREFIX = ".under-way-"
_STALE = 60.0
"""A file with this prefix and age in seconds was left by a process that was killed."""
FinishVideo = Callable[[], Path]
"""Writes the video and returns its path; raises HandloreError if it cannot be written."""


class VideoFolder:
    """Writes videos into a folder, with hidden names until the recording is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._encoder = ThreadPoolExecutor(1, "handlore-encoder")
        for path in folder.glob(f"{_PREFIX}*"):
            if time.time() - path.stat().st_mtime > _STALE:
                path.unlink(missing_ok=True)

    def begin(self) -> "Video":
        """Start a video."""
        return Video(self)

    def encode(self, pixels: Pixels) -> Future[bytes]:
        """Encode a picture, (height, width, 3) RGB, in another thread."""
        return self._encoder.submit(_encoded, pixels)

    def finisher(
        self, pictures: Sequence[Future[bytes]], times: Sequence[float], size: tuple[int, int]
    ) -> FinishVideo:
        """Return a function that writes a video of encoded pictures; their times are seconds."""
        path = self._folder / f"{_PREFIX}{os.getpid()}.avi"
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
            return path

        return finish


class Video:
    """The video of a recording, encoded by another thread."""

    def __init__(self, folder: VideoFolder) -> None:
        self._folder = folder
        self._pictures: list[Future[bytes]] = []
        self._size = (0, 0)

    def add(self, pixels: Pixels) -> None:
        """Add a frame, (height, width, 3) RGB; never waits."""
        self._size = (pixels.shape[1], pixels.shape[0])
        self._pictures.append(self._folder.encode(pixels))

    def finisher(self, times: Sequence[float], first: int, last: int) -> FinishVideo:
        """Return a function that writes frames ``first:last``; times of all frames in seconds."""
        part = slice(first, last)
        return self._folder.finisher(self._pictures[part], times[part], self._size)


def _encoded(pixels: Pixels) -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), options)
    return bytes(data)
