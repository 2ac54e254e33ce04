import collections
import contextlib
import datetime
import fractions
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlore.datasets.tables import arrays
from handlore.datasets.tables.pickles import load_numbers
from handlore.landmarks.errors import InvalidDataError

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(value=values, protocol=st.integers(0, 5))
def test_plain_values(value, protocol):
    assert load_numbers(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4), np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)),
        np.array(["fist", "palm"]), np.zeros((0, 3), np.float32), np.array([b"a", b"bc"]),
    ],
)  # fmt: skip
def test_arrays_of_numpy(array, protocol):
    read = load_numbers(pickle.dumps({"x": array}, protocol))["x"]
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


def test_scalars_objects_and_dicts_of_other_kinds():
    assert load_numbers(pickle.dumps([np.float32(0.5), np.str_("a")])) == [0.5, "a"]
    assert load_numbers(pickle.dumps(np.array(["a", "b"], object))) == ["a", "b"]
    grouped = collections.defaultdict(list, {"fist": [[0.1] * 42]})
    assert load_numbers(pickle.dumps(grouped)) == dict(grouped)


class Shout:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


FORBIDDEN = {
    "a class": fractions.Fraction(1, 2), "a date": datetime.date(2026, 1, 1), "a set": {1, 2},
    "a function": print, "records": np.zeros(2, [("x", "f4")]),
    "dates": np.array(["2026"], "M8[D]"),
}  # fmt: skip


@pytest.mark.parametrize("value", FORBIDDEN.values(), ids=FORBIDDEN)
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_anything_else_is_refused(value, protocol):
    with pytest.raises(InvalidDataError):
        load_numbers(pickle.dumps(value, protocol))


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_is_executed(tmp_path, protocol):
    data = pickle.dumps({"data": Shout(tmp_path / "shout")}, protocol)
    with pytest.raises(InvalidDataError, match=r"asks for (posix|nt|os)\.system; only dicts"):
        load_numbers(data)
    assert not (tmp_path / "shout").exists()


HOSTILE = {
    "eval": b"c__builtin__\neval\n(S'1'\ntR.",
    "exec by name": b"\x80\x04\x8c\x08builtins\x8c\x04exec\x93.",
    "import": b"c__builtin__\n__import__\n(S'os'\ntR.", "an instance": b"(S'x'\nios\nsystem\n.",
    "new object": b"\x80\x02cnumpy\ndtype\n)\x81.", "an extension": b"\x80\x02\x82\x01.",
    "a persistent name": b"Pfile\n.", "buffers": b"\x80\x05\x97.",
    "a hole in the memo": b"\x80\x02Nr\xff\xff\xff\x7f.",
    "a text of 2 GB": b"X\xff\xff\xff\x7fabc.", "no end": b"\x80\x04]", "nothing": b"",
    "4 EB": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b".",
    "unknown": b"\xff\xff", "numpy's loader": b"cnumpy\nload\n(S'x'\ntR.",
    "a type by words": b"cnumpy\ndtype\n(S'f8,O'\nI0\nI1\ntR.",
    "an array of 8 TB": b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    b"(I1\n(I1099511627776\ntcnumpy\ndtype\n(S'f8'\nI0\nI1\ntRI00\nS''\ntb.",
}  # fmt: skip


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes(data):
    with pytest.raises(InvalidDataError) as caught:
        load_numbers(data)
    assert "\n" not in str(caught.value)


def test_what_unfolds_without_end_is_refused():
    laughs = b"\x80\x02(lq\x00" + b"".join(
        b"]" + b"q" + bytes([n]) + b"(" + (b"h" + bytes([n - 1])) * 10 + b"e" for n in range(1, 12)
    )
    with pytest.raises(InvalidDataError, match="unfolds to much more"):
        load_numbers(laughs + b".")
    itself: list[object] = []
    itself.append(itself)
    with pytest.raises(InvalidDataError):
        load_numbers(pickle.dumps(itself))


@given(st.binary(max_size=60))
def test_random_bytes(data):
    for start in (b"", b"\x80\x04", b"\x80\x02cnumpy\ndtype\n"):
        with contextlib.suppress(InvalidDataError):
            load_numbers(start + data)


def test_an_archive_is_unpacked_up_to_a_share_of_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "a.npz", X=np.zeros((5000, 63)))
    assert zipfile.is_zipfile(tmp_path / "a.npz")
    monkeypatch.setattr(arrays, "_LEAST_LIMIT", 1 << 20)
    with pytest.raises(InvalidDataError, match=r"X\.npy has 2 MB, expected at most 1 MB"):
        arrays._read_npz(tmp_path / "a.npz")
