"""One clock for all cameras: frames come when they come, and are looked at 30 times a second.

What comes after sees the hand at the ticks of this clock, so that a recogniser decides the same
at 7 and at 60 frames a second.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import N_LANDMARKS, FloatArray, HandLandmark

TICK_RATE = 30
"""Ticks a second; tick k is at k / RATE seconds."""

MAX_FRAME_GAP = 0.3
"""Between two frames further apart nobody knows where the hand was."""

MAX_HAND_LOSS = 0.6
"""A hand that is lost for longer than so many seconds has gone; what it did has ended."""


@dataclass(frozen=True, eq=False)
class StreamFrame:
    """What a detector saw at one time; NaN for a missing hand."""

    time: float
    """Seconds."""

    image: FloatArray
    """(n_hands, 21, 3) image landmarks."""

    world: FloatArray
    """(n_hands, 21, 3) world landmarks."""

    handedness: FloatArray
    """(n_hands,) probability of a right hand."""

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(n_hands,) whether there is a hand."""
        return ~np.isnan(self.image[:, 0, 0])


@dataclass(frozen=True, eq=False)
class Tick(StreamFrame):
    """A frame at a tick of the clock."""

    number: int
    """Counted from time 0."""


class FrameResampler:
    """Says what frames would have been seen at the ticks of the clock."""

    def __init__(self) -> None:
        self._last: StreamFrame | None = None

    def feed(self, frame: StreamFrame) -> Iterator[Tick]:
        """Yield the ticks since the last frame, the latest at the time of this one.

        After a long gap without frames come only as many ticks without a hand as it takes to
        notice that it has gone.

        Raises
        ------
        InvalidDataError
            If the time is not a number, or not later than that of the last frame.
        """
        last = self._last
        if not math.isfinite(frame.time):
            raise InvalidDataError(f"a frame has time {frame.time}, expected seconds")
        if last is not None and frame.time <= last.time:
            raise InvalidDataError(
                f"a frame at {frame.time:.9g} s comes after one at {last.time:.9g} s; times rise"
            )
        self._last = frame
        end = math.floor(frame.time * TICK_RATE + 1e-6)
        if last is None:
            if frame.time * TICK_RATE - end < 1e-6:
                yield _at(end, frame, frame, 1.0)
            return
        first = math.floor(last.time * TICK_RATE + 1e-6) + 1
        noticed = first + math.ceil(2 * MAX_HAND_LOSS * TICK_RATE)
        for number in range(first, min(end, noticed) + 1):
            yield _between(number, last, frame)
        if end > noticed:
            yield _between(end, last, frame)


def _between(number: int, before: StreamFrame, after: StreamFrame) -> Tick:
    gap = after.time - before.time
    share = min((number / TICK_RATE - before.time) / gap, 1.0)
    return _at(number, before if gap <= MAX_FRAME_GAP else _nobody(before), after, share)


def _at(number: int, before: StreamFrame, after: StreamFrame, share: float) -> Tick:
    """Return what lies between; a hand that only one of them shows is at none of the two."""
    if share >= 1 - 1e-6:
        return Tick(number / TICK_RATE, after.image, after.world, after.handedness, number)
    part = np.float32(share)
    image, world, handedness = (
        one + part * (other - one)
        for one, other in (
            (before.image, after.image),
            (before.world, after.world),
            (before.handedness, after.handedness),
        )
    )
    return Tick(number / TICK_RATE, image, world, handedness, number)


def _nobody(frame: StreamFrame) -> StreamFrame:
    gone = np.full_like(frame.image, np.nan)
    return StreamFrame(frame.time, gone, gone, np.full_like(frame.handedness, np.nan))


# The One-Euro filter: steady where a hand rests, quick where it moves.
#
# G. Casiez, N. Roussel, D. Vogel, "1 EUR filter: a simple speed-based low-pass filter for noisy
# input in interactive systems", CHI 2012.


_SPEED_SECONDS = 0.16
"""Speeds are averaged over about so long (the paper's cutoff of 1 Hz)."""

_CUTOFF_SLOPE = 1.0
"""By so many Hz the cutoff rises with each palm length a second."""

_PALM_END = HandLandmark.MIDDLE_FINGER_MCP


class OneEuroFilter:
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
        self._speed_share = 1 - math.exp(-step / _SPEED_SECONDS)
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
        cutoff = self._slowest + _CUTOFF_SLOPE * _length(self._speed) / unit[..., None]
        share = 1 - np.exp(self._turn * cutoff)
        self._last = self._last + share[..., None] * moved
        return self._last


def _length(vectors: FloatArray) -> FloatArray:
    length: FloatArray = np.sqrt(np.einsum("...k,...k->...", vectors, vectors))
    return length


# From frames as they come to smoothed hands at the ticks of the clock.


class HandSmoother:
    """Follows the hands of one stream.

    Parameters
    ----------
    n_hands
        How many hands a frame has room for.
    smoothing
        See :class:`~.settings.Settings`.
    """

    def __init__(self, n_hands: int, smoothing: float) -> None:
        self._shape = (n_hands, N_LANDMARKS, 3)
        self._clock = FrameResampler()
        self._hands = [_SmoothHand(smoothing) for _ in range(n_hands)]

    def feed(self, frame: StreamFrame) -> Iterator[Tick]:
        """Yield the ticks since the frame before.

        Raises
        ------
        InvalidDataError
            If the time does not rise, or the arrays have other shapes.
        """
        for name, array in (("image", frame.image), ("world", frame.world)):
            if array.shape != self._shape:
                raise InvalidDataError(
                    f"the {name} landmarks of a frame have shape {array.shape}, the models take"
                    f" {self._shape}"
                )
        if frame.handedness.shape != self._shape[:1]:
            raise InvalidDataError(
                f"the handedness of a frame has shape {frame.handedness.shape}, expected"
                f" {self._shape[:1]}"
            )
        for tick in self._clock.feed(frame):
            hands = zip(self._hands, tick.image, tick.world, strict=True)
            smoothed = [hand(image, world) for hand, image, world in hands]
            image, world = np.array(smoothed).swapaxes(0, 1)
            yield Tick(tick.time, image, world, tick.handedness, tick.number)


def stream_frames(video: LandmarkDataset) -> Iterator[StreamFrame]:
    """Yield the frames of a dataset in order; of two at one time, the first."""
    before = [*([None] * 2), *video.time]
    for at, time in enumerate(video.time):
        if time == before[at + 1] and time != before[at]:
            continue  # Some videos repeat a time. More than two at one are no video: refused.
        yield StreamFrame(float(time), video.image[at], video.world[at], video.handedness[at])


class _SmoothHand:
    """The landmarks of one slot, smoothed while there is a hand."""

    def __init__(self, seconds: float) -> None:
        self._both = OneEuroFilter(seconds, 1 / TICK_RATE)

    def __call__(self, image: FloatArray, world: FloatArray) -> FloatArray:
        """Return image and world landmarks (2, 21, 3)."""
        both = np.array([image, world])
        if np.isnan(image[0, 0]):
            self._both.reset()
            return both
        return self._both(both)
