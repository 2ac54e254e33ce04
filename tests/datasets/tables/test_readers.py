import io
import os
import tracemalloc

import numpy as np
import pytest
from hand_tables import csv_text, hands, header, rows_of, shares

from handlore.datasets.sources.landmark_table import _tables_of
from handlore.datasets.tables import arrays
from handlore.datasets.tables.parts import TablePart
from handlore.landmarks.errors import InvalidDataError

MOST_MEMORY = 300 << 20


def refusal(path):
    """Read all of a file that must be refused, in little memory and one line."""
    tracemalloc.start()
    try:
        with pytest.raises(InvalidDataError) as caught:
            read_all(path)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def read_all(path):
    return [TablePart.read(table) for table in _tables_of(path, path.name)]


def npy_header(shape, dtype="<f8"):
    stream = io.BytesIO()
    facts = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, facts)
    return stream.getvalue()


@pytest.mark.parametrize("shape", [(10**9, 63), (10**30,), (63, 10**18), (-1, 63)])
def test_an_array_that_declares_more_than_it_holds(tmp_path, shape):
    path = tmp_path / "a.npy"
    path.write_bytes(npy_header(shape) + bytes(1000))
    assert refusal(path)


class Shout:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_an_array_of_objects_executes_nothing(tmp_path):
    np.save(tmp_path / "a.npy", np.array([Shout(tmp_path / "shout")], object), allow_pickle=True)
    assert "nothing is executed" in refusal(tmp_path / "a.npy")
    np.savez(tmp_path / "b.npz", X=np.array([Shout(tmp_path / "shout")], object))
    assert "nothing is executed" in refusal(tmp_path / "b.npz")
    assert not (tmp_path / "shout").exists()


def test_characters_that_do_not_exist(tmp_path):
    labels = np.full(6, 0x7FFFFFFF, np.uint32).view("<U1")
    np.savez(tmp_path / "a.npz", X=np.zeros((6, 63)), y=labels)
    assert "characters that do not exist" in refusal(tmp_path / "a.npz")


def test_an_archive_that_unfolds_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "MAX_FILE_BYTES", 1 << 20)
    np.savez_compressed(tmp_path / "a.npz", X=np.zeros((10_000, 63)), y=np.zeros(10_000))
    assert refusal(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("line.csv", b"1," * 2_000_000), ("columns.csv", b"1," * 20_000 + b"1\n"),
        ("nothing.csv", b"\n\n\n"), ("bytes.csv", bytes(range(256)) * 40),
        ("quote.csv", b'"' + b"1,2\n" * 50_000), ("deep.json", b"[" * 100_000),
        ("deep.jsonl", b'{"landmarks":' * 5000), ("number.json", b"9" * 100_000),
        ("huge.jsonl", b'{"label": "a", "landmarks": [' + b"1e999," * 62 + b"1]}\n"),
        ("footer.parquet", b"PAR1" + b"\xff\xff\xff\x7f" + b"PAR1"), ("empty.parquet", b""),
    ],
)  # fmt: skip
def test_hostile_files(tmp_path, name, data):
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow", reason="needs the extra parquet")
    (tmp_path / name).write_bytes(data)
    if name == "huge.jsonl":
        (table,) = _tables_of(tmp_path / name, name)
        assert TablePart.read(table).bad
    else:
        assert refusal(tmp_path / name)


def test_the_quick_and_the_careful_reader_agree(tmp_path):
    rows = rows_of(
        shares(hands()), ["None", "nan", "NA", "1", "01", "1.0", " a", '"b"', "ü"] + ["x"] * 3
    )
    rows[3][7] = ""
    rows[4] = ["", *[""] * 63]
    path = tmp_path / "a.csv"
    path.write_text(csv_text(rows, ["label", *header("{a}{k}")]), "utf-8")
    (table,) = _tables_of(path, "a.csv")
    columns = table.columns()
    quick, careful = table._at_once(columns), table._one_by_one(columns)
    np.testing.assert_array_equal(quick.numbers, careful.numbers)
    assert list(quick.texts["label"]) == list(careful.texts["label"])
    assert list(quick.texts["label"])[:6] == ["None", "nan", "NA", "1", "", "1.0"]
