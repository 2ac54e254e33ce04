"""What an action learns of the gesture that called it."""

import re
from collections.abc import Mapping

from handlore.classifiers.stream.events import Event

FIELDS = ("label", "start", "end", "probability", "hand")
"""What can stand in braces in an action, and in ``HANDLORE_...`` variables."""

PLACEHOLDER = re.compile(r"\{(\w+)\}")


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
    return named | {"HANDLORE_EVENT": event.line()}


def filled(template: str, values: Mapping[str, str]) -> str:
    """Replace the known names in braces; other braces stay, so that JSON and awk can be written."""
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)
