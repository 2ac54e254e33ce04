"""From frames as they come to smoothed hands at the ticks of the clock."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.topology import N_LANDMARKS

from .clock import RATE, Clock, Frame, Tick
from .smoothing import OneEuro

FloatArray = NDArray[np.float32]


class Follower:
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
        self._clock = Clock()
        self._hands = [_SmoothHand(smoothing) for _ in range(n_hands)]

    def feed(self, frame: Frame) -> Iterator[Tick]:
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


def frames_of(video: LandmarkDataset) -> Iterator[Frame]:
    """Yield the frames of a dataset in order; of two at one time, the first."""
    before = [*([None] * 2), *video.time]
    for at, time in enumerate(video.time):
        if time == before[at + 1] and time != before[at]:
            continue  # Some videos repeat a time. More than two at one are no video: refused.
        yield Frame(float(time), video.image[at], video.world[at], video.handedness[at])


class _SmoothHand:
    """The landmarks of one slot, smoothed while there is a hand."""

    def __init__(self, seconds: float) -> None:
        self._both = OneEuro(seconds, 1 / RATE)

    def __call__(self, image: FloatArray, world: FloatArray) -> FloatArray:
        """Return image and world landmarks (2, 21, 3)."""
        both = np.array([image, world])
        if np.isnan(image[0, 0]):
            self._both.reset()
            return both
        return self._both(both)
