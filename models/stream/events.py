"""The event: what a recogniser emits when it has recognised a gesture."""

import json
import math
from dataclasses import dataclass, field
from typing import Any, Literal

from .values import HeldHand

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
    """Says what is due: at a first time, then every so many seconds, without drift."""

    def __init__(self, first: float, seconds: float) -> None:
        self._due = first
        self._seconds = seconds

    def due(self, time: float) -> bool:
        """Return whether something is due; what was missed is not caught up."""
        late = time - self._due
        if late < -1e-6:
            return False
        steps = math.floor(late / self._seconds + 1e-6) + 1 if self._seconds > 0 else 0
        self._due = self._due + steps * self._seconds if steps else time
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
