"""The window of a review."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from movement_stubs import two_handed
from recording_stubs import held, movement, stream
from review_stubs import entry, pressed

from handlore.capture.recording.writer import _encoded, _write_avi
from handlore.capture.review import Review
from handlore.capture.views.painting import HEIGHT, PANEL
from handlore.capture.views.review import USUAL_SIZE, _draw_review, _Film
from handlore.landmarks.drawing import GROUND


def scene(picture: np.ndarray) -> np.ndarray:
    return picture[: HEIGHT - 80, :-PANEL]


def test_path() -> None:
    recording = movement("left", seconds=1.6)
    state = Review.of([replace(entry(1), seconds=float(np.ptp(recording.time)))], 0.0)
    places, painted = [], []
    for now in (0.0, 0.6, 1.2):
        drawn = (scene(_draw_review(state, recording, now).pixels) != GROUND).any(axis=-1)
        places.append(np.nonzero(drawn)[1].min())
        painted.append(drawn.sum())
    assert places[0] > places[1] > places[2], "it goes to the left"
    assert painted[0] < painted[1] < painted[2]


def test_film(tmp_path: Path) -> None:
    path = tmp_path / "0001.avi"
    pictures = [np.full((48, 64, 3), 20 * k, np.uint8) for k in range(10)]
    with path.open("wb") as stream:
        _write_avi(stream, [_encoded(pixels) for pixels in pictures], (64, 48), 30.0)
    film = _Film(path)
    for frame in (0, 1, 4, 4, 9, 2, 0, 12):
        shown = film(frame)
        assert shown is not None
        assert shown.mean() == pytest.approx(20 * min(frame, 9), abs=3)
    path.write_bytes(b"no video")
    assert _Film(path)(0) is None, "the hands are drawn without it"


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
        assert _draw_review(state, recording, now).pixels.shape == (HEIGHT, USUAL_SIZE[0], 3)
