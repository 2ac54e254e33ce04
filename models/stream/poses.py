"""Poses: held long enough, told once, let go when they have really gone."""

import math
from dataclasses import dataclass

import numpy as np

from handlore.landmarks.hands import FloatArray

from .answers import ModelOutput
from .clock import LONGEST_GAP
from .events import Event
from .settings import RecogniserSettings, Thresholds

AVERAGED_OVER = 0.1
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
            if time - self._last_seen > LONGEST_GAP:
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
        share = np.float32(1 - math.exp(-(time - self._last_seen) / AVERAGED_OVER))
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
