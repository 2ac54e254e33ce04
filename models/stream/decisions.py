"""Which outputs of a model become events.

Poses go through a hold time, movements through a choice among overlapping windows. Both use the
thresholds of :class:`~.settings.Thresholds`, with hysteresis: a gesture starts at its threshold,
ends at its lower release level, and may be emitted again after the cooldown.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from handlore.landmarks.hands import FloatArray

from .events import Event
from .frames import MAX_FRAME_GAP
from .inference import ModelOutput, StreamModel
from .settings import RecogniserSettings, Thresholds

_AVERAGING_SECONDS = 0.1
"""Time constant of the moving average over the probabilities of poses."""

_MAX_OVERLAP = 0.1
"""Two movements share at most this part of the shorter one."""

_PROBABILITY_TOLERANCE = 0.005
"""Smaller differences do not replace the best window: they would only delay the event."""

_MIN_PROBABILITY = np.float32(0.005)
"""Lower bound in the mean of two windows: no single window can rule out a label."""

_MIN_REST = np.float32(0.05)
"""The lower bounds of all labels that neither window shows add up to this at most."""


class _EventDecider(Protocol):
    """Turns the outputs of one model into events."""

    @property
    def label(self) -> str | None:
        """The pose that is held, or the movement whose event is pending."""

    @property
    def probabilities(self) -> FloatArray | None:
        """The current probabilities (n_labels,); None without a hand."""

    def update(self, output: ModelOutput) -> list[Event]:
        """Take the next output; return the events that it causes."""

    def finish(self) -> list[Event]:
        """Return the pending events at the end of the stream."""


def make_decider(
    model: StreamModel, thresholds: Mapping[str, float], settings: RecogniserSettings
) -> _EventDecider:
    """Return what decides on the outputs of a model, by the kind of its encoder."""
    default = default_threshold(model, settings)
    levels = Thresholds(model.labels, thresholds, default, settings.release)
    if model.encoder.kind == "pose":
        return HoldDetector(levels, settings)
    return WindowSelector(levels, settings)


def default_threshold(model: StreamModel, settings: RecogniserSettings) -> float:
    """Return the threshold of labels that have none of their own."""
    poses = model.encoder.kind == "pose"
    return settings.threshold if poses else settings.movement_threshold


@dataclass
class _Hold:
    """A pose that is being held."""

    code: int
    start: float
    end: float
    hand: str | None
    sum: float = 0.0
    n: int = 0

    def extend(self, time: float, probability: float) -> None:
        self.end, self.sum, self.n = time, self.sum + probability, self.n + 1


class HoldDetector:
    """Emits a pose once it has been held for the hold time (``dwell``)."""

    def __init__(self, thresholds: Thresholds, settings: RecogniserSettings) -> None:
        self._thresholds = thresholds
        self._settings = settings
        self._held: _Hold | None = None
        self._candidate: _Hold | None = None
        self._last_seen = -math.inf
        self.probabilities: FloatArray | None = None
        """(n_labels,) moving average; None without a hand."""

    @property
    def label(self) -> str | None:
        """The pose that is held, after its hold time."""
        return self._thresholds.labels[self._held.code] if self._held else None

    def update(self, output: ModelOutput) -> list[Event]:
        """Take the next output; return the events that it causes."""
        time = output.end
        if output.probabilities is None:
            if time - self._last_seen > MAX_FRAME_GAP:
                self.probabilities, self._candidate = None, None
            return self._release(time)
        now = self.probabilities = self._average(time, output.probabilities)
        self._last_seen = time
        if self._held and self._thresholds.sustained(now, self._held.code):
            self._held.extend(time, float(now[self._held.code]))
        return [*self._release(time), *self._hold(time, now, output.hand)]

    def finish(self) -> list[Event]:
        """Return the pending events at the end of the stream."""
        return self._release(math.inf)

    def _average(self, time: float, newest: FloatArray) -> FloatArray:
        if self.probabilities is None:
            return newest
        share = np.float32(1 - math.exp(-(time - self._last_seen) / _AVERAGING_SECONDS))
        return self.probabilities + share * (newest - self.probabilities)

    def _hold(self, time: float, now: FloatArray, hand: str | None) -> list[Event]:
        """Follow the pose that reaches its threshold until its hold time is over."""
        code = self._thresholds.reached(now)
        if code is None or (self._held and self._held.code == code):
            self._candidate = None
            return []
        if self._candidate is None or self._candidate.code != code:
            self._candidate = _Hold(code, time, time, hand)
        candidate = self._candidate
        candidate.extend(time, float(now[code]))
        if time - candidate.start < self._settings.dwell - 1e-6:
            return []
        # Another pose is held now, so the one before has ended.
        ended = self._release(math.inf)
        self._held, self._candidate = candidate, None
        return [*ended, *self._emit(candidate, "start")]

    def _release(self, time: float) -> list[Event]:
        held = self._held
        if held is None or time - held.end <= self._settings.cooldown:
            return []
        self._held = None
        return self._emit(held, "end")

    def _emit(self, hold: _Hold, when: str) -> list[Event]:
        if self._settings.pose_events != when:
            return []
        label = self._thresholds.labels[hold.code]
        return [Event(label, hold.start, hold.end, hold.sum / hold.n, hold.hand)]


class WindowSelector:
    """Emits the best of overlapping windows (non-maximum suppression over time).

    The score of a window is the geometric mean with the window of the same length before it: a
    movement looks alike in both, a chance resemblance does not. The window with the highest score
    waits for ``patience`` seconds for a better one that overlaps it. Its event spans the median
    start and end of the windows that agree on the label. The label is not emitted again before
    the windows have stopped showing it for ``cooldown`` seconds.
    """

    def __init__(self, thresholds: Thresholds, settings: RecogniserSettings) -> None:
        self._thresholds = thresholds
        self._settings = settings
        self._previous: dict[int, FloatArray] = {}
        self._means: dict[int, FloatArray] = {}
        self._best: Event | None = None
        # Windows that overlap the best one and show the same label.
        self._agreeing: list[Event] = []
        self._emitted: Event | None = None
        # The label emitted last and until when windows showed it; None after the cooldown.
        self._refractory: tuple[int, float] | None = None
        self.probabilities: FloatArray | None = None
        """(n_labels,) of the last window; None without a hand."""

    @property
    def label(self) -> str | None:
        """The movement whose event is pending, if any."""
        return self._best.label if self._best else None

    def update(self, output: ModelOutput) -> list[Event]:
        """Take the output for the next window; return the events that it causes."""
        events = self._settle(output.time)
        if output.probabilities is None:
            self._previous, self._means = {}, {}
            self.probabilities = self._refractory = None
            return [*events, *self._settle(math.inf)]
        mean = self._mean(output.window, output.probabilities)
        self._rearm(output.time)
        code = self._thresholds.reached(mean)
        if code is None:
            return events
        label, probability = self._thresholds.labels[code], float(mean[code])
        window = Event(label, output.start, output.end, probability, output.hand)
        return [*events, *self._compete(window)]

    def finish(self) -> list[Event]:
        """Return the pending events at the end of the stream."""
        return self._settle(math.inf)

    def _mean(self, window: int, probabilities: FloatArray) -> FloatArray:
        mean = _geometric_mean(self._previous.get(window, probabilities), probabilities)
        self._previous[window] = probabilities
        self._means[window] = self.probabilities = mean
        return mean

    def _rearm(self, time: float) -> None:
        """End the refractory time when the emitted label is no longer shown."""
        if self._refractory is None:
            return
        code, until = self._refractory
        if self._thresholds.sustained(np.mean(list(self._means.values()), axis=0), code):
            self._refractory = (code, time)
        elif time - until > self._settings.cooldown:
            self._refractory = None

    def _compete(self, window: Event) -> list[Event]:
        """Compare a window with the best one so far; return the event that this settles."""
        best = self._best
        if best is None or _overlap(best, window) > _MAX_OVERLAP:
            if self._is_new(window):
                self._agreeing.append(window)
                margin = _PROBABILITY_TOLERANCE
                if best is None or window.probability > best.probability + margin:
                    self._best = window
            return []
        events = self._settle(math.inf)
        if self._is_new(window):
            self._best, self._agreeing = window, [window]
        return events

    def _is_new(self, window: Event) -> bool:
        """Return whether a window is neither the movement emitted last nor a part of it."""
        if self._refractory and self._thresholds.labels[self._refractory[0]] == window.label:
            return False
        return self._emitted is None or _overlap(self._emitted, window) <= _MAX_OVERLAP

    def _settle(self, time: float) -> list[Event]:
        """Emit the best window if it has waited long enough."""
        best = self._best
        if best is None or time - best.end < self._settings.patience - 1e-6:
            return []
        agreeing = [one for one in self._agreeing if one.label == best.label]
        start = float(np.median([one.start for one in agreeing]))
        end = float(np.median([one.end for one in agreeing]))
        if self._emitted:
            start = max(start, min(self._emitted.end, end))
        self._emitted = replace(best, start=start, end=end)
        self._best, self._agreeing = None, []
        self._refractory = (self._thresholds.labels.index(best.label), min(time, best.end))
        return [self._emitted]


def _overlap(one: Event, other: Event) -> float:
    """Return the share of the shorter one that both cover."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    shorter = min(one.end - one.start, other.end - other.start)
    return shared / shorter if shared > 0 else 0.0


def _geometric_mean(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the normalised geometric mean (n_labels,) of two windows' probabilities.

    A label that one of them shows counts as :data:`_MIN_PROBABILITY` at least in the other. With
    hundreds of labels such a bound for each would exceed the label that is shown; those that
    neither shows share :data:`_MIN_REST`.
    """
    least = np.minimum(_MIN_PROBABILITY, np.maximum(np.maximum(one, other), _MIN_REST / len(one)))
    mean = np.sqrt(np.maximum(one, least) * np.maximum(other, least))
    return np.asarray(mean / mean.sum())
