"""Lists the cameras of this computer; each is tested with a picture."""

import platform
from dataclasses import dataclass

from .camera import CAMERAS, Camera, CameraError, CameraOptions
from .feed import BLACK
from .opening import camera_spec

WARM_UP = 5
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
        opened = camera_spec(camera, CameraOptions()).open()
    except CameraError as error:
        return CameraReport(camera, name, problem=str(error))
    try:
        return _tested(opened, camera, name)
    except CameraError as error:
        return CameraReport(camera, name, problem=str(error))
    finally:
        opened.close()


def _tested(opened: Camera, camera: str, name: str) -> CameraReport:
    brightest, size = 0, None
    for _ in range(WARM_UP):
        frame = opened.read()
        if frame is not None:
            brightest = max(brightest, int(frame.pixels.max(initial=0)))
            size = (frame.pixels.shape[1], frame.pixels.shape[0])
    problem = "its picture is black; open its cover, or switch on a light"
    return CameraReport(camera, name, size, problem if brightest <= BLACK else None)
