import io
import json
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlore.datasets.dataset import FRAME_ARRAYS, SAMPLE_COLUMNS, Header
from handlore.datasets.storage import load_dataset, save_dataset
from handlore.landmarks.detector import DetectorInfo
from handlore.landmarks.errors import HandloreError, InvalidDataError, NewerFormatError

words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
labels = words.filter(str.isprintable).filter(bool)


@pytest.fixture
def dataset(make_dataset):
    return make_dataset(
        ["Daumen hoch", "größer", "none"],
        lengths=[2, 1, 3],
        detected=[True, True, False],
        n_hands=2,
        group=["p1", "", "p2"],
        source=["a b/ä.mp4", "c.mp4", "d.mp4"],
        split=["train", "", "test"],
        view=[0, 1, 2],
        header=Header(
            kind="sequence",
            detector=DetectorInfo("mediapipe", "1.2.2", "full", "0" * 64),
            options={"source": "images", "stages": 4, "none": "größer"},
            log=("failed: ö.jpg: the file is empty",),
            note="CC BY 4.0",
        ),
    )


@pytest.fixture
def saved(dataset, tmp_path):
    path = tmp_path / "hände 1.npz"
    save_dataset(dataset, path)
    return path


def assert_equal(a, b):
    for name in (*FRAME_ARRAYS, "offsets"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), strict=True)
    for column in SAMPLE_COLUMNS:
        np.testing.assert_array_equal(getattr(a.samples, column), getattr(b.samples, column))
    assert a.header == b.header


def rewritten(path, name, data):
    """Write the file again with one member exchanged (or left out)."""
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    members[f"{name}.npy"] = data
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            if content is not None:
                archive.writestr(member, content)


def npy(array, *, allow_pickle=False):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array), allow_pickle=allow_pickle)
    return buffer.getvalue()


def header_of(**values):
    return npy(np.frombuffer(json.dumps(values).encode(), np.uint8))


def test_a_saved_dataset_loads_equal(dataset, saved):
    assert_equal(load_dataset(saved), dataset)
    assert [file.name for file in saved.parent.iterdir()] == [saved.name]


@given(
    st.lists(
        st.tuples(words.filter(str.isprintable).filter(bool), words, st.integers(1, 3)), max_size=4
    ),
    st.lists(st.booleans(), min_size=1, max_size=5),
    st.integers(1, 2),
    st.dictionaries(words, st.none() | st.booleans() | st.integers() | words, max_size=3),
    st.lists(words, max_size=2),
)
def test_any_dataset_loads_equal(
    make_dataset, tmp_path_factory, rows, detected, n_hands, options, log
):
    path = tmp_path_factory.getbasetemp() / "any.npz"
    dataset = make_dataset(
        [label for label, _, _ in rows],
        group=[group for _, group, _ in rows],
        lengths=[length for _, _, length in rows],
        detected=detected,
        n_hands=n_hands,
        header=Header(kind="sequence", options=options, log=tuple(log)),
    )
    save_dataset(dataset, path)
    assert_equal(load_dataset(path), dataset)


def test_the_same_dataset_gives_the_same_bytes(dataset, saved, tmp_path, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 2e9)
    save_dataset(dataset, tmp_path / "other.npz")
    assert (tmp_path / "other.npz").read_bytes() == saved.read_bytes()


def test_the_file_is_an_npz_that_others_can_read_without_pickle(dataset, saved):
    with np.load(saved, allow_pickle=False) as file:
        assert set(file.files) >= {"header", "image", "world", "stage", "samples.label"}
        np.testing.assert_array_equal(file["samples.label"], dataset.samples.label)
        header = json.loads(file["header"].tobytes())
    assert header["format"] == 1
    assert header["writer"].startswith("handlore ")
    assert header["detector"]["landmarker"] == "full"


def test_options_of_numpy_are_plain_numbers(make_dataset, tmp_path):
    dataset = make_dataset(["a"])
    options = {"stride": np.int64(2), "size": np.array([640, 480]), "root": Path("photos")}
    header = replace(dataset.header, options=options)
    save_dataset(replace(dataset, header=header), tmp_path / "d.npz")
    found = load_dataset(tmp_path / "d.npz").header.options
    assert found == {"stride": 2, "size": [640, 480], "root": "photos"}
    with pytest.raises(InvalidDataError, match="numbers and text, not set"):
        save_dataset(replace(dataset, header=replace(header, options={"x": {1}})), tmp_path / "e")
    assert not (tmp_path / "e").exists()


def test_text_that_is_no_unicode_is_kept(make_dataset, tmp_path):
    """A file name in Latin-1, from an old zip: Linux gives it with a lone surrogate."""
    name = b"gr\xfc\xdfe.jpg".decode("utf-8", "surrogateescape")
    dataset = make_dataset(["a"], source=[name], header=Header(log=(f"failed: {name}: empty",)))
    save_dataset(dataset, tmp_path / "a.npz")
    assert load_dataset(tmp_path / "a.npz").samples.source[0] == name


def test_a_truncated_file_is_always_one_line(saved):
    data = saved.read_bytes()
    for length in [*range(50), *range(50, len(data), 37), len(data) - 1]:
        saved.write_bytes(data[:length])
        with pytest.raises(InvalidDataError) as problem:
            load_dataset(saved)
        assert saved.name in str(problem.value)
        assert "\n" not in str(problem.value)


@pytest.fixture(scope="module")
def whole(make_dataset, tmp_path_factory):
    """The bytes of a small dataset."""
    path = tmp_path_factory.mktemp("whole") / "a.npz"
    save_dataset(make_dataset(["a", "b"]), path)
    return path.read_bytes()


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_file_either_loads_or_is_one_line(whole, tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content))
    try:
        loaded = load_dataset(path)
    except HandloreError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert loaded.n_samples == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [(8, 0x01), (8, 0x40), (10, 99), (6, 84)],
    ids=["encrypted", "strongly encrypted", "unknown compression", "newer zip"],
)
def test_a_damaged_zip_directory_is_one_line(saved, field, value):
    data = bytearray(saved.read_bytes())
    data[data.index(b"PK\1\2") + field] = value
    saved.write_bytes(bytes(data))
    with pytest.raises(InvalidDataError, match="truncated or damaged"):
        load_dataset(saved)


def test_a_file_of_a_newer_format_names_its_writer_and_what_to_do(saved):
    rewritten(saved, "header", header_of(format=2, writer="handlore 9.1"))
    with pytest.raises(NewerFormatError, match=r"format 2, written by handlore 9\.1.*pip install"):
        load_dataset(saved)


def test_unknown_members_and_header_keys_are_no_obstacle(dataset, saved):
    rewritten(saved, "hue", npy([1, 2]))
    rewritten(saved, "header", header_of(format=1, **dataset.header.as_json(), mood="good"))
    assert_equal(load_dataset(saved), dataset)


@pytest.mark.parametrize("name", ["image", "offsets", "samples.label"])
def test_a_missing_member_is_named(saved, name):
    rewritten(saved, name, None)
    with pytest.raises(InvalidDataError, match=f"lacks {name}"):
        load_dataset(saved)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("stage", npy(np.zeros((6, 2), np.float64))),
        ("image", npy(np.zeros((6, 2, 21, 3), np.float32))),
        ("offsets", npy(np.array([0, 2, 9, 6]))),
        ("samples.label", npy(np.array(5))),
        ("samples.label", npy(np.array(["", "b", "c"]))),
        ("time", b"not an array"),
        ("time", b""),
        ("header", header_of(format=1, kind=7, detector={"colour": "red"})),
        ("header", header_of(format=1, kind="sequence", detector="mediapipe")),
        ("header", header_of(format=1, kind="sequence", log=5)),
        ("header", header_of(format=1, kind="sequence", options=[1])),
        ("header", header_of(format=1, kind="sequence", image_unit="mile")),
        ("header", header_of(format=float("inf"))),
        ("header", npy(np.frombuffer(b"\xff\xfe{", np.uint8))),
        ("header", npy(np.frombuffer(b"[1]", np.uint8))),
    ],
)
def test_members_that_are_not_what_they_should_be_are_one_line(saved, name, data):
    rewritten(saved, name, data)
    with pytest.raises(InvalidDataError) as problem:
        load_dataset(saved)
    assert saved.name in str(problem.value)


class Bomb:
    """Notes that it was unpickled."""

    exploded = False

    def __reduce__(self):
        return (setattr, (Bomb, "exploded", True))


def test_a_pickle_renamed_is_never_loaded(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InvalidDataError, match="a Python pickle, which handlore never loads"):
        load_dataset(path)
    assert not Bomb.exploded


@pytest.mark.parametrize("name", ["image", "header", "samples.label"])
def test_pickled_objects_in_an_npz_are_never_loaded(saved, name):
    rewritten(saved, name, npy(np.array([Bomb(), 1], object), allow_pickle=True))
    with pytest.raises(InvalidDataError):
        load_dataset(saved)
    assert not Bomb.exploded


def test_members_that_nobody_knows_are_not_even_unpacked(saved, dataset):
    rewritten(saved, "extra", npy(np.array([Bomb(), 1], object), allow_pickle=True))
    assert_equal(load_dataset(saved), dataset)
    assert not Bomb.exploded


def test_another_npz_is_told_apart(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.zeros(3), y=np.ones(3))
    with pytest.raises(InvalidDataError, match="not a landmark dataset; make one with"):
        load_dataset(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "it is empty"),
        (b"P", "expected an .npz file"),
        (b"label,x,y\n", "expected an .npz file made by `handlore convert`"),
        (b"\x08\x08\x12\x08skl2onnx", "looks like a model"),
        (b"\xff\xd8\xff\xe0", "expected an .npz file"),
    ],
    ids=["empty", "one letter", "csv", "model", "jpeg"],
)
def test_other_files_are_told_apart(tmp_path, content, match):
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    with pytest.raises(InvalidDataError, match=rf"data\.npz.*{match}"):
        load_dataset(path)


def test_a_table_says_how_to_make_a_dataset_of_it(tmp_path):
    path = tmp_path / "hands.csv"
    path.write_text("label,x,y\n")
    with pytest.raises(InvalidDataError, match=r"as by `handlore convert .*hands\.csv OUT\.npz`"):
        load_dataset(path)


def test_the_folder_of_one_label_says_what_to_name(tmp_path):
    label = tmp_path / "rec" / "wave"
    label.mkdir(parents=True)
    (tmp_path / "rec" / "recordings.json").write_text("{}")
    with pytest.raises(HandloreError, match=r"wave is one label of the recordings in .*rec; name"):
        load_dataset(label)


def test_an_empty_folder_holds_neither_recordings_nor_a_dataset(tmp_path):
    (tmp_path / ".DS_Store").touch()
    with pytest.raises(HandloreError, match=r"is empty: .*`handlore capture .*`handlore convert"):
        load_dataset(tmp_path)


def test_a_folder_says_how_to_make_a_dataset_of_it(tmp_path):
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(HandloreError, match="is a folder; make a dataset of it with"):
        load_dataset(tmp_path)
    (tmp_path / "recordings.json").write_text("{}")
    with pytest.raises(HandloreError, match=r"folder of recordings; `handlore.load_data\('.*read"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("name", ["missing.npz", "no folder/missing.npz"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(HandloreError, match=r"there is no file .*missing\.npz"):
        load_dataset(tmp_path / name)


def test_a_path_through_a_file_is_one_line(saved):
    with pytest.raises(HandloreError, match="cannot read"):
        load_dataset(saved / "a.npz")


def test_a_full_disk_leaves_the_old_file(dataset, saved, monkeypatch):
    import errno
    import os

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = saved.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HandloreError, match=r"cannot write .*No space left on device"):
        save_dataset(replace(dataset, header=Header(kind="sequence")), saved)
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == [saved.name]


def test_a_disk_that_fills_up_in_the_middle_is_one_line(dataset, saved):
    resource = pytest.importorskip("resource")
    import signal

    before = saved.read_bytes()
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(HandloreError, match="cannot write"):
            save_dataset(dataset, saved)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == [saved.name]
