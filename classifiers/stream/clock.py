"""One clock for all cameras: frames come when they come, and are looked at 30 times a second.

What comes after sees the hand at the ticks of this clock, so that a recogniser decides the same
at 7 and at 60 frames a second.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import InvalidDataError

FloatArray = NDArray[np.float32]

RATE = 30
"""Ticks a second; tick k is at k / RATE seconds."""

LONGEST_GAP = 0.3
"""Between two frames further apart nobody knows where the hand was."""

LONGEST_LOSS = 0.6
"""A hand that is lost for longer than so many seconds has gone; what it did has ended."""


@dataclass(frozen=True, eq=False)
class Frame:
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
class Tick(Frame):
    """A frame at a tick of the clock."""

    number: int
    """Counted from time 0."""


class Clock:
    """Says what frames would have been seen at the ticks of the clock."""

    def __init__(self) -> None:
        self._last: Frame | None = None

    def feed(self, frame: Frame) -> Iterator[Tick]:
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
        end = math.floor(frame.time * RATE + 1e-6)
        if last is None:
            if frame.time * RATE - end < 1e-6:
                yield _at(end, frame, frame, 1.0)
            return
        first = math.floor(last.time * RATE + 1e-6) + 1
        noticed = first + math.ceil(2 * LONGEST_LOSS * RATE)
        for number in range(first, min(end, noticed) + 1):
            yield _between(number, last, frame)
        if end > noticed:
            yield _between(end, last, frame)


def _between(number: int, before: Frame, after: Frame) -> Tick:
    gap = after.time - before.time
    share = min((number / RATE - before.time) / gap, 1.0)
    return _at(number, before if gap <= LONGEST_GAP else _nobody(before), after, share)


def _at(number: int, before: Frame, after: Frame, share: float) -> Tick:
    """Return what lies between; a hand that only one of them shows is at none of the two."""
    if share >= 1 - 1e-6:
        return Tick(number / RATE, after.image, after.world, after.handedness, number)
    part = np.float32(share)
    image, world, handedness = (
        one + part * (other - one)
        for one, other in (
            (before.image, after.image),
            (before.world, after.world),
            (before.handedness, after.handedness),
        )
    )
    return Tick(number / RATE, image, world, handedness, number)


def _nobody(frame: Frame) -> Frame:
    gone = np.full_like(frame.image, np.nan)
    return Frame(frame.time, gone, gone, np.full_like(frame.handedness, np.nan))
