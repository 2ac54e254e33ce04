"""What was shown when in a stream: the ground truth that recognisers are held to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LabelledInterval:
    """A gesture that was made in a stream."""

    label: str
    start: float
    """Seconds since the stream began."""
    end: float
