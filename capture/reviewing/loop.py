"""The loop around a review: keys, disk and picture, and no decisions."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.recordings import Entry, Recordings, load_recording
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Pixels

from ..keyboard.keys import Keys
from .picture import draw_review
from .review import Change, Review

STEP = 1 / 30


class Face(Keys, Protocol):
    """Shows pictures, and takes keys."""

    def picture(self, pixels: Pixels) -> None:
        """Show a picture (height, width, 3) RGB."""
        ...


def review(
    recordings: Recordings,
    face: Face,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Review:
    """Step through a folder until the person ends it; return where they were.

    Raises
    ------
    HandloreError
        If there is nothing to step through.
    """
    state = replace(Review.of(_everything(recordings), clock()), message=_damaged(recordings))
    while not state.ended:
        for key in face.pressed():
            state, change = state.key(key, clock())
            if change:
                state = _made(recordings, state, change)
        if state.ended:
            break
        face.picture(draw_review(state, read(recordings.root, state.entry), clock()))
        wait(STEP)
    return state


def _made(recordings: Recordings, state: Review, change: Change) -> Review:
    """Make a change on the disk; what goes wrong is a message."""
    try:
        path = _make(recordings, change)
    except HandloreError as error:
        return replace(state, message=str(error))
    said = {"discard": "discarded", "restore": "brought back", "relabel": f"now {change.label}"}
    changed = state.changed(_everything(recordings), path)
    return replace(changed, message=said[change.what])


def _make(recordings: Recordings, change: Change) -> Path:
    if change.what == "discard":
        return recordings.discard(change.path)
    if change.what == "restore":
        return recordings.restore(change.path)
    return recordings.relabel(change.path, change.label)


def _damaged(recordings: Recordings) -> str:
    """Say which files are not shown because they cannot be read."""
    names = [name for name, _ in recordings.failures()]
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"cannot be read: {names[0]}{more}" if names else ""


def _everything(recordings: Recordings) -> list[Entry]:
    return [*recordings.entries(), *recordings.entries(discarded=True)]


@lru_cache(maxsize=4)
def read(root: Path, entry: Entry) -> LandmarkDataset | None:
    """Read a recording; None if it has become unreadable."""
    try:
        return load_recording(root, entry.path)
    except HandloreError:
        return None
