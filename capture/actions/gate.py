"""Which actions an event calls: arming, hand and cooldown. Knows the times of events only."""

from dataclasses import dataclass
from math import inf

from handlore.classifiers.stream.events import Event

from .file import ANY, Action, Plan


@dataclass(frozen=True)
class Call:
    """An action that an event is meant for."""

    action: Action
    refused: str = ""
    """Why it is not done after all; empty if it is."""


class Gate:
    """Decides what is done. The same events give the same decisions, live and replayed.

    Parameters
    ----------
    plan
        The actions.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._armed_until = inf if plan.arming is None else -inf
        self._called: dict[int, float] = {}

    def reset(self) -> None:
        """Forget what was: the stream's times begin anew. What was armed is not any more."""
        self._armed_until = inf if self._plan.arming is None else -inf
        self._called.clear()

    def armed(self, seconds: float) -> bool:
        """Say whether actions are done at that time of the stream."""
        return seconds <= self._armed_until

    def calls(self, event: Event) -> list[Call]:
        """Return the actions that an event is meant for, in the order of the file."""
        arming = self._plan.arming
        was_armed = self.armed(event.end)
        if arming is not None and event.label == arming.label:
            self._armed_until = event.end + arming.seconds
        return [
            Call(action, self._refusal(number, action, event.end, was_armed))
            for number, action in enumerate(self._plan.actions)
            if action.label in (event.label, ANY) and action.hand in (None, event.hand)
        ]

    def _refusal(self, number: int, action: Action, seconds: float, armed: bool) -> str:
        if not armed:
            return "not armed"
        if seconds - self._called.get(number, -inf) < action.cooldown:
            return "cooling down"
        self._called[number] = seconds
        return ""
