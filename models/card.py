"""The model card: the metadata of a model file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import numpy as np

from handlore.datasets.files import read_start
from handlore.datasets.kinds import KINDS, Kind
from handlore.datasets.validation import LONGEST_LABEL
from handlore.landmarks.errors import InvalidDataError, require_known_format
from handlore.landmarks.features import DEFAULT_FEATURES, FEATURES_VERSION
from handlore.landmarks.geometry import CANONICAL_VERSION
from handlore.landmarks.hands import FloatArray

FORMAT_VERSION = 1
_MODEL_START = b"\x08"
"""The first byte of a model file: field 1 of ONNX."""
MODEL_ENDING = ".onnx"

INPUT, OUTPUT = "X", "probabilities"
"""Input and output of the graph of a model."""
P_VALUE_OUTPUT = "familiarity"
"""Second output of the graph of a model of poses: 1 - novelty score (the name is part of the
format)."""
CLIP_OUTPUT = "clip_probabilities"
"""Second output of the graph of a model of movements: probabilities of whole clips."""
DURATION_QUANTILES = (0.05, 0.5, 0.95)
"""Quantiles of the lengths of training clips in a card."""
_MAX_SECONDS = 1e9
_MAX_PATIENCE = 60.0
_MAX_LOSS = 1e9
_MOST_MOMENTS, _MAX_PALMS = 100, 1e4
"""Limits of typical hands."""


def is_model_file(path: Path) -> bool:
    """Say whether a file is a model: by its first bytes, or, missing or damaged, by its ending."""
    if path.is_dir():
        return False
    start = read_start(path, 2)
    return start[:1] == _MODEL_START or (path.suffix.lower() == MODEL_ENDING and start != b"PK")


@dataclass(frozen=True)
class ModelCard:
    """Everything in a model file except its graph."""

    labels: tuple[str, ...]
    """The label of each probability, in order."""
    estimator: str
    """The name under which it was trained, such as ``forest``."""
    kind: Kind = "pose"
    """``pose``: takes single pictures. ``sequence``: takes clips."""
    n_hands: int = 1
    """How many hands a frame has room for."""
    features: tuple[str, ...] = DEFAULT_FEATURES
    """Groups of features it takes, in order; empty for movements."""
    n_features: int = 0
    """Number of features; for movements, number of channels of a clip."""
    n_timepoints: int = 0
    """Number of points in time to which a clip is resampled; 0 for poses."""
    averaged: bool = True
    """Whether these points are averages over an interval, or moments."""
    timed: bool = False
    """Whether the last channel is the duration of the movement."""
    context: bool = False
    """Whether the last channels are duration, kind of clip and side instead, see
    :class:`~.encoders.MovementEncoder`."""
    seconds: tuple[float, ...] = ()
    """Lengths of the training clips: the quantiles :data:`DURATION_QUANTILES`."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Minimum probabilities of labels in a stream, chosen by ``train`` or ``calibrate``; other
    labels have the default of :class:`~handlore.models.stream.settings.RecogniserSettings`."""
    patience: Mapping[str, float] = field(default_factory=dict)
    """Seconds that movements wait in a stream before their event, chosen by ``train``."""
    calibration: Mapping[str, Any] = field(default_factory=dict)
    """The data that the thresholds were chosen on, and the result."""
    features_version: int = FEATURES_VERSION
    canonical_version: int = CANONICAL_VERSION

    licence: str = ""
    """Conditions of the data that it was trained on, where its data set states them."""
    typical: Mapping[str, Any] = field(default_factory=dict)
    """A typical hand of each label: nested lists (n_moments, n_hands, 21, 3), see
    :attr:`typical_hands`."""
    landmarker: str = "full"
    """Network of the training landmarks, ``full`` or ``lite``; use the same in prediction."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """Data digest, counts, groups, parameters, versions, cross-validated scores, and the history of
    training in epochs."""

    @property
    def history(self) -> list[dict[str, float | None]]:
        """Loss and accuracy by epoch; empty if there are no epochs, or the rows are damaged."""
        rows = self.training.get("history")
        return list(rows) if isinstance(rows, list) and all(map(_is_epoch, rows)) else []

    @property
    def typical_hands(self) -> dict[str, FloatArray]:
        """A hand (n_moments, n_hands, 21, 3) of each label but ``none``, to draw it.

        It is the median over the training samples, in palm lengths: a single moment for poses,
        upright unless the direction matters; a few moments for movements. Single hands are right
        ones. NaN for a hand that is not there. Files of earlier versions have none, and damaged
        ones are left out.
        """
        hands = {label: _moments(self.typical.get(label)) for label in self.labels}
        return {label: hand for label, hand in hands.items() if hand is not None}

    def as_json(self) -> dict[str, Any]:
        """Return the card as JSON types, with the format version."""
        values = asdict(self) | {name: list(getattr(self, name)) for name in _LISTS}
        return (
            {"format": FORMAT_VERSION}
            | values
            | {
                name: dict(getattr(self, name))
                for name in ("thresholds", "patience", "calibration", "training", "typical")
            }
        )

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Read a card; refuse what is not one, or was written by a later version."""
        if not isinstance(values, Mapping) or not isinstance(values.get("format"), int):
            raise InvalidDataError("its metadata has no format version")
        versions = {
            "model format": (values["format"], FORMAT_VERSION),
            "feature version": (values.get("features_version"), FEATURES_VERSION),
            "canonical form": (values.get("canonical_version"), CANONICAL_VERSION),
        }
        for what, (came, known) in versions.items():
            if not isinstance(came, int) or came < 1:
                raise InvalidDataError(f"its metadata has no usable {what}")
            require_known_format(f"it has {what}", came, known)
        known_fields = {f.name for f in fields(cls)}
        taken = {name: value for name, value in values.items() if name in known_fields}
        for name in ("labels", "features"):
            if not isinstance(taken.get(name), list):
                raise InvalidDataError(f"its metadata lacks {name}")
            taken[name] = tuple(map(str, taken[name]))
        taken["seconds"] = _durations(taken.get("seconds", []))
        labels = taken["labels"]
        for name, most in (("thresholds", 1.0), ("patience", _MAX_PATIENCE)):
            taken[name] = _of_labels(name, taken.get(name, {}), labels, most)
        taken.setdefault("calibration", {})
        if len(set(labels)) < len(labels) or not all(label.isprintable() for label in labels):
            raise InvalidDataError("its labels are not distinct, printable names")
        if any(len(label) > LONGEST_LABEL for label in labels):
            raise InvalidDataError(f"it has a label of more than {LONGEST_LABEL} characters")
        if taken.get("n_hands") not in (1, 2) or taken["n_hands"] is True:
            raise InvalidDataError("its metadata has no usable n_hands")
        taken = _ABSENT | taken
        wrong = [name for name, kind in _TYPES.items() if not isinstance(taken.get(name), kind)]
        wrong += ["kind"] if taken.get("kind") not in KINDS and "kind" not in wrong else []
        if wrong:
            raise InvalidDataError(f"its metadata has no usable {', '.join(wrong)}")
        return cls(**taken)


def _moments(values: Any) -> FloatArray | None:
    try:
        hand = np.array(values, np.float32)  # None, of which JSON makes null, becomes NaN
    except (TypeError, ValueError, OverflowError):
        return None
    shape = (hand.shape[0] if hand.ndim else 0, hand.shape[1] if hand.ndim > 1 else 0, 21, 3)
    usable = hand.shape == shape and 0 < shape[0] <= _MOST_MOMENTS and shape[1] in (1, 2)
    return hand if usable and not (abs(hand) > _MAX_PALMS).any() else None


def _is_epoch(row: Any) -> bool:
    needed = {"epoch", "loss", "accuracy"}
    return (
        isinstance(row, Mapping)
        and needed <= set(row)
        and all(
            value is None or (isinstance(value, int | float) and abs(value) < _MAX_LOSS)
            for value in row.values()
        )
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _durations(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list) or not all(
        _is_number(value) and 0 <= value < _MAX_SECONDS for value in values
    ):
        raise InvalidDataError("its metadata has no usable seconds")
    return tuple(map(float, values))


def _of_labels(name: str, values: Any, labels: tuple[str, ...], most: float) -> dict[str, float]:
    """Return numbers from 0 to ``most`` by label."""
    if not isinstance(values, Mapping) or not all(
        label in labels and _is_number(value) and 0 <= value <= most
        for label, value in values.items()
    ):
        raise InvalidDataError(f"its metadata has no usable {name}")
    return {label: float(value) for label, value in values.items()}


_ABSENT: dict[str, Any] = {
    "n_timepoints": 0,
    "averaged": True,
    "timed": False,
    "context": False,
    "licence": "",
    "typical": {},
}
"""What files of earlier versions lack."""
_LISTS = ("labels", "features", "seconds")
_TYPES: dict[str, Any] = {
    "estimator": str,
    "kind": str,
    "landmarker": str,
    "n_hands": int,
    "n_features": int,
    "n_timepoints": int,
    "calibration": Mapping,
    "averaged": bool,
    "timed": bool,
    "context": bool,
    "training": Mapping,
    "licence": str,
    "typical": Mapping,
}
