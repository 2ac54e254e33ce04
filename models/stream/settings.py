"""What a person may turn on a recogniser; all times are in seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from handlore.datasets.dataset import NONE_LABEL
from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import FloatArray

_MAX_SECONDS = 60.0


@dataclass(frozen=True)
class RecogniserSettings:
    """How sure, how long and how soon."""

    threshold: float = 0.5
    """Least probability of a pose that has no threshold of its own in the model."""

    movement_threshold: float = 0.6
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
            *((name, 0.0, _MAX_SECONDS) for name in ("dwell", "cooldown", "patience", "smoothing")),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise InvalidDataError(f"{name} is {value}, expected {least:g} to {most:g}")


# Which label a model is sure enough of.


_NEVER = 2.0


class Thresholds:
    """Knows how probable each label has to be; what means nothing is never told."""

    def __init__(
        self,
        labels: Sequence[str],
        thresholds: Mapping[str, float],
        default: float,
        release: float,
    ) -> None:
        self.labels = tuple(labels)
        self._least = np.array(
            [_NEVER if label == NONE_LABEL else thresholds.get(label, default) for label in labels]
        )
        self._kept = self._least * release

    def sure_of(self, probabilities: FloatArray) -> int | None:
        """Return the number of the most probable label, if that is enough to tell it."""
        best = int(probabilities.argmax())
        return best if probabilities[best] >= self._least[best] else None

    def keeps(self, probabilities: FloatArray, code: int) -> bool:
        """Say whether a label that was told is still there."""
        return bool(probabilities[code] >= self._kept[code])
