"""What all cameras share that OpenCV reads."""

import time
from typing import Any, ClassVar

import cv2
import numpy as np

from handlore.landmarks.hands import Pixels

from .camera import CameraError, CameraFrame, CameraKind


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
