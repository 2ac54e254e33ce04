"""A detector that is asked less often while nothing moves, for one that cannot do so itself."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from handlore.landmarks.detector import DEFAULT_CONFIDENCE, HandDetector
from handlore.landmarks.hands import Hand, Pixels
from handlore.landmarks.handviews import HandView
from handlore.landmarks.litert.schedule import PalmSchedule, Thrifty


class Thinned:
    """Follows a hand in every frame, and looks for one a few times a second while nothing moves.

    MediaPipe seeks palms in each frame it is given, so that an empty room costs as much as a hand.
    The schedule is that of the litert detector; here it decides about whole frames.

    Parameters
    ----------
    detector
        What finds hands. It is closed with this.
    schedule
        When to look. As long as anything moves: at every frame.
    """

    def __init__(self, detector: HandDetector, schedule: PalmSchedule | None = None) -> None:
        self._detector = detector
        self._schedule = schedule or Thrifty(alert=0.0, heartbeat=0.25)
        self._followed = 0
        self.info = detector.info

    def track(self, picture: Pixels, seconds: float) -> list[Hand]:
        """Find hands in the next frame of a video, see :meth:`HandDetector.track`."""
        if not self._followed and not self._schedule.due(picture, seconds, 0, 1):
            return []
        hands = self._detector.track(picture, seconds)
        if len(hands) < self._followed:
            self._schedule.lost(seconds)
        self._followed = len(hands)
        return hands

    def detect(
        self,
        picture: Pixels,
        *,
        min_confidence: float = DEFAULT_CONFIDENCE,
        min_presence: float | None = None,
    ) -> list[Hand]:
        """Find hands in a still picture, see :meth:`HandDetector.detect`."""
        return self._detector.detect(
            picture, min_confidence=min_confidence, min_presence=min_presence
        )

    def look(
        self, picture: Pixels, hand: Hand, views: Sequence[HandView] = (HandView(),)
    ) -> list[Hand]:
        """Look again at a hand that is known, see :meth:`HandDetector.look`."""
        return self._detector.look(picture, hand, views)

    def reset(self) -> None:
        """Forget the hands being tracked."""
        self._detector.reset()
        self._schedule.reset()
        self._followed = 0

    def close(self) -> None:
        """Close the detector."""
        self._detector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
