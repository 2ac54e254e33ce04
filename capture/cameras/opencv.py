"""Cameras through OpenCV: webcams, pipelines of GStreamer, and streams of the network.

The latter are read by FFmpeg: RTSP, MJPEG over HTTP, and others.
"""

import os
import platform
import re
import socket
import struct
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np

from handlore.datasets.videos import MAX_FRAME_PIXELS
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Pixels

from ..addresses import RemoteAddress, scheme_of
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


class _OpenCvCamera(CameraKind):
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
class _Webcam(_OpenCvCamera):
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


_SINK = "videoconvert ! video/x-raw,format=BGR ! appsink drop=true max-buffers=1 sync=false"
"""What hands pictures over to OpenCV, the newest one and no older ones."""


@CAMERAS.register
class _Pipeline(_OpenCvCamera):
    """A pipeline, such as ``v4l2src device=/dev/video2 ! image/jpeg ! jpegdec``."""

    name = "gstreamer"
    texts: ClassVar[str] = "a GStreamer pipeline (v4l2src ! ...)"
    live: ClassVar[bool] = True
    remedy: ClassVar[str] = "check its source"
    lost: ClassVar[str] = "the pipeline has ended, or its source was lost"
    undecodable: ClassVar[str] = "add videoconvert to the pipeline"

    @classmethod
    def find(cls, text: str, options: CameraOptions) -> Opener | None:
        if " ! " not in text or Path(text).exists():
            return None
        if options.backend == "gstreamer":
            options = replace(options, backend="auto")
        if options.for_cameras:
            raise HandloreError(
                f"{options.for_cameras} part of a GStreamer pipeline; write"
                " 'video/x-raw,width=640,height=480,framerate=30/1' into it"
            )
        return lambda: cls(text)

    @classmethod
    def shown(cls, text: str) -> str:
        """Return the first element alone: locations and passwords are among the properties."""
        first = re.match(r"\w+", text.strip())
        return f"{first[0] if first else ''} ! ..."

    def __init__(self, pipeline: str) -> None:
        self.name = f"pipeline {self.shown(pipeline)}"
        if "appsink" not in pipeline:
            pipeline = f"{pipeline} ! {_SINK}"
        self._capture = cv2.VideoCapture(pipeline, cv2.CAP_GSTREAMER)
        if self._capture.isOpened():
            return
        if not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
            raise CameraError(
                f"{self.name} cannot be opened: this OpenCV was built without GStreamer, as those"
                " of PyPI are; give the address instead (rtsp://, http://, /dev/video0)"
            )
        raise CameraError(
            f"{self.name} cannot be opened: test it with `gst-launch-1.0 PIPELINE ! fakesink`"
        )


_PORTS = {
    "rtsp": 554,
    "rtsps": 322,
    "http": 80,
    "https": 443,
    "rtmp": 1935,
    "tcp": 0,
    "udp": 0,
}
_OPEN_SECONDS, _READ_SECONDS = 5.0, 5.0
"""How long FFmpeg may take to open a stream, and to deliver a picture."""
_ASK_SECONDS = 2.0
"""How long a camera may take to answer the question why its stream does not open."""
_LONGEST_STATUS = 64
_STATUS = re.compile(rb"(?:HTTP|RTSP)/\d\.\d (\d{3})")


@CAMERAS.register
class _NetworkCamera(_OpenCvCamera):
    """A camera by its address, such as ``rtsp://user:password@camera/stream``.

    FFmpeg keeps up: the newest picture of a camera of 1920x1080 pixels and 60 frames a second is
    0 to 0.05 seconds old (``docs/decisions/network-cameras.md``). It follows eight redirections,
    and does not send user and password to another machine.
    """

    name = "network"
    texts: ClassVar[str] = "an address (rtsp://, http://)"
    live: ClassVar[bool] = True
    remedy: ClassVar[str] = "check its power and the network"
    lost: ClassVar[str] = "the connection was lost, or the stream has ended"
    undecodable: ClassVar[str] = "set it to H.264 or MJPEG"

    @classmethod
    def find(cls, text: str, options: CameraOptions) -> Opener | None:
        if scheme_of(text) not in _PORTS:
            return None
        address = RemoteAddress.parsed("--camera", text, _PORTS)
        if options.size or options.frame_rate:
            raise HandloreError(
                f"size and frame rate are for cameras of this computer; set them in the camera"
                f" ({address.shown}), or give the address of its smaller stream"
            )
        return lambda: cls(address, options)

    @classmethod
    def shown(cls, text: str) -> str:
        return RemoteAddress.parsed("--camera", text, _PORTS).shown

    def __init__(self, address: RemoteAddress, options: CameraOptions) -> None:
        self.name = f"camera {address.shown}"
        self._n_read = 0
        backend = getattr(cv2, BACKENDS.get(options.backend, "CAP_FFMPEG"))
        limits = [
            *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(1000 * _OPEN_SECONDS)),
            *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(1000 * _READ_SECONDS)),
        ]
        self._capture = cv2.VideoCapture(address.text, backend, limits)
        if not self._capture.isOpened():
            raise CameraError(f"{self.name} cannot be opened: {_reason(address)}")
        width, height = (
            round(self._capture.get(side))
            for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        )
        # Pictures that become larger later are scaled to the size of the first one.
        if width * height > MAX_FRAME_PIXELS:
            self._capture.release()
            raise CameraError(
                f"{self.name} gives pictures of {width}x{height}, expected at most"
                f" {MAX_FRAME_PIXELS // 10**6} million pixels; set it to 640x480"
            )

    def read(self) -> CameraFrame:
        """Wait for the next picture; its time is when it arrived."""
        if self._n_read == 1 and not self._capture.grab():
            raise CameraError(
                f"{self.name} gives a single picture; give the address of its stream (of an"
                " ESP32-CAM: http://HOST:81/stream)"
            )
        frame = super().read()
        self._n_read += 1
        return frame


def _reason(address: RemoteAddress) -> str:
    """Return why a stream does not open, which OpenCV does not say, and what to do."""
    if address.scheme == "udp":
        return "nothing arrives; start the sender first"
    try:
        with socket.create_connection((address.host, address.port), _ASK_SECONDS) as line:
            status = _status(line, address) if address.scheme in ("http", "rtsp") else None
    except OSError as error:
        why = "it does not answer" if isinstance(error, TimeoutError) else error.strerror
        return (
            f"it cannot be reached ({why}); check the address, that the camera is on, and that both"
            " are in the same network"
        )
    return _meaning(status, address)


def _status(line: socket.socket, address: RemoteAddress) -> int | None:
    """Ask for the stream, without user and password; return the status, None if none comes."""
    host = address.host_and_port
    if address.scheme == "rtsp":
        request = f"DESCRIBE rtsp://{host}/{address.path} RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    else:
        request = f"GET /{address.path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    line.settimeout(_ASK_SECONDS)
    line.sendall(request.encode("ascii", "replace"))
    found = _STATUS.match(line.recv(_LONGEST_STATUS))
    return int(found[1]) if found else None


def _meaning(status: int | None, address: RemoteAddress) -> str:
    if status in (401, 403) and address.user:
        return "it refuses the user name, the password or the path"
    if status in (401, 403):
        return f"it needs a user name and a password: {address.scheme}://USER:PASSWORD@..."
    if status == 404:
        return "it has no stream under this path; look into its manual, or its page"
    if status is not None and 300 <= status < 400:
        return "it redirects to an address without a stream; give that of the stream"
    if status is not None and status >= 400:
        return f"it answers with the error {status}"
    return f"it sends no video that FFmpeg can read within {_OPEN_SECONDS:g} s"
