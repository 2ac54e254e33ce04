"""Runs an actions file and keeps its results."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from handlore.capture.actions.file import ActionSet, load_actions
from handlore.capture.actions.runner import ActionResult, ActionRunner, rehearse
from handlore.datasets.dataset import LandmarkDataset
from handlore.models.stream.events import Event
from handlore.models.stream.recogniser import recognise
from handlore.models.stream.settings import RecogniserSettings

LABELS = ("fist", "open_palm", "swipe_left")


def seen(label: str, end: float = 1.0, hand: str | None = "left") -> Event:
    return Event(label, 0.0, end, 0.97, hand)


def actions_of(text: str, tmp_path: Path, labels: Sequence[str]) -> ActionSet:
    path = tmp_path / "actions.toml"
    path.write_text(text)
    return load_actions(path, labels, check_computer=False)


def rehearsed(
    text: str,
    tmp_path: Path,
    labels: Sequence[str],
    model: Any,
    video: LandmarkDataset,
    **kw: float,
) -> list[ActionResult]:
    """What an actions file would do with the events of a video."""
    actions = actions_of(text, tmp_path, labels)
    settings = actions.settings(RecogniserSettings(**kw))
    return rehearse(actions, recognise([model], video, settings))


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
