"""Folders as people have them: labels, people, splits and what is left out."""

import pytest
from layout_stubs import read


def rows(listing, *columns):
    return {tuple(getattr(item, column) for column in columns) for item in listing.items}


@pytest.mark.parametrize(
    ("folder", "source", "right", "n"),
    [
        ("asl_alphabet", "images", {(k, s) for k in "ABC" for s in ("train", "test")}, 12),
        ("roboflow", "yolo", {(k, s) for k in ("fist", "rock") for s in ("train", "val")}, 8),
        ("wlasl", "wlasl", {("book", "train"), ("drink", "train")}, 4),
        ("dropped", "images", {("fist", ""), ("rock", "")}, 3),
        ("dropped_video", "videos", {("left", ""), ("right", "")}, 5),
    ],
)
def test_folders_as_found(real_data, folder, source, right, n):
    name, listing = read(real_data / "as_found" / folder)
    assert (name, listing.doubt) == (source, "")
    assert rows(listing, "label", "split") == right
    assert len(listing.items) == n
    assert all(name.endswith(".yaml") for name in listing.left_out)


def test_signers_are_the_groups(real_data):
    listing = read(real_data / "as_found" / "wlasl")[1]
    assert rows(listing, "label", "group") == {
        (k, s) for k in ("book", "drink") for s in ("0", "1")
    }
