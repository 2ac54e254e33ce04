"""Datasets and recordings made to do harm: one line each, bounded memory, and the rest is read."""

import io
import json
import os
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recording_stubs import filled

from handlore.datasets.loading import load_recordings
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.storage import load_dataset, save_dataset
from handlore.landmarks.errors import InvalidDataError

HEADERS = {
    "TypeError": "{'descr': [], 'fortran_order': False, 'shape': (1,)}",
    "IndexError": "{'descr': (), 'fortran_order': False, 'shape': (1,)}",
    "TokenError": "{'descr': '''",
    "IndentationError": "  {'a':\n 1}\n   b",
    "RecursionError": "(" * 5000,
    "MemoryError": "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}",
    "OverflowError": "{'descr': '<f4', 'fortran_order': False, 'shape': (1" + "0" * 30 + ",)}",
    "unhashable": "{[]: 1}",
    "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
}


def npy(header: str, values: bytes = b"\0" * 8) -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + values


def with_member(path: Path, name: str, data: bytes, kind: int = zipfile.ZIP_DEFLATED) -> Path:
    """Replace a member of a dataset."""
    with zipfile.ZipFile(path) as archive:
        members = {one: archive.read(one) for one in archive.namelist()}
    with zipfile.ZipFile(path, "w", kind) as archive:
        for one, old in (members | {name: data}).items():
            archive.writestr(one, data if one == name else old)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> RecordingFolder:
    return filled(tmp_path / "gestures", 3, ("left",))


def first(folder: RecordingFolder) -> Path:
    return folder.root / "left" / "0001.npz"


@pytest.mark.parametrize("name", HEADERS)
def test_a_damaged_recording_is_one_failure(name: str, folder: RecordingFolder) -> None:
    with_member(first(folder), "image.npy", npy(HEADERS[name]))
    with pytest.raises(InvalidDataError, match=r"0001\.npz is truncated or damaged \(") as caught:
        load_dataset(first(folder))
    assert str(caught.value).isprintable()
    found = load_recordings(folder.root)
    assert len(found.recordings) == 2
    [(file, why)] = found.failures
    assert file == "left/0001.npz"
    assert why.endswith("; record it again, or delete the file")


def test_other_compressions_are_refused(folder: RecordingFolder) -> None:
    with zipfile.ZipFile(first(folder)) as archive:
        image = archive.read("image.npy")
    with_member(first(folder), "image.npy", image, zipfile.ZIP_LZMA)
    with pytest.raises(InvalidDataError, match="compressed in an unusual way"):
        load_dataset(first(folder))


def test_a_bomb_is_refused_before_it_is_unpacked(folder: RecordingFolder) -> None:
    zeros = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (300000000,)}", b"")
    with_member(first(folder), "score.npy", zeros + bytes(300_000_000))
    assert first(folder).stat().st_size < 1_000_000
    with pytest.raises(InvalidDataError, match="unpacked it has 286 MB, expected at most 256 MB"):
        load_dataset(first(folder))


def damaged(folder: RecordingFolder, **changed: object) -> Path:
    """Write a recording whose arrays nobody has checked."""
    path = first(folder)
    for name, values in changed.items():
        stream = io.BytesIO()
        np.save(stream, np.asarray(values))
        with_member(path, f"{name.replace('__', '.')}.npy", stream.getvalue())
    return path


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"samples__group": ["\ud800"]}, "group holds text that no file can hold"),
        ({"samples__label": ["x" * 501]}, "at most 500 characters"),
        ({"samples__view": [-1]}, "view must be 0 or more"),
    ],
)
def test_columns(changed: dict[str, object], why: str, folder: RecordingFolder) -> None:
    with pytest.raises(InvalidDataError, match=why):
        load_dataset(damaged(folder, **changed))


def test_a_recording_of_many_years(folder: RecordingFolder) -> None:
    time = load_dataset(first(folder)).time.copy()
    time[-1] = 1e10
    with pytest.raises(InvalidDataError, match="a sample lasts longer than 1,000,000 s"):
        load_dataset(damaged(folder, time=time))


def test_infinite_landmarks(folder: RecordingFolder) -> None:
    world = load_dataset(first(folder)).world.copy()
    world[0, 0, 3] = np.inf
    with pytest.raises(InvalidDataError, match="world must be finite, or NaN"):
        load_dataset(damaged(folder, world=world))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"format":' * 5000, "1" * 10_000, "\udcff"])
def test_a_damaged_marker(text: str, folder: RecordingFolder) -> None:
    (folder.root / "recordings.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InvalidDataError, match=r"recordings\.json is damaged; if"):
        load_recordings(folder.root)


def test_a_nested_header(folder: RecordingFolder) -> None:
    nested = json.dumps({"format": 1, "options": {"a": 0}}).replace("0", "[" * 300 + "]" * 300)
    stream = io.BytesIO()
    np.save(stream, np.frombuffer(nested.encode(), np.uint8))
    with pytest.raises(InvalidDataError, match="not a landmark dataset"):
        load_dataset(with_member(first(folder), "header.npy", stream.getvalue()))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_is_named_and_not_waited_for(folder: RecordingFolder) -> None:
    first(folder).unlink()
    os.mkfifo(first(folder))
    with pytest.raises(InvalidDataError, match="is a pipe or a device"):
        load_dataset(first(folder))
    assert len(load_recordings(folder.root).failures) == 1


def test_windows_of_a_stream_with_a_long_gap(tmp_path: Path) -> None:
    from recording_stubs import stream

    folder = filled(tmp_path / "gestures", 2, ("left",))
    none = stream(20.0)
    time = none.time.copy()
    time[len(time) // 2 :] += 900_000
    folder.keep(replace(none, time=time))
    found = load_recordings(folder.root)
    joined = found.dataset("sequence")
    assert joined.n_samples < 100
    assert np.ptp(joined.time) < 1000
    save_dataset(joined, tmp_path / "joined.npz")
