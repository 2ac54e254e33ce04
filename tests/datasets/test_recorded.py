"""One recording: its file holds what was kept, under a name that follows it."""

from pathlib import Path

import numpy as np
import pytest
from recording_stubs import held, live_recording, movement

from handlore.datasets.loading import load_data
from handlore.datasets.recorded import RecordedEvent, is_live, is_unreviewed, load_recording
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.storage import load_dataset


@pytest.fixture
def folder(tmp_path: Path) -> RecordingFolder:
    return RecordingFolder.open(tmp_path / "gestures")


def test_the_frames_of_a_pose_are_samples_of_one_recording(folder: RecordingFolder) -> None:
    kept = load_dataset(folder.keep(held("fist", n=3)))
    assert kept.samples.recording.tolist() == ["s1 0001"] * 3
    assert kept.samples.source.tolist() == [f"fist/0001.npz#{k}" for k in (1, 2, 3)]


def test_names_that_look_the_same_are_the_same(folder: RecordingFolder) -> None:
    for label, subject in (
        ("u\u0308ben", "Anna Mu\u0308ller"),
        (" \u00fcben", " Anna M\u00fcller "),
    ):
        folder.keep(movement(label, like="left", subject=subject))
    assert folder.counts() == {"\u00fcben": 2}
    assert {entry.subject for entry in folder.entries()} == {"Anna M\u00fcller"}
    samples = load_data([folder.root]).dataset.samples
    assert set(samples.group) == {"Anna M\u00fcller"}
    assert set(samples.label) == {"\u00fcben"}


def test_a_movement_is_kept_as_it_is_under_its_label_and_number(folder: RecordingFolder) -> None:
    came = movement("left", subject="anna", session="s1")
    path = folder.keep(came)
    assert folder.name_of(path) == "left/0001.npz"
    kept = load_dataset(path)
    for array in ("image", "handedness", "time", "stage"):
        np.testing.assert_array_equal(getattr(kept, array), getattr(came, array))
    assert kept.header == came.header
    assert kept.samples.recording.tolist() == ["s1 0001"]
    assert kept.samples.source.tolist() == ["left/0001.npz"]
    assert kept.samples.group.tolist() == ["anna"]


def test_a_recording_of_a_live_run(folder: RecordingFolder) -> None:
    assert not is_live(movement("left"))
    kept = folder.keep(live_recording("left"))
    recording = load_recording(folder.root, kept)
    assert is_live(recording)
    assert is_unreviewed(recording)
    event = RecordedEvent.of(recording)
    assert (event.label, event.start, event.probability) == ("left", 0.2, 0.8)
    folder.confirm(kept)
    assert not is_unreviewed(load_recording(folder.root, kept))
    other = folder.relabel(folder.keep(live_recording("right")), "none")
    assert not is_unreviewed(load_recording(folder.root, other))
