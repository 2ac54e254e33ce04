"""Doing what events ask for, beside the recognition and never in its way."""

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Literal

from handlore.models.stream.events import Event

from .base import ActionError
from .file import ANY, Action, ActionSet

# Which actions an event calls: arming, hand and cooldown. Knows the times of events only.


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

    def __init__(self, plan: ActionSet) -> None:
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


KILLED_IN = 1.0
"""So long is waited for what was cancelled, to learn what became of it; seconds."""

State = Literal["done", "failed", "skipped", "dry run"]


@dataclass(frozen=True)
class ActionResult:
    """What became of one action that one event called."""

    event: Event
    action: Action
    state: State
    detail: str
    """What was done, or why it was not."""


Report = Callable[[ActionResult], None]


class ActionRunner:
    """Runs actions: each on a thread of its own, one call of it at a time.

    Every call has exactly one outcome. What finds its action busy waits if the file allows it, and
    is skipped if not, so that nothing piles up.

    Parameters
    ----------
    plan
        The actions.
    report
        Receives the outcomes; called from several threads.
    dry_run
        Only say what would be done.
    """

    def __init__(self, plan: ActionSet, report: Report, *, dry_run: bool = False) -> None:
        self.gate = Gate(plan)
        self.counts: Counter[State] = Counter()
        self._dry_run = dry_run
        self._report_to = report
        self._counting = threading.Lock()
        self._lanes = {id(action): _Lane(action, self._report) for action in plan.actions}

    def submit(self, event: Event) -> None:
        """Take an event and return at once."""
        for call in self.gate.calls(event):
            action = call.action
            if call.refused:
                self._report(ActionResult(event, action, "skipped", call.refused))
            elif self._dry_run:
                self._report(ActionResult(event, action, "dry run", action.deed.said(event)))
            elif not self._lanes[id(action)].offer(event):
                self._report(ActionResult(event, action, "skipped", "still busy with the last one"))

    def close(self, grace: float = 2.0) -> None:
        """Take no more; after ``grace`` seconds what waits is skipped and what runs is killed."""
        deadline = monotonic() + grace
        for lane in self._lanes.values():
            lane.close()
        try:
            for lane in self._lanes.values():
                lane.join(deadline)
        finally:
            # Also when Ctrl-C comes while the last ones are waited for: none runs on alone.
            for lane in self._lanes.values():
                lane.cancel()
            deadline = monotonic() + KILLED_IN
            for lane in self._lanes.values():
                lane.join(deadline)

    def _report(self, outcome: ActionResult) -> None:
        with self._counting:
            self.counts[outcome.state] += 1
        self._report_to(outcome)


class _Lane:
    """The calls of one action, one after the other."""

    def __init__(self, action: Action, report: Report) -> None:
        self._action = action
        self._report = report
        self._changed = threading.Condition()
        self._queue: deque[Event] = deque()
        self._busy = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def offer(self, event: Event) -> bool:
        """Take an event if there is room."""
        with self._changed:
            if self._closed or len(self._queue) + self._busy > self._action.waiting:
                return False
            self._queue.append(event)
            if self._thread is None:
                name = f"action {self._action.name}"
                self._thread = threading.Thread(target=self._work, name=name, daemon=True)
                self._thread.start()
            self._changed.notify()
            return True

    def close(self) -> None:
        """Take no more; what waits is still done."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def join(self, deadline: float) -> None:
        """Wait until it is idle."""
        if self._thread is not None:
            self._thread.join(max(0.0, deadline - monotonic()))

    def cancel(self) -> None:
        """Skip what waits, and end what runs."""
        with self._changed:
            left = [*self._queue]
            self._queue.clear()
        for event in left:
            self._report(ActionResult(event, self._action, "skipped", "handlore was stopped"))
        self._action.deed.cancel()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.wait_for(lambda: self._queue or self._closed)
                if not self._queue:
                    return
                event = self._queue.popleft()
                self._busy = True
            self._report(self._outcome(event))

    def _outcome(self, event: Event) -> ActionResult:
        try:
            self._action.deed.perform(event)
        except ActionError as error:
            return ActionResult(event, self._action, "failed", str(error))
        except Exception as error:  # noqa: BLE001, one action must not end all the others
            return ActionResult(event, self._action, "failed", f"{type(error).__name__}: {error}")
        return ActionResult(event, self._action, "done", self._action.deed.said(event))
