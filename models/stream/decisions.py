"""Poses: held long enough, told once, let go when they have really gone."""

import math
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from handlore.landmarks.hands import FloatArray

from .events import Event
from .frames import MAX_FRAME_GAP
from .inference import ModelOutput
from .settings import RecogniserSettings, Thresholds

_AVERAGING_SECONDS = 0.1
"""Answers are averaged over about so many seconds, the newest counting most."""


@dataclass
class _Hold:
    """A pose that is shown."""

    code: int
    start: float
    end: float
    hand: str | None
    sum: float = 0.0
    n: int = 0

    def goes_on(self, time: float, probability: float) -> None:
        self.end, self.sum, self.n = time, self.sum + probability, self.n + 1


class HoldDetector:
    """Decides what is told of a model's answers, one after the other."""

    def __init__(self, judge: Thresholds, settings: RecogniserSettings) -> None:
        self._judge = judge
        self._settings = settings
        self._held: _Hold | None = None
        self._rising: _Hold | None = None
        self._last_seen = -math.inf
        self.probabilities: FloatArray | None = None
        """(n_labels,) averaged over the last moments; None without a hand."""

    @property
    def label(self) -> str | None:
        """The pose that is held, once it has been held long enough."""
        return self._judge.labels[self._held.code] if self._held else None

    def hear(self, answer: ModelOutput) -> list[Event]:
        """Take up the next answer; return what is told."""
        time = answer.end
        if answer.probabilities is None:
            if time - self._last_seen > MAX_FRAME_GAP:
                self.probabilities, self._rising = None, None
            return self._over(time)
        now = self.probabilities = self._averaged(time, answer.probabilities)
        self._last_seen = time
        if self._held and self._judge.keeps(now, self._held.code):
            self._held.goes_on(time, float(now[self._held.code]))
        return [*self._over(time), *self._begun(time, now, answer.hand)]

    def finish(self) -> list[Event]:
        """Return what is left to tell when nothing more comes."""
        return self._over(math.inf)

    def _averaged(self, time: float, newest: FloatArray) -> FloatArray:
        if self.probabilities is None:
            return newest
        share = np.float32(1 - math.exp(-(time - self._last_seen) / _AVERAGING_SECONDS))
        return self.probabilities + share * (newest - self.probabilities)

    def _begun(self, time: float, now: FloatArray, hand: str | None) -> list[Event]:
        code = self._judge.sure_of(now)
        if code is None or (self._held and self._held.code == code):
            self._rising = None
            return []
        if self._rising is None or self._rising.code != code:
            self._rising = _Hold(code, time, time, hand)
        rising = self._rising
        rising.goes_on(time, float(now[code]))
        if time - rising.start < self._settings.dwell - 1e-6:
            return []
        # Another pose is held now, so the one before is over.
        told = self._over(math.inf)
        self._held, self._rising = rising, None
        return [*told, *self._told(rising, "at once")]

    def _over(self, time: float) -> list[Event]:
        held = self._held
        if held is None or time - held.end <= self._settings.cooldown:
            return []
        self._held = None
        return self._told(held, "when over")

    def _told(self, hold: _Hold, when: str) -> list[Event]:
        if self._settings.poses != when:
            return []
        label = self._judge.labels[hold.code]
        return [Event(label, hold.start, hold.end, hold.sum / hold.n, hold.hand)]


# Movements: of windows that overlap the surest wins, and is told once.


_MAX_OVERLAP = 0.1
"""Two movements share at most this part of the shorter one."""

_SCORE_TOLERANCE = 0.005
"""Differences of probability up to this are none: a movement is not told later because of them."""

_MIN_PROBABILITY = np.float32(0.005)
"""No answer about one window is surer than this of what it is not: else it would decide alone."""

_MIN_REST = np.float32(0.05)
"""So much of that is for the labels that neither answer shows, however many there are."""


class WindowSelector:
    """Decides what is told of a model's answers about windows.

    A window counts with the geometric mean of what the model says of it and of the one before it
    of the same length: a movement looks alike in both, a chance likeness does not. The surest
    waits for ``patience`` whether a surer one comes that overlaps it; then it is told, from and to
    the middle of what the windows that agree with it say. The same label is not told again before
    the windows have stopped showing it for ``cooldown``.
    """

    def __init__(self, judge: Thresholds, settings: RecogniserSettings) -> None:
        self._judge = judge
        self._settings = settings
        self._before: dict[int, FloatArray] = {}
        self._means: dict[int, FloatArray] = {}
        self._leader: Event | None = None
        self._agreeing: list[Event] = []
        """Windows that overlap the leader and show the same."""
        self._told: Event | None = None
        self._shown: tuple[int, float] | None = None
        """The label that was told last and until when windows showed it, while that lasts."""
        self.probabilities: FloatArray | None = None
        """(n_labels,) of the last window; None without a hand."""

    @property
    def label(self) -> str | None:
        """The movement that is about to be told, if any."""
        return self._leader.label if self._leader else None

    def hear(self, answer: ModelOutput) -> list[Event]:
        """Take up the answer about the next window; return what is told."""
        told = self._settled(answer.time)
        if answer.probabilities is None:
            self._before, self._means = {}, {}
            self.probabilities = self._shown = None
            return [*told, *self._settled(inf)]
        mean = self._mean(answer.window, answer.probabilities)
        self._rearm(answer.time)
        code = self._judge.sure_of(mean)
        if code is None:
            return told
        label, probability = self._judge.labels[code], float(mean[code])
        event = Event(label, answer.start, answer.end, probability, answer.hand)
        return [*told, *self._challenged(event)]

    def finish(self) -> list[Event]:
        """Return what is left to tell when nothing more comes."""
        return self._settled(inf)

    def _mean(self, window: int, probabilities: FloatArray) -> FloatArray:
        mean = _geometric_mean(self._before.get(window, probabilities), probabilities)
        self._before[window] = probabilities
        self._means[window] = self.probabilities = mean
        return mean

    def _rearm(self, time: float) -> None:
        """See whether what was told last is still shown."""
        if self._shown is None:
            return
        code, until = self._shown
        if self._judge.keeps(np.mean(list(self._means.values()), axis=0), code):
            self._shown = (code, time)
        elif time - until > self._settings.cooldown:
            self._shown = None

    def _challenged(self, event: Event) -> list[Event]:
        """Let a window take the lead, if it may; return what is told by that."""
        leader = self._leader
        if leader is None or _overlap(leader, event) > _MAX_OVERLAP:
            if self._is_new(event):
                self._agreeing.append(event)
                if leader is None or _surer(event, leader):
                    self._leader = event
            return []
        told = self._settled(inf)
        if self._is_new(event):
            self._leader, self._agreeing = event, [event]
        return told

    def _is_new(self, event: Event) -> bool:
        """Say whether it is not what was told last, or a part of it."""
        if self._shown and self._judge.labels[self._shown[0]] == event.label:
            return False
        return self._told is None or _overlap(self._told, event) <= _MAX_OVERLAP

    def _settled(self, time: float) -> list[Event]:
        """Tell the leader if it has waited long enough."""
        leader = self._leader
        if leader is None or time - leader.end < self._settings.patience - 1e-6:
            return []
        agreeing = [one for one in self._agreeing if one.label == leader.label]
        start = float(np.median([one.start for one in agreeing]))
        end = float(np.median([one.end for one in agreeing]))
        if self._told:
            start = max(start, min(self._told.end, end))
        self._told = replace(leader, start=start, end=end)
        self._leader, self._agreeing = None, []
        self._shown = (self._judge.labels.index(leader.label), min(time, leader.end))
        return [self._told]


def _overlap(one: Event, other: Event) -> float:
    """Return the share of the shorter one that both cover."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    shorter = min(one.end - one.start, other.end - other.start)
    return shared / shorter if shared > 0 else 0.0


def _geometric_mean(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return (n_labels,) probabilities of what two answers about it say together.

    A label that either of them shows counts as :data:`_MIN_PROBABILITY` at least in the other.
    There may be hundreds of others: with the same limit each, they would exceed the label shown.
    """
    least = np.minimum(_MIN_PROBABILITY, np.maximum(np.maximum(one, other), _MIN_REST / len(one)))
    mean = np.sqrt(np.maximum(one, least) * np.maximum(other, least))
    return np.asarray(mean / mean.sum())


def _surer(one: Event, other: Event) -> bool:
    return one.probability > other.probability + _SCORE_TOLERANCE
