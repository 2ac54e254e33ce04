from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import BrightDetector

from handlore.datasets.sources import Item, LandmarkClip, Source
from handlore.datasets.tracking import SearchOptions, find_hands, list_media, track_video
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.hands import Hand


def grey(path: Path, brightness: int = 200) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((30, 40, 3), brightness, np.uint8))


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """Five numbered frames; the third is dark."""
    for number, brightness in enumerate([200, 200, 0, 200, 200]):
        grey(tmp_path / "clip" / f"{number}.png", brightness)
    return tmp_path / "clip"


def test_a_folder_of_frames_is_a_video(frames: Path) -> None:
    hands = track_video(frames, BrightDetector(), frame_rate=10)
    assert hands.header.kind == "sequence"
    assert hands.image.shape == (5, 1, 21, 3)
    np.testing.assert_allclose(hands.time, [0, 0.1, 0.2, 0.3, 0.4])
    assert hands.detected[:, 0].tolist() == [True, True, False, True, True]


def test_two_hands(frames: Path) -> None:
    hands = track_video(frames, BrightDetector(2), max_hands=2)
    np.testing.assert_allclose(hands.handedness[0], [0.1, 0.9], rtol=1e-6)


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wave.mp4").write_text("text")
    with pytest.raises(InvalidDataError, match="not a whole video"):
        track_video(tmp_path / "wave.mp4", BrightDetector())


def test_pictures_of_a_folder_are_stills_or_frames(frames: Path) -> None:
    (frames / "wave.mp4").touch()
    stills = list_media([frames], movements=False)
    assert [one.kind for one in stills] == ["picture"] * 5 + ["video"]
    moving = list_media([frames], movements=True)
    assert [(one.kind, one.path) for one in moving] == [
        ("video", frames / "wave.mp4"),
        ("frames", frames),
    ]


def test_a_picture_is_no_movement(frames: Path, tmp_path: Path) -> None:
    with pytest.raises(HandloreError, match="is a picture, and the model takes movements"):
        list_media([frames / "0.png"], movements=True)
    with pytest.raises(HandloreError, match="there is no file"):
        list_media([tmp_path / "gone"], movements=False)
    (tmp_path / "empty").mkdir()
    with pytest.raises(HandloreError, match="holds no pictures or videos"):
        list_media([tmp_path / "empty"], movements=False)
    (tmp_path / "recordings.json").write_text("{}")
    with pytest.raises(HandloreError, match="empty is one label of the recordings in"):
        list_media([tmp_path / "empty"], movements=False)


class Own(Source):
    """A source that brings these hands, by their handedness."""

    name, layout, brings_landmarks = "own", "numbers", True

    def __init__(self, frames: list[list[float]]) -> None:
        object.__setattr__(self, "frames", frames)

    def read(self, item: Item) -> LandmarkClip:
        marks = np.zeros((21, 3), np.float32)
        hands = [[Hand(marks, marks, side) for side in frame] for frame in self.frames]
        return LandmarkClip("0" * 64, [(float(k), frame) for k, frame in enumerate(hands)])


@pytest.mark.parametrize(
    ("frames", "kept"),
    [
        ([[0.1, 0.9], [0.9], [0.8]], [0.9, 0.9, 0.8]),
        ([[0.9, 0.1], [0.9, 0.1]], [0.9, 0.9]),
        ([[0.1], []], [0.1, None]),
        ([[float("nan")]], [float("nan")]),
    ],
)
def test_one_slot_takes_the_side_that_is_more_frequent(
    frames: list[list[float]], kept: list[float | None]
) -> None:
    source = Own(frames)
    (sample,) = find_hands(source, source.read(Item(Path(), "", "a")), None, SearchOptions())
    found = [hand and hand.handedness for (hand,) in sample.slots]
    np.testing.assert_equal(found, kept)
