"""Thresholds chosen from data for a given number of false activations an hour.

The model runs once over all streams; for each candidate threshold only the decisions are repeated.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp, inf, lgamma, log, sqrt
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from handlore.datasets.dataset import NONE_LABEL, LabelledInterval, LandmarkDataset
from handlore.datasets.labels import about_same, same_labels
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import InvalidDataError, counted, require_type
from handlore.landmarks.files import as_path

from ..files import load_model, replace_card
from ..model import Model
from .ground_truth import Stream, StreamScore, dataset_streams
from .inference import ModelOutput, StreamModel, stream_models
from .recogniser import events_from_outputs, model_outputs
from .settings import RecogniserSettings

CANDIDATE_THRESHOLDS = tuple(
    round(float(value), 2) for value in [*np.arange(0.3, 0.95, 0.05), 0.95, 0.97, 0.99]
)

_CONFIDENCE = 0.95
_MAX_NAMED = 5

_Counts = tuple[int, int]
"""Gestures found and false activations of one label at one threshold."""


class _LabelCounts(NamedTuple):
    """Events of one label, counted."""

    n_found: int = 0
    n: int = 0
    """Gestures with this label."""
    n_false: int = 0


@dataclass(frozen=True)
class Calibration:
    """Chosen thresholds, and their result on the data that they were chosen on."""

    thresholds: Mapping[str, float]

    before: StreamScore
    """With the thresholds of the model so far."""
    after: StreamScore

    hours: float
    """Duration of all streams."""
    target: float
    """False activations an hour that were asked for."""
    thresholds_before: Mapping[str, float] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    unknown: Mapping[str, int] = field(default_factory=dict)
    """Gestures of labels that the model does not know, by label."""
    counted_as: Mapping[str, str] = field(default_factory=dict)
    """Labels of the data that the model has in another spelling, and that spelling."""

    @property
    def per_label(self) -> Mapping[str, _LabelCounts]:
        """The result by label."""
        return counts_by_label(self.after)

    @property
    def upper_bound(self) -> float:
        """False activations an hour that the data cannot rule out at 95 % confidence."""
        return _poisson_bound(len(self.after.false)) / self.hours

    @property
    def hours_needed(self) -> float:
        """How many hours without a false activation it takes to confirm the target."""
        return _poisson_bound(0) / self.target

    @property
    def notes(self) -> list[str]:
        """What limits the result, in sentences."""
        n_false = len(self.after.false)
        lines = [about_same(dict(self.counted_as))] if self.counted_as else []
        if self.unknown:
            n = sum(self.unknown.values())
            lines.append(
                f"{n} of {n + self.after.n} gestures have labels that the model does not know"
                f" ({_some(self.unknown)}); events during them count as false activations"
            )
        if self.hours < self.hours_needed:
            lines.append(
                f"{self.hours:.2g} hours are too short to confirm {self.target:g} false activations"
                f" an hour: that takes {self.hours_needed:.2g} hours without any"
            )
        if n_false > self.target * self.hours:
            lines.append(
                f"{n_false} false activations in {self.hours:.2g} hours remain at any threshold,"
                f" more than {self.target:g} an hour"
            )
        return lines

    def as_json(self) -> dict[str, Any]:
        """Return what a model file keeps of it."""
        return {
            "false_activations_per_hour_wanted": self.target,
            "hours": round(self.hours, 6),
            "n_false": len(self.after.false),
            "n_found": len(self.after.found),
            "n": self.after.n,
            "upper_bound_per_hour": round(self.upper_bound, 3),
        }

    def summary(self) -> dict[str, Any]:
        """Return all of it under the names that scripts rely on."""
        counts = self.per_label
        labels = {}
        for label in self.labels:
            if label != NONE_LABEL:
                own = counts.get(label, _LabelCounts())
                labels[label] = {
                    "threshold_before": self.thresholds_before.get(label),
                    "threshold": self.thresholds.get(label),
                    "n_found": own.n_found,
                    "n": own.n,
                    "n_false": own.n_false,
                }
        before = {"n_found": len(self.before.found), "n_false": len(self.before.false)}
        needed = round(self.hours_needed, 3)
        found = {"labels": labels, "before": before, "hours_needed": needed, **self.as_json()}
        return found | ({"counted_as": dict(self.counted_as)} if self.counted_as else {})

    def save(
        self, model: Model | str | Path, path: str | Path, out: str | Path | None = None
    ) -> None:
        """Write the thresholds into a copy of the model file at ``path``, or in place."""
        card = load_model(model).card
        card = replace(card, thresholds=self.thresholds, calibration=self.as_json())
        replace_card(as_path(path), card, None if out is None else as_path(out))


def _poisson_bound(n: int) -> float:
    """Return the largest mean for which n or fewer events occur in 5 % of cases: 3.0 for n = 0."""
    low, high = float(n), n + 10 * sqrt(n + 1) + 10
    # Bisection down to the precision of a float: models are run without SciPy.
    for _ in range(100):
        mean = (low + high) / 2
        likely = sum(exp(k * log(mean) - mean - lgamma(k + 1)) for k in range(n + 1))
        low, high = (mean, high) if likely > 1 - _CONFIDENCE else (low, mean)
    return low


def calibrate(
    model: StreamModel | str | Path,
    data: LandmarkDataset | Sequence[Stream] | str | Path,
    per_hour: float,
    settings: RecogniserSettings | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Calibration:
    """Choose a threshold for each label.

    The thresholds find the most gestures with no more false activations than asked for. Of equally
    good thresholds the one that the label has already is taken (that of the model, else the
    default), or else the middle one: a few streams without a mistake do not prove that another one
    is better. A label with neither gestures nor false activations in the streams keeps its own.

    Parameters
    ----------
    model
        Of poses or movements; or its file or name.
    data
        Streams with labelled gestures, and streams without gestures, as in later use: a dataset
        or its file, see :func:`~.ground_truth.dataset_streams`, or the streams themselves. Gestures
        with labels that the model does not know, in whatever spelling, count as ``none``.
    per_hour
        False activations an hour, of all labels together.
    settings
        Those it will be used with.
    progress
        Called with the number of finished streams, and of all.

    Raises
    ------
    InvalidDataError
        If there is no stream, or it has another number of hands, or there are gestures and the
        model knows none of their labels.

    Examples
    --------
    >>> model, stream = handlore.load_model("moves.onnx"), handlore.load_dataset("stream.npz")
    >>> found = handlore.calibrate(model, stream, per_hour=1)
    >>> sorted(found.thresholds)
    ['circle', 'swipe_left', 'wave']
    """
    if not 0 < require_type(per_hour, Real, "a number of false activations an hour") < inf:
        raise InvalidDataError(f"{per_hour} false activations an hour; expected more than 0")
    settings = settings or RecogniserSettings()
    require_type(settings, RecogniserSettings, "settings such as RecogniserSettings()")
    (loaded,), streams = stream_models(model), _streams(data)
    hours = sum(stream.seconds for stream in streams) / 3600
    _check_streams(loaded, streams, hours)
    streams, spelled = _in_spelling_of(loaded, streams)
    unknown = _unknown_labels(loaded, streams)
    answered = []
    for done, stream in enumerate(streams, 1):
        known = tuple(one for one in stream.ground_truth if one.label in loaded.labels)
        answered.append((list(model_outputs(loaded, stream.video, settings)), known))
        progress(done, len(streams))
    trials = _Trials(loaded, answered, settings)
    thresholds = trials.choose(int(per_hour * hours + 1e-9))
    return Calibration(
        thresholds,
        trials.score(loaded.thresholds),
        trials.score(thresholds),
        hours,
        per_hour,
        dict(loaded.thresholds),
        loaded.labels,
        unknown,
        spelled,
    )


def _streams(data: LandmarkDataset | Sequence[Stream] | str | Path) -> Sequence[Stream]:
    if isinstance(data, Sequence) and not isinstance(data, str):
        return [require_type(one, Stream, "a dataset, its file, or streams") for one in data]
    return list(dataset_streams(load_dataset(data)))


def _check_streams(model: StreamModel, streams: Sequence[Stream], hours: float) -> None:
    if hours <= 0:
        raise InvalidDataError("there is nothing to calibrate on: the streams have no duration")
    wrong = next((one for one in streams if one.video.n_hands != model.encoder.n_hands), None)
    if wrong is not None:
        raise InvalidDataError(
            f"{wrong.name or 'a stream'} has room for"
            f" {counted(wrong.video.n_hands, 'hand')} a frame, the model takes"
            f" {model.encoder.n_hands}; convert the data with --max-hands {model.encoder.n_hands}"
        )


def _in_spelling_of(
    model: StreamModel, streams: Sequence[Stream]
) -> tuple[list[Stream], dict[str, str]]:
    """Return streams with labels in the spelling of a model, and those spelled differently."""
    shown = {one.label for stream in streams for one in stream.ground_truth}
    names = same_labels(shown, model.labels)

    def spelled(stream: Stream) -> Stream:
        truth = [replace(one, label=names.get(one.label, one.label)) for one in stream.ground_truth]
        # What counts as `none` is no gesture.
        gestures = tuple(one for one in truth if one.label != NONE_LABEL)
        return replace(stream, ground_truth=gestures)

    return [spelled(stream) for stream in streams], names


def _unknown_labels(model: StreamModel, streams: Sequence[Stream]) -> dict[str, int]:
    """Count the gestures whose labels the model does not know; refuse if it knows none of them.

    Thresholds that only have to avoid false activations would silence the model.
    """
    shown = Counter(one.label for stream in streams for one in stream.ground_truth)
    unknown = {label: n for label, n in sorted(shown.items()) if label not in model.labels}
    if unknown and len(unknown) == len(shown):
        known = [label for label in model.labels if label != NONE_LABEL]
        raise InvalidDataError(
            f"the model knows none of the labels of the data ({_some(unknown)}; the model:"
            f" {_some(known)}); calibrate on gestures that it knows, or on streams of `none`"
        )
    return unknown


def _some(labels: Iterable[str]) -> str:
    """Return the first labels, joined."""
    names = list(labels)
    return ", ".join(names[:_MAX_NAMED]) + (", ..." if len(names) > _MAX_NAMED else "")


class _Trials:
    """Repeats the decisions on the same model outputs."""

    def __init__(
        self,
        model: StreamModel,
        answered: Sequence[tuple[list[ModelOutput], tuple[LabelledInterval, ...]]],
        settings: RecogniserSettings,
    ) -> None:
        self._model = model
        self._answered = answered
        self._settings = settings

    def score(self, thresholds: Mapping[str, float]) -> StreamScore:
        total = StreamScore()
        for outputs, ground_truth in self._answered:
            events = events_from_outputs(self._model, outputs, thresholds, self._settings)
            total += StreamScore.of(events, ground_truth)
        return total

    def choose(self, max_false: int) -> dict[str, float]:
        """Return the thresholds that find the most within this number of false activations."""
        labels = [label for label in self._model.labels if label != NONE_LABEL]
        default = self._settings.default_threshold(self._model.encoder.kind)
        own = {label: self._model.thresholds.get(label, default) for label in labels}
        candidates = sorted({*CANDIDATE_THRESHOLDS, *own.values()})
        kept = {label: candidates.index(own[label]) for label in labels}
        table = [counts_by_label(self.score(dict.fromkeys(labels, t))) for t in candidates]
        counts = {
            label: [(one.n_found, one.n_false) for one in _column(table, label)] for label in labels
        }
        shown = {label for label in labels if any(row != (0, 0) for row in counts[label])}
        place = {label: _best(counts[label], kept[label]) for label in sorted(shown)}
        last = len(candidates) - 1
        while True:
            thresholds = dict(self._model.thresholds)
            thresholds |= {label: candidates[at] for label, at in place.items()}
            # Labels compete for windows, so a changed threshold changes the events of others.
            false = self.score(thresholds).false
            raisable = {event.label for event in false if place.get(event.label, last) < last}
            if len(false) <= max_false or not raisable:
                return thresholds
            cheapest = min(sorted(raisable), key=lambda label: _price(counts[label], place[label]))
            better = _next_better(counts[cheapest], place[cheapest])
            place[cheapest] = _among_equals(counts[cheapest], better, kept[cheapest])


def _column(table: Sequence[Mapping[str, _LabelCounts]], label: str) -> list[_LabelCounts]:
    return [row.get(label, _LabelCounts()) for row in table]


def _best(row: Sequence[_Counts], kept: int) -> int:
    """Return the index of a threshold that finds the most, with the fewest false activations."""
    best = max(range(len(row)), key=lambda at: (row[at][0], -row[at][1]))
    return _among_equals(row, best, kept)


def _among_equals(row: Sequence[_Counts], first: int, kept: int) -> int:
    """Return ``kept`` if it is as good as the threshold ``first`` and not below, else the middle.

    Of all thresholds from ``first`` on that are as good.
    """
    equal = [at for at in range(first, len(row)) if row[at] == row[first]]
    return kept if kept in equal else equal[len(equal) // 2]


def _next_better(row: Sequence[_Counts], at: int) -> int:
    """Return the next higher threshold with fewer false activations, else the next one."""
    return next((to for to in range(at + 1, len(row)) if row[to][1] < row[at][1]), at + 1)


def _price(row: Sequence[_Counts], at: int) -> float:
    """Return how many gestures are lost for each false activation less."""
    to = _next_better(row, at)
    less = row[at][1] - row[to][1]
    return (row[at][0] - row[to][0]) / less if less > 0 else inf


def counts_by_label(score: StreamScore) -> dict[str, _LabelCounts]:
    """Count what was found, what there was, and what is false, by label."""
    found = Counter(interval.label for interval, _ in score.found)
    missed = Counter(interval.label for interval in score.missed)
    false = Counter(event.label for event in score.false)
    return {
        label: _LabelCounts(found[label], found[label] + missed[label], false[label])
        for label in sorted({*found, *missed, *false})
    }
