"""Which cameras this computer has, each with a picture taken to try it."""

import platform
from dataclasses import dataclass

from .camera import CAMERAS, Camera, CameraError, CameraOptions
from .feed import BLACK
from .opening import camera_spec

WARM_UP = 5
"""The first pictures of a camera may be dark."""


@dataclass(frozen=True)
class Found:
    """A camera, and what came of trying it."""

    camera: str
    """What to give to ``--camera``."""

    name: str
    """What its maker calls it, as far as the system tells."""

    size: tuple[int, int] | None = None
    """Width and height of its picture."""

    problem: str | None = None
    """Why it gives no good picture, and what to do."""


def find_cameras() -> list[Found]:
    """Look for cameras and take a picture with each; takes a second or two a camera."""
    found = [_try(*one) for kind in CAMERAS.entries().values() for one in kind.present()]
    if platform.system() == "Linux":
        return found
    # Elsewhere numbers are tried blindly; those behind the last camera are none.
    return [one for one in found if one.size is not None]


def _try(camera: str, name: str) -> Found:
    try:
        opened = camera_spec(camera, CameraOptions()).open()
    except CameraError as error:
        return Found(camera, name, problem=str(error))
    try:
        return _looked_at(opened, camera, name)
    except CameraError as error:
        return Found(camera, name, problem=str(error))
    finally:
        opened.close()


def _looked_at(opened: Camera, camera: str, name: str) -> Found:
    brightest, size = 0, None
    for _ in range(WARM_UP):
        frame = opened.read()
        if frame is not None:
            brightest = max(brightest, int(frame.pixels.max(initial=0)))
            size = (frame.pixels.shape[1], frame.pixels.shape[0])
    black = brightest <= BLACK
    return Found(
        camera, name, size, "its picture is black; open its cover, or make light" if black else None
    )
