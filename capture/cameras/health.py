"""Whether the pictures of a camera are pictures: not black, not the same over and over."""

import numpy as np
from numpy.typing import NDArray

from .camera import CameraError, Frame

SICK = 2.0
"""Black or frozen for so long is no accident; seconds."""

BLACK = 12
"""Darker than this is every pixel of a covered lens, of 255; its noise stays below."""

STEP = 16
"""Every so many pixels one is looked at."""


class Health:
    """Watches the pictures of a camera.

    Parameters
    ----------
    name
        Of the camera, for the line that says what is wrong.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._last: NDArray[np.uint8] | None = None
        self._bright_at: float | None = None
        self._moved_at: float | None = None

    def look(self, frame: Frame) -> str | None:
        """Look at the next picture.

        Returns
        -------
        What is wrong, in one line with what to do, or None.

        Raises
        ------
        CameraError
            If it is frozen: even a still scene has noise, so the camera must be opened again.
        """
        pixels, now = frame.pixels[::STEP, ::STEP].copy(), frame.seconds
        if self._bright_at is None or pixels.max(initial=0) > BLACK:
            self._bright_at = now
        black = now - self._bright_at > SICK
        if self._moved_at is None or self._last is None or not np.array_equal(pixels, self._last):
            self._moved_at = now
        self._last = pixels
        if now - self._moved_at > SICK and not black:
            raise CameraError(
                f"{self._name} gives the same picture over and over; it is opened again"
            )
        if black:
            return f"{self._name} gives black pictures; open its cover, or make light"
        return None
