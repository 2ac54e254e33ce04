"""Which outputs of a model become events.

Poses go through a hold time, movements through a choice among overlapping windows. Both use the
thresholds of :class:`~.settings.LabelSettings`, with hysteresis: a gesture starts at its threshold,
ends at its lower release level, and may be emitted again after the cooldown.
"""

import math
from bisect import bisect_right, insort
from dataclasses import dataclass, replace

import numpy as np

from handlore.landmarks.hands import FloatArray

from .events import Event, EventType, Pace
from .frames import MAX_FRAME_GAP, TICK_RATE
from .inference import ModelOutput
from .settings import LabelSettings, RecogniserSettings

_AVERAGING_SECONDS = 0.1
"""Time constant of the moving average over the probabilities of poses."""
_MAX_OVERLAP = 0.1
"""Two movements share at most this part of the shorter one."""
_CONTESTED = 3
"""Factor by which a movement waits longer while windows of other labels overlap it."""
_LEAST_VALUE = 0.01
"""Log odds of a window that just reaches its threshold."""
_SHORTEST = 0.2
"""Seconds that a window counts for at least."""
_MIN_PROBABILITY = np.float32(0.005)
"""Lower bound in the mean of two windows: no single window can rule out a label."""
_MIN_REST = np.float32(0.05)
"""The lower bounds of all labels that neither window shows add up to this at most."""


def make_decider(
    kind: str, levels: LabelSettings, settings: RecogniserSettings
) -> "_HoldDetector | _WindowSelector":
    """Return what decides on the outputs of a model of poses or movements."""
    if kind == "pose":
        return _HoldDetector(levels, settings)
    return _WindowSelector(levels, settings)


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


class _HoldDetector:
    """Emits a pose once it has been held for the hold time (``dwell``)."""

    def __init__(self, levels: LabelSettings, settings: RecogniserSettings) -> None:
        self._levels = levels
        self._settings = settings
        self._held: _Hold | None = None
        self._candidate: _Hold | None = None
        self._last_seen = -math.inf
        self._pace = Pace(math.inf, 0.0)
        # Whether the last output showed the pose that is held.
        self._is_seen = False
        self.probabilities: FloatArray | None = None
        """(n_labels,) moving average; None without a hand."""

    @property
    def label(self) -> str | None:
        """The pose that is held, after its hold time."""
        return self._levels.labels[self._held.code] if self._held else None

    def update(self, output: ModelOutput) -> list[Event]:
        """Take the next output; return the events that it causes."""
        time = output.end
        self._is_seen = False
        if output.probabilities is None:
            if time - self._last_seen > MAX_FRAME_GAP:
                self.probabilities, self._candidate = None, None
            return self._release(time)
        now = self.probabilities = self._average(time, output.probabilities)
        self._last_seen = time
        if self._held and self._levels.sustained(now, self._held.code):
            self._held.extend(time, float(now[self._held.code]))
            self._is_seen = True
        return [*self._release(time), *self._hold(time, now, output.hand)]

    def hold(self, time: float) -> list[Event]:
        """Return the event of a pose that is still held at a tick, if one is due.

        A pose that is lost for a moment has none until it is seen again.
        """
        if self._held is None or not self._is_seen or not self._pace.due(time):
            return []
        return [replace(self._event(self._held, "hold"), end=time)]

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
        code = self._levels.reached(now)
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
        self._held, self._candidate, self._is_seen = candidate, None, True
        interval = self._settings.hold_interval or 0.0
        self._pace = Pace(time + max(interval, 1 / (2 * TICK_RATE)), interval)
        return [*ended, *self._emit(candidate, "start")]

    def _release(self, time: float) -> list[Event]:
        held = self._held
        if held is None or time - held.end <= self._settings.cooldown:
            return []
        self._held = None
        return self._emit(held, "end")

    def _emit(self, hold: _Hold, when: EventType) -> list[Event]:
        event = self._event(hold, when)
        return [event] if event.primary or self._settings.hold_interval is not None else []

    def _event(self, hold: _Hold, when: EventType) -> Event:
        label, primary = self._levels.labels[hold.code], when == self._settings.pose_events
        return Event(label, hold.start, hold.end, hold.sum / hold.n, hold.hand, when, primary)


@dataclass(frozen=True)
class _Candidate:
    """A window that shows a movement."""

    event: Event
    value: float
    """What it adds to a chain of windows; more than 0."""


class _WindowSelector:
    """Emits the windows of the best chain of windows that hardly overlap.

    The score of a window is the geometric mean with the window of the same length before it: a
    movement looks alike in both, a chance resemblance does not. Its value is the log odds of the
    score above the log odds of the threshold, times its duration: one window over a double click is
    worth more than two windows over its halves, unless these are much clearer. Of all chains of
    windows since the last event, the one with the largest value counts; its first window is emitted
    once it has waited for the patience of its label. The event spans the median start and end of
    the windows that agree on the label. The label is not emitted again before the windows have
    stopped showing it for ``cooldown`` seconds.
    """

    def __init__(self, levels: LabelSettings, settings: RecogniserSettings) -> None:
        self._levels = levels
        self._settings = settings
        self._previous: dict[int, FloatArray] = {}
        self._means: dict[int, FloatArray] = {}
        # In the order of their ends.
        self._candidates: list[_Candidate] = []
        # The first window of their best chain; found when it is needed.
        self._first: Event | None = None
        self._is_settled = True
        self._emitted: Event | None = None
        # The label emitted last and until when windows showed it; None after the cooldown.
        self._refractory: tuple[int, float] | None = None
        self.probabilities: FloatArray | None = None
        """(n_labels,) of the last window; None without a hand."""

    @property
    def label(self) -> str | None:
        """The movement whose event is pending, if any."""
        first = self._next()
        return first.label if first else None

    def update(self, output: ModelOutput) -> list[Event]:
        """Take the output for the next window; return the events that it causes."""
        events = self._settle(output.time)
        if output.probabilities is None:
            self._previous, self._means = {}, {}
            self.probabilities = self._refractory = None
            return [*events, *self._settle(math.inf)]
        mean = self._mean(output.window, output.probabilities)
        self._rearm(output.time)
        code = self._levels.reached_beside_none(mean)
        if code is not None:
            label, probability = self._levels.labels[code], float(mean[code])
            window = Event(label, output.start, output.end, probability, output.hand)
            if self._is_new(window):
                self._add(window, self._levels.odds(code, probability))
        return events

    def hold(self, time: float) -> list[Event]:
        """Return nothing: a movement is not held."""
        return []

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
        if self._levels.sustained(np.mean(list(self._means.values()), axis=0), code):
            self._refractory = (code, time)
        elif time - until > self._settings.cooldown:
            self._refractory = None

    def _is_new(self, window: Event) -> bool:
        """Return whether a window is neither the movement emitted last nor a part of it."""
        if self._refractory and self._levels.labels[self._refractory[0]] == window.label:
            return False
        return self._emitted is None or _overlap(self._emitted, window) <= _MAX_OVERLAP

    def _add(self, window: Event, odds: float) -> None:
        value = (odds + _LEAST_VALUE) * max(window.end - window.start, _SHORTEST)
        insort(self._candidates, _Candidate(window, value), key=lambda one: one.event.end)
        self._is_settled = False

    def _next(self) -> Event | None:
        if not self._is_settled:
            self._first, self._is_settled = self._first_of_chain(), True
        return self._first

    def _first_of_chain(self) -> Event | None:
        """Return the first window of the best chain (weighted interval scheduling)."""
        best: list[tuple[float, int]] = [(0.0, -1)]
        ends = [one.event.end for one in self._candidates]
        for number, one in enumerate(self._candidates):
            event = one.event
            begin = event.start + _MAX_OVERLAP * (event.end - event.start)
            before = best[bisect_right(ends, begin, 0, number)]
            chain = before[0] + one.value, before[1] if before[1] >= 0 else number
            best.append(max(best[-1], chain, key=lambda pair: pair[0]))
        first = best[-1][1]
        return self._candidates[first].event if first >= 0 else None

    def _settle(self, time: float) -> list[Event]:
        """Emit the windows of the best chain that have waited long enough."""
        events: list[Event] = []
        while (first := self._next()) is not None:
            if time - first.end < self._wait(first) - 1e-6:
                break
            events.append(self._emit(first, time))
        return events

    def _wait(self, first: Event) -> float:
        """Return the patience: longer while other labels compete for the same time."""
        contested = any(
            one.event.label != first.label and _overlap(one.event, first) > _MAX_OVERLAP
            for one in self._candidates
        )
        return self._levels.patience[first.label] * (_CONTESTED if contested else 1)

    def _emit(self, best: Event, time: float) -> Event:
        agreeing = [
            one.event
            for one in self._candidates
            if one.event.label == best.label and _overlap(one.event, best) > _MAX_OVERLAP
        ]
        start = float(np.median([one.start for one in agreeing]))
        end = float(np.median([one.end for one in agreeing]))
        if self._emitted:
            start = max(start, min(self._emitted.end, end))
        self._emitted = replace(best, start=start, end=end)
        self._refractory = (self._levels.labels.index(best.label), min(time, best.end))
        # A repetition may have begun while this one waited.
        again = best.end + self._settings.cooldown
        self._candidates = [
            one
            for one in self._candidates
            if _overlap(self._emitted, one.event) <= _MAX_OVERLAP
            and one.event.start >= (again if one.event.label == best.label else best.start)
        ]
        self._is_settled = False
        return self._emitted


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
