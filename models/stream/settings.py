"""Thresholds and times of a recogniser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from numbers import Real
from typing import Any, Literal, Self, get_args

import numpy as np

from handlore.datasets.dataset import NONE_LABEL
from handlore.landmarks.errors import InvalidDataError, require_type
from handlore.landmarks.hands import FloatArray

from ..model import MAX_NOVELTY

_MAX_SECONDS = 60.0
_SHARES = ("threshold", "movement_threshold", "release", "max_novelty")
_TIMES = ("dwell", "cooldown", "patience", "smoothing", "hold_interval")
_RANGES = dict.fromkeys(_SHARES, 1.0) | dict.fromkeys(_TIMES, _MAX_SECONDS)
MOVEMENT_THRESHOLD = 0.6
"""Minimum probability of movements without a threshold of their own."""
PATIENCE = 0.5
"""Seconds that movements wait without a patience of their own."""
PoseEvents = Literal["start", "end"]
Sensitivity = Literal["low", "normal", "high"]
SENSITIVITIES: dict[Sensitivity, dict[str, float]] = {
    "low": {"threshold": 0.7, "dwell": 0.5, "max_novelty": 0.9, "movement_margin": 0.15},
    "normal": {},
    "high": {"threshold": 0.35, "dwell": 0.15, "max_novelty": 0.99, "movement_margin": -0.15},
}
"""Settings that belong together: a low sensitivity avoids false activations, a high one misses
less."""
_LEAST, _MOST = 0.05, 0.99
"""Limits of a threshold that was moved by a margin."""
_NEAR_BOUND = 1e-4
_NEVER = 2.0
"""A threshold that no probability reaches."""


@dataclass(frozen=True)
class RecogniserSettings:
    """How a recogniser turns probabilities into events; times are in seconds.

    Raises
    ------
    InvalidDataError
        If a value is out of range: 0 to 1 for thresholds, 0 to 60 for times.
    """

    threshold: float = 0.5
    """Minimum probability of a pose that has no threshold of its own in the model file."""
    movement_threshold: float | None = None
    """Minimum probability of movements. None: that of each label in the model file, or
    :data:`MOVEMENT_THRESHOLD`; a number is used for all labels."""
    release: float = 0.7
    """A gesture ends when its probability falls below this share of its threshold."""
    dwell: float = 0.25
    """Hold time: how long a pose must be held before its event is emitted."""
    cooldown: float = 0.3
    """How long a gesture must have ended before it can be emitted again."""
    patience: float | None = None
    """How long a movement waits before its event is emitted; three times as long while windows of
    other labels overlap it. None: that of each label in the model file, or :data:`PATIENCE`."""
    smoothing: float = 0.05
    """Time constant of the One-Euro filter for a hand at rest; 0 turns smoothing off."""
    max_novelty: float = MAX_NOVELTY
    """A pose with a higher novelty score is rejected: its probabilities are lowered."""
    movement_margin: float = 0.0
    """Added to the thresholds of movements, those in the model file too."""
    pose_events: PoseEvents = "start"
    """When the event of a pose is emitted: after the hold time, or when the pose has ended."""
    hold_interval: float | None = None
    """Also emit the other events of a pose: its start, its end and, while it is held, one every so
    many seconds (0: 30 times a second). None: a gesture has one event."""
    follow_hands: bool = False
    """Also emit an event of type ``hand`` for each hand 30 times a second, and when it has gone."""

    def __post_init__(self) -> None:
        for name, largest in _RANGES.items():
            value = getattr(self, name)
            if value is None and getattr(type(self), name) is None:
                continue
            if not 0 <= require_type(value, Real, f"a number as {name}") <= largest:
                raise InvalidDataError(f"{name} is {value}, expected 0 to {largest:g}")
        if self.pose_events not in get_args(PoseEvents):
            raise InvalidDataError(f"pose_events is {self.pose_events!r}, expected start or end")
        require_type(self.follow_hands, (bool, np.bool_), "True or False as follow_hands")
        if not abs(require_type(self.movement_margin, Real, "a number as movement_margin")) <= 1:
            raise InvalidDataError(f"movement_margin is {self.movement_margin}, expected -1 to 1")

    @classmethod
    def of_sensitivity(cls, sensitivity: Sensitivity, **given: Any) -> Self:
        """Return the settings of a sensitivity; what is given replaces them.

        >>> RecogniserSettings.of_sensitivity("low", dwell=1.0).dwell
        1.0
        """
        if sensitivity not in SENSITIVITIES:
            known = ", ".join(SENSITIVITIES)
            raise InvalidDataError(f"sensitivity is {sensitivity!r}, expected one of: {known}")
        return cls(**SENSITIVITIES[sensitivity] | given)

    def default_threshold(self, kind: str) -> float:
        """Return the threshold of labels that have none of their own."""
        if kind == "pose":
            return self.threshold
        chosen = self.movement_threshold
        return self._moved(MOVEMENT_THRESHOLD) if chosen is None else chosen

    def thresholds(self, kind: str, own: Mapping[str, float]) -> Mapping[str, float]:
        """Return the thresholds of labels that have one in the model file, as they are used."""
        if kind == "pose":
            return own
        if self.movement_threshold is not None:
            return {}
        return {label: self._moved(threshold) for label, threshold in own.items()}

    def patience_of(self, label: str, own: Mapping[str, float]) -> float:
        """Return how long a movement waits; ``own`` has the labels that the model file knows."""
        return own.get(label, PATIENCE) if self.patience is None else self.patience

    def _moved(self, threshold: float) -> float:
        if not self.movement_margin:
            return threshold
        return min(max(threshold + self.movement_margin, _LEAST), _MOST)


class LabelSettings:
    """The threshold and the patience of each label of a model.

    ``none`` never reaches its threshold.
    """

    def __init__(
        self,
        labels: Sequence[str],
        thresholds: Mapping[str, float],
        default: float,
        release: float,
        patience: Mapping[str, float] | None = None,
    ) -> None:
        self.labels = tuple(labels)
        self.patience = dict.fromkeys(labels, PATIENCE) | dict(patience or {})
        """Seconds that a movement waits before its event is emitted."""
        self._emit = np.array(
            [_NEVER if label == NONE_LABEL else thresholds.get(label, default) for label in labels]
        )
        self._release = self._emit * release

    def reached(self, probabilities: FloatArray) -> int | None:
        """Return the index of the most probable label (n_labels,) if it reaches its threshold."""
        best = int(probabilities.argmax())
        return best if probabilities[best] >= self._emit[best] else None

    def reached_beside_none(self, probabilities: FloatArray) -> int | None:
        """Return the same, but of all labels except ``none``, which may be more probable."""
        best = int(np.where(self._emit == _NEVER, -1, probabilities).argmax())
        return best if probabilities[best] >= self._emit[best] else None

    def sustained(self, probabilities: FloatArray, code: int) -> bool:
        """Return whether a label that reached its threshold is still above its release level."""
        return bool(probabilities[code] >= self._release[code])

    def odds(self, code: int, probability: float) -> float:
        """Return by how much a probability exceeds the threshold of a label, in log odds."""
        return _log_odds(probability) - _log_odds(float(self._emit[code]))


def _log_odds(probability: float) -> float:
    kept = min(max(probability, _NEAR_BOUND), 1 - _NEAR_BOUND)
    return log(kept / (1 - kept))
