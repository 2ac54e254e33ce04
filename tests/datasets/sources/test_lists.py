"""Pictures and videos with their labels beside them, in the shapes of public data sets."""

import json

import pytest
from layout_lists import COCO, LISTS, files_of
from layout_stubs import read, tree

from handlore.datasets.sources import find_source, make_source
from handlore.landmarks.errors import HandloreError


@pytest.mark.parametrize("layout", LISTS)
def test_labels_beside_the_media(layout, tmp_path):
    source, lists, right = LISTS[layout]
    root = tree(tmp_path / "download", [*files_of(right), *lists], lists)
    name, listing = read(root)
    assert (name, listing.doubt) == (source, "")
    found = {item.source: (item.label, item.group, item.split) for item in listing.items}
    assert found == {k: v if isinstance(v, tuple) else (v, "", "") for k, v in right.items()}


def test_files_that_are_not_there_are_counted(tmp_path):
    _, lists, right = LISTS["wlasl"]
    root = tree(tmp_path, [*files_of(right), *lists], lists)
    assert "not there: 1 file that the list names, such as 00009" in read(root)[1].notes


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "file,label\nx.jpg,fist\ny.jpg,rock\n"),
        ("_annotations.coco.json", json.dumps(COCO)),
        ("_annotations.coco.json", '{"images": [], "annotations": [, "categories"'),
    ],
)
def test_a_list_that_does_not_fit_is_named(tmp_path, name, text):
    root = tree(tmp_path / "in", ["images/1.jpg", "images/2.jpg", name], {name: text})
    with pytest.raises(HandloreError, match=name.replace(".", r"\.")):
        read(root)


def test_a_list_that_does_not_fit_leaves_labelled_folders_alone(tmp_path):
    lists = {"old.csv": "file,label\nx.jpg,fist\n"}
    root = tree(tmp_path / "in", ["fist/1.jpg", "palm/2.jpg", *lists], lists)
    name, listing = read(root)
    assert (name, listing.labels, listing.left_out) == ("images", ["fist", "palm"], ["old.csv"])


def test_spans_are_in_seconds_or_frames(tmp_path):
    def spans(layout):
        _, lists, right = LISTS[layout]
        listing = read(tree(tmp_path / layout, [*files_of(right), *lists], lists))[1]
        return [(i.span.start, i.span.end, i.span.unit) for i in listing.items], listing.notes

    found, notes = spans("start-end-seconds")
    assert found == [(1.0, 2.5, "s"), (4.0, 5.0, "s")]
    assert "start and end are read as seconds" in notes
    assert spans("start-duration")[0] == found
    assert spans("elan")[0] == spans("elan-with-header")[0] == found
    assert spans("video-annotator")[0] == [(1.0, 2.0, "s"), (130.0, 211.0, "s")]
    assert spans("ipn-hand")[0] == [(0, 207, "frame"), (208, 389, "frame")]


def test_people_are_read_from_names_beside_a_list(tmp_path):
    _, lists, right = LISTS["ipn-hand"]
    root = tree(tmp_path, [*files_of(right), *lists], lists)
    pattern = {"name_pattern": r"/(?P<group>[^/]+)_\d+_[LR]_"}
    assert find_source(root, pattern)[0] == "clip-list"
    items = make_source("clip-list", pattern).scan(root).items
    assert {(item.label, item.group) for item in items} == {("D0X", "1CM1"), ("B0B", "1CM1")}
    assert find_source(root, {"name_pattern": r"(?P<label>\w+)_"})[0] == "videos"


def test_options_of_a_list_are_refused_where_they_mean_nothing():
    with pytest.raises(HandloreError, match="--stride is 0"):
        make_source("clip-list", {"stride": 0})


def test_a_whole_file_with_several_labels_is_not_used(tmp_path):
    lists = {"l.csv": "video,label\na.mp4,wave\na.mp4,stop\nb.mp4,wave\nc.mp4,stop\n"}
    listing = read(tree(tmp_path, ["a.mp4", "b.mp4", "c.mp4", *lists], lists))[1]
    assert {item.source: item.label for item in listing.items} == {"b.mp4": "wave", "c.mp4": "stop"}
    assert "not used: 1 file with several labels in the list, such as a.mp4" in listing.notes
    assert listing.left_out == ["a.mp4"]


def test_names_of_classes_are_no_files_that_are_missing(tmp_path):
    _, lists, right = LISTS["ipn-hand"]
    lists = lists | {"classIndAll.txt": "id,label,gesture\n1,D0X,Non-gesture\n2,B0A,Pointing\n"}
    listing = read(tree(tmp_path, [*files_of(right), *lists], lists))[1]
    assert not any("not there" in note for note in listing.notes)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_lists_in_the_encodings_of_spreadsheets(tmp_path, encoding):
    root = tree(tmp_path, ["v/0.jpg", "v/1.jpg"])
    (root / "labels.csv").write_bytes("file;label\n0.jpg;f\u00fcnf\n1.jpg;acht\n".encode(encoding))
    assert read(root)[1].labels == ["acht", "f\u00fcnf"]
