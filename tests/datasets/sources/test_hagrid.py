import json

import numpy as np
import pytest

from handlore.datasets.conversion.convert import convert
from handlore.datasets.sources import find_source, make_source
from handlore.landmarks.errors import HandloreError

MARKS = np.linspace(0.1, 0.9, 42).reshape(21, 2).tolist()


def entry(*labels, marks=None, key="hand_landmarks", **others):
    boxes = [[0.1 * n, 0.2, 0.1, 0.1] for n in range(len(labels))]
    found = [MARKS] * len(labels) if marks is None else marks
    return {"bboxes": boxes, "labels": list(labels), key: found, "user_id": "u1", **others}


@pytest.fixture
def tree(tmp_path):
    """Return a maker of a set: entries by file."""

    def make(files):
        for name, entries in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(entries))
        return tmp_path

    return make


def converted(root, **options):
    return convert(make_source("hagrid", options), root, None)


def test_each_box_is_a_sample_with_its_own_label(tree):
    root = tree({
        "train/call.json": {"a": entry("call", "no_gesture"), "b": entry("call", user_id="u2")},
        "test/rock.json": {"c": entry("rock")},
    })  # fmt: skip
    assert find_source(root) == ("hagrid", [])
    data = converted(root).dataset
    assert list(data.samples.label) == ["rock", "call", "none", "call"]
    assert list(data.samples.split) == ["test", "train", "train", "train"]
    assert list(data.samples.group) == ["u1", "u1", "u1", "u2"]
    assert list(data.samples.recording) == ["c", "a", "a", "b"]
    assert list(data.samples.source)[1:] == [f"train/call.json#{n}" for n in range(3)]
    assert data.header.kind == "pose"


def test_one_file_is_a_source_too(tree):
    root = tree({"call.json": {"a": entry("call", key="landmarks")}})
    assert find_source(root / "call.json") == ("hagrid", [])
    assert list(converted(root / "call.json").dataset.samples.source) == ["call.json#0"]


def test_coordinates_are_image_widths_and_z_is_unknown(tree):
    root = tree({
        "a.json": {"a": entry("x"), "b": entry("x", image_size=[100, 200]),
                   "c": entry("x", width=200, height=100), "d": entry("x", width=0, height=100)},
    })  # fmt: skip
    data = converted(root).dataset
    for image, ratio in zip(data.image[:, 0], (0.75, 2, 0.5, 0.75), strict=True):
        assert image[:, :2] == pytest.approx(np.array(MARKS) * (1, ratio), abs=1e-6)
    assert np.isnan(data.image[..., 2]).all()
    assert any("treated as 4:3" in line for line in data.header.log)
    assert converted(root, aspect="1:1").dataset.image[0, 0, 20, 1] == pytest.approx(0.9)


def test_empty_landmarks_are_a_sample_without_a_hand(tree):
    root = tree({"a.json": {"a": entry("x", "y", marks=[MARKS, []]), "b": entry("x", marks=[])}})
    data = converted(root).dataset
    assert data.detected[:, 0].tolist() == [True, False, False]


def test_the_side_is_that_of_the_leading_hand_of_the_only_gesture(tree):
    root = tree({"a.json": {
        "a": entry("x", "no_gesture", leading_hand="left", leading_conf=1.0),
        "b": entry("x", leading_hand="right", leading_conf=0.75),
        "c": entry("x", "x", leading_hand="right"),
        "d": entry("x"),
    }})  # fmt: skip
    sides = converted(root).dataset.handedness[:, 0]
    nan = np.nan
    assert sides == pytest.approx([0, nan, 0.75, nan, nan, nan], nan_ok=True)


def test_damaged_entries_are_counted_failures(tree):
    good = entry("x")
    root = tree({
        "a.json": {
            "good": good, "list": [], "no labels": {**good, "labels": None},
            "fewer labels": {**good, "labels": []}, "number": {**good, "labels": [3]},
            "more marks": {**good, "hand_landmarks": [MARKS, MARKS]},
            "short": {**good, "hand_landmarks": [MARKS[:20]]},
            "nan": {**good, "hand_landmarks": [[[float("nan"), 0.1], *MARKS[1:]]]},
            "pixels": {**good, "hand_landmarks": [[[640, 480], *MARKS[1:]]]},
            "words": {**good, "hand_landmarks": [[["a", "b"], *MARKS[1:]]]},
        },
    })  # fmt: skip
    (root / "b.json").write_text(json.dumps({"a": good})[:-9])
    done = converted(root)
    assert list(done.dataset.samples.recording) == ["good"]
    assert len(done.failures) == 10
    assert "not whole JSON" in dict(done.failures)["b.json"]


def test_boxes_without_landmarks_are_refused_in_words(tree):
    plain = {"bboxes": [[0, 0, 1, 1]], "labels": ["x"], "user_id": "u"}
    root = tree({"call.json": {"a": plain}})
    with pytest.raises(HandloreError, match=r"boxes without landmarks; convert the folder"):
        converted(root)


def test_the_same_picture_under_two_labels_is_recognised(tree):
    root = tree({"a.json": {"a": entry("x")}, "b.json": {"a": entry("y")}})
    assert len(set(converted(root).dataset.samples.sha256)) == 1


def test_other_json_is_not_taken_for_it(tree):
    with pytest.raises(HandloreError, match="no layout"):
        find_source(tree({"a.json": {"a": {"b": 1}}, "b.json": [1, 2]}))
