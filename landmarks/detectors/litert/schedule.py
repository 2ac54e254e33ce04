"""When the palm detector runs in a video.

MediaPipe runs it in every frame in which fewer hands are tracked than were asked for, so that an
empty room costs more than a hand. Here a schedule decides. It depends on the times of the frames,
not on their number: the same video is treated alike at 10 and at 60 frames a second.
"""

from dataclasses import dataclass, field
from math import inf
from typing import Protocol

import cv2
import numpy as np

from ...hands import FloatArray, Pixels


class _Motion:
    """Detects changes between small grey thumbnails.

    A frame is compared with the last one that was searched, not with the one before it, so that
    slow movements add up; each cell is the mean over many pixels, so that the noise of a camera
    does not count as movement. A change of one cell by ``threshold`` of 255 grey levels counts.
    """

    SIZE = (20, 15)
    """Cells across and down."""

    def __init__(self, threshold: float = 6.0) -> None:
        self._threshold = threshold
        self._now: FloatArray | None = None
        self._before: FloatArray | None = None

    def seen(self, picture: Pixels) -> bool:
        """Say whether this frame (height, width, 3) differs from the one remembered."""
        self._now = self._thumbnail(picture)
        if self._before is None:
            return True
        return bool(np.abs(self._now - self._before).max() > self._threshold)

    def remember(self) -> None:
        """Compare with the last frame from now on."""
        self._before = self._now

    def reset(self) -> None:
        """Forget all frames."""
        self._now = self._before = None

    def _thumbnail(self, picture: Pixels) -> FloatArray:
        # One channel is a third of the work, and every n-th pixel of a large picture is enough as
        # long as a cell has some 256: the noise of their mean is a sixteenth of that of a pixel.
        step = max(1, min(picture.shape[:2]) // (16 * self.SIZE[1]))
        green = np.ascontiguousarray(picture[::step, ::step, 1])
        small = cv2.resize(green, self.SIZE, interpolation=cv2.INTER_AREA)
        thumbnail: FloatArray = small.astype(np.float32)
        return thumbnail


class PalmSchedule(Protocol):
    """Decides in which frames palms are detected. One instance serves one detector."""

    def due(self, picture: Pixels, seconds: float, n_tracked: int, max_hands: int) -> bool:
        """Say whether to detect palms in this frame (height, width, 3); called at most once for it.

        ``n_tracked`` hands are being tracked, fewer than the ``max_hands`` that were asked for.
        """
        ...

    def lost(self, seconds: float) -> bool:
        """Note that a hand was lost; return whether to detect palms in this same frame."""
        ...

    def reset(self) -> None:
        """Forget everything: another video begins."""
        ...


class EveryFrame:
    """As in MediaPipe: whenever fewer hands are tracked than were asked for."""

    def due(self, picture: Pixels, seconds: float, n_tracked: int, max_hands: int) -> bool:
        """Return True."""
        del picture, seconds, n_tracked, max_hands
        return True

    def lost(self, seconds: float) -> bool:
        """Return False: the next frame is soon enough."""
        del seconds
        return False

    def reset(self) -> None:
        """Do nothing."""


@dataclass
class AdaptiveSchedule:
    """Detect palms when there is a reason to: the default for videos.

    At once when a hand is lost; now and then while one of two hands is missing; while there is
    none, soon after something has moved, else at long intervals.
    """

    second_hand: float = 0.5
    """Seconds between detections of another hand while one is tracked."""
    alert: float = 0.1
    """Seconds between detections while something moves."""
    after_loss: float = 0.03
    """Seconds between detections after a hand was lost: every frame, at most 30 a second."""
    stay_alert: float = 0.5
    """For how many seconds ``alert`` applies after a movement, and ``after_loss`` after a loss."""
    heartbeat: float = 0.5
    """Seconds between detections in a scene in which nothing moves."""
    motion: _Motion = field(default_factory=_Motion)
    """Detects that something moves."""
    _last_detection: float | None = field(default=None, init=False)
    _moved_until: float = field(default=-inf, init=False)
    _lost_until: float = field(default=-inf, init=False)

    def due(self, picture: Pixels, seconds: float, n_tracked: int, max_hands: int) -> bool:
        """Say whether to detect palms, see :class:`PalmSchedule`."""
        del max_hands
        if not n_tracked and self.motion.seen(picture):
            self._moved_until = seconds + self.stay_alert
        wait = self.second_hand if n_tracked else self.heartbeat
        # Beside a tracked hand, the movement is mostly that hand.
        if not n_tracked and seconds <= self._moved_until:
            wait = self.alert
        if seconds <= self._lost_until:
            wait = self.after_loss
        # Frame times are rounded to milliseconds.
        if self._last_detection is not None and seconds - self._last_detection < wait - 0.001:
            return False
        self._last_detection = seconds
        if not n_tracked:
            self.motion.remember()
        return True

    def lost(self, seconds: float) -> bool:
        """Return True, and stay alert: a hand that is lost is seldom far."""
        self._lost_until = seconds + self.stay_alert
        self._last_detection = seconds
        return True

    def reset(self) -> None:
        """Forget the last video."""
        self._last_detection, self._moved_until, self._lost_until = None, -inf, -inf
        self.motion.reset()
