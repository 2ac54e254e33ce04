"""From the text of ``--camera`` to a camera."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from handlore.datasets.pictures import is_picture, is_video
from handlore.landmarks.errors import HandloreError

from .camera import DEVICES, Camera, CameraOptions, Opener
from .feed import DirectFeed, Feed, LiveFeed
from .files import FileCamera
from .picamera import PiCamera
from .webcam import Webcam, backend_number

EXPECTED = (
    "expected a camera's number (0), its path (/dev/video2), a video, a folder of frames, or"
    " picamera"
)


@dataclass(frozen=True)
class CameraSpec:
    """A camera that can be opened."""

    text: str
    live: bool
    """Whether it shows what happens now; a file does not."""

    open: Opener


def camera_spec(text: str, options: CameraOptions | None = None) -> CameraSpec:
    """Return the camera that a text names; opens nothing.

    Parameters
    ----------
    text
        ``0``, ``/dev/video2``, ``clip.mp4``, ``frames/``, ``picamera`` or ``picamera:1``.
    options
        What is requested of it.

    Raises
    ------
    HandloreError
        If it is none of these, or an option does not apply to it.
    """
    options = options or CameraOptions()
    number = re.fullmatch(r"picamera(?::(\d+))?", text)
    path = Path(text)
    live: Callable[[], Camera] | None = None
    if re.fullmatch(r"\d{1,3}", text):
        live = lambda: Webcam(int(text), options)  # noqa: E731
    elif number:
        live = lambda: PiCamera(int(number[1] or 0), options)  # noqa: E731
    elif sys.platform.startswith("linux") and path.is_relative_to(DEVICES):
        live = lambda: Webcam(text, options)  # noqa: E731
    if live is not None:
        backend_number(options.backend)
        if options.loop:
            raise HandloreError(f"--loop plays a file again and again; {text} is a camera")
        return CameraSpec(text, True, live)
    _require_file(path)
    if options.size or (options.frame_rate and not path.is_dir()) or options.backend != "auto":
        raise HandloreError(f"size, frame rate and backend are for cameras; {text} is a file")
    return CameraSpec(text, False, lambda: FileCamera(path, options))


def open_feed(spec: CameraSpec) -> Feed:
    """Open a camera so that it is reopened when it is lost.

    Raises
    ------
    CameraError
        If it cannot be opened now.
    """
    return LiveFeed(spec.open) if spec.live else DirectFeed(spec.open())


def _require_file(path: Path) -> None:
    if path.is_dir():
        if not any(is_picture(one) for one in path.iterdir()):
            raise HandloreError(f"the folder {path} holds no pictures; {EXPECTED}")
    elif not path.exists():
        raise HandloreError(f"there is no camera or file {str(path)!r}; {EXPECTED}")
    elif not (is_video(path) or path.suffix.lower() == ".gif"):
        raise HandloreError(f"{path} is not a video by its name; {EXPECTED}")
