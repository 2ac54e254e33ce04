"""When the palm detector runs in a video.

MediaPipe runs it in every frame in which fewer hands are tracked than were asked for, so that an
empty room costs more than a hand. A schedule decides that here. It knows the times of the frames
only, never their number: the same video is treated alike at 10 and at 60 frames a second.
"""

from dataclasses import dataclass, field
from math import inf
from typing import Protocol

import cv2
import numpy as np

from ...hands import FloatArray, Pixels

# Does anything move? A cheap look at a frame.


class Motion:
    """Sees that a picture has changed, by small grey thumbnails.

    A frame is compared with that of the last look, not with the one before it, so that slow
    movements add up; each cell is the mean over many pixels, so that the noise of a camera does
    not count as movement.

    Parameters
    ----------
    threshold
        How much one cell must change, in grey levels of 0 to 255.
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
        """Compare with the frame seen last from now on."""
        self._before = self._now

    def reset(self) -> None:
        """Forget all frames."""
        self._now = self._before = None

    def _thumbnail(self, picture: Pixels) -> FloatArray:
        # One colour is a third of the work, and of a large picture every n-th pixel will do as
        # long as some 256 make up a cell: the noise of their mean is a sixteenth of a pixel's.
        step = max(1, min(picture.shape[:2]) // (16 * self.SIZE[1]))
        green = np.ascontiguousarray(picture[::step, ::step, 1])
        small = cv2.resize(green, self.SIZE, interpolation=cv2.INTER_AREA)
        thumbnail: FloatArray = small.astype(np.float32)
        return thumbnail


class PalmSchedule(Protocol):
    """Decides in which frames palms are sought. One instance serves one detector."""

    def due(self, picture: Pixels, seconds: float, n_tracked: int, n_wanted: int) -> bool:
        """Say whether palms are to be sought in this frame; asked once a frame, at most.

        Parameters
        ----------
        picture
            (height, width, 3) RGB.
        seconds
            The frame's time.
        n_tracked
            How many hands are being followed; fewer than ``n_wanted``.
        n_wanted
            How many hands were asked for.
        """
        ...

    def lost(self, seconds: float) -> bool:
        """Take notice that a hand was lost; say whether to seek palms in this very frame."""
        ...

    def reset(self) -> None:
        """Forget everything: another video begins."""
        ...


class EveryFrame:
    """As MediaPipe does it: whenever fewer hands are tracked than were asked for."""

    def due(self, picture: Pixels, seconds: float, n_tracked: int, n_wanted: int) -> bool:
        """Say yes."""
        del picture, seconds, n_tracked, n_wanted
        return True

    def lost(self, seconds: float) -> bool:
        """Say no: the next frame is soon enough."""
        del seconds
        return False

    def reset(self) -> None:
        """Do nothing: there is nothing to forget."""


@dataclass
class AdaptiveSchedule:
    """Seek palms where there is reason to: the default for videos.

    At once when a hand is lost; now and then while one of two hands is missing; and while there is
    none, soon after something has moved, else at a slow heartbeat.
    """

    second_hand: float = 0.5
    """Seconds between looks for another hand while one is tracked."""

    alert: float = 0.1
    """Least seconds between looks while something moves."""

    stay_alert: float = 0.5
    """For how many seconds after a movement, or a loss, looks follow each other quickly."""

    heartbeat: float = 0.5
    """Seconds between looks at a scene in which nothing moves."""

    motion: Motion = field(default_factory=Motion)
    """What sees that something moves."""

    _last_look: float | None = field(default=None, init=False)
    _moved_until: float = field(default=-inf, init=False)
    _lost_until: float = field(default=-inf, init=False)

    def due(self, picture: Pixels, seconds: float, n_tracked: int, n_wanted: int) -> bool:
        """Say whether it is time, see :class:`PalmSchedule`."""
        del n_wanted
        if not n_tracked and self.motion.seen(picture):
            self._moved_until = seconds + self.stay_alert
        wait = self.second_hand if n_tracked else self.heartbeat
        # What moves beside a tracked hand is mostly that hand.
        if seconds <= max(self._lost_until, -inf if n_tracked else self._moved_until):
            wait = self.alert
        # Frame times are rounded to milliseconds: one that comes just before its time is on time.
        if self._last_look is not None and seconds - self._last_look < wait - 0.001:
            return False
        self._last_look = seconds
        if not n_tracked:
            self.motion.remember()
        return True

    def lost(self, seconds: float) -> bool:
        """Look at once, and stay alert: a hand that is lost is seldom far."""
        self._lost_until = seconds + self.stay_alert
        self._last_look = seconds
        return True

    def reset(self) -> None:
        """Forget the last video."""
        self._last_look, self._moved_until, self._lost_until = None, -inf, -inf
        self.motion.reset()
