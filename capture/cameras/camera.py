"""What a camera is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Pixels


class CameraError(HandloreError):
    """A camera that gives no pictures: one line that says which one, why, and what to do."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture of a camera."""

    pixels: Pixels
    """(height, width, 3) RGB, not mirrored."""

    seconds: float
    """When it was taken, on a clock that never runs back. Only differences mean something."""


@dataclass(frozen=True)
class CameraOptions:
    """What is wanted of a camera; it gives what it can.

    Raises
    ------
    HandloreError
        If an option is out of range.
    """

    size: tuple[int, int] | None = None
    """Width and height in pixels; default: 640x480 of a camera, a file as it is."""

    frame_rate: float = 0.0
    """Frames a second; 0: what the camera does by itself, or the file's own times. A folder of
    frames has no times of its own and takes 30."""

    backend: str = "auto"
    """Which interface of the system OpenCV uses for webcams."""

    loop: bool = False
    """Whether a file begins again at its end."""

    paced: bool = True
    """Whether a file is played at its own times, or as fast as frames are asked for."""

    def __post_init__(self) -> None:
        if self.size is not None and min(self.size) < 1:
            raise HandloreError(f"the size is {self.size[0]}x{self.size[1]}, expected pixels")
        if not 0 <= self.frame_rate < 10_000:
            raise HandloreError(f"the frame rate is {self.frame_rate}, expected 0 or more a second")


class Camera(Protocol):
    """Gives one picture after the other."""

    @property
    def name(self) -> str:
        """What it is, as people know it: ``camera 0``, ``clip.mp4``."""
        ...

    def read(self) -> Frame | None:
        """Wait for the next picture.

        Returns
        -------
        None where there will be no more: the end of a file.

        Raises
        ------
        CameraError
            If the camera cannot go on.
        """
        ...

    def close(self) -> None:
        """Let go of the camera. It cannot be read again."""
        ...


Opener = Callable[[], Camera]
"""Opens a camera, or raises :class:`CameraError`."""
