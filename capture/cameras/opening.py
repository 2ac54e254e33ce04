"""From the text of ``--camera`` to a camera."""

from dataclasses import dataclass
from pathlib import Path

from handlore.landmarks.errors import HandloreError

from .camera import CAMERAS, CameraOptions, Opener
from .feed import DirectFeed, Feed, LiveFeed


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
    # A file may be called 0 or picamera: such a name means the camera.
    kinds = sorted(CAMERAS.entries().values(), key=lambda kind: not kind.live)
    for kind in kinds:
        opener = kind.find(text, options)
        if opener is not None:
            if kind.live and options.loop:
                raise HandloreError(f"--loop repeats a file; {text} is a camera")
            return CameraSpec(text, kind.live, opener)
    expected = ", ".join(kind.texts for kind in kinds)
    if Path(text).is_file():
        raise HandloreError(f"{text} does not have the name of a video; expected {expected}")
    raise HandloreError(f"there is no camera or file {text!r}; expected {expected}")


def open_feed(spec: CameraSpec) -> Feed:
    """Open a camera so that it is reopened when it is lost.

    Raises
    ------
    CameraError
        If it cannot be opened now.
    """
    return LiveFeed(spec.open) if spec.live else DirectFeed(spec.open())
