"""Runs the actions of events in threads, so that they never delay the recognition."""

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


@dataclass(frozen=True)
class _Call:
    """An action that an event triggers."""

    action: Action
    refused: str = ""
    """Why it is not run; empty if it is."""


class _ActionGate:
    """Decides which actions an event triggers, by label, hand, arming and cooldown.

    It uses only the times of events: the same events give the same decisions, live and replayed.
    """

    def __init__(self, actions: ActionSet) -> None:
        self._actions = actions
        self._called: dict[int, float] = {}
        self.reset()

    def reset(self) -> None:
        """Disarm and forget all cooldowns: the times of the stream start again."""
        self._armed_until = inf if self._actions.arming is None else -inf
        self._called.clear()

    def armed(self, seconds: float) -> bool:
        """Return whether actions are run at that time of the stream."""
        return seconds <= self._armed_until

    def calls(self, event: Event) -> list[_Call]:
        """Return the actions that an event triggers, in the order of the file."""
        arming = self._actions.arming
        was_armed = self.armed(event.end)
        if arming is not None and event.label == arming.label:
            self._armed_until = event.end + arming.seconds
        return [
            _Call(action, self._refusal(number, action, event.end, was_armed))
            for number, action in enumerate(self._actions.actions)
            if action.label in (event.label, ANY) and action.hand in (None, event.hand)
        ]

    def _refusal(self, number: int, action: Action, seconds: float, armed: bool) -> str:
        if not armed:
            return "not armed"
        if seconds - self._called.get(number, -inf) < action.cooldown:
            return "cooling down"
        self._called[number] = seconds
        return ""


_KILL_SECONDS = 1.0
"""How long to wait for the result of a cancelled action."""

ActionState = Literal["done", "failed", "skipped", "dry run"]


@dataclass(frozen=True)
class ActionResult:
    """The result of an action that an event triggered."""

    event: Event
    action: Action
    state: ActionState
    detail: str
    """What was done, or why not."""


Report = Callable[[ActionResult], None]


class ActionRunner:
    """Runs actions: each in a thread of its own, one call at a time.

    Every call has exactly one result. A call whose action is busy waits if the file allows it, and
    is skipped otherwise, so that no backlog builds up. ``report`` is called from several threads;
    a dry run only reports what would be run.
    """

    def __init__(self, actions: ActionSet, report: Report, *, dry_run: bool = False) -> None:
        self.gate = _ActionGate(actions)
        self.counts: Counter[ActionState] = Counter()
        self._dry_run = dry_run
        self._report_to = report
        self._counting = threading.Lock()
        self._lanes = {id(action): _Lane(action, self._report) for action in actions.actions}

    def submit(self, event: Event) -> None:
        """Run the actions of an event; returns immediately."""
        for call in self.gate.calls(event):
            action = call.action
            if call.refused:
                self._report(ActionResult(event, action, "skipped", call.refused))
            elif self._dry_run:
                self._report(ActionResult(event, action, "dry run", action.kind.describe(event)))
            elif not self._lanes[id(action)].offer(event):
                self._report(
                    ActionResult(event, action, "skipped", "still busy with the previous one")
                )

    def close(self, grace: float = 2.0) -> None:
        """Accept no more; after ``grace`` seconds skip waiting calls and kill running ones."""
        deadline = monotonic() + grace
        for lane in self._lanes.values():
            lane.close()
        try:
            for lane in self._lanes.values():
                lane.join(deadline)
        finally:
            # Also if Ctrl-C comes while waiting: no action outlives the runner.
            for lane in self._lanes.values():
                lane.cancel()
            deadline = monotonic() + _KILL_SECONDS
            for lane in self._lanes.values():
                lane.join(deadline)

    def _report(self, result: ActionResult) -> None:
        with self._counting:
            self.counts[result.state] += 1
        self._report_to(result)


class _Lane:
    """The thread of one action and its waiting calls."""

    def __init__(self, action: Action, report: Report) -> None:
        self._action = action
        self._report = report
        self._changed = threading.Condition()
        self._queue: deque[Event] = deque()
        self._busy = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def offer(self, event: Event) -> bool:
        """Accept an event if there is room."""
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
        with self._changed:
            self._closed = True
            self._changed.notify()

    def join(self, deadline: float) -> None:
        if self._thread is not None:
            self._thread.join(max(0.0, deadline - monotonic()))

    def cancel(self) -> None:
        """Skip waiting calls and end the running one."""
        with self._changed:
            left = [*self._queue]
            self._queue.clear()
        for event in left:
            self._report(ActionResult(event, self._action, "skipped", "handlore was stopped"))
        self._action.kind.cancel()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.wait_for(lambda: self._queue or self._closed)
                if not self._queue:
                    return
                event = self._queue.popleft()
                self._busy = True
            self._report(self._run(event))

    def _run(self, event: Event) -> ActionResult:
        try:
            self._action.kind.perform(event)
        except ActionError as error:
            return ActionResult(event, self._action, "failed", str(error))
        except Exception as error:  # noqa: BLE001, one action must not end all the others
            return ActionResult(event, self._action, "failed", f"{type(error).__name__}: {error}")
        return ActionResult(event, self._action, "done", self._action.kind.describe(event))
