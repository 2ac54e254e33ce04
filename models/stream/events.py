"""The event: what a recogniser emits when it has recognised a gesture; and values of a held hand.

Values are as the person sees them, in the mirrored window: right is the person's right.
"""

import json
import math
from dataclasses import dataclass, field, replace
from math import isnan
from typing import Any, Literal

import numpy as np

from handlore.landmarks.geometry import rotation_deg
from handlore.landmarks.hands import FloatArray, HandLandmark

DEFAULT_ASPECT = 0.75
"""Height of a picture in image widths where nothing says it, that of 640 x 480."""
_PALM = (HandLandmark.INDEX_FINGER_MCP, HandLandmark.MIDDLE_FINGER_MCP, HandLandmark.PINKY_MCP)
_TIPS = (
    HandLandmark.INDEX_FINGER_TIP,
    HandLandmark.MIDDLE_FINGER_TIP,
    HandLandmark.RING_FINGER_TIP,
    HandLandmark.PINKY_TIP,
)
# In hand sizes; medians of 150 hands each of `ok`, `palm` and `fist` in models/ready/everyday.npz
# are 0.23 and 1.14 for the pinch, 0.79 and 1.86 for the fingers.
_PINCHED, _SPREAD = 0.2, 1.2
_CLOSED, _OPEN = 0.8, 1.85


@dataclass(frozen=True, eq=False)
class HeldHand:
    """The smoothed landmarks of a hand at one moment, and its values, computed when asked for."""

    image: FloatArray
    """(21, 3) image landmarks in image widths, x to the right of the unmirrored picture."""
    aspect: float = DEFAULT_ASPECT
    """Height of the picture in image widths."""
    world: FloatArray | None = None
    """(21, 3) world landmarks in metres, if they are known."""

    @property
    def pinch(self) -> float:
        """Distance of the tips of thumb and index finger: 0 if they touch, 1 in an open hand."""
        tips = self._length(HandLandmark.THUMB_TIP, HandLandmark.INDEX_FINGER_TIP)
        return _share(tips / self.size, _PINCHED, _SPREAD)

    @property
    def openness(self) -> float:
        """0 for a fist, 1 for an open hand."""
        return _share(sum(map(self.reach, _TIPS)) / len(_TIPS), _CLOSED, _OPEN)

    @property
    def rotation(self) -> float:
        """Roll of the hand in degrees: 0 with fingers up, 90 with fingers to the right."""
        # The picture is not mirrored: what is right for the person is left in it.
        return -float(np.nan_to_num(rotation_deg(self.image)))

    @property
    def height(self) -> float:
        """Position of the palm in the picture: 0 at its lower edge, 1 at its upper edge."""
        return _share(float(self._centre[1]), self.aspect, 0.0)

    @property
    def side(self) -> float:
        """Position of the palm in the picture: 0 at the person's left edge, 1 at the right edge."""
        return _share(float(self._centre[0]), 1.0, 0.0)

    def as_json(self) -> dict[str, float]:
        """Return all values by name, rounded so that logs are reproducible."""
        return {name: round(getattr(self, name), VALUES[name].decimals) for name in VALUES}

    def reach(self, tip: HandLandmark) -> float:
        """Return the distance of a fingertip from the wrist in hand sizes."""
        return self._length(HandLandmark.WRIST, tip) / self.size

    def span(self, one: HandLandmark, other: HandLandmark) -> float:
        """Return the distance of two landmarks in hand sizes.

        It is measured on world landmarks where they are known: a finger that points at the camera
        is as long in them.
        """
        hand = self
        if self.world is not None and np.isfinite(self.world).all():
            hand = replace(self, image=self.world, world=None)
        return hand._length(one, other) / hand.size

    @property
    def _centre(self) -> FloatArray:
        """Return the middle of wrist and knuckles (3,), which does not move with the fingers."""
        return np.asarray(self.image[[HandLandmark.WRIST, *_PALM]].mean(axis=0))

    @property
    def size(self) -> float:
        """Return the mean distance from the wrist to the knuckles, in image widths."""
        return max(sum(self._length(HandLandmark.WRIST, end) for end in _PALM) / 3, 1e-6)

    def _length(self, one: int, other: int) -> float:
        # Landmarks of some tables have no z.
        return float(np.linalg.norm(np.nan_to_num(self.image[one] - self.image[other])))


@dataclass(frozen=True)
class _Value:
    """What a value can be."""

    low: float
    high: float
    decimals: int = 3


VALUES = {
    "pinch": _Value(0, 1),
    "openness": _Value(0, 1),
    "rotation": _Value(-180, 180, 1),
    "height": _Value(0, 1),
    "side": _Value(0, 1),
}
"""The values of a held hand by name."""


def _share(value: float, low: float, high: float) -> float:
    """Return where a value is between two others, 0 to 1; 0 where it is unknown."""
    share = (value - low) / (high - low)
    return 0.0 if isnan(share) else min(max(share, 0.0), 1.0)


_DECIMALS = 3
EventType = Literal["start", "hold", "end", "hand"]


@dataclass(frozen=True)
class Event:
    """A pose that was held, or a movement that was made."""

    label: str

    start: float
    """Seconds, on the clock of the frames."""
    end: float
    """End of the movement, or of the pose. If a pose is emitted while it is still held: the time
    of the event."""
    probability: float
    """Of the label, 0 to 1."""
    hand: str | None
    """``left`` or ``right``, by the majority of the frames; None if the side is unknown."""
    type: EventType = "end"
    """A pose has a ``start``, ``hold`` while it is held, and an ``end``; a movement has only an
    ``end``. ``hand`` is no gesture: it says where a hand is, for actions that follow it."""
    primary: bool = True
    """Whether it is the one event of its gesture that everybody gets; the others are emitted on
    request, see :attr:`~.settings.RecogniserSettings.hold_interval`."""
    slot: int = 0
    """Which hand of the frame, from 0."""
    held: HeldHand | None = field(default=None, compare=False, repr=False)
    """The hand at the time of a ``start`` or ``hold``, if such events were requested; None at a
    ``hand`` that is gone."""

    @property
    def duration(self) -> float:
        """Seconds that the gesture has lasted so far."""
        return self.end - self.start

    @property
    def gesture(self) -> tuple[int, str, float]:
        """What all events of one gesture have in common."""
        return self.slot, self.label, self.start

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON types, rounded to milliseconds so that logs are reproducible."""
        return {
            "label": self.label,
            "start": round(self.start, _DECIMALS),
            "end": round(self.end, _DECIMALS),
            "probability": round(self.probability, _DECIMALS),
            "hand": self.hand,
        }

    def detailed(self) -> dict[str, Any]:
        """Return it as JSON types, with its type, its duration and the values of the hand."""
        values = {} if self.held is None else {"values": self.held.as_json()}
        timed = {"type": self.type, "duration": round(self.duration, _DECIMALS)}
        return Event.as_json(self) | timed | values

    def line(self) -> str:
        """Return it as a line of an event log: JSON in ASCII."""
        return json.dumps(self.as_json())


class Pace:
    """Says what is due: at a first time, then every so many seconds, without drift.

    A first time of minus infinity is the next one.
    """

    def __init__(self, first: float, seconds: float) -> None:
        self._due = first
        self._seconds = seconds

    def due(self, time: float) -> bool:
        """Return whether something is due; what was missed is not caught up."""
        late = time - self._due
        if late < -1e-6:
            return False
        if self._seconds > 0 and math.isfinite(late):
            self._due += (math.floor(late / self._seconds + 1e-6) + 1) * self._seconds
        else:
            self._due = time + self._seconds
        return True


class HoldFilter:
    """Lets ``hold`` events of each gesture pass every so many seconds, and all other events."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._paces: dict[tuple[int, str, float], Pace] = {}

    def passes(self, event: Event) -> bool:
        """Return whether the next event passes."""
        if event.type == "hold":
            pace = self._paces.setdefault(event.gesture, Pace(event.end, self._seconds))
            return pace.due(event.end)
        self._paces.pop(event.gesture, None)
        if event.type == "start":
            self._paces[event.gesture] = Pace(event.end + self._seconds, self._seconds)
        return True
