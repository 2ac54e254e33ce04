"""Lists the cameras of this computer; each is tested with a picture."""

import os
import platform
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from .camera import Camera, CameraError, CameraOptions, video_devices
from .feed import BLACK
from .opening import camera_spec

WARM_UP = 5
"""The first pictures of a camera may be dark; as many are taken."""

FIRST_NUMBERS = 3
"""Numbers tried where the system does not list its cameras."""

_QUERY_CAPABILITIES = 0x80685600
_CAPTURE = 0x1
_OFFSET_CARD, _OFFSET_CAPABILITIES = 16, 88


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
    lists = platform.system() == "Linux"
    if lists:
        listed = list(_video4linux())
    else:
        listed = [(str(number), "") for number in range(FIRST_NUMBERS)]
    tried = [_try(camera, name) for camera, name in [*listed, *_pi_cameras()]]
    if lists:
        return tried
    # Numbers after the last camera do not exist.
    return [one for one in tried if one.size is not None]


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
    black = brightest <= BLACK
    return CameraReport(
        camera, name, size, "its picture is black; open its cover, or switch on a light" if black else None
    )


def _video4linux() -> Iterator[tuple[str, str]]:
    """List the devices that take pictures; others only decode or convert them."""
    import fcntl

    for device in video_devices():
        try:
            descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        except OSError:
            yield device, ""  # testing it will report why
            continue
        answer = bytearray(104)
        try:
            fcntl.ioctl(descriptor, _QUERY_CAPABILITIES, answer)
        except OSError:
            continue
        finally:
            os.close(descriptor)
        (capabilities,) = struct.unpack_from("<I", answer, _OFFSET_CAPABILITIES)
        if capabilities & _CAPTURE:
            card = bytes(answer[_OFFSET_CARD : _OFFSET_CARD + 32])
            yield device, card.partition(b"\0")[0].decode(errors="replace")


def _pi_cameras() -> list[tuple[str, str]]:
    if find_spec("picamera2") is None:
        return []
    from picamera2 import Picamera2

    infos = Picamera2.global_camera_info()
    return [(f"picamera:{k}", str(info.get("Model", ""))) for k, info in enumerate(infos)]
