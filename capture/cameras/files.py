"""Videos and folders of pictures in a camera's place."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from handlore.datasets.files import is_picture, is_video, natural_order
from handlore.datasets.pictures import read_picture
from handlore.datasets.videos import read_video
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.hands import Pixels

from .camera import CAMERAS, CameraError, CameraFrame, CameraKind, CameraOptions, Opener

_FRAME_RATE = 30.0
"""Of a folder of frames, and between the end and the start of a repeated video."""


@CAMERAS.register
class _FileCamera(CameraKind):
    """Plays a video, or a folder of pictures in the order of their names, with the times of frames.

    No frame is skipped: a slow reader slows it down. Each time it is read it gives the same
    frames with the same times. CameraError is raised if there is nothing to play.
    """

    name = "file"
    texts: ClassVar[str] = "a video, a folder of frames"
    live: ClassVar[bool] = False

    @classmethod
    def find(cls, text: str, options: CameraOptions) -> Opener | None:
        path = Path(text)
        if not text or not path.exists():
            return None
        if path.is_dir() and not any(is_picture(one) for one in path.iterdir()):
            raise HandloreError(f"the folder {path} holds no pictures; expected {cls.texts}")
        if not (path.is_dir() or is_video(path) or path.suffix.lower() == ".gif"):
            return None
        # Frames in a folder have no times of their own.
        foreign = replace(options, frame_rate=0.0) if path.is_dir() else options
        if foreign.for_cameras:
            raise HandloreError(f"{foreign.for_cameras} for cameras; {text} is a file")
        return lambda: cls(path, options)

    def __init__(self, path: Path, options: CameraOptions) -> None:
        self.name = path.name or str(path)
        self._open: Callable[[], Iterator[tuple[float, Pixels]]] = lambda: _played(path, options)
        self._options = options
        self._frames = self._checked()
        self._began: float | None = None
        self._offset = 0.0
        self._last = self._step = 0.0

    def read(self) -> CameraFrame | None:
        following = self._next()
        if following is None and self._options.loop:
            self._offset += self._last + (self._step or 1 / _FRAME_RATE)
            self._frames, self._last = self._checked(), 0.0
            following = self._next()
        if following is None:
            return None
        seconds, pixels = following
        self._step, self._last = seconds - self._last, seconds
        if self._options.paced:
            self._wait(self._offset + seconds)
        return CameraFrame(pixels, self._offset + seconds)

    def close(self) -> None:
        self._frames = iter(())
        self._open = lambda: iter(())

    def _next(self) -> tuple[float, Pixels] | None:
        try:
            return next(self._frames, None)
        except InvalidDataError as error:
            raise CameraError(f"{self.name}: {error}") from error

    def _checked(self) -> Iterator[tuple[float, Pixels]]:
        try:
            return self._open()
        except InvalidDataError as error:
            raise CameraError(f"{self.name}: {error}") from error

    def _wait(self, due: float) -> None:
        now = time.monotonic()
        if self._began is None or now > self._began + due:
            # Late: continue in real time from here, instead of catching up.
            self._began = now - due
        else:
            time.sleep(self._began + due - now)


def _played(path: Path, options: CameraOptions) -> Iterator[tuple[float, Pixels]]:
    if not path.is_dir():
        return read_video(path)[0]
    pictures = natural_order(one for one in path.iterdir() if is_picture(one))
    if not pictures:
        raise InvalidDataError("the folder holds no pictures")
    return _pictures(pictures, options.frame_rate or _FRAME_RATE)


def _pictures(pictures: list[Path], frame_rate: float) -> Iterator[tuple[float, Pixels]]:
    for number, path in enumerate(pictures):
        try:
            pixels = read_picture(path)[0]
        except HandloreError as error:
            raise InvalidDataError(f"{path.name}: {error}") from error
        yield number / frame_rate, pixels
