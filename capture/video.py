"""The frames of a recording as a video: encoded in memory while they come in, written when kept."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Pixels

from .avi import write_avi

QUALITY = 95
"""Of the JPEG pictures, of 100."""

PREFIX = ".under-way-"
STALE = 60.0
"""A file of that name and age in seconds was left behind by a process that was killed."""

Finish = Callable[[], Path | None]
"""Writes the video and says where it is; HandloreError if it cannot be written."""


class Video(Protocol):
    """The video of one recording."""

    def add(self, pixels: Pixels) -> None:
        """Take in a frame, (height, width, 3) RGB; never waits."""
        ...

    def finisher(self, times: Sequence[float], first: int, last: int) -> Finish:
        """Return what writes frames ``first:last``, whose times these are, in seconds."""
        ...


class NoVideo:
    """Keeps no frames."""

    def add(self, pixels: Pixels) -> None:
        """Forget a frame."""

    def finisher(self, times: Sequence[float], first: int, last: int) -> Finish:
        """Write nothing."""
        return lambda: None


class VideoFolder:
    """Writes videos into a folder, under hidden names until the recording is kept.

    Parameters
    ----------
    folder
        On the disk where the recordings are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._encoder = ThreadPoolExecutor(1, "handlore-encoder")
        for path in folder.glob(f"{PREFIX}*"):
            if time.time() - path.stat().st_mtime > STALE:
                path.unlink(missing_ok=True)

    def begin(self) -> "Frames":
        """Begin a video."""
        return Frames(self._encoder, self._folder / f"{PREFIX}{os.getpid()}.avi")


class Frames:
    """The frames of a video, encoded by another thread.

    Parameters
    ----------
    encoder
        The thread.
    path
        Where the file is to be.
    """

    def __init__(self, encoder: ThreadPoolExecutor, path: Path) -> None:
        self._encoder, self._path = encoder, path
        self._pictures: list[Future[bytes]] = []
        self._size = (0, 0)

    def add(self, pixels: Pixels) -> None:
        """Take in a frame."""
        self._size = (pixels.shape[1], pixels.shape[0])
        self._pictures.append(self._encoder.submit(encoded, pixels))

    def finisher(self, times: Sequence[float], first: int, last: int) -> Finish:
        """Return what writes the file."""
        pictures, size = self._pictures[first:last], self._size
        passed = times[last - 1] - times[first]
        frame_rate = (last - first - 1) / passed if passed > 0 else 30.0

        def finish() -> Path:
            try:
                with self._path.open("wb") as stream:
                    write_avi(stream, [one.result() for one in pictures], size, frame_rate)
            except OSError as error:
                self._path.unlink(missing_ok=True)
                raise HandloreError(
                    f"cannot write the video {self._path}: {error.strerror or error}"
                ) from error
            return self._path

        return finish


def encoded(pixels: Pixels) -> bytes:
    """Return a picture, (height, width, 3) RGB, as a JPEG file."""
    import cv2

    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), options)
    return bytes(data)
