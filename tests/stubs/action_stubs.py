"""Runs an actions file and keeps its results."""

import time
from collections.abc import Callable

from handlore.capture.actions.file import ActionSet
from handlore.capture.actions.runner import ActionResult, ActionRunner
from handlore.models.stream.events import Event

LABELS = ("fist", "open_palm", "swipe_left")


def seen(label: str, end: float = 1.0, hand: str | None = "left") -> Event:
    return Event(label, 0.0, end, 0.97, hand)


class Desk:
    """Runs an actions file and keeps what became of the events."""

    def __init__(self, plan: ActionSet, *, dry_run: bool = False) -> None:
        self.outcomes: list[ActionResult] = []
        self.runner = ActionRunner(plan, self.outcomes.append, dry_run=dry_run)

    def wait(self, n: int, seconds: float = 60.0) -> list[tuple[str, str]]:
        """Wait for so many outcomes and return state and detail of all."""
        deadline = time.monotonic() + seconds
        while len(self.outcomes) < n and time.monotonic() < deadline:
            time.sleep(0.002)
        return [(one.state, one.detail) for one in self.outcomes]


Make = Callable[..., Desk]
