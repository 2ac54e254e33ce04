"""The window of a review."""

from dataclasses import replace

import numpy as np
import pytest
from movement_stubs import two_handed
from recording_stubs import held, movement, stream
from review_stubs import entry, pressed

from handlore.capture.review import Review
from handlore.capture.views.painting import HEIGHT, PANEL
from handlore.capture.views.review import WIDTH, _draw_review
from handlore.landmarks.drawing import GROUND


def scene(picture: np.ndarray) -> np.ndarray:
    return picture[: HEIGHT - 80, :WIDTH]


def test_path() -> None:
    recording = movement("left", seconds=1.6)
    state = Review.of([replace(entry(1), seconds=float(np.ptp(recording.time)))], 0.0)
    places, painted = [], []
    for now in (0.0, 0.6, 1.2):
        drawn = (scene(_draw_review(state, recording, now)) != GROUND).any(axis=-1)
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
        assert _draw_review(state, recording, now).shape == (HEIGHT, WIDTH + PANEL, 3)
