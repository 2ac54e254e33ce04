"""Webcams through OpenCV."""

import sys
import time
from typing import Any

import cv2
import numpy as np

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Pixels

from .camera import CameraError, CameraFrame, CameraOptions, why_not_open

SIZE = (640, 480)
"""More pixels do not improve the detection, but slow everything down."""

BACKENDS = {
    "v4l2": "CAP_V4L2",
    "gstreamer": "CAP_GSTREAMER",
    "ffmpeg": "CAP_FFMPEG",
    "msmf": "CAP_MSMF",
    "dshow": "CAP_DSHOW",
    "avfoundation": "CAP_AVFOUNDATION",
}
"""Interfaces to cameras by their usual names."""


class Webcam:
    """A camera of the system.

    Parameters
    ----------
    device
        Its number, or its path, such as ``/dev/video2``.
    options
        Size, frame rate and backend.

    Raises
    ------
    CameraError
        If it cannot be opened; the message says why, if the system reports it.
    """

    def __init__(self, device: int | str, options: CameraOptions) -> None:
        self.name = f"camera {device}" if isinstance(device, int) else str(device)
        self._device = device
        self._capture: Any = cv2.VideoCapture(device, backend_number(options.backend))
        if not self._capture.isOpened():
            raise CameraError(why_not_open(device))
        self._ask_for(options)

    def read(self) -> CameraFrame:
        """Wait for the next picture."""
        if not self._capture.grab():
            raise CameraError(
                f"{self.name} gives no picture; was it unplugged, or taken by another program?"
            )
        seconds = time.monotonic()
        done, pixels = self._capture.retrieve()
        if not done or pixels is None:
            raise CameraError(
                f"{self.name} gives no picture that can be decoded; try another --size"
            )
        return CameraFrame(_as_rgb(pixels), seconds)

    def close(self) -> None:
        """Close it."""
        self._capture.release()

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


def backend_number(name: str) -> int:
    """Return OpenCV's number of a backend.

    Raises
    ------
    HandloreError
        If no backend has this name.
    """
    if name == "auto":
        return int(cv2.CAP_ANY)
    if name not in BACKENDS:
        raise HandloreError(f"unknown camera backend {name!r}; known: auto, {', '.join(BACKENDS)}")
    return int(getattr(cv2, BACKENDS[name]))


def _as_rgb(pixels: Any) -> Pixels:
    if pixels.ndim == 2:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
