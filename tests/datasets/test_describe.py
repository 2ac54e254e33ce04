import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recording_stubs import held, movement

from handlore.datasets.conversion.convert import _in_conflict
from handlore.datasets.dataset import MOST_LISTED, Header
from handlore.datasets.describe import (
    DatasetDescription,
    LabelProblems,
    RecordingsDescription,
    describe,
)
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.storage import save_dataset
from handlore.landmarks.detector import DetectorInfo
from handlore.landmarks.errors import HandloreError


def test_a_dataset(make_dataset, tmp_path: Path) -> None:
    data = make_dataset(["a", "a", "b"], detected=[True, False, True], group=["p", "p", ""])
    save_dataset(data, tmp_path / "d.npz")
    facts = describe(tmp_path / "d.npz")
    assert isinstance(facts, DatasetDescription)
    assert (facts.kind, facts.n_samples, facts.n_items, facts.n_no_hand) == ("pose", 3, 3, 1)
    assert facts.labels == {"a": (2, 1), "b": (1, 1)}
    assert facts.groups == {"": 1, "p": 2}
    assert facts.digest == data.digest()
    shown = json.loads(json.dumps(facts.as_json()))
    assert shown["type"] == "dataset"
    assert shown["labels"]["a"] == {"n": 2, "n_with_hand": 1}


def test_augmented_copies_are_counted_once(make_dataset, tmp_path: Path) -> None:
    data = make_dataset(["a", "a"], source=["1.jpg", "1.jpg"], view=[0, 1])
    save_dataset(data, tmp_path / "d.npz")
    facts = describe(tmp_path / "d.npz")
    assert isinstance(facts, DatasetDescription)
    assert (facts.n_samples, facts.n_copies, facts.n_items) == (2, 1, 1)
    assert facts.as_json()["n_views"] == 1
    assert facts.labels == {"a": (1, 1)}


def test_recordings(tmp_path: Path) -> None:
    folder = RecordingFolder.open(tmp_path / "gestures")
    folder.keep(movement("left"))
    folder.keep(held("fist", n=3))
    folder.discard(folder.keep(movement("left", seed=1)))
    (folder.root / "left" / "0099.npz").write_bytes(b"")
    facts = describe(folder.root)
    assert isinstance(facts, RecordingsDescription)
    assert (facts.n_recordings, facts.n_discarded) == (2, 1)
    assert (facts.labels["left"].n_movements, facts.labels["fist"].n_poses) == (1, 1)
    assert facts.groups == {"anna": 2}
    assert [file for file, _ in facts.failures] == ["left/0099.npz"]
    assert facts.as_json()["type"] == "recordings"


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(HandloreError, match="there is no file"):
        describe(tmp_path / "gone.npz")


def test_stages_are_those_of_the_frames(make_dataset, tmp_path: Path) -> None:
    data = make_dataset(["a", "b"])
    data = replace(data, stage=np.array([[0], [3]], np.int8))
    save_dataset(data, tmp_path / "d.npz")
    facts = describe(tmp_path / "d.npz")
    assert isinstance(facts, DatasetDescription)
    assert facts.stages == {"0": 1, "3": 1}


@pytest.fixture
def labelled(make_dataset):
    """Two pictures that stand under two labels, one that is there twice, and some in order."""
    return make_dataset(
        ["land", "land", "further", "further", "fist", "fist", "none"],
        sha256=["a", "b", "a", "b", "c", "c", ""],
        source=["l/1", "l/2", "f/1", "f/2", "x/1", "x/2", "n/1"],
        group=["anna", "anna", "anna", "ben", "ben", "eva", ""],
        detected=[True, True, True, True, False, False, False],
        header=Header(detector=DetectorInfo("litert", "2.1", "full", "0" * 64)),
    )


def test_identical_pictures_under_two_labels_are_a_conflict(labelled):
    trouble = LabelProblems.of(labelled)
    (conflict,) = trouble.conflicts
    assert conflict.labels == ("further", "land")
    assert conflict.n == 4
    assert set(conflict.sources) == {"l/1", "f/1"}
    assert _in_conflict(labelled).tolist() == [True] * 4 + [False] * 3


def test_what_is_there_twice_under_one_label_is_only_counted(labelled):
    trouble = LabelProblems.of(labelled)
    assert trouble.n_duplicates == 1
    assert "fist" not in str(trouble.conflicts)


def test_imported_clips_without_a_hand_are_no_copies(make_dataset):
    dataset = make_dataset(["idle", "idle"], sha256=["x", "x"], detected=[False])
    assert LabelProblems.of(dataset).n_duplicates == 0


def test_pictures_without_a_digest_are_not_all_the_same(make_dataset):
    dataset = make_dataset(["a", "b"], sha256=["", ""])
    assert LabelProblems.of(dataset).conflicts == ()
    assert not _in_conflict(dataset).any()


def test_views_of_a_picture_are_no_copies_of_it(make_dataset):
    dataset = make_dataset(["a", "a", "b"], sha256=["x", "x", "x"], view=[0, 1, 0])
    trouble = LabelProblems.of(dataset)
    assert (trouble.n_conflicts, trouble.n_duplicates) == (2, 0)
    assert _in_conflict(dataset).all(), "a view goes with its picture"


def test_nearly_empty_classes_groups_with_one_class_and_the_detection_rate_are_reported(labelled):
    trouble = LabelProblems.of(labelled)
    assert trouble.near_empty == {"fist": 0, "further": 2, "land": 2}
    assert trouble.handless == ["fist"]
    assert trouble.one_class_groups == ("eva",)
    assert trouble.detection == {"fist": (2, 0), "further": (2, 2), "land": (2, 2), "none": (1, 0)}


def test_a_set_of_one_class_says_nothing_of_its_groups(make_dataset):
    assert LabelProblems.of(make_dataset(["a"] * 6, group=["x"] * 6)).one_class_groups == ()


def test_the_lines_begin_with_the_most_telling_and_are_cut(make_dataset):
    labels = [f"class {k:02d}" for k in range(30)]
    lines = list(
        LabelProblems.of(make_dataset(labels, sha256=["a", "a", *map(str, range(28))])).lines()
    )
    assert lines[0].startswith("2 identical items are under two labels or more: class 00")
    assert lines[1].endswith(f"and {30 - MOST_LISTED} more")
    assert list(LabelProblems.of(make_dataset(["a", "b"] * 5)).lines()) == []


def test_where_nothing_shows_a_hand_no_class_stands_out(make_dataset):
    assert LabelProblems.of(make_dataset(["a", "b"], detected=[False])).handless == []
