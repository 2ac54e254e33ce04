"""Thresholds chosen from data, for a number of false activations an hour.

The models answer once; then what the recogniser would tell is decided again for each threshold.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np

from handlore.datasets.dataset import NONE_LABEL, LabelledInterval
from handlore.landmarks.errors import InvalidDataError

from ..model import Model
from .ground_truth import Stream, StreamScore, score_stream
from .inference import ModelOutput
from .recogniser import default_threshold, events_from_outputs, model_outputs
from .settings import RecogniserSettings

CANDIDATE_THRESHOLDS = tuple(
    round(float(least), 2) for least in [*np.arange(0.3, 0.95, 0.05), 0.95, 0.97, 0.99]
)
"""Thresholds that are tried for each label."""

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Calibration:
    """Thresholds, and what came of them on the data that they were chosen on."""

    thresholds: Mapping[str, float]
    before: StreamScore
    """With the thresholds that the model had."""
    after: StreamScore
    hours: float
    wanted: float
    """False activations an hour that were asked for."""
    per_label: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    """By label: gestures found, gestures made, false activations."""

    @property
    def upper_bound(self) -> float:
        """The most false activations an hour that the data leave possible, at 95 %."""
        return poisson_bound(len(self.after.false)) / self.hours

    @property
    def hours_needed(self) -> float:
        """How many hours without a false activation it takes to show what was asked for."""
        return poisson_bound(0) / self.wanted

    def as_json(self) -> dict[str, Any]:
        """Return what a model file keeps of it."""
        return {
            "false_activations_per_hour_wanted": self.wanted,
            "hours": round(self.hours, 6),
            "n_false": len(self.after.false),
            "n_found": len(self.after.found),
            "n": self.after.n,
            "upper_bound_per_hour": round(self.upper_bound, 3),
        }


def poisson_bound(n: int) -> float:
    """Return the largest mean of which n or fewer are seen in 5 of 100 cases: 3.0 for none."""
    from scipy.stats import chi2

    return float(chi2.ppf(_CONFIDENCE, 2 * n + 2)) / 2


def calibrate(
    model: Model,
    streams: Sequence[Stream],
    per_hour: float,
    settings: RecogniserSettings | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Calibration:
    """Choose a threshold for each label.

    Of all thresholds those are chosen that find the most gestures with no more false activations
    than asked for. Where several do, it is the middle one, or the default if that is higher: few
    streams without a mistake do not show that a low threshold is safe. A label that the streams
    neither show nor are mistaken for keeps what it had.

    Parameters
    ----------
    model
        Of poses or movements.
    streams
        What it is used on: gestures with their times, and hands that mean nothing. Gestures
        that the model does not know are taken for nothing.
    per_hour
        False activations an hour, of all labels together.
    settings
        Those it will be used with.
    progress
        Called with how many streams are answered, and how many there are.

    Raises
    ------
    InvalidDataError
        If there is no stream, or it has another number of hands.
    """
    if not 0 < per_hour < inf:
        raise InvalidDataError(f"{per_hour} false activations an hour; expected more than 0")
    settings = settings or RecogniserSettings()
    hours = sum(stream.seconds for stream in streams) / 3600
    if hours <= 0:
        raise InvalidDataError("there is nothing to calibrate on: no stream lasts any time")
    wrong = next((one for one in streams if one.video.n_hands != model.encoder.n_hands), None)
    if wrong is not None:
        raise InvalidDataError(
            f"{wrong.name or 'a stream'} has room for {wrong.video.n_hands} hand(s) a frame, the"
            f" model takes {model.encoder.n_hands}; convert the data with --max-hands"
            f" {model.encoder.n_hands}"
        )
    answered = []
    for done, stream in enumerate(streams, 1):
        known = tuple(truth for truth in stream.truths if truth.label in model.labels)
        answered.append((list(model_outputs(model, stream.video, settings)), known))
        progress(done, len(streams))
    trials = _Trials(model, answered, settings)
    before = trials.outcome(model.thresholds)
    chosen = trials.chosen(int(per_hour * hours + 1e-9))
    after = trials.outcome(chosen)
    return Calibration(chosen, before, after, hours, per_hour, _by_label(after))


class _Trials:
    """Decides again and again on the same answers."""

    def __init__(
        self,
        model: Model,
        answered: Sequence[tuple[list[ModelOutput], tuple[LabelledInterval, ...]]],
        settings: RecogniserSettings,
    ) -> None:
        self._model = model
        self._answered = answered
        self._settings = settings

    def outcome(self, thresholds: Mapping[str, float]) -> StreamScore:
        """Return what comes of thresholds."""
        total = StreamScore()
        for answers, truths in self._answered:
            events = events_from_outputs(self._model, answers, thresholds, self._settings)
            total += score_stream(events, truths)
        return total

    def chosen(self, most_false: int) -> dict[str, float]:
        """Return the thresholds that find the most with so many false activations."""
        labels = [label for label in self._model.labels if label != NONE_LABEL]
        rows = {
            least: _by_label(self.outcome(dict.fromkeys(labels, least)))
            for least in CANDIDATE_THRESHOLDS
        }
        counts = {
            label: [
                (rows[least].get(label, (0, 0, 0))[0], rows[least].get(label, (0, 0, 0))[2])
                for least in CANDIDATE_THRESHOLDS
            ]
            for label in labels
        }
        shown = {label for label in labels if any(row != (0, 0) for row in counts[label])}
        default = default_threshold(self._model, self._settings)
        place = {label: _best(counts[label], default) for label in sorted(shown)}
        while True:
            thresholds = dict(self._model.thresholds)
            thresholds |= {label: CANDIDATE_THRESHOLDS[at] for label, at in place.items()}
            false = self.outcome(thresholds).false
            # Told with other labels' thresholds changed, so it is counted again each time.
            raisable = {
                e.label
                for e in false
                if place.get(e.label, len(CANDIDATE_THRESHOLDS)) < len(CANDIDATE_THRESHOLDS) - 1
            }
            if len(false) <= most_false or not raisable:
                return thresholds
            cheapest = min(sorted(raisable), key=lambda label: _price(counts[label], place[label]))
            better = _next_better(counts[cheapest], place[cheapest])
            place[cheapest] = _within(counts[cheapest], better, default)


def _best(row: Sequence[tuple[int, int]], default: float) -> int:
    """Return the place of a threshold that finds the most, and of these has least false."""
    best = max(range(len(row)), key=lambda at: (row[at][0], -row[at][1]))
    return _within(row, best, default)


def _within(row: Sequence[tuple[int, int]], first: int, default: float) -> int:
    """Return the middle of the thresholds from a place on that do as well, or the default."""
    equal = [at for at in range(first, len(row)) if row[at] == row[first]]
    middle = equal[len(equal) // 2]
    return max([middle, *(at for at in equal if CANDIDATE_THRESHOLDS[at] <= default)])


def _next_better(row: Sequence[tuple[int, int]], at: int) -> int:
    """Return the next higher threshold with fewer false ones, else the next one."""
    return next((to for to in range(at + 1, len(row)) if row[to][1] < row[at][1]), at + 1)


def _price(row: Sequence[tuple[int, int]], at: int) -> float:
    """Return how many gestures are lost for each false activation less."""
    to = _next_better(row, at)
    less = row[at][1] - row[to][1]
    return (row[at][0] - row[to][0]) / less if less > 0 else float("inf")


def _by_label(outcome: StreamScore) -> dict[str, tuple[int, int, int]]:
    """Return gestures found, gestures made and false activations of each label."""
    found = [truth.label for truth, _ in outcome.found]
    missed = [truth.label for truth in outcome.missed]
    false = [event.label for event in outcome.false]
    return {
        label: (found.count(label), found.count(label) + missed.count(label), false.count(label))
        for label in sorted({*found, *missed, *false})
    }
