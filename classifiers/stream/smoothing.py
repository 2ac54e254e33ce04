"""The One-Euro filter: steady where a hand rests, quick where it moves.

G. Casiez, N. Roussel, D. Vogel, "1 EUR filter: a simple speed-based low-pass filter for noisy
input in interactive systems", CHI 2012.
"""

import math

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.topology import HandLandmark

FloatArray = NDArray[np.float32]

SPEED_SECONDS = 0.16
"""Speeds are averaged over about so long (the paper's cutoff of 1 Hz)."""

QUICKENING = 1.0
"""By so many Hz the cutoff rises with each palm length a second."""

_PALM_END = HandLandmark.MIDDLE_FINGER_MCP


class OneEuro:
    """Smooths the landmarks of one frame after the other.

    Parameters
    ----------
    seconds
        About over how long a hand at rest is averaged; 0 = not at all.
    step
        Seconds from frame to frame.
    """

    def __init__(self, seconds: float, step: float) -> None:
        self._step = step
        self._slowest = 1 / (2 * math.pi * seconds) if seconds > 0 else math.inf
        self._speed_share = 1 - math.exp(-step / SPEED_SECONDS)
        self._turn = -2 * math.pi * step
        self._last: FloatArray | None = None
        self._speed: FloatArray | None = None

    def reset(self) -> None:
        """Forget the hand."""
        self._last = self._speed = None

    def __call__(self, landmarks: FloatArray) -> FloatArray:
        """Return the landmarks (..., 21, 3) of the next frame, smoothed, in their own units."""
        if self._last is None or self._speed is None or math.isinf(self._slowest):
            self._last, self._speed = landmarks, np.zeros_like(landmarks)
            return landmarks
        palm = landmarks[..., _PALM_END, :] - landmarks[..., 0, :]
        unit = _length(palm) + np.float32(1e-6)
        moved = landmarks - self._last
        self._speed = self._speed + self._speed_share * (moved / self._step - self._speed)
        cutoff = self._slowest + QUICKENING * _length(self._speed) / unit[..., None]
        share = 1 - np.exp(self._turn * cutoff)
        self._last = self._last + share[..., None] * moved
        return self._last


def _length(vectors: FloatArray) -> FloatArray:
    length: FloatArray = np.sqrt(np.einsum("...k,...k->...", vectors, vectors))
    return length
