"""Cameras of the network, through OpenCV's FFmpeg: RTSP, MJPEG over HTTP, and other streams."""

import re
import socket
from typing import ClassVar

import cv2

from handlore.datasets.videos import MAX_FRAME_PIXELS
from handlore.landmarks.errors import HandloreError

from ..addresses import RemoteAddress, scheme_of
from .camera import BACKENDS, CAMERAS, CameraError, CameraFrame, CameraOptions, Opener
from .webcam import OpenCvCamera

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
class _NetworkCamera(OpenCvCamera):
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
