"""When an action is called in the course of a gesture, and with which values of a held hand."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Self, get_args

from handlore.models.stream.events import VALUES, HeldHand

from .base import FIELDS, Table, unknown

_Moment = Literal["start", "hold", "end"]
_MOMENTS: dict[str, _Moment] = {moment: moment for moment in get_args(_Moment)}
_LONGEST = 3600.0
_LEAST_REPEAT = 0.03
"""Seconds; the recogniser decides 30 times a second."""


@dataclass(frozen=True)
class Timing:
    """When an action is called in the course of a gesture; times are in seconds."""

    on: _Moment | None = None
    """None: at the one event of the gesture, which is the start of a pose and the end of a
    movement."""
    repeat: float | None = None
    """Time between two calls while the pose is held; None: one call."""
    after: float = 0.0
    """How long the pose must have been held."""
    until: tuple[str, ...] | None = None
    """Poses that end it; the hand may show anything else meanwhile. None: the end of the pose."""

    @classmethod
    def read(cls, table: Table, labels: Sequence[str], *, follows: bool) -> Self:
        """Read its keys from an action; ``follows``: it is called whenever the hand moves."""
        on = _MOMENTS.get(table.choice("on", _MOMENTS) or "")
        after = table.number("after", 0.0, 0.0, _LONGEST)
        repeat = table.number("repeat", 1.0, _LEAST_REPEAT, _LONGEST)
        until = table.choices("until", labels)
        held = "repeat" in table or follows
        waits = held or "after" in table
        if on is None and waits:
            on = "hold"
        if (on == "start" and waits) or (on == "end" and held):
            table.problem("on", f'on is "{on}"; an action that waits or goes on needs "hold"')
        if "repeat" in table and follows:
            table.problem("repeat", "the action is called whenever the hand moves; remove repeat")
        if "until" in table and not follows:
            table.problem("until", 'until needs map or mouse = "pointer"')
        return cls(
            on,
            repeat if "repeat" in table else None,
            after,
            until if "until" in table else None,
        )


_KEYS = ("from", "range", "rate", "dead_band")
_MOST_MAPPED = 16
_RATE, _DEAD_BAND = 10.0, 0.01
_SETTLE_SECONDS, _MOST_SEEN = 0.2, 2000
"""How long before its end a gesture counts as undisturbed, and how many ticks are remembered: a
pose that ends it may have to be held for a minute."""
_STEP_SECONDS, _MOST_STEPS, _STEADY = 0.1, 8, 0.02
"""A hand that closes takes up to a second, looked at in steps. It began where a value changes less
than this share of its range in a step, or the other way."""
_EARLY = 1e-3
"""Seconds by which a tick may come early; it is not put off to the next one."""


@dataclass(frozen=True)
class _Mapped:
    """A value of the hand, brought from its limits into a range that the action asks for."""

    value: str
    low: float
    high: float
    least: float
    most: float

    def share(self, hand: HeldHand) -> float:
        """Return where the value is between its limits, 0 to 1."""
        share = (getattr(hand, self.value) - self.low) / (self.high - self.low)
        return float(min(max(share, 0.0), 1.0))

    def number(self, share: float) -> float:
        """Return the number at a share of the range, in steps of a hundredth of it or finer."""
        number = self.least + share * (self.most - self.least)
        decimals = max(0, 2 - math.floor(math.log10(abs(self.most - self.least))))
        return round(number, decimals) if decimals else round(number)


@dataclass(frozen=True)
class ValueMap:
    """Which values of a held hand an action is given, and how often."""

    mapped: Mapping[str, _Mapped]
    """By the name that the action has for it."""
    rate: float = _RATE
    """Most calls a second."""
    dead_band: float = _DEAD_BAND
    """Share of the range by which a value must change before the next call."""

    @property
    def names(self) -> set[str]:
        """What the values control, where the action says so: what is not called like a value."""
        return {name for name, one in self.mapped.items() if name != one.value}

    @classmethod
    def read(cls, table: Table) -> Self | None:
        """Read its keys from an action; None if the action maps no value."""
        rate = table.number("rate", _RATE, 0.1, 30.0)
        dead_band = table.number("dead_band", _DEAD_BAND, 0.0, 0.5)
        limits, target = table.interval("from"), table.interval("range")
        short = table.values.get("map")
        names = {table.text("map"): short} if isinstance(short, str) else table.names("map")
        if "map" in table:
            return cls(_mapped(table, names, limits, target), rate, dead_band)
        for key in _KEYS:
            if key in table:
                table.problem(key, f'{key} needs map, such as map = {{ volume = "pinch" }}')
        return None


def _mapped(
    table: Table,
    names: Mapping[str, str],
    limits: tuple[float, float] | None,
    target: tuple[float, float] | None,
) -> dict[str, _Mapped]:
    if not 1 <= len(names) <= _MOST_MAPPED and isinstance(table.values["map"], dict):
        table.problem("map", f"map has {len(names)} values; expected 1 to {_MOST_MAPPED}")
    found = {}
    for name, value in names.items():
        if name in FIELDS or not (name.isascii() and name.isidentifier()):
            why = "every event has that" if name in FIELDS else "use letters, digits and _"
            table.problem("map", f"a mapped value cannot be called {name!r}: {why}")
        if value not in VALUES:
            table.problem("map", unknown(f"value {value!r} of a hand", value, VALUES))
            continue
        own = VALUES[value].low, VALUES[value].high
        found[name] = _Mapped(value, *(limits or own), *(target or limits or own))
    return found


class ValueFollower:
    """Says when the values of a hand have changed enough for the next call."""

    def __init__(self, given: ValueMap) -> None:
        self._given = given
        self._shares: dict[str, float] = {}
        self._called = -math.inf
        self._seen: deque[tuple[float, dict[str, float]]] = deque(maxlen=_MOST_SEEN)

    def changed(self, time: float, hand: HeldHand) -> dict[str, float] | None:
        """Return the numbers for the next call by name; None if no call is due."""
        shares = {name: one.share(hand) for name, one in self._given.mapped.items()}
        self._seen.append((time, shares))
        if time - self._called < 1 / self._given.rate - _EARLY or not self._is_news(shares):
            return None
        return self._numbers(time, shares)

    def settled(self, ended: float) -> dict[str, float] | None:
        """Return the numbers before the hand began to do what ended it; None if they are the last.

        A hand that makes a fist or leaves passes through all values on its way.
        """
        if not self._seen:
            return None
        until = min(ended, self._seen[-1][0]) - _SETTLE_SECONDS
        past = [self._at(until - step * _STEP_SECONDS) for step in range(_MOST_STEPS + 1)]
        known = [shares for shares in past if shares]
        if not known:
            return None
        shares = {name: _before_movement([one[name] for one in known]) for name in known[0]}
        return self._numbers(ended, shares) if self._is_news(shares) else None

    def _at(self, time: float) -> dict[str, float] | None:
        return next((shares for seen, shares in reversed(self._seen) if seen <= time), None)

    def _is_news(self, shares: Mapping[str, float]) -> bool:
        before, band = self._shares, self._given.dead_band
        return not before or any(abs(shares[name] - before[name]) > band for name in shares)

    def _numbers(self, time: float, shares: dict[str, float]) -> dict[str, float]:
        self._shares, self._called = shares, time
        return {name: one.number(shares[name]) for name, one in self._given.mapped.items()}


def _before_movement(values: Sequence[float]) -> float:
    """Return where the movement began that led to the newest value, which is the first one.

    That of a movement which takes longer than a hand that closes is the newest value itself.
    """
    for newer, older in pairwise(values):
        if abs(older - newer) < _STEADY or (older - newer) * (older - values[0]) < 0:
            return newer
    return values[0] if len(values) > _MOST_STEPS else values[-1]
