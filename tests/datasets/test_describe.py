import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recording_stubs import held, movement

from handlore.datasets.describe import DatasetDescription, RecordingsDescription, describe
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.storage import save_dataset
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
