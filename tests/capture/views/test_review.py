"""The window of a review."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from movement_stubs import two_handed
from recording_stubs import held, movement, stream

from handlore.capture.review import Change, Review
from handlore.capture.views.painting import HEIGHT, PANEL
from handlore.capture.views.review import WIDTH, draw_review
from handlore.datasets.recordings import RecordingEntry
from handlore.landmarks.drawing import GROUND


def entry(number: int, label: str = "left", *, discarded: bool = False) -> RecordingEntry:
    return RecordingEntry(
        number,
        Path(f"g/{label}/{number:04d}.npz"),
        label,
        "sequence",
        31,
        2.0,
        1.0,
        "anna",
        "s1",
        "camera 0",
        discarded,
        None,
    )


ENTRIES = (entry(1), entry(2, "right"), entry(4, "none"), entry(3, "up", discarded=True))


def pressed(*keys: str, state: Review | None = None) -> tuple[Review, list[Change]]:
    state, changes = state or Review.of(ENTRIES, 10.0), []
    for key in keys:
        state, change = state.key(key, 20.0)
        changes += [change] if change else []
    return state, changes


def scene(picture: np.ndarray) -> np.ndarray:
    return picture[: HEIGHT - 80, :WIDTH]


def test_path() -> None:
    recording = movement("left", seconds=1.6)
    state = Review.of([replace(entry(1), seconds=float(np.ptp(recording.time)))], 0.0)
    places, painted = [], []
    for now in (0.0, 0.6, 1.2):
        drawn = (scene(draw_review(state, recording, now)) != GROUND).any(axis=-1)
        places.append(np.nonzero(drawn)[1].min())
        painted.append(drawn.sum())
    assert places[0] > places[1] > places[2], "it goes to the left"
    assert painted[0] < painted[1] < painted[2]


@pytest.mark.parametrize(
    "recording",
    [
        held("fist"),
        stream(20.0),
        two_handed(movement("circle")),
        movement("left", lost=100),
        None,
        movement("left", seconds=0.07),
    ],
    ids=["pose", "stream", "two hands", "no hand", "unreadable", "two frames"],
)
@pytest.mark.parametrize("keys", [(), ("h",), ("+", "é"), ("n", "n")])
def test_kinds_of_recordings(recording, keys) -> None:
    state, _ = pressed(*keys)
    for now in (10.0, 20.0, 21.1):
        assert draw_review(state, recording, now).shape == (HEIGHT, WIDTH + PANEL, 3)
