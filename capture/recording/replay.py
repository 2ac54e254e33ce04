"""The frames of a recording, small, to be seen again while it may still be discarded."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from handlore.landmarks.hands import Hand, Pixels

_LONGER_SIDE = 320
"""Pixels of a picture."""
_MOST = 200
"""Pictures, some 45 MB; of a longer recording every second one is left out, and again."""
_PAUSE = 0.4
"""Seconds before it starts again."""


@dataclass(frozen=True, eq=False)
class Moment:
    """A frame of a recording."""

    pixels: Pixels
    """(height, width, 3) RGB, small."""
    hands: Sequence[Hand]


class Replay:
    """Collects the frames of a recording and plays them in a loop. Times are seconds."""

    def __init__(self) -> None:
        self._frames: list[tuple[int, float, Moment]] = []
        """Number, time and picture of each frame that is left."""
        self._n, self._every = 0, 1
        self._since = 0.0

    def add(self, pixels: Pixels, hands: Sequence[Hand], seconds: float) -> None:
        """Add the next frame."""
        if self._n % self._every == 0:
            self._frames.append((self._n, seconds, Moment(_small(pixels), hands)))
        self._n += 1
        if len(self._frames) > _MOST:
            self._every *= 2
            self._frames = [frame for frame in self._frames if frame[0] % self._every == 0]

    def start(self, first: int, last: int, now: float) -> None:
        """Start playing the frames ``first:last``; the others are forgotten."""
        cut = [frame for frame in self._frames if first <= frame[0] < last]
        self._frames, self._since = cut or self._frames[:1], now

    def at(self, now: float) -> Moment | None:
        """Return the frame to show; None if there is none."""
        if not self._frames:
            return None
        times = [seconds - self._frames[0][1] for _, seconds, _ in self._frames]
        passed = max(0.0, now - self._since) % (times[-1] + _PAUSE)
        return self._frames[int(np.searchsorted(times, passed + 1e-9, side="right")) - 1][2]


def _small(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    share = _LONGER_SIDE / max(height, width)
    if share >= 1:
        return pixels.copy()
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
