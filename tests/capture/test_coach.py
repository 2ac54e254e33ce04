"""The coach: what to record next."""

from pathlib import Path

import pytest
from recording_stubs import filled, held, live_recording, movement, stream

from handlore.capture import coach
from handlore.capture.coach import (
    _confusion_advice,
    _constant_qualities,
    _cross_validated,
    _RecordingPrediction,
    _variety_advice,
    advise,
)
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.loading import load_recordings
from handlore.datasets.recordings import RecordingFolder


@pytest.fixture
def folder(tmp_path: Path) -> RecordingFolder:
    return RecordingFolder.open(tmp_path / "gestures")


def advice(folder: RecordingFolder, *labels: str) -> list[str]:
    return advise(load_recordings(folder.root), labels)


def test_empty_folder(folder: RecordingFolder) -> None:
    assert advice(folder) == []
    assert advice(folder, "left", "right", "none") == ["record each label 3 times or more (now 0)"]


def test_recordings_of_a_live_run_are_to_be_reviewed(folder: RecordingFolder) -> None:
    folder.keep(live_recording("left"))
    folder.keep(live_recording("right"))
    (line,) = advice(folder, "left", "right")
    assert line.startswith(f"`handlore recordings review {folder.root}`")
    assert "handlore improve MODEL" in line
    folder.keep(movement("right"))
    assert "review" not in advice(folder)[0]


def test_fewest_recordings_first(folder: RecordingFolder) -> None:
    for seed in range(2):
        folder.keep(movement("left", seed=seed))
    folder.keep(movement("right"))
    assert advice(folder)[0] == "record next: right (1 recording; others up to 2)"
    assert advice(folder, "up")[0] == "record next: up (none yet; others up to 2)"


def test_advice_on_none(folder: RecordingFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coach, "_cross_validated", lambda *_: [])
    for seed in range(3):
        folder.keep(movement("left", seed=seed))
    assert any(line.startswith("record none twice") for line in advice(folder))
    folder.keep(stream(5.0))
    assert any(line.startswith("record none once more") for line in advice(folder))
    folder.keep(stream(5.0, seed=6))
    assert not any("record none" in line for line in advice(folder))


def moved(recording: LandmarkDataset, *, dx: float = 0, scale: float = 1) -> LandmarkDataset:
    recording.image[..., :2] *= scale
    recording.image[..., 0] += dx
    return recording


def test_constant_qualities() -> None:
    same = [movement("left", seed=seed, seconds=1.0) for seed in (1, 1, 1)]
    assert _constant_qualities(same) == ["speed", "distance", "place", "angle"]
    assert _variety_advice(same) == [
        "vary left: so far always with the same speed, distance, place and angle"
    ]


@pytest.mark.parametrize(
    ("change", "rest"),
    [
        (lambda k: movement("left", seed=1, seconds=1 + 0.3 * k), ["distance", "place", "angle"]),
        (lambda k: moved(movement("left", seed=1), dx=0.1 * k), ["speed", "distance", "angle"]),
        (lambda k: moved(movement("left", seed=1), scale=1 + 0.3 * k), ["speed", "angle"]),
    ],
    ids=["speed", "place", "distance"],
)
def test_varied_qualities(change, rest) -> None:
    assert _constant_qualities([change(k) for k in range(3)]) == rest


def test_angles_wrap() -> None:
    down = [movement("left", seed=1) for _ in range(4)]
    for number, one in enumerate(down):
        one.image[..., :2] *= -1
        one.image[..., 0] += 0.002 * (-1) ** number * one.image[..., 1]
    assert "angle" in _constant_qualities(down)


def test_poses_have_no_speed() -> None:
    assert "speed" not in _constant_qualities([held("fist")] * 3)
    assert _variety_advice([held("fist")] * 2) == []


def test_recordings_without_a_hand() -> None:
    lost = movement("left", lost=100)
    assert not lost.has_hand.any()
    assert _variety_advice([lost] * 3) == []


def verdicts(*rows: tuple[str, str], first: int = 1) -> list[_RecordingPrediction]:
    return [
        _RecordingPrediction(n, label, {said: 1.0}) for n, (label, said) in enumerate(rows, first)
    ]


def test_confused_pair() -> None:
    rows = [("a", "a")] * 4 + [("a", "b")] + [("b", "b")] * 4 + [("b", "a")]
    assert list(_confusion_advice(verdicts(*rows))) == [
        "a and b are confused (2 of 10): make them more different, or record more"
    ]


def test_odd_recording() -> None:
    rows = [("a", "a")] * 4 + [("a", "b")] + [("b", "b")] * 5
    assert list(_confusion_advice(verdicts(*rows))) == [
        "recording 5 (a) looks like b: check its label"
    ]


def test_no_confusion() -> None:
    rows = [("a", "a")] * 3 + [("b", "b")] * 3
    assert list(_confusion_advice(verdicts(*rows))) == [
        "a quick test recognises all 6 recordings of 2 labels"
    ]
    assert list(_confusion_advice([])) == []


def test_gesture_near_none() -> None:
    streams = [
        _RecordingPrediction(9, "none", {"none": 0.8, "a": 0.2}),
        _RecordingPrediction(10, "none", {"none": 1.0}),
    ]
    lines = list(_confusion_advice(verdicts(("a", "a"), ("b", "b")) + streams))
    assert lines[0] == ("10% of none looks like a: record more none, or make a more distinct")


def test_mislabelled_movements(tmp_path: Path) -> None:
    folder = filled(tmp_path / "gestures", 6, ("left", "right"))
    wrong = folder.keep(movement("left", like="right", seed=9))
    for seed in range(2):
        folder.keep(held("fist", seed=seed))
    folder.keep(stream(20.0))
    folder.keep(stream(20.0, seed=8))
    found = _cross_validated(load_recordings(folder.root), "sequence")
    assert {one.number for one in found if one.label != "none"} == set(range(1, 14))
    assert [one.number for one in found if one.label != one.predicted] == [int(wrong.stem)]


def test_mislabelled_poses(folder: RecordingFolder) -> None:
    for seed in range(6):
        folder.keep(held("fist", seed=seed))
        folder.keep(held("palm", seed=seed))
    wrong = folder.keep(held("palm", seed=7))
    folder.relabel(wrong, "fist")
    found = _cross_validated(load_recordings(folder.root), "pose")
    assert [(one.number, one.predicted) for one in found if one.label != one.predicted] == [
        (13, "palm")
    ]


def test_too_few_recordings(folder: RecordingFolder) -> None:
    for seed in range(3):
        folder.keep(movement("left", seed=seed))
    folder.keep(movement("right"))
    assert _cross_validated(load_recordings(folder.root), "sequence") == []
