"""Limits of the frame rate and of the detector, so that the machine stays cool and responsive.

There is no queue: after a rest the newest frame is processed, never the oldest.
"""

from collections.abc import Callable
from math import inf
from pathlib import Path

from handlore.landmarks.detector import HandDetector, WrappedDetector
from handlore.landmarks.detectors.litert.detector import AdaptiveSchedule
from handlore.landmarks.hands import Hand, Pixels

_THERMAL = Path("/sys/class/thermal")
_READ_EVERY = 2.0
"""Seconds between two readings of the temperature."""
_HOT = 80.0
"""Degrees Celsius at which a Raspberry Pi throttles its processor, for machines that do not say."""
_EASE = 10.0
"""Degrees below the limit at which the share of time starts to fall."""
LEAST_SHARE = 0.3
"""Share of the time spent working at the limit."""
_MOST_OWED = 0.5
"""Most seconds of rest after one long frame."""
Thermometer = Callable[[], float | None]
"""Returns degrees between the hottest part and its limit: 0 is too hot, 10 is fine; None where
no temperature can be read."""


class RateLimiter:
    """Computes how long to rest before the next frame, with at most ``max_fps`` of them a second.

    At most this ``share`` of the time, 0 to 1, is spent working; the rest is left to other
    programs. It falls towards :data:`LEAST_SHARE` as the machine gets hot.
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
        """Seconds of rest owed for the work done so far."""
        self._ended = -inf
        self._due = -inf
        self.share = share
        """The share of the time that may be spent working now."""

    def rest(self, begun: float, ended: float) -> float:
        """Return the seconds to rest after a frame, from the times of one clock."""
        self._read(ended)
        # Waiting for the camera counts as rest.
        self._owed = max(0.0, self._owed - (begun - self._ended))
        self._owed = min(_MOST_OWED, self._owed + (ended - begun) * (1 / self.share - 1))
        self._ended = ended
        # Counted from when it was due, not from when it came, or delays would add up.
        on_time = begun - self._due < self._period
        self._due = (self._due if on_time else begun) + self._period
        return max(0.0, self._due - ended, self._owed)

    def _read(self, now: float) -> None:
        if now - self._looked < _READ_EVERY:
            return
        self._looked = now
        room = self._thermometer()
        if room is None:
            return
        cool = min(1.0, max(0.0, room / _EASE))
        aim = self._most * (LEAST_SHARE + (1 - LEAST_SHARE) * cool)
        # Half of the difference at a time: a chip cools within seconds, and would heat up again.
        self.share += (aim - self.share) / 2


def thermometer(folder: Path = _THERMAL) -> Thermometer:
    """Return a function that reads the temperatures of Linux.

    https://docs.kernel.org/driver-api/thermal/sysfs-api.html
    """
    zones = [(zone / "temp", _too_hot(zone)) for zone in sorted(folder.glob("thermal_zone*"))]

    def room() -> float | None:
        read = ((_degrees(temperature), hot) for temperature, hot in zones)
        rooms = [hot - degrees for degrees, hot in read if degrees is not None]
        return min(rooms, default=None)

    return room


def _too_hot(zone: Path) -> float:
    """Return the temperature at which the kernel throttles this part, in degrees."""
    kinds = {trip: _text(trip) for trip in sorted(zone.glob("trip_point_*_type"))}
    passive = [trip for trip, kind in kinds.items() if kind == "passive"]
    degrees = [_degrees(trip.with_name(trip.name.replace("type", "temp"))) for trip in passive]
    # Some report 0, or more than any chip endures.
    return min((one for one in degrees if one is not None and 60 <= one <= 105), default=_HOT)


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


class ThrottledDetector(WrappedDetector):
    """Tracks a hand in every frame; searches for one a few times per second if nothing moves.

    MediaPipe searches for palms in each frame, so that an empty room costs as much as a hand. The
    schedule is that of the litert detector; here it decides about whole frames. A hand is searched
    in every frame while anything moves.
    """

    def __init__(self, detector: HandDetector) -> None:
        super().__init__(detector)
        self._schedule = AdaptiveSchedule(alert=0.0, heartbeat=0.25)
        self._followed = 0

    def track(self, picture: Pixels, seconds: float) -> list[Hand]:
        """Find hands in the next frame of a video, see :meth:`HandDetector.track`."""
        if not self._followed and not self._schedule.due(picture, seconds, 0):
            return []
        hands = self._detector.track(picture, seconds)
        if len(hands) < self._followed:
            self._schedule.lost(seconds)
        self._followed = len(hands)
        return hands

    def reset(self) -> None:
        """Forget the hands being tracked."""
        super().reset()
        self._schedule.reset()
        self._followed = 0
