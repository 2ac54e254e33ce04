"""Frames of a stream, resampled to a fixed rate and smoothed.

Cameras deliver 7 to 60 frames a second. Everything after this module sees 30 ticks a second, so a
recogniser decides the same at any frame rate.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.validation import are_landmarks
from handlore.landmarks.errors import InvalidDataError, require_type
from handlore.landmarks.geometry import palm_length
from handlore.landmarks.hands import N_LANDMARKS, FloatArray

TICK_RATE = 30
"""Ticks a second; tick k is at k / TICK_RATE seconds."""
MAX_FRAME_GAP = 0.3
"""Seconds between two frames up to which a hand is interpolated."""
MAX_HAND_LOSS = 0.6
"""Seconds after which a hand that is not detected counts as gone, and its gesture as ended."""
_MAX_SECONDS = 1e12
"""Largest time of a frame; clocks that count from 1970 are at 1.8e9."""
_SPEED_SECONDS = 0.16
"""Time constant of the speed in the One-Euro filter (a cutoff of 1 Hz, as in the paper)."""
_CUTOFF_SLOPE = 1.0
"""Hz by which the cutoff of the filter rises with each palm length a second."""


@dataclass(frozen=True, eq=False)
class StreamFrame:
    """The hands of one frame; NaN for a missing hand."""

    time: float
    """Seconds."""
    image: FloatArray
    """(n_hands, 21, 3) image landmarks in image widths."""
    world: FloatArray
    """(n_hands, 21, 3) world landmarks in metres."""
    handedness: FloatArray
    """(n_hands,) probability of a right hand."""

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(n_hands,) whether there is a hand."""
        return ~np.isnan(self.image[:, 0, 0])

    def require_hands(self, n_hands: int) -> None:
        """Raise InvalidDataError unless the arrays hold this many hands, found or missing."""
        shape = (n_hands, N_LANDMARKS, 3)
        for name, expected in (("image", shape), ("world", shape), ("handedness", shape[:1])):
            found = getattr(self, name).shape
            if found != expected:
                raise InvalidDataError(
                    f"{name} of a frame has shape {found}, the models expect {expected}"
                )
        if not are_landmarks(self.image, self.world):
            raise InvalidDataError(
                "the landmarks of a hand in a frame are not finite; a missing hand is NaN"
            )

    def hands(self, slots: slice) -> "StreamFrame":
        """Return the frame with some of its hands."""
        return StreamFrame(self.time, self.image[slots], self.world[slots], self.handedness[slots])


@dataclass(frozen=True, eq=False)
class Tick(StreamFrame):
    """A frame at a tick of the clock."""

    number: int
    """Counted from time 0."""


class _FrameResampler:
    """Interpolates frames linearly at the ticks of the clock."""

    def __init__(self) -> None:
        self._last: StreamFrame | None = None

    def feed(self, frame: StreamFrame) -> Iterator[Tick]:
        """Yield the ticks since the last frame, the latest at the time of this one.

        A long gap without frames yields only as many empty ticks as it takes to notice that the
        hand has gone.
        """
        last = self._last
        if not abs(require_type(frame.time, Real, "seconds as a number")) <= _MAX_SECONDS:
            raise InvalidDataError(f"a frame has time {frame.time}, expected seconds")
        if last is not None and frame.time <= last.time:
            raise InvalidDataError(
                f"a frame at {frame.time:.9g} s follows one at {last.time:.9g} s; times must rise"
            )
        self._last = frame
        end = math.floor(frame.time * TICK_RATE + 1e-6)
        if last is None:
            if frame.time * TICK_RATE - end < 1e-6:
                yield _interpolate(end, frame, frame, 1.0)
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
    return _interpolate(number, before if gap <= MAX_FRAME_GAP else _empty(before), after, share)


def _interpolate(number: int, before: StreamFrame, after: StreamFrame, share: float) -> Tick:
    """Return the tick between two frames; a hand that one of them lacks is missing in it."""
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


def _empty(frame: StreamFrame) -> StreamFrame:
    gone = np.full_like(frame.image, np.nan)
    return StreamFrame(frame.time, gone, gone, np.full_like(frame.handedness, np.nan))


class OneEuroFilter:
    """Low-pass filter whose cutoff rises with speed: steady at rest, little lag in motion.

    G. Casiez, N. Roussel, D. Vogel, "1 EUR filter: a simple speed-based low-pass filter for noisy
    input in interactive systems", CHI 2012. Speed is measured in palm lengths a second, so the
    filter does not depend on the distance to the camera. ``seconds`` is the time constant for a
    hand at rest, 0 turns the filter off; ``step`` the seconds between two calls.
    """

    def __init__(self, seconds: float, step: float) -> None:
        self._step = step
        self._min_cutoff = 1 / (2 * math.pi * seconds) if seconds > 0 else math.inf
        self._speed_share = 1 - math.exp(-step / _SPEED_SECONDS)
        self._exponent = -2 * math.pi * step
        self._last: FloatArray | None = None
        self._speed: FloatArray | None = None

    def reset(self) -> None:
        """Start anew, with another hand."""
        self._last = self._speed = None

    def __call__(self, points: FloatArray, palm: FloatArray) -> FloatArray:
        """Return points (..., n, n_axes) of the next frame, smoothed, in their own units.

        ``palm`` is the length (...,) of the palm in the same units.
        """
        if self._last is None or self._speed is None or math.isinf(self._min_cutoff):
            self._last, self._speed = points, np.zeros_like(points)
            return points
        unit = palm + np.float32(1e-6)
        moved = points - self._last
        self._speed = self._speed + self._speed_share * (moved / self._step - self._speed)
        cutoff = self._min_cutoff + _CUTOFF_SLOPE * _length(self._speed) / unit[..., None]
        share = 1 - np.exp(self._exponent * cutoff)
        self._last = self._last + share[..., None] * moved
        return self._last


def _length(vectors: FloatArray) -> FloatArray:
    length: FloatArray = np.sqrt(np.einsum("...k,...k->...", vectors, vectors))
    return length


class HandSmoother:
    """Resamples the frames of one stream and smooths each hand."""

    def __init__(self, n_hands: int, smoothing: float) -> None:
        self._resampler = _FrameResampler()
        self._filters = [OneEuroFilter(smoothing, 1 / TICK_RATE) for _ in range(n_hands)]

    def feed(self, frame: StreamFrame) -> Iterator[Tick]:
        """Yield the smoothed ticks since the frame before."""
        for tick in self._resampler.feed(frame):
            # Image and world landmarks are filtered together (2, 21, 3), each by its own speed.
            both = np.stack([tick.image, tick.world], axis=1)
            smoothed = [self._smooth(slot, hand) for slot, hand in enumerate(both)]
            image, world = np.array(smoothed).swapaxes(0, 1)
            yield Tick(tick.time, image, world, tick.handedness, tick.number)

    def _smooth(self, slot: int, hand: FloatArray) -> FloatArray:
        if np.isnan(hand[0, 0, 0]):
            self._filters[slot].reset()
            return hand
        unknown = np.isnan(hand)
        if not unknown.any():
            return self._filters[slot](hand, palm_length(hand))
        # Some tables have no z, and some detectors no world landmarks: the rest is smoothed.
        known = np.where(unknown, np.float32(0), hand)
        return np.where(unknown, hand, self._filters[slot](known, palm_length(known)))
