"""What a person may turn on a recogniser; all times are in seconds."""

from dataclasses import dataclass
from typing import Literal

from handlore.landmarks.errors import InvalidDataError

MOST_SECONDS = 60.0


@dataclass(frozen=True)
class Settings:
    """How sure, how long and how soon."""

    threshold: float = 0.5
    """Least probability of a pose that has no threshold of its own in the model."""

    movement_threshold: float = 0.8
    """The same for movements."""

    release: float = 0.7
    """What is told is over when its probability falls below this share of its threshold."""

    dwell: float = 0.25
    """For so long a pose is held before it is told."""

    cooldown: float = 0.3
    """For so long it has to be over before it can be told again; less is a flicker."""

    patience: float = 0.5
    """For so long after a movement a surer one may take its place; then it is told."""

    smoothing: float = 0.05
    """Landmarks of a hand at rest are averaged over about so long; 0 = not at all."""

    poses: Literal["at once", "when over"] = "at once"
    """When a held pose is told: to act on it, or to say how long it was held."""

    def __post_init__(self) -> None:
        for name, least, most in (
            ("threshold", 0.0, 1.0),
            ("movement_threshold", 0.0, 1.0),
            ("release", 0.0, 1.0),
            *((name, 0.0, MOST_SECONDS) for name in ("dwell", "cooldown", "patience", "smoothing")),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise InvalidDataError(f"{name} is {value}, expected {least:g} to {most:g}")
