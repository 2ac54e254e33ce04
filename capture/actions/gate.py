"""Decides which actions an event calls: by label, hand, arming, cooldown and how long it lasts.

It uses only the times of events: the same events give the same decisions, live and replayed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from math import inf
from typing import Literal

from handlore.models.stream.events import Event, Pace

from .base import ActionEvent
from .control import ValueFollower
from .file import ANY, Action, ActionSet

_Delivery = Literal["once", "newest", "always"]


@dataclass(frozen=True)
class Call:
    """An action that an event triggers."""

    action: Action
    event: Event
    """What the action is given."""
    refused: str = ""
    """Why it is not run; empty if it is."""
    delivery: _Delivery = "once"
    """``once``: skipped while the action is busy. ``newest``: replaces a call that still waits.
    ``always``: waits for its turn, so that nothing stays pressed."""
    reported: bool = True
    """Whether its success is reported; where an action follows the hand, only its first call is."""


@dataclass
class _Gesture:
    """A gesture that is under way, and its actions by their numbers."""

    armed: bool
    paces: dict[int, Pace] = field(default_factory=dict)
    """When the next call is due."""
    begun: set[int] = field(default_factory=set)
    """Actions that were called."""
    refused: set[int] = field(default_factory=set)
    """Actions that are not called for as long as it lasts."""


@dataclass
class _Control:
    """An action that follows a hand."""

    action: Action
    started: Event
    follower: ValueFollower | None
    """Of the values that it maps; None if it is called at each position."""
    calls: int = 0


class ActionGate:
    """Decides which actions an event calls.

    What repeats, or follows a hand, belongs to the gesture that came first until it ends: so do the
    pointer, and each value by the name that actions have for it.
    """

    def __init__(self, actions: ActionSet) -> None:
        self._actions = actions
        self._called: dict[int, float] = {}
        self._gestures: dict[tuple[int, str, float], _Gesture] = {}
        self._controls: dict[int, _Control] = {}
        self._owners: dict[str | int, tuple[int, Event]] = {}
        self.reset()

    def reset(self) -> None:
        """Disarm, and forget gestures and cooldowns: the times of the stream start again."""
        self._armed_until = inf if self._actions.arming is None else -inf
        self._called.clear()
        self._gestures.clear()
        self._controls.clear()
        self._owners.clear()

    def release(self) -> list[Call]:
        """Return the last calls of actions that follow a hand, and let go of everything."""
        calls = [call for number in [*self._controls] for call in self._stop(number)]
        self._gestures.clear()
        self._owners.clear()
        return calls

    def armed(self, seconds: float) -> bool:
        """Return whether actions are run at that time of the stream."""
        return seconds <= self._armed_until

    def calls(self, event: Event) -> list[Call]:
        """Return the actions that an event triggers, in the order of the file."""
        if event.type == "hand":
            return [*self._follow(event)]
        gesture = self._gestures.get(event.gesture) or _Gesture(self.armed(event.end))
        if self._actions.holds:
            self._gestures[event.gesture] = gesture
        arming = self._actions.arming
        if arming is not None and event.primary and event.label == arming.label:
            self._armed_until = event.end + arming.seconds
        calls = [*self._ended_by(event, gesture)]
        for number, action in enumerate(self._actions.actions):
            if action.timing.on == "hold":
                calls += self._hold(number, action, event, gesture)
            elif _matches(action, event):
                refused = self._refusal(number, action, event.end, armed=gesture.armed)
                calls.append(_call(action, event, refused))
        return calls

    def _ended_by(self, event: Event, gesture: _Gesture) -> Iterator[Call]:
        """End what a pose ends: its own actions, and those that go on until it is shown."""
        for number, control in [*self._controls.items()]:
            until, started = control.action.timing.until, control.started
            own = event.gesture == started.gesture
            if until is None and own and event.type == "end":
                yield from self._stop(number, event)
            elif until and event.slot == started.slot and not own and event.label in until:
                gesture.refused.add(number)
                yield from self._stop(number, event)
        if event.type == "end":
            self._gestures.pop(event.gesture, None)
            owners = {n: owner.gesture for n, owner in self._owners.values()}
            ended = [n for n, owner in owners.items() if owner == event.gesture]
            self._let_go(number for number in ended if number not in self._controls)

    def _hold(self, number: int, action: Action, event: Event, gesture: _Gesture) -> Iterator[Call]:
        """Yield the call of an action that goes on while a pose is held, if one is due."""
        if event.type == "end" or number in gesture.refused or not _matches(action, event):
            return
        if number in self._controls and self._controls[number].started.slot == event.slot:
            if action.timing.until is None:
                yield from self._move(self._controls[number], event)
            return
        first = max(event.end, event.start + action.timing.after)
        pace = gesture.paces.setdefault(number, Pace(first, action.timing.repeat or inf))
        if not pace.due(event.end):
            return
        if number not in gesture.begun:
            refused = self._begin(number, action, event, gesture)
            if refused:
                yield Call(action, event, refused)
                return
        if action.follows:
            follower = ValueFollower(action.values) if action.values else None
            self._controls[number] = control = _Control(action, event, follower)
            yield from self._move(control, event)
        else:
            yield _call(action, event)

    def _begin(self, number: int, action: Action, event: Event, gesture: _Gesture) -> str:
        """Return why an action does not begin with a gesture; empty if it does."""
        claims: set[str | int] = {number, *action.claims}
        taken = next((one for one in claims if one in self._owners), None)
        if taken is not None:
            what = "it" if taken == number else str(taken)
            _, owner = self._owners[taken]
            hand = f" ({owner.hand} hand)" if owner.hand else ""
            refused = f"{what} belongs to {owner.label}{hand} until that ends"
        else:
            refused = self._refusal(number, action, event.end, armed=gesture.armed)
        if refused:
            gesture.refused.add(number)
        else:
            gesture.begun.add(number)
            self._owners |= dict.fromkeys(claims, (number, event))
        return refused

    def _follow(self, hand: Event) -> Iterator[Call]:
        """Yield the calls of actions that follow a hand whatever it shows."""
        for number, control in [*self._controls.items()]:
            if control.action.timing.until is None or control.started.slot != hand.slot:
                continue
            yield from self._move(control, hand) if hand.held else self._stop(number, hand)

    def _move(self, control: _Control, event: Event) -> Iterator[Call]:
        if event.held is None:
            return
        now = replace(control.started, end=event.end, type="hold", held=event.held, primary=False)
        reported = control.follower is not None or not control.calls
        if control.follower is not None:
            numbers = control.follower.changed(event.end, event.held)
            if numbers is None:
                return
            now = ActionEvent.of(now, numbers)
        control.calls += 1
        yield Call(control.action, now, delivery="newest", reported=reported)

    def _stop(self, number: int, event: Event | None = None) -> Iterator[Call]:
        control = self._controls.pop(number)
        self._let_go([number])
        end = control.started.end if event is None else event.end
        last = replace(control.started, end=end, type="end", held=None, primary=False)
        if control.action.kind.follows:
            yield Call(control.action, last, delivery="always", reported=False)
        elif control.follower is not None and event is not None:
            # A pose that ends it has begun to be made before it is recognised.
            began = event.start if event.gesture != control.started.gesture else event.end
            numbers = control.follower.settled(began)
            if numbers is not None:
                yield Call(control.action, ActionEvent.of(last, numbers), delivery="always")

    def _let_go(self, numbers: Iterable[int]) -> None:
        """Free what actions have controlled."""
        ended = set(numbers)
        self._owners = {name: one for name, one in self._owners.items() if one[0] not in ended}

    def _refusal(self, number: int, action: Action, seconds: float, *, armed: bool) -> str:
        if not armed:
            return "not armed"
        if seconds - self._called.get(number, -inf) < action.cooldown:
            return "cooling down"
        self._called[number] = seconds
        return ""


def _matches(action: Action, event: Event) -> bool:
    """Return whether an action is meant by an event."""
    if action.label not in (event.label, ANY) or action.hand not in (None, event.hand):
        return False
    match action.timing.on:
        case None:
            return event.primary
        case "end":
            return event.type == "end" and event.duration >= action.timing.after
        case "start":
            return event.type == "start"
    return event.type in ("start", "hold")


def _call(action: Action, event: Event, refused: str = "") -> Call:
    if action.timing.on is None:
        return Call(action, event, refused)
    delivery: _Delivery = "always" if action.timing.on == "end" else "once"
    return Call(action, ActionEvent.of(event, {}), refused, delivery)
