"""How often a frame is looked at, so that the machine stays cool and answers stay quick.

There is no queue: who rests takes the newest frame afterwards, never the oldest.
"""

from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path

from handlore.landmarks.detector import DEFAULT_CONFIDENCE, HandDetector
from handlore.landmarks.detectors.litert.schedule import AdaptiveSchedule, PalmSchedule
from handlore.landmarks.hand_transforms import HandTransform
from handlore.landmarks.hands import Hand, Pixels

THERMAL = Path("/sys/class/thermal")
LOOK_EVERY = 2.0
"""Seconds between two looks at the temperature."""

HOT = 80.0
"""Degrees Celsius at which a Raspberry Pi slows its processor down; others say it themselves."""

EASE = 10.0
"""So many degrees below that, resting begins."""

LEAST_SHARE = 0.3
"""Share of the time that is worked when it is hot."""

MOST_OWED = 0.5
"""Seconds of rest that one long frame can bring about."""

Thermometer = Callable[[], float | None]
"""Returns how far the hottest part is from being too hot: 0 is too hot, 10 is fine; None where
there is nothing to read."""


class RateLimiter:
    """Says how long to rest before the next frame.

    Parameters
    ----------
    max_fps
        The most frames a second.
    share
        The most of the time that may be spent working, 0 to 1; the rest is left to others. It
        falls towards :data:`LEAST_SHARE` as the machine gets hot.
    thermometer
        What tells how hot it is.
    """

    def __init__(
        self,
        max_fps: float = inf,
        share: float = 1.0,
        thermometer: Thermometer = lambda: None,
    ) -> None:
        self._period = 1.0 / max_fps
        self._most = share
        self._thermometer = thermometer
        self._looked = -inf
        self._owed = 0.0
        """Seconds of rest that the work done so far asks for."""
        self._ended = -inf
        self._due = -inf
        self.share = share
        """The share of the time that may be spent working just now."""

    def rest(self, begun: float, ended: float) -> float:
        """Take note of one frame's work; return the seconds to rest now.

        Parameters
        ----------
        begun, ended
            When the frame was taken up, and when all was done; seconds of one clock.
        """
        self._look(ended)
        # Whoever waited for the camera has rested meanwhile.
        self._owed = max(0.0, self._owed - (begun - self._ended))
        self._owed = min(MOST_OWED, self._owed + (ended - begun) * (1 / self.share - 1))
        self._ended = ended
        # From when it was due, not from when it came: else every lateness would add up.
        on_time = begun - self._due < self._period
        self._due = (self._due if on_time else begun) + self._period
        return max(0.0, self._due - ended, self._owed)

    def _look(self, now: float) -> None:
        if now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        room = self._thermometer()
        if room is None:
            return
        cool = min(1.0, max(0.0, room / EASE))
        aim = self._most * (LEAST_SHARE + (1 - LEAST_SHARE) * cool)
        # Half the way at a time: a chip cools within seconds and would be heated up again.
        self.share += (aim - self.share) / 2


def thermometer(folder: Path = THERMAL) -> Thermometer:
    """Return what reads the temperatures of Linux, where there are any.

    https://docs.kernel.org/driver-api/thermal/sysfs-api.html
    """
    zones = [(zone / "temp", _too_hot(zone)) for zone in sorted(folder.glob("thermal_zone*"))]

    def room() -> float | None:
        read = ((_degrees(temperature), hot) for temperature, hot in zones)
        rooms = [hot - degrees for degrees, hot in read if degrees is not None]
        return min(rooms, default=None)

    return room


def _too_hot(zone: Path) -> float:
    """Return the temperature at which the kernel would slow this part down, in degrees."""
    kinds = {trip: _text(trip) for trip in sorted(zone.glob("trip_point_*_type"))}
    passive = [trip for trip, kind in kinds.items() if kind == "passive"]
    told = [_degrees(trip.with_name(trip.name.replace("type", "temp"))) for trip in passive]
    # Some say 0, or what no chip would bear.
    return min((one for one in told if one is not None and 60 <= one <= 105), default=HOT)


def _degrees(path: Path) -> float | None:
    try:
        degrees = int(_text(path)) / 1000
    except ValueError:
        return None
    return degrees if 0 < degrees < 150 else None


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


# A detector that is asked less often while nothing moves, for one that cannot do so itself.


class ThrottledDetector(HandDetector):
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
        self._schedule = schedule or AdaptiveSchedule(alert=0.0, heartbeat=0.25)
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

    def detect_again(
        self, picture: Pixels, hand: Hand, transforms: Sequence[HandTransform] = (HandTransform(),)
    ) -> list[Hand]:
        """Detect a known hand again, see :meth:`HandDetector.detect_again`."""
        return self._detector.detect_again(picture, hand, transforms)

    def reset(self) -> None:
        """Forget the hands being tracked."""
        self._detector.reset()
        self._schedule.reset()
        self._followed = 0

    def close(self) -> None:
        """Close the detector."""
        self._detector.close()
