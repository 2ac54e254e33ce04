"""What a recogniser tells: which gesture, from when to when, how sure, with which hand."""

import json
from dataclasses import dataclass
from typing import Any

_DECIMALS = 3
"""Times are told in seconds to the millisecond, probabilities as exactly."""


@dataclass(frozen=True)
class Event:
    """A pose that is held, or a movement that was made."""

    label: str

    start: float
    """Seconds, on the clock of the frames."""

    end: float
    """A movement's end; until when a pose was held, or when it was told if it is told at once."""

    probability: float

    hand: str | None
    """The side seen most of the time: ``left`` or ``right``; None where nobody said."""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON types; the numbers are rounded, so that a log is the same anywhere."""
        return {
            "label": self.label,
            "start": round(self.start, _DECIMALS),
            "end": round(self.end, _DECIMALS),
            "probability": round(self.probability, _DECIMALS),
            "hand": self.hand,
        }

    def line(self) -> str:
        """Return it as a line of an event log: JSON in ASCII."""
        return json.dumps(self.as_json())
