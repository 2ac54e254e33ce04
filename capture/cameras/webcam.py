"""Webcams through OpenCV, and what all cameras share that it reads."""

import os
import platform
import re
import struct
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np

from handlore.landmarks.hands import Pixels

from .camera import (
    BACKENDS,
    CAMERAS,
    DEVICES,
    CameraError,
    CameraFrame,
    CameraKind,
    CameraOptions,
    Opener,
    video_devices,
    why_not_open,
)


class OpenCvCamera(CameraKind):
    """A camera that is open as an OpenCV capture."""

    _capture: Any
    lost: ClassVar[str] = "was it unplugged, or taken by another program?"
    """Why it may give no picture any more."""
    undecodable: ClassVar[str] = "try another --size"
    """What to do if its pictures cannot be decoded."""

    def read(self) -> CameraFrame:
        """Wait for the next picture; its time is when it arrived."""
        if not self._capture.grab():
            raise CameraError(f"{self.name} gives no picture; {self.lost}")
        seconds = time.monotonic()
        done, pixels = self._capture.retrieve()
        if not done or pixels is None:
            raise CameraError(
                f"{self.name} gives no picture that can be decoded; {self.undecodable}"
            )
        return CameraFrame(_as_rgb(pixels), seconds)

    def close(self) -> None:
        """Close the camera."""
        self._capture.release()


def _as_rgb(pixels: Any) -> Pixels:
    if pixels.ndim == 2:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


SIZE = (640, 480)
"""More pixels do not improve the detection, but slow everything down."""
_FIRST_NUMBERS = 3
"""Numbers that are tested where the system does not list its cameras."""
_QUERY_CAPABILITIES = 0x80685600
_CAPTURE = 0x1
_OFFSET_CARD, _OFFSET_CAPABILITIES = 16, 88


@CAMERAS.register
class _Webcam(OpenCvCamera):
    """A camera of the system: its number, or its path, such as ``/dev/video2``."""

    name = "webcam"
    texts: ClassVar[str] = "a camera's number (0), its path (/dev/video2)"
    live: ClassVar[bool] = True

    @classmethod
    def find(cls, text: str, options: CameraOptions) -> Opener | None:
        """Accept a number, and on Linux the path of a device."""
        if re.fullmatch(r"\d{1,3}", text):
            return lambda: cls(int(text), options)
        if sys.platform.startswith("linux") and Path(text).is_relative_to(DEVICES):
            return lambda: cls(text, options)
        return None

    @classmethod
    def present(cls) -> Iterable[tuple[str, str]]:
        """List the devices that take pictures, or the first numbers if the system lists none."""
        if platform.system() == "Linux":
            return _video4linux()
        return [(str(number), "") for number in range(_FIRST_NUMBERS)]

    def __init__(self, device: int | str, options: CameraOptions) -> None:
        self.name = f"camera {device}" if isinstance(device, int) else str(device)
        backend = getattr(cv2, BACKENDS.get(options.backend, "CAP_ANY"))
        self._capture: Any = cv2.VideoCapture(device, backend)
        if not self._capture.isOpened():
            raise CameraError(why_not_open(device))
        self._ask_for(options)

    def _ask_for(self, options: CameraOptions) -> None:
        """Request size and frame rate; a camera takes what it supports."""
        width, height = options.size or SIZE
        if width * height > SIZE[0] * SIZE[1] and sys.platform.startswith("linux"):
            # Uncompressed, USB carries only a few larger pictures per second.
            self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        if options.frame_rate:
            self._capture.set(cv2.CAP_PROP_FPS, options.frame_rate)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)


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
