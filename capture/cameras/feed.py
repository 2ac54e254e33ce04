"""Frames for a loop: the newest frame of a camera, which is reopened when it was lost."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from math import inf
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import HandloreError
from handlore.models.stream.events import Pace

from .camera import BLACK, REMEDY, Camera, CameraError, CameraFrame, CameraSpec, Opener

_FAULT_SECONDS = 2.0
"""Pictures that are black or frozen for this time are a fault."""
_STEP = 16
"""Every 16th pixel in both directions is examined."""
_SILENT = 2.0
"""A camera that gives no picture for this time has a problem; seconds."""
_RETRY_SECONDS = 1.0
"""Between two attempts to open a camera."""


class FrameRate:
    """Frames per second over the last few frames."""

    def __init__(self, over: int = 30) -> None:
        self._times: deque[float] = deque(maxlen=over)

    def add(self, seconds: float) -> None:
        """Add the time of a frame."""
        self._times.append(seconds)

    @property
    def fps(self) -> float:
        """The frame rate, 0 while it is unknown."""
        passed = self._times[-1] - self._times[0] if self._times else 0.0
        return (len(self._times) - 1) / passed if passed > 0 else 0.0


class _FaultDetector:
    """Detects that the pictures of a camera are black or frozen."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._last: NDArray[np.uint8] | None = None
        self._bright_at: float | None = None
        self._moved_at: float | None = None

    def check(self, frame: CameraFrame) -> str | None:
        """Return what is wrong with the next picture and what to do, in one line, if anything is.

        A frozen one raises: even a still scene has noise, so the camera must be reopened.
        """
        pixels, now = frame.pixels[::_STEP, ::_STEP].copy(), frame.seconds
        if self._bright_at is None or pixels.max(initial=0) > BLACK:
            self._bright_at = now
        black = now - self._bright_at > _FAULT_SECONDS
        if self._moved_at is None or self._last is None or not np.array_equal(pixels, self._last):
            self._moved_at = now
        self._last = pixels
        if now - self._moved_at > _FAULT_SECONDS and not black:
            raise CameraError(f"{self._name} gives the same picture over and over; it is reopened")
        if black:
            return f"{self._name} gives black pictures; open its cover, or switch on a light"
        return None


class Feed(Protocol):
    """Frames of a camera that may be lost and come back."""

    @property
    def name(self) -> str:
        """The name of the camera."""

    @property
    def problem(self) -> str | None:
        """What is wrong with the camera in one line, with what to do; None if nothing is."""

    @property
    def ended(self) -> bool:
        """Whether there will be no more frames."""

    def next(self, timeout: float) -> CameraFrame | None:
        """Wait for a new frame, at most ``timeout`` seconds."""

    def close(self) -> None:
        """Close the camera."""


class _FileFeed:
    """A file: its frames in order, as many as a camera of ``max_fps``; an error in it is raised."""

    problem: str | None = None

    def __init__(self, camera: Camera, max_fps: float) -> None:
        self._camera = camera
        self._pace = Pace(-inf, 1 / max_fps)
        self.name = camera.name
        self.ended = False

    def next(self, timeout: float) -> CameraFrame | None:
        frame = self._camera.read()
        while frame is not None and not self._pace.due(frame.seconds):
            frame = self._camera.read()
        self.ended = frame is None
        return frame

    def close(self) -> None:
        self._camera.close()


class LiveFeed:
    """A live camera, read by a thread that keeps the newest frame and reopens a lost camera.

    A slow reader misses frames, but never gets old ones. The camera is opened immediately, or
    :class:`CameraError` is raised.
    """

    def __init__(self, opener: Opener, clock: Callable[[], float] = time.monotonic) -> None:
        self._opener, self._clock = opener, clock
        self._camera: Camera | None = _opened(opener)
        self.name = self._camera.name
        self._remedy = getattr(self._camera, "remedy", REMEDY)
        self.ended = False
        self.missed = 0
        """Frames that were replaced before anybody read them."""
        self._changed = threading.Condition()
        self._frame: CameraFrame | None = None
        self._fault: str | None = None
        self._last_at = clock()
        self._detector = _FaultDetector(self.name)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="handlore-camera", daemon=True)
        self._thread.start()

    @property
    def problem(self) -> str | None:
        """What is wrong with the camera."""
        if self._fault is None and self._clock() - self._last_at > _SILENT:
            return (
                f"{self.name} has given no picture for {_SILENT:g} s; if it does not come back,"
                f" {self._remedy}"
            )
        return self._fault

    def next(self, timeout: float) -> CameraFrame | None:
        """Wait for a new frame."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self.ended, timeout)
            frame, self._frame = self._frame, None
        return frame

    def close(self) -> None:
        """Close the camera; a thread that hangs in its driver is abandoned."""
        self._closing.set()
        self._thread.join(_SILENT)
        self.ended = True

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                self._read_frames()
            except Exception as error:  # noqa: BLE001 - drivers raise anything
                self._fault = self._message(error)
                self._close_camera()
                self._closing.wait(_RETRY_SECONDS)
        self._close_camera()

    def _read_frames(self) -> None:
        camera = self._camera = self._camera or self._opener()
        while not self._closing.is_set():
            frame = camera.read()
            if frame is None:
                raise CameraError(f"{self.name} gives no more pictures")
            self._fault = self._detector.check(frame)
            self._last_at = self._clock()
            with self._changed:
                self.missed += self._frame is not None
                self._frame = frame
                self._changed.notify()

    def _message(self, error: Exception) -> str:
        if isinstance(error, CameraError):
            return str(error)
        return f"{self.name} fails ({_text(error)}); it is reopened"

    def _close_camera(self) -> None:
        camera, self._camera = self._camera, None
        self._detector = _FaultDetector(self.name)
        if camera is not None:
            with contextlib.suppress(Exception):  # it is broken already
                camera.close()


def open_feed(spec: CameraSpec, *, max_fps: float = inf) -> Feed:
    """Open a camera, or raise CameraError; it is reopened when it is lost.

    Of a file at most ``max_fps`` frames per second are read, by their times; a camera gives the
    newest frame whenever it is asked.
    """
    return LiveFeed(spec.open) if spec.live else _FileFeed(spec.open(), max_fps)


def _opened(opener: Opener) -> Camera:
    try:
        return opener()
    except HandloreError:
        raise
    except Exception as error:
        raise CameraError(f"the camera cannot be opened ({_text(error)})") from error


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
