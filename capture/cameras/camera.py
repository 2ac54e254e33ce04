"""Kinds of camera, from the text of ``--camera`` to a camera, and why one cannot be opened."""

import os
import platform
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Protocol

from handlore.landmarks.detector import is_arm_linux
from handlore.landmarks.errors import HandloreError, OptionError, unknown_name
from handlore.landmarks.files import similar_files
from handlore.landmarks.hands import Pixels
from handlore.landmarks.registry import Registry

from ..addresses import scheme_of


class CameraError(HandloreError):
    """A camera gives no pictures; the message says which one, why, and what to do."""


@dataclass(frozen=True, eq=False)
class CameraFrame:
    """A picture of a camera."""

    pixels: Pixels
    """(height, width, 3) RGB, not mirrored."""
    seconds: float
    """When it was taken, on a monotonic clock with any origin."""


@dataclass(frozen=True)
class CameraOptions:
    """What is requested of a camera, which may give something else."""

    size: tuple[int, int] | None = None
    """Width and height in pixels; default: 640x480 for a camera, the size of a file."""
    frame_rate: float = 0.0
    """Frames per second; 0: the default of the camera, or the times in the file. A folder of
    frames has no times and takes 30."""
    backend: str = "auto"
    """The interface through which OpenCV reads webcams."""
    loop: bool = False
    """Whether a file starts again at its end."""
    paced: bool = True
    """Whether a file is played in real time, or as fast as frames are read."""

    def __post_init__(self) -> None:
        if self.size is not None and min(self.size) < 1:
            raise OptionError(f"the size is {self.size[0]}x{self.size[1]}, expected pixels")
        if not 0 <= self.frame_rate < 10_000:
            raise OptionError(f"the frame rate is {self.frame_rate}, expected 0 to 10,000")
        if self.backend != "auto" and self.backend not in BACKENDS:
            known = ["auto", *BACKENDS]
            raise unknown_name("camera backend", self.backend, known)

    @property
    def for_cameras(self) -> str:
        """Which options were given that only cameras have, with their verb; else nothing."""
        given = {
            "size": self.size is not None,
            "frame rate": bool(self.frame_rate),
            "backend": self.backend != "auto",
        }
        names = [name for name, is_given in given.items() if is_given]
        return f"{' and '.join(names)} {'are' if len(names) > 1 else 'is'}" if names else ""


class Camera(Protocol):
    """A source of pictures."""

    name: str
    """Its name for people: ``camera 0``, ``clip.mp4``."""

    def read(self) -> CameraFrame | None:
        """Wait for the next picture; None at the end of a file.

        Raises
        ------
        CameraError
            If the camera cannot go on.
        """

    def close(self) -> None:
        """Close the camera. It cannot be read again."""


Opener = Callable[[], Camera]
"""Opens a camera, or raises :class:`CameraError`."""

_INSTEAD = "a video or a camera of the network can take its place: --camera clip.mp4, http://..."
REMEDY = "unplug it and plug it in again"


class CameraKind(Camera, Protocol):
    """A kind of camera that ``--camera`` can name: the base class of all of them.

    ``@CAMERAS.register`` adds it to :data:`CAMERAS` under its ``name``.
    """

    texts: ClassVar[str]
    """How its cameras are named, for the error that lists what is expected."""
    live: ClassVar[bool]
    """Whether it shows what happens now; a file does not."""
    remedy: ClassVar[str] = REMEDY
    """What to do when it gives no pictures any more."""

    @classmethod
    def find(cls, text: str, options: CameraOptions) -> Opener | None:
        """Return a function that opens the camera that a text names; None if it names none.

        Raises
        ------
        HandloreError
            If an option does not apply to this camera.
        """

    @classmethod
    def shown(cls, text: str) -> str:
        """Return what messages and recordings call it: the text without what is secret in it."""
        return text

    @classmethod
    def present(cls) -> Iterable[tuple[str, str]]:
        """Return the text and the product name ("" if unknown) of each camera of this computer."""
        return []


CAMERAS: Registry[type[CameraKind]] = Registry("camera", "handlore.capture.cameras")
"""All kinds of camera, also those of other packages (entry points ``handlore.cameras``)."""

BACKENDS = {
    "v4l2": "CAP_V4L2",
    "gstreamer": "CAP_GSTREAMER",
    "ffmpeg": "CAP_FFMPEG",
    "msmf": "CAP_MSMF",
    "dshow": "CAP_DSHOW",
    "avfoundation": "CAP_AVFOUNDATION",
}
"""Interfaces to cameras by their usual names, and OpenCV's names for them."""

BLACK = 12
"""No pixel of a covered lens is brighter, of 255; its noise stays below."""
DEVICES = Path("/dev")
PROCESSES = Path("/proc")


def video_devices() -> list[str]:
    """List the video devices of a Linux system, sorted by number."""
    found = DEVICES.glob("video*")
    numbered = [(int(path.name[5:]), str(path)) for path in found if path.name[5:].isdigit()]
    return [path for _, path in sorted(numbered)]


def why_not_open(device: int | str) -> str:
    """Return why a webcam cannot be opened, and what to do, in one line."""
    name = f"camera {device}" if isinstance(device, int) else str(device)
    return f"{name} cannot be opened: {_reason(device)}"


def _reason(device: int | str) -> str:
    if not sys.platform.startswith("linux"):
        allow = ", that this program may use it (System Settings, Privacy, Camera)"
        return (
            "check that it is plugged in, that no other program uses it"
            f"{allow if sys.platform == 'darwin' else ''}, or name another one with --camera;"
            f" {_INSTEAD}"
        )
    path = Path(f"{DEVICES}/video{device}" if isinstance(device, int) else str(device))
    if not path.exists():
        return f"{absent()}; {_INSTEAD}"
    if not os.access(path, os.R_OK | os.W_OK):
        return f"no permission for {path}; `sudo usermod -aG video $USER`, then log in again"
    users = _programs_using(path)
    if users:
        return f"it is in use by {', '.join(users)}; close that program"
    return f"{path} gives no pictures; name another device with --camera{_pi_camera()}"


def absent() -> str:
    """Return why there is no such camera, and what to do."""
    devices = video_devices()
    if devices:
        found = ", ".join(devices)
        return f"it does not exist; found: {found} (--camera {devices[0]}){_pi_camera()}"
    return f"no camera is plugged in, or the system does not provide it{_pi_camera()}"


def _pi_camera() -> str:
    if not is_arm_linux():
        return ""
    if find_spec("picamera2") is not None:
        return "; for a Raspberry Pi camera: --camera picamera"
    return "; for a Raspberry Pi camera: `sudo apt install python3-picamera2`, --camera picamera"


def _programs_using(path: Path) -> list[str]:
    """Name the programs that have a device open, as far as visible; Linux only."""
    target, users = os.path.realpath(path), []
    for process in PROCESSES.glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        try:
            links = [os.readlink(one) for one in (process / "fd").iterdir()]
            if target in links:
                users.append(f"{(process / 'comm').read_text().strip()} (process {process.name})")
        except OSError:  # ended meanwhile, or of another user
            continue
    return users


@dataclass(frozen=True)
class CameraSpec:
    """A camera that can be opened."""

    text: str
    """What recordings call it; without user, password and path of an address."""
    live: bool
    """Whether it shows what happens now; a file does not."""
    open: Opener


def camera_spec(text: str, options: CameraOptions | None = None) -> CameraSpec:
    """Return the camera that a text names, if the options apply to it; opens nothing.

    A text is ``0``, ``/dev/video2``, ``clip.mp4``, ``frames/``, ``picamera``, ``picamera:1``, an
    address such as ``rtsp://user:password@camera/stream``, or a pipeline of GStreamer.
    """
    options = options or CameraOptions()
    # A file may be called 0 or picamera: such a name means the camera.
    kinds = sorted(CAMERAS.entries().values(), key=lambda kind: not kind.live)
    for kind in kinds:
        opener = kind.find(text, options)
        if opener is not None:
            shown = kind.shown(text)
            if kind.live and options.loop:
                raise HandloreError(f"--loop repeats a file; {shown} is a camera")
            return CameraSpec(shown, kind.live, opener)
    expected = ", ".join(kind.texts for kind in kinds)
    if scheme := scheme_of(text):
        # Not repeated: it may hold a password.
        raise HandloreError(f"no camera has addresses of {scheme}://; expected {expected}")
    if Path(text).is_file():
        raise HandloreError(f"{text} does not have the name of a video; expected {expected}")
    # A mistyped address is not repeated: it may hold a password.
    named = "of that name" if "@" in text else repr(text)
    near = similar_files(Path(text))
    meant = f"did you mean {near}? " if near else ""
    raise HandloreError(f"there is no camera or file {named}; {meant}expected {expected}")


_WARM_UP = 5
"""The first pictures of a camera may be dark; as many are taken."""


@dataclass(frozen=True)
class CameraReport:
    """A camera, and the result of testing it."""

    camera: str
    """The value for ``--camera``."""
    name: str
    """Its product name, if the system reports it."""
    size: tuple[int, int] | None = None
    """Width and height of its picture."""
    problem: str | None = None
    """Why it gives no usable picture, and what to do."""


def find_cameras() -> list[CameraReport]:
    """Find cameras and take a picture with each; takes a second or two per camera."""
    found = [_try(*one) for kind in CAMERAS.entries().values() for one in kind.present()]
    if platform.system() == "Linux":
        return found
    # Elsewhere the first numbers are tested; not all of them are cameras.
    return [one for one in found if one.size is not None]


def _try(camera: str, name: str) -> CameraReport:
    try:
        with closing(camera_spec(camera).open()) as opened:
            return _tested(opened, camera, name)
    except CameraError as error:
        return CameraReport(camera, name, problem=str(error))


def _tested(opened: Camera, camera: str, name: str) -> CameraReport:
    brightest, size = 0, None
    for _ in range(_WARM_UP):
        frame = opened.read()
        if frame is not None:
            brightest = max(brightest, int(frame.pixels.max(initial=0)))
            size = (frame.pixels.shape[1], frame.pixels.shape[0])
    problem = "its picture is black; open its cover, or switch on a light"
    return CameraReport(camera, name, size, problem if brightest <= BLACK else None)
