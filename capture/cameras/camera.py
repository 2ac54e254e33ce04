"""What a camera is."""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Protocol

from handlore.landmarks.detector import is_arm_linux
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Pixels
from handlore.landmarks.registry import Registry, unknown_name


class CameraError(HandloreError):
    """A camera that gives no pictures: one line that says which one, why, and what to do."""


@dataclass(frozen=True, eq=False)
class CameraFrame:
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
        if self.backend != "auto" and self.backend not in BACKENDS:
            raise unknown_name("camera backend", self.backend, ["auto", *BACKENDS])


class Camera(Protocol):
    """Gives one picture after the other."""

    name: str
    """What it is, as people know it: ``camera 0``, ``clip.mp4``."""

    def read(self) -> CameraFrame | None:
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


class CameraKind(Camera, Protocol):
    """A kind of camera that ``--camera`` can name: the base class of all of them.

    ``@CAMERAS.register`` makes it known; ``name`` is then its name in the registry.
    """

    texts: ClassVar[str]
    """What its cameras are called, for the error that lists what is known."""

    live: ClassVar[bool]
    """Whether it shows what happens now; a file does not."""

    @classmethod
    def find(cls, text: str, options: CameraOptions) -> Opener | None:
        """Return what opens the camera that a text names; None if it names none of this kind.

        Raises
        ------
        HandloreError
            If an option does not go with this camera.
        """
        ...

    @classmethod
    def present(cls) -> Iterable[tuple[str, str]]:
        """Return the text and the maker's name ("" if unknown) of each camera to try here."""
        return []


CAMERAS: Registry[type[CameraKind]] = Registry("camera", "handlore.capture.cameras")
"""All kinds of camera, those of other packages too (entry points ``handlore.cameras``)."""

BACKENDS = {
    "v4l2": "CAP_V4L2",
    "gstreamer": "CAP_GSTREAMER",
    "ffmpeg": "CAP_FFMPEG",
    "msmf": "CAP_MSMF",
    "dshow": "CAP_DSHOW",
    "avfoundation": "CAP_AVFOUNDATION",
}
"""Interfaces to cameras, by the names people know, and OpenCV's names of them."""


# Why a camera cannot be opened, as far as the system tells, and what to do.


DEVICES = Path("/dev")
PROCESSES = Path("/proc")


def video_devices() -> list[str]:
    """List the video devices of a Linux system, by their numbers."""
    found = DEVICES.glob("video*")
    numbered = [(int(path.name[5:]), str(path)) for path in found if path.name[5:].isdigit()]
    return [path for _, path in sorted(numbered)]


def why_not_open(device: int | str) -> str:
    """Say in one line why a webcam cannot be opened, and what to do."""
    name = f"camera {device}" if isinstance(device, int) else str(device)
    return f"{name} cannot be opened: {_reason(device)}"


def _reason(device: int | str) -> str:
    if not sys.platform.startswith("linux"):
        allow = " and that this program may use it (System Settings, Privacy, Camera)"
        return (
            "check that it is plugged in, that no other program uses it,"
            f"{allow if sys.platform == 'darwin' else ''} or name another one with --camera"
        )
    path = Path(f"{DEVICES}/video{device}" if isinstance(device, int) else str(device))
    if not path.exists():
        return absent()
    if not os.access(path, os.R_OK | os.W_OK):
        return f"{path} may not be read by you; `sudo usermod -aG video $USER`, then log in again"
    users = programs_using(path)
    if users:
        return f"it is in use by {', '.join(users)}; end that program"
    return f"{path} gives no pictures; name another device with --camera{_pi_camera()}"


def absent() -> str:
    """Say why there is no such camera, and what to do."""
    there = video_devices()
    if there:
        return f"there is none; found: {', '.join(there)} (--camera {there[0]}){_pi_camera()}"
    return f"no camera is plugged in, or this system does not pass it on{_pi_camera()}"


def _pi_camera() -> str:
    if not is_arm_linux():
        return ""
    if find_spec("picamera2") is not None:
        return "; for a Raspberry Pi camera: --camera picamera"
    return "; for a Raspberry Pi camera: `sudo apt install python3-picamera2`, --camera picamera"


def programs_using(path: Path) -> list[str]:
    """Name the programs that hold a device open, as far as they may be seen; Linux only."""
    target, users = os.path.realpath(path), []
    for process in PROCESSES.glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        try:
            links = [os.readlink(one) for one in (process / "fd").iterdir()]
            if target in links:
                users.append(f"{(process / 'comm').read_text().strip()} (process {process.name})")
        except OSError:  # ended meanwhile, or somebody else's
            continue
    return users
