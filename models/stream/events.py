"""The event: what a recogniser emits when it has recognised a gesture."""

import json
from dataclasses import dataclass
from typing import Any

_DECIMALS = 3


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

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON types, rounded to milliseconds so that logs are reproducible."""
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
