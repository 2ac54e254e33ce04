"""What every detector asks of its arguments, in words for the person who got them wrong."""

from math import isfinite

import numpy as np

from .hands import Pixels


def checked_picture(picture: Pixels) -> Pixels:
    """Return the picture if it is one: (height, width, 3) RGB, 8 bit, not empty."""
    array = np.asarray(picture)
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8 or not array.size:
        raise ValueError(
            f"a picture of shape {array.shape} and type {array.dtype};"
            " expected (height, width, 3) of 8 bits, RGB, not empty"
        )
    return array


def checked_confidence(min_confidence: float) -> float:
    """Return the threshold if it lies in [0, 1]."""
    if not 0 <= min_confidence <= 1:
        raise ValueError(f"min_confidence is {min_confidence}, expected a number from 0 to 1")
    return min_confidence


def checked_max_hands(max_hands: int) -> int:
    """Return the number of hands if there is room for at least one."""
    if max_hands < 1:
        raise ValueError(f"max_hands is {max_hands}, expected 1 or more")
    return max_hands


def next_milliseconds(seconds: float, last: int) -> int:
    """Return the time of a frame in milliseconds, if it is later than that of the last one."""
    if not isfinite(seconds):
        raise ValueError(f"the frame's time is {seconds}, expected seconds")
    milliseconds = round(seconds * 1000)
    if milliseconds <= last:
        raise ValueError(f"time stands still or runs back: {seconds} s after {last} ms")
    return milliseconds
