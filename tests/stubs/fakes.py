"""A hand-made detector for tests."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from handlore.landmarks.detector import DetectorInfo
from handlore.landmarks.hands import Hand


class BrightDetector:
    """Finds a hand in each bright picture; the brightness, 0 to 1, is the value of its landmarks.

    Parameters
    ----------
    n_hands
        How many hands it finds: a right one, and a left one.
    """

    info = DetectorInfo("bright", "1", "full", "0" * 64)

    def __init__(self, n_hands: int = 1) -> None:
        self.n_hands = n_hands

    def detect(
        self, picture: np.ndarray, *, min_confidence: float = 0.5, min_presence: float | None = None
    ) -> list[Hand]:
        brightness = float(picture.mean()) / 255
        if brightness < 0.2:
            return []
        marks = np.full((21, 3), brightness, np.float32)
        return [Hand(marks, marks, side) for side in (0.9, 0.1)[: self.n_hands]]

    def detect_again(
        self, picture: np.ndarray, hand: Hand, transforms: Sequence[object] = (None,)
    ) -> list[Hand | None]:
        return [replace(hand, score=0.9) for _ in transforms]

    def track(self, picture: np.ndarray, seconds: float) -> list[Hand]:
        return self.detect(picture)

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass
