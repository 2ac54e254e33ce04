"""Frames, events and receivers for outputs."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from handlore.capture.live.loop import LiveState
from handlore.landmarks.hands import Hand
from handlore.models.stream.events import Event

PICTURE = np.zeros((480, 640, 3), np.uint8)
FIST = Event("fist", 1.0, 1.25, 0.987, "right")


def hand(right: float = 0.9, seed: int = 0) -> Hand:
    rng = np.random.default_rng(seed)
    image, world = rng.random((21, 3), np.float32), rng.random((21, 3), np.float32) / 10
    return Hand(image, world, right, 0.8)


def state(seconds: float = 0.0, hands: Sequence[Hand] = ()) -> LiveState:
    return LiveState(seconds, PICTURE, hands)


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
