"""HaGRID's photos with its annotations beside them, as data set and samples are unpacked."""

import json

import cv2
import numpy as np
import pytest
from fakes import BrightDetector

from handlore.datasets.conversion.convert import convert
from handlore.datasets.sources import find_source, make_source
from handlore.landmarks.errors import HandloreError


def entry(*labels, **others):
    boxes = [[0.6, 0.5, 0.3, 0.3], [0.02, 0.02, 0.3, 0.3]]
    return {"bboxes": boxes[: len(labels)], "labels": list(labels), "user_id": "u1", **others}


ENTRIES = {
    "call": {"00a1": entry("call", "no_gesture"), "00a2": entry("call", user_id="u2")},
    "rock": {"00b1": entry("rock"), "00b2": entry("no_gesture", "rock", user_id="u2")},
}
SAMPLES = {
    ("00a1", "call", "u1"), ("00a1", "none", "u1"), ("00a2", "call", "u2"),
    ("00b1", "rock", "u1"), ("00b2", "none", "u2"), ("00b2", "rock", "u2"),
}  # fmt: skip


@pytest.fixture
def unpacked(tmp_path):
    """Return a maker of a set: the folders of photos and annotations, with {} for the gesture."""

    def make(photos, annotations, **more):
        # Too dark as a whole for the detector; the hand is in the first box.
        pixels = np.random.default_rng(0).integers(0, 60, (200, 200, 3))
        pixels[105:155, 125:175] += 190
        for gesture, entries in ENTRIES.items():
            for name in entries:
                path = tmp_path / photos.format(gesture) / f"{name}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), pixels.astype(np.uint8))
            path = tmp_path / annotations.format(gesture)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({k: e | more for k, e in entries.items()}))
        return tmp_path

    return make


LAYOUTS = [
    ("{}", "{}.json", ""),
    ("{}", "annotations/test/{}.json", "test"),
    ("hagrid_30k/train_val_{}", "ann_train_val/{}.json", "train"),
    ("train_val/{}", "{}.json", "train"),
    ("hagrid-classification-512p/{}", "hagrid_annotations/val/{}.json", "val"),
]


@pytest.mark.parametrize(("photos", "annotations", "split"), LAYOUTS)
def test_people_labels_and_splits_are_those_of_the_annotations(
    unpacked, photos, annotations, split
):
    root = unpacked(photos, annotations)
    assert find_source(root)[0] == "hagrid-photos"
    listing = make_source("hagrid-photos").scan(root)
    assert {(item.path.stem, item.label, item.group) for item in listing.items} == SAMPLES
    assert {item.split for item in listing.items} == {split}
    assert not listing.left_out


def test_the_hand_is_searched_in_its_box(unpacked):
    dataset = convert(make_source("hagrid-photos"), unpacked("{}", "{}.json"), BrightDetector())
    samples = dataset.dataset.samples
    (place,) = [k for k, s in enumerate(samples.source) if s == "call/00a1.jpg#0"]
    x, y = dataset.dataset.image[place, 0, :, :2].mean(axis=0)
    assert 0.6 < x < 0.9
    assert 0.5 < y < 0.8
    assert samples.label[place] == "call"


def test_photos_are_read_where_the_annotations_have_landmarks_too(unpacked):
    marks = np.linspace(0.1, 0.9, 42).reshape(21, 2).tolist()
    root = unpacked("{}", "annotations/{}.json", hand_landmarks=[marks, marks])
    assert find_source(root) == ("hagrid-photos", ["hagrid", "images"])
    assert find_source(root / "annotations")[0] == "hagrid"


def test_what_is_damaged_or_not_there_is_left_out_and_named(unpacked):
    root = unpacked("{}", "{}.json")
    (root / "call" / "00a2.jpg").unlink()
    (root / "rock" / "more.jpg").touch()
    (root / "rock.json").write_text(
        json.dumps(ENTRIES["rock"] | {"more": {"bboxes": [[0, 0, 1, 1]], "labels": []}, "x": 3})
    )
    listing = make_source("hagrid-photos").scan(root)
    assert {(i.path.stem, i.label, i.group) for i in listing.items} == SAMPLES - {
        ("00a2", "call", "u2")
    }
    assert listing.left_out == ["rock/more.jpg"]
    assert "not there: 1 file that the list names, such as call/00a2" in listing.notes
    (root / "rock.json").write_text(json.dumps(ENTRIES["rock"])[:-9])
    notes = make_source("hagrid-photos").scan(root).notes
    assert any(note.startswith("rock.json is not used: it is not whole JSON") for note in notes)


def test_annotations_without_photos_say_what_is_missing(unpacked):
    root = unpacked("photos/{}", "annotations/{}.json")
    missing = r"no landmarks and no photos that they name; put the photos beside them"
    for part in ("annotations", "annotations/call.json"):
        with pytest.raises(HandloreError, match=missing):
            find_source(root / part)


@pytest.mark.parametrize("what", ["few", "one label", "nobody", "names twice", "landmarks"])
def test_folders_are_read_as_before_where_annotations_say_little(unpacked, what):
    marks = {"hand_landmarks": [[], []]} if what == "landmarks" else {}
    root = unpacked("{}", "{}.json", **marks)
    for gesture, entries in ENTRIES.items():
        said = {k: e | marks for k, e in entries.items()}
        if what == "few":
            for number in range(5):
                (root / gesture / f"{number}.jpg").touch()
        elif what == "one label":
            said = {k: entry("hand") for k in entries}
        elif what == "nobody":
            said = {k: {x: e[x] for x in ("bboxes", "labels")} for k, e in entries.items()}
        elif what == "names twice":
            (root / gesture / "0.jpg").touch()
            said = {"0": entry("call", "no_gesture")}
            for name in entries:
                (root / gesture / f"{name}.jpg").unlink()
        else:
            said |= {f"more{number}": entry(gesture, **marks) for number in range(9)}
        (root / f"{gesture}.json").write_text(json.dumps(said))
    assert find_source(root)[0] == ("hagrid" if what == "landmarks" else "images")


def test_entries_that_are_not_used_are_named(unpacked):
    root = unpacked("{}", "{}.json")
    broken = ENTRIES["call"] | {"x": {**entry("call"), "labels": []}, "y": 5}
    (root / "call.json").write_text(json.dumps(broken))
    (note,) = (n for n in make_source("hagrid-photos").scan(root).notes if "not used" in n)
    assert note.startswith("call.json: 2 entries not used, such as picture x: it needs a label")


def test_a_pattern_for_labels_asks_for_the_folders(unpacked):
    root = unpacked("{}", "{}.json")
    assert find_source(root, {"name_pattern": r"^(?P<label>[^/]+)/"})[0] == "images"


@pytest.mark.parametrize("box", [[0, 0, 0, 0], [10**400, 0, 1, 1], ["a"], None, [0.1, 0.1, -1, 1]])
def test_a_box_that_is_none_leaves_the_label(unpacked, box):
    root = unpacked("{}", "{}.json")
    (root / "call.json").write_text(json.dumps({"00a1": entry("call") | {"bboxes": [box]}}))
    items = [i for i in make_source("hagrid-photos").scan(root).items if i.path.stem == "00a1"]
    assert [(item.label, item.box) for item in items] == [("call", None)]
