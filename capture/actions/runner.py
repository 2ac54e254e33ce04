"""Runs the actions of events in threads, so that they never delay the recognition."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Literal

from handlore.models.stream.events import Event

from .base import ActionError
from .file import Action, ActionSet
from .gate import ActionGate, Call

_KILL_SECONDS = 1.0
"""How long to wait for the result of a cancelled action."""
_END_SECONDS = 1.0
"""How long calls that must not be lost, such as the release of a button, may take at the end."""

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

    Every call has exactly one result, except those that follow a hand. A call whose action is busy
    waits if the file allows it, and is skipped otherwise, so that no backlog builds up. What a
    label calls at the end of a gesture, and at other times, keeps its order. ``report`` is called
    from several threads; a dry run only reports what would be run.
    """

    def __init__(self, actions: ActionSet, report: Report, *, dry_run: bool = False) -> None:
        self.gate = ActionGate(actions)
        self.counts: Counter[ActionState] = Counter()
        self._dry_run = dry_run
        self._report_to = report
        self._counting = threading.Lock()
        self._lanes = {id(action): _Lane(action, self._report) for action in actions.actions}
        for action in actions.actions:
            ends = action.timing.on == "end"
            self._lanes[id(action)].wait_for(
                self._lanes[id(other)]
                for other in actions.actions
                if other.label == action.label and (other.timing.on == "end") != ends
            )

    def submit(self, event: Event) -> None:
        """Run the actions of an event; returns immediately."""
        for call in self.gate.calls(event):
            self._deliver(call)

    def release(self) -> None:
        """Let go of everything that actions hold: nobody sees the hand any more."""
        for call in self.gate.release():
            self._deliver(call)

    def _deliver(self, call: Call) -> None:
        action, event = call.action, call.event
        if call.refused:
            self._report(ActionResult(event, action, "skipped", call.refused))
        elif self._dry_run:
            if call.reported:
                self._report(ActionResult(event, action, "dry run", action.kind.describe(event)))
        elif not self._lanes[id(action)].offer(call):
            self._report(ActionResult(event, action, "skipped", _BUSY))

    def close(self, grace: float = 2.0) -> None:
        """Accept no more; after ``grace`` seconds skip waiting calls and kill running ones.

        Calls that must not be lost get :data:`_END_SECONDS` at least.
        """
        self.release()
        for lane in self._lanes.values():
            lane.close()
        try:
            ending = [lane for lane in self._lanes.values() if lane.is_ending]
            if ending and grace < _END_SECONDS:
                for lane in self._lanes.values():
                    if lane not in ending:
                        lane.cancel()
                grace = _END_SECONDS
            deadline = monotonic() + grace
            for lane in self._lanes.values():
                lane.join(deadline)
        finally:
            # Also if Ctrl-C comes while waiting: no action outlives the runner.
            for lane in self._lanes.values():
                lane.cancel()
            deadline = monotonic() + _KILL_SECONDS
            for lane in self._lanes.values():
                lane.join(deadline)
                lane.abandon()

    def _report(self, result: ActionResult) -> None:
        with self._counting:
            self.counts[result.state] += 1
        self._report_to(result)


_MOST_ENDS = 2
"""How many calls that must not be lost may wait beyond those that the file allows."""
_BUSY = "still busy with the previous one"


class _Lane:
    """The thread of one action and its waiting calls."""

    def __init__(self, action: Action, report: Report) -> None:
        self._action = action
        self._report = report
        self._changed = threading.Condition()
        self._queue: deque[tuple[Call, list[int]]] = deque()
        """With how many calls the lanes to wait for had accepted before."""
        self._lanes_before: list[_Lane] = []
        self._accepted = self._finished = 0
        self._running: Call | None = None
        self._closed = False
        self._thread: threading.Thread | None = None
        self._over = threading.Event()
        """The thread has reported its last result."""

    def wait_for(self, lanes: "Iterable[_Lane]") -> None:
        """Run each call after those that other lanes have accepted before it."""
        self._lanes_before = [*lanes]

    @property
    def is_ending(self) -> bool:
        """Whether a call that must not be lost waits or runs."""
        with self._changed:
            calls = [call for call, _ in self._queue]
            return any(one and one.delivery == "always" for one in (*calls, self._running))

    def offer(self, call: Call) -> bool:
        """Accept a call if there is room."""
        before = [lane._accepted for lane in self._lanes_before]
        with self._changed:
            too_many = len(self._queue) + (self._running is not None) - self._action.waiting
            if self._closed or (call.delivery == "once" and too_many > 0):
                return False
            if call.delivery != "once":
                call = self._with_room(call, are_too_many=too_many > _MOST_ENDS)
            self._queue.append((call, before))
            self._accepted += 1
            if self._thread is None:
                name = f"action {self._action.name}"
                self._thread = threading.Thread(target=self._run_all, name=name, daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return True

    def _with_room(self, call: Call, *, are_too_many: bool) -> Call:
        """Drop a position of the hand for a newer one, and the oldest call of too many."""
        if self._queue and self._queue[-1][0].delivery == "newest":
            dropped, _ = self._queue.pop()
            self._finished += 1
            # The first call that is made is reported, not the first that was offered.
            call = replace(call, reported=call.reported or dropped.reported)
        elif are_too_many and self._queue:
            oldest, _ = self._queue.popleft()
            self._finished += 1
            if oldest.delivery != "newest":
                self._report(ActionResult(oldest.event, self._action, "skipped", _BUSY))
        return call

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def join(self, deadline: float) -> None:
        # Not Thread.join, which returns at once after a Ctrl-C in it.
        if self._thread is not None:
            self._over.wait(max(0.0, deadline - monotonic()))

    def cancel(self) -> None:
        """Skip waiting calls and end the running one."""
        with self._changed:
            left = [call for call, _ in self._queue]
            self._queue.clear()
            self._finished += len(left)
            self._changed.notify_all()
        for call in left:
            if call.delivery != "newest":
                stopped = "handlore was stopped"
                self._report(ActionResult(call.event, self._action, "skipped", stopped))
        self._action.kind.cancel()

    def abandon(self) -> None:
        """Report the call that still runs although it was cancelled: nobody waits for its end."""
        call = self._take_running()
        if call is not None:
            stopped = "handlore was stopped before it ended"
            self._report(ActionResult(call.event, self._action, "failed", stopped))

    def _take_running(self) -> Call | None:
        """Return the call that runs, to whoever reports its result: the first who asks."""
        with self._changed:
            call, self._running = self._running, None
            return call

    def _run_all(self) -> None:
        try:
            self._work()
        finally:
            self._over.set()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closed)
                if not self._queue:
                    return
                call, before = self._queue.popleft()
                self._running = call
            for lane, n in zip(self._lanes_before, before, strict=True):
                lane._wait_until_finished(n)
            result = self._run(call.event)
            with self._changed:
                self._finished += 1
                self._changed.notify_all()
            is_mine = self._take_running() is not None
            if is_mine and (call.reported or result.state != "done"):
                self._report(result)

    def _wait_until_finished(self, n: int) -> None:
        """Wait for the first ``n`` calls, each of which has its own time limit."""
        with self._changed:
            self._changed.wait_for(lambda: self._finished >= n)

    def _run(self, event: Event) -> ActionResult:
        try:
            self._action.kind.perform(event)
        except ActionError as error:
            return ActionResult(event, self._action, "failed", str(error))
        except Exception as error:  # noqa: BLE001, one action must not end all the others
            return ActionResult(event, self._action, "failed", f"{type(error).__name__}: {error}")
        return ActionResult(event, self._action, "done", self._action.kind.describe(event))


def rehearse(actions: ActionSet, events: Iterable[Event]) -> list[ActionResult]:
    """Return what a dry run would report for the events of one stream."""
    results: list[ActionResult] = []
    runner = ActionRunner(actions, results.append, dry_run=True)
    for event in events:
        runner.submit(event)
    runner.close()
    return results
