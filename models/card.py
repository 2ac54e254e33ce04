"""What a model file says of itself: enough to use it, and enough to judge it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from handlore.landmarks.errors import InvalidDataError, NewerFormatError
from handlore.landmarks.features import DEFAULT_FEATURES, FEATURES_VERSION
from handlore.landmarks.geometry import CANONICAL_VERSION

FORMAT_VERSION = 1
_KINDS = ("pose", "sequence")

DURATION_QUANTILES = (0.05, 0.5, 0.95)
"""Quantiles of the lengths of clips that a card tells."""

_MAX_SECONDS = 1e9
_MAX_LOSS = 1e9


@dataclass(frozen=True)
class ModelCard:
    """Everything in a model file but the numbers."""

    labels: tuple[str, ...]
    """The label of each probability, in order."""

    estimator: str
    """The name under which it was trained, such as ``forest``."""

    kind: str = "pose"
    """``pose``: takes single pictures. ``sequence``: takes clips."""

    n_hands: int = 1
    """How many hands a frame has room for."""

    features: tuple[str, ...] = DEFAULT_FEATURES
    """The groups of features it takes, in order; a model of movements makes its own."""

    n_features: int = 0
    """How many numbers they are; of movements, how many channels a clip has."""

    n_timepoints: int = 0
    """To how many points in time a clip is resampled; 0 for poses."""

    averaged: bool = True
    """Whether these points are averages over their share of the time, or moments."""

    timed: bool = False
    """Whether the last channel says how long a movement lasts."""

    seconds: tuple[float, ...] = ()
    """How long the clips were that it was trained on: the quantiles :data:`DURATION_QUANTILES`."""

    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Least probabilities at which labels are told in a stream, chosen by ``calibrate``; others
    get the default of :class:`~handlore.models.stream.settings.RecogniserSettings`."""

    calibration: Mapping[str, Any] = field(default_factory=dict)
    """On what the thresholds were chosen, and what they promise."""

    features_version: int = FEATURES_VERSION
    canonical_version: int = CANONICAL_VERSION

    landmarker: str = "full"
    """The landmarks it was trained on, ``full`` or ``lite``; use the same in prediction."""

    training: Mapping[str, Any] = field(default_factory=dict)
    """Data digest, counts, groups, parameters, versions, cross-validated scores, and how training
    went where it took epochs."""

    @property
    def history(self) -> list[dict[str, float | None]]:
        """How training went, a row an epoch; empty where it took none, or is not to be read."""
        rows = self.training.get("history")
        return list(rows) if isinstance(rows, list) and all(map(_is_epoch, rows)) else []

    def as_json(self) -> dict[str, Any]:
        """Return the card as JSON types, with the format version."""
        values = asdict(self) | {name: list(getattr(self, name)) for name in _LISTS}
        return (
            {"format": FORMAT_VERSION}
            | values
            | {
                name: dict(getattr(self, name))
                for name in ("thresholds", "calibration", "training")
            }
        )

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Read a card and refuse one that this version cannot honour.

        Raises
        ------
        NewerFormatError
            If it was written by a later version.
        InvalidDataError
            If it is not a card.
        """
        if not isinstance(values, Mapping) or not isinstance(values.get("format"), int):
            raise InvalidDataError("its metadata carries no format version")
        versions = {
            "model format": (values["format"], FORMAT_VERSION),
            "feature version": (values.get("features_version"), FEATURES_VERSION),
            "canonical form": (values.get("canonical_version"), CANONICAL_VERSION),
        }
        for what, (came, known) in versions.items():
            if not isinstance(came, int) or came < 1:
                raise InvalidDataError(f"its metadata has no usable {what}")
            if came > known:
                raise NewerFormatError(
                    f"it has {what} {came}, this handlore reads up to {known}:"
                    " `pip install -U handlore`"
                )
        known_fields = {f.name for f in fields(cls)}
        taken = {name: value for name, value in values.items() if name in known_fields}
        for name in ("labels", "features"):
            if not isinstance(taken.get(name), list):
                raise InvalidDataError(f"its metadata lacks {name}")
            taken[name] = tuple(map(str, taken[name]))
        taken["seconds"] = _durations(taken.get("seconds", []))
        labels = taken["labels"]
        taken["thresholds"] = _thresholds(taken.get("thresholds", {}), labels)
        taken.setdefault("calibration", {})
        if len(set(labels)) < len(labels) or not all(label.isprintable() for label in labels):
            raise InvalidDataError("its labels are not distinct, printable names")
        if taken.get("n_hands") not in (1, 2) or taken["n_hands"] is True:
            raise InvalidDataError("its metadata has no usable n_hands")
        taken = {"n_timepoints": 0, "averaged": True, "timed": False} | taken
        wrong = [name for name, kind in _TYPES.items() if not isinstance(taken.get(name), kind)]
        wrong += ["kind"] if taken.get("kind") not in _KINDS and "kind" not in wrong else []
        if wrong:
            raise InvalidDataError(f"its metadata has no usable {', '.join(wrong)}")
        return cls(**taken)


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


def _durations(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list) or not all(
        isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _MAX_SECONDS
        for value in values
    ):
        raise InvalidDataError("its metadata has no usable seconds")
    return tuple(map(float, values))


def _thresholds(values: Any, labels: tuple[str, ...]) -> dict[str, float]:
    if not isinstance(values, Mapping) or not all(
        label in labels
        and isinstance(least, int | float)
        and not isinstance(least, bool)
        and 0 <= least <= 1
        for label, least in values.items()
    ):
        raise InvalidDataError("its metadata has no usable thresholds")
    return {label: float(least) for label, least in values.items()}


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
    "training": Mapping,
}


# What all parts call the same: the two kinds of samples, and the ends of a model's graph.


INPUT, OUTPUT = "X", "probabilities"
"""What goes into the graph of a model and what comes out."""

NOVELTY_OUTPUT = "familiarity"
"""What else comes out of the graph of a model of poses: how like its training data a hand is."""

KIND_WORDS = {"pose": "poses (single pictures)", "sequence": "movements (clips)"}

DEFAULT_ESTIMATOR = {"pose": "forest", "sequence": "rocket"}
"""What ``train`` takes unless told."""
