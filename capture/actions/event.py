"""What an action learns of the gesture that called it."""

import json
import re
from collections.abc import Mapping
from typing import Protocol


class Event(Protocol):
    """A gesture that was recognised. Times are seconds of the stream it was seen in."""

    @property
    def label(self) -> str:
        """What was shown."""

    @property
    def start(self) -> float:
        """When it began."""

    @property
    def end(self) -> float:
        """When it was recognised, or ended."""

    @property
    def probability(self) -> float:
        """How sure the model is, 0 to 1."""

    @property
    def hand(self) -> str | None:
        """``left`` or ``right``; None where nobody said."""


FIELDS = ("label", "start", "end", "probability", "hand")
"""What can stand in braces in an action, and in ``HANDLORE_...`` variables."""

PLACEHOLDER = re.compile(r"\{(\w+)\}")


def as_json(event: Event) -> str:
    """Return an event as one line of JSON: milliseconds and four digits are all there is to it."""
    return json.dumps(
        {
            "label": event.label,
            "start": round(event.start, 3),
            "end": round(event.end, 3),
            "probability": round(event.probability, 4),
            "hand": event.hand,
        }
    )


def as_text(event: Event) -> dict[str, str]:
    """Return the fields as text; a side that is unknown is empty."""
    return {
        "label": event.label,
        "start": f"{event.start:.3f}",
        "end": f"{event.end:.3f}",
        "probability": f"{event.probability:.4f}",
        "hand": event.hand or "",
    }


def as_environment(event: Event) -> dict[str, str]:
    """Return the variables a command finds: ``HANDLORE_LABEL`` and so on, and the JSON."""
    named = {f"HANDLORE_{name.upper()}": text for name, text in as_text(event).items()}
    return named | {"HANDLORE_EVENT": as_json(event)}


def filled(template: str, values: Mapping[str, str]) -> str:
    """Replace the known names in braces; other braces stay, so that JSON and awk can be written."""
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)
