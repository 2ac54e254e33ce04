"""What all windows share: the picture keeps its shape, the skeleton is on the hand."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from marked_pictures import SIZES, marked_picture, tip_errors
from recording_stubs import DETECTOR
from review_stubs import entry

from handlore.capture.keys import choosing
from handlore.capture.live.loop import LiveState
from handlore.capture.recording.loop import Moment, Status
from handlore.capture.recording.session import State
from handlore.capture.review import Review
from handlore.capture.views.live import _draw_live, _jpeg_of
from handlore.capture.views.painting import HEIGHT, PANEL, Canvas, paint_labels
from handlore.capture.views.record import _draw_session
from handlore.capture.views.review import _draw_review
from handlore.datasets.dataset import Header, LandmarkDataset, Samples

MOST_AWAY = 2.0
"""Pixels between a landmark and where it is drawn."""
FULL_SCREEN, NARROW = (1920, 1080), (500, 900)


@pytest.mark.parametrize(
    ("size", "mirrored", "window"),
    [
        *((size, False, None) for size in SIZES),
        *((size, True, NARROW) for size in SIZES),
        (SIZES[-1], True, FULL_SCREEN),
    ],
    ids=str,
)
def test_skeleton_in_a_live_window(size, mirrored, window) -> None:
    shown = marked_picture(*size)
    state = LiveState(0.0, shown.pixels, [shown.hand])
    pixels = _draw_live(state, mirrored=mirrored, size=window).pixels
    assert tip_errors(pixels, shown).max() < MOST_AWAY
    assert window is None or pixels.shape == (window[1], window[0], 3)


@pytest.mark.parametrize("state", [State.IDLE, State.REVIEW])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_skeleton_in_a_session(size, state) -> None:
    shown = marked_picture(*size)
    replay = Moment(shown.pixels, [shown.hand]) if state is State.REVIEW else None
    status = Status(state, "wave", (("wave", 1), ("none", 0)), mirrored=False, replay=replay)
    # The small picture of the camera has no hand now.
    hands = [] if replay else [shown.hand]
    pixels = None if replay else shown.pixels
    assert tip_errors(_draw_session(pixels, hands, status).pixels, shown).max() < MOST_AWAY


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_skeleton_on_a_kept_video(size) -> None:
    shown = marked_picture(*size)
    recording = LandmarkDataset.of_hands(
        [[shown.hand]],
        Samples.make(["wave"]),
        time=[0.0],
        offsets=[0, 1],
        header=Header(kind="sequence", detector=DETECTOR),
    )
    state = Review.of([replace(entry(1), seconds=0.0)], 0.0)
    pixels = _draw_review(state, recording, 0.0, lambda frame: shown.pixels).pixels
    assert tip_errors(pixels, shown).max() < MOST_AWAY


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_skeleton_on_the_page(size) -> None:
    shown = marked_picture(*size)
    jpeg = _jpeg_of(LiveState(0.0, shown.pixels, [shown.hand]))
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert tip_errors(pixels, shown).max() < MOST_AWAY


def test_shape_of_the_picture() -> None:
    """A phone's upright picture is not stretched: a disc stays a disc."""
    pixels = np.full((640, 360, 3), 90, np.uint8)
    cv2.circle(pixels, (180, 320), 100, (255, 255, 255), -1)
    drawn = _draw_live(LiveState(0.0, pixels)).pixels[:, :-PANEL]
    rows, columns = np.nonzero(drawn.min(axis=2) > 250)
    assert np.ptp(rows) == pytest.approx(200 * HEIGHT / 640, abs=2)
    assert np.ptp(columns) == pytest.approx(np.ptp(rows), abs=2)


@pytest.mark.parametrize("n", [1, 4, 14, 40])
def test_click_on_a_label(n: int) -> None:
    labels = [*(f"label {k}" for k in range(n - 1)), "none"]
    for size in ((1100, 600), (1920, 1080), (400, 300)):
        canvas = Canvas.blank(size)
        _, panel = canvas.beside_panel()
        paint_labels(panel, labels, labels[-1], 70, 480)
        targets = canvas.drawn().targets
        assert [target.key for target in targets] == [
            choosing(one) for one in labels[-len(targets) :]
        ]
        assert len(targets) >= min(n, 14)
        assert all(
            size[0] - PANEL * canvas.scale <= target.left < target.right for target in targets
        )
        tops = [target.top for target in targets]
        assert tops == sorted(tops)
        assert targets[-1].bottom <= 480 * canvas.scale + 1
