"""Damaged and random lists and trees: a clear error or a listing, never another exception."""

import random
import time
from contextlib import suppress

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from layout_lists import LISTS, files_of
from layout_stubs import tree

from handlore.datasets.layouts.folders import FileFacts
from handlore.datasets.layouts.words import SPLITS, is_container, likely_readings
from handlore.datasets.sources import SOURCES, find_source, make_source
from handlore.landmarks.errors import HandloreError

NAMES = ("picture-list", "clip-list", "wlasl", "yolo", "coco", "labelme")


def damaged(data, rng):
    """Return bytes that were cut, changed, repeated or exchanged."""
    place = rng.randrange(len(data) or 1)
    return rng.choice(
        [
            data[:place],
            data[:place] + bytes([rng.randrange(256)]) * rng.randrange(1, 9) + data[place + 1 :],
            data[:place] + data[:place] + data[place:],
            data.replace(b":", b",").replace(b"1", b"9" * rng.randrange(1, 400)),
            data.replace(b"\n", b""),
            data.replace(b"0.5", b"nan").replace(b"0", b"-1e999"),
            b"[" * rng.randrange(1, 2000) + data,
            b"\xff\xfe" + data.decode("utf-8", "replace").encode("utf-16-le"),
            bytes(rng.randrange(256) for _ in range(place)),
            data.replace(b"{", b"[").replace(b"}", b"]"),
            data.replace(b'"', b"").replace(b",", b",,,"),
        ]
    )


@pytest.mark.parametrize("layout", LISTS)
def test_damaged_lists(layout, tmp_path):
    _, lists, right = LISTS[layout]
    root = tree(tmp_path, [*files_of(right), *lists], lists)
    rng, lines = random.Random(layout), []
    for _ in range(5):
        name = rng.choice(list(lists))
        whole = (root / name).read_bytes()
        (root / name).write_bytes(damaged(lists[name].encode(), rng))
        for source in NAMES:
            try:
                listing = make_source(source).scan(root)
            except HandloreError as error:
                lines.append(str(error))
                continue
            assert all(item.label and item.path.exists() for item in listing.items)
        with suppress(HandloreError):
            find_source(root)
        (root / name).write_bytes(whole)
    assert all(len(line.splitlines()) == 1 for line in lines)


LONG = {
    "voc": ("a/1.xml", "<annotation>" + "<object>" * 100_000),
    "yolo a list": ("data.yaml", "names: [\n" * 100_000),
    "yolo spaces": ("data.yaml", "names:\n- a" + " " * 1_000_000 + "b\n"),
    "yolo digits": ("labels/1.txt", "0 " + "1" * 1_000_000 + "x\n"),
    "pairs": ("list.txt", "path:./a " + "color:b:1:2 " * 80_000 + "\n"),
}


@pytest.mark.parametrize("name", LONG)
def test_long_rows_take_no_longer_than_their_length(name, tmp_path):
    """Patterns that begin anywhere and end nowhere took the square of it: minutes for 1 MB."""
    file, text = LONG[name]
    more = {"data.yaml": "names: [a, b]"} if name == "yolo digits" else {}
    files = ["a/1.jpg", "images/1.jpg", "labels/1.txt"]
    root = tree(tmp_path, [*files, file, *more], {file: text} | more)
    started = time.monotonic()
    for source in ("voc", "yolo", "picture-list", "clip-list"):
        with suppress(HandloreError):
            make_source(source).scan(root)
    assert time.monotonic() - started < 20


FOLDERS = """
train test val images data fist palm A B 0 1 00 01 subject1 subject2 s03 user_2 01_palm 02_l 03_fist
left right session1 clip1 masks asl_train asl_test test_call train_val_ok
"""
FOLDER = st.sampled_from(FOLDERS.split())
PATHS = st.lists(
    st.tuples(st.lists(FOLDER, max_size=4), st.integers(0, 20)).map(
        lambda one: "/".join([*one[0], f"x{one[1]}.jpg"])
    ),
    min_size=1,
    max_size=30,
    unique=True,
)


@examples(600)
@given(PATHS)
def test_no_folder_that_nobody_meant_becomes_a_label_in_silence(files):
    found = FileFacts.read(files, "download", lambda file: {})
    labels = {columns["label"] for columns in found.of.values()}
    assert set(found.of) <= set(files)
    if found.doubt:
        readings = likely_readings(files)
        assert len(readings) == 2
        return
    assert len(labels) > 1
    assert not any(label.lower() in SPLITS or is_container(label) for label in labels)
    assert not labels <= {"subject1", "subject2", "s03", "user_2"}
    for columns in found.of.values():
        assert columns["split"] in ("", "train", "val", "test")


@examples(200)
@given(PATHS, st.randoms(use_true_random=False))
def test_labels_do_not_depend_on_the_order_of_files(files, rng):
    mixed = list(files)
    rng.shuffle(mixed)
    one = FileFacts.read(files, "download", lambda file: {})
    two = FileFacts.read(mixed, "download", lambda file: {})
    assert (dict(one.of), one.doubt) == (dict(two.of), two.doubt)


def test_all_of_them_are_registered():
    assert set(NAMES) <= set(SOURCES.names())
