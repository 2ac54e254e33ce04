"""A camera as a loop wants it: the newest frame, and a camera that comes back when it was lost."""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import HandloreError

from .camera import Camera, CameraError, CameraFrame, Opener

# Whether the pictures of a camera are pictures: not black, not the same over and over.


SICK = 2.0
"""Black or frozen for so long is no accident; seconds."""

BLACK = 12
"""Darker than this is every pixel of a covered lens, of 255; its noise stays below."""

STEP = 16
"""Every so many pixels one is looked at."""


class Health:
    """Watches the pictures of a camera.

    Parameters
    ----------
    name
        Of the camera, for the line that says what is wrong.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._last: NDArray[np.uint8] | None = None
        self._bright_at: float | None = None
        self._moved_at: float | None = None

    def look(self, frame: CameraFrame) -> str | None:
        """Look at the next picture.

        Returns
        -------
        What is wrong, in one line with what to do, or None.

        Raises
        ------
        CameraError
            If it is frozen: even a still scene has noise, so the camera must be opened again.
        """
        pixels, now = frame.pixels[::STEP, ::STEP].copy(), frame.seconds
        if self._bright_at is None or pixels.max(initial=0) > BLACK:
            self._bright_at = now
        black = now - self._bright_at > SICK
        if self._moved_at is None or self._last is None or not np.array_equal(pixels, self._last):
            self._moved_at = now
        self._last = pixels
        if now - self._moved_at > SICK and not black:
            raise CameraError(
                f"{self._name} gives the same picture over and over; it is opened again"
            )
        if black:
            return f"{self._name} gives black pictures; open its cover, or make light"
        return None


SILENT = 2.0
"""A camera that gives nothing for so long is in trouble; seconds."""

AGAIN = 1.0
"""Between two tries to open a camera; seconds."""


class Feed(Protocol):
    """Frames of a camera that may come and go."""

    @property
    def name(self) -> str:
        """What the camera is called."""
        ...

    @property
    def problem(self) -> str | None:
        """What is wrong with the camera in one line, with what to do; None if nothing is."""
        ...

    @property
    def ended(self) -> bool:
        """Whether there will be no more frames."""
        ...

    def next(self, timeout: float) -> CameraFrame | None:
        """Wait for a frame that has not been seen, at most for a time in seconds."""
        ...

    def close(self) -> None:
        """Let go of the camera."""
        ...


class DirectFeed:
    """A file: every frame, one after the other; what is wrong with it ends the session.

    Parameters
    ----------
    camera
        What is played.
    """

    problem: str | None = None

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self.name = camera.name
        self.ended = False

    def next(self, timeout: float) -> CameraFrame | None:
        """Return the next frame.

        Raises
        ------
        CameraError
            If the file is damaged.
        """
        frame = self._camera.read()
        self.ended = frame is None
        return frame

    def close(self) -> None:
        """Close the file."""
        self._camera.close()


class LiveFeed:
    """A live camera, read by a thread that keeps the newest frame and opens it again when it must.

    Whoever is slow misses frames, but never sees old ones.

    Parameters
    ----------
    opener
        Opens the camera, the first time at once.
    clock
        Seconds.

    Raises
    ------
    CameraError
        If it cannot be opened now.
    """

    def __init__(self, opener: Opener, clock: Callable[[], float] = time.monotonic) -> None:
        self._opener, self._clock = opener, clock
        self._camera: Camera | None = _opened(opener)
        self.name = self._camera.name
        self.ended = False
        self.missed = 0
        """Frames that nobody took before the next one came."""
        self._news = threading.Condition()
        self._frame: CameraFrame | None = None
        self._fault: str | None = None
        self._came = clock()
        self._health = Health(self.name)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="handlore-camera", daemon=True)
        self._thread.start()

    @property
    def problem(self) -> str | None:
        """What is wrong with the camera."""
        if self._fault is None and self._clock() - self._came > SILENT:
            return (
                f"{self.name} has given no picture for {SILENT:g} s; if it does not come back,"
                " unplug it and plug it in again"
            )
        return self._fault

    def next(self, timeout: float) -> CameraFrame | None:
        """Wait for a frame that has not been seen."""
        with self._news:
            self._news.wait_for(lambda: self._frame is not None or self.ended, timeout)
            frame, self._frame = self._frame, None
        return frame

    def close(self) -> None:
        """Let go of the camera; a thread that hangs in its driver is left behind."""
        self._closing.set()
        self._thread.join(SILENT)
        self.ended = True

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                self._read_on()
            except Exception as error:  # noqa: BLE001 - drivers raise anything
                self._fault = self._told(error)
                self._let_go()
                self._closing.wait(AGAIN)
        self._let_go()

    def _read_on(self) -> None:
        camera = self._camera = self._camera or self._opener()
        while not self._closing.is_set():
            frame = camera.read()
            if frame is None:
                raise CameraError(f"{self.name} gives no more pictures")
            self._fault = self._health.look(frame)
            self._came = self._clock()
            with self._news:
                self.missed += self._frame is not None
                self._frame = frame
                self._news.notify()

    def _told(self, error: Exception) -> str:
        """Say in one line what went wrong; a driver's own words as they are."""
        if isinstance(error, CameraError):
            return str(error)
        return f"{self.name} fails ({_words(error)}); it is opened again"

    def _let_go(self) -> None:
        camera, self._camera = self._camera, None
        self._health = Health(self.name)
        if camera is not None:
            with contextlib.suppress(Exception):  # it is broken already
                camera.close()


def _opened(opener: Opener) -> Camera:
    try:
        return opener()
    except HandloreError:
        raise
    except Exception as error:
        raise CameraError(f"the camera cannot be opened ({_words(error)})") from error


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
