"""When an action is called in the course of a gesture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self, get_args

from .base import Table

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
