"""The one detector without networks: what it finds is a function of the picture."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from handlore.landmarks.detector import DetectorInfo, HandDetector
from handlore.landmarks.hands import Hand, HandTransform, Pixels

PLAIN = (HandTransform(),)


def hand_of(value: float, right: float = 0.9, score: float = 0.9) -> Hand:
    """Return a hand all of whose landmarks are one number."""
    marks = np.full((21, 3), value, np.float32)
    return Hand(marks, marks, right, score)


class FakeDetector(HandDetector):
    """Finds the hands that a function says, and remembers the times of the frames it was given."""

    info = DetectorInfo("fake", "1", "full", "0" * 64)

    def __init__(self, finds: Callable[[Pixels], Sequence[Hand]]) -> None:
        self.finds = finds
        self.times: list[float] = []
        self.resets = 0

    def detect(
        self, picture: Pixels, *, min_confidence: float = 0.5, min_presence: float | None = None
    ) -> list[Hand]:
        return list(self.finds(picture))

    def detect_again(
        self, picture: Pixels, hand: Hand, transforms: Sequence[HandTransform] = PLAIN
    ) -> list[Hand]:
        # A search assumes a hand of unknown side that fills the picture; it is no hand here.
        score = 0.0 if np.isnan(hand.handedness) else 0.9
        return [replace(hand, score=score) for _ in transforms]

    def track(self, picture: Pixels, seconds: float) -> list[Hand]:
        self.times.append(seconds)
        return self.detect(picture)

    def reset(self) -> None:
        self.resets += 1

    def close(self) -> None: ...


class BrightDetector(FakeDetector):
    """Finds a hand in each bright picture; the brightness, 0 to 1, is the value of its landmarks.

    Parameters
    ----------
    n_hands
        How many hands it finds: a right one, and a left one.
    """

    info = DetectorInfo("bright", "1", "full", "0" * 64)

    def __init__(self, n_hands: int = 1) -> None:
        super().__init__(self._hands)
        self.n_hands = n_hands

    def _hands(self, picture: Pixels) -> list[Hand]:
        brightness = float(picture.mean()) / 255
        sides = (0.9, 0.1)[: self.n_hands] if brightness >= 0.2 else ()
        return [hand_of(brightness, side, np.nan) for side in sides]
