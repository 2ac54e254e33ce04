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
        palm = landmarks[..., [HandLandmark.MIDDLE_FINGER_MCP], :] - landmarks[..., :1, :]
        unit = np.sqrt((palm * palm).sum(axis=-1, keepdims=True)) + np.float32(1e-6)
        speed = (landmarks - self._last) / np.float32(self._step)
        self._speed = self._speed + np.float32(self._speed_share) * (speed - self._speed)
        lengths = np.sqrt((self._speed * self._speed).sum(axis=-1, keepdims=True)) / unit
        cutoff = self._slowest + QUICKENING * lengths
        share = 1 - np.exp(np.float32(-2 * math.pi * self._step) * cutoff)
        self._last = self._last + share * (landmarks - self._last)
        return self._last
