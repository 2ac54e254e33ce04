"""Datasets as tables that others read: a row a frame, columns with names."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.files import as_path, atomic_write, require_writable
from handlore.landmarks.hands import N_LANDMARKS

from ..dataset import LandmarkDataset
from ..storage import load_dataset
from .parquet import pyarrow_parquet
from .posefile import write_pose

_Columns = dict[str, NDArray[Any]]
_SAMPLE_TEXTS = ("label", "group", "session", "recording", "split", "source", "sha256")
_ROWS_AT_ONCE = 10_000


def export_table(dataset: LandmarkDataset | str | Path, path: str | Path) -> int:
    """Write a dataset, or that of a file, as a table; the ending of the file says which kind.

    ``.csv``, ``.tsv``, ``.parquet`` (needs pyarrow), ``.json`` (a list of records), ``.jsonl`` (a
    record a line) and ``.npy`` (a structured array, nothing pickled) have one row a frame:
    ``label``, ``group``, ``session``, ``recording``, ``split``, ``source``, ``sha256``, ``view``;
    ``kind``, ``unit``; ``clip`` (the number of the sample, from 1), ``frame``, ``time`` in
    seconds; ``x0``, ``y0``, ``z0`` to ``z20`` in picture widths (or metres, if ``unit`` says so);
    ``world_x0`` to ``world_z20`` in metres; ``handedness``, ``score``, ``stage``. With two hands a
    frame these columns begin with ``hand1_`` and ``hand2_``. What is not known is empty, and a hand
    that was not found has no numbers. :func:`handlore.convert` reads all of this back unchanged;
    the detector, the options, the log and the note of the header are not in a table. ``.pose`` is
    the format of the sign language community, a clip a file.

    Returns how many rows were written.

    Raises
    ------
    HandloreError
        If the ending is unknown, or the file cannot be written.

    Examples
    --------
    >>> dataset = handlore.load_dataset("poses.npz")
    >>> handlore.export_table(dataset, "poses.csv")
    24
    """
    path, dataset = as_path(path), load_dataset(dataset)
    write = WRITERS.get(path.suffix.lower())
    if write is None:
        raise HandloreError(f"{path} has the ending {path.suffix!r}, expected {', '.join(WRITERS)}")
    require_writable(path)
    with atomic_write(path) as stream:
        write(dataset, stream)
    return dataset.n_frames


def _table_columns(dataset: LandmarkDataset) -> _Columns:
    """Return the columns of a table (n_frames,) by name, in their order."""
    lengths = np.diff(dataset.offsets)
    numbers = np.repeat(np.arange(dataset.n_samples), lengths)
    texts = {name: getattr(dataset.samples, name)[numbers] for name in _SAMPLE_TEXTS}
    return {
        **texts,
        "view": dataset.samples.view[numbers],
        "kind": np.full(dataset.n_frames, dataset.header.kind),
        "unit": np.full(dataset.n_frames, dataset.header.image_unit),
        "clip": numbers + 1,
        "frame": np.arange(dataset.n_frames) - np.repeat(dataset.offsets[:-1], lengths),
        "time": dataset.time,
        **_hand_columns(dataset),
    }


def _hand_columns(dataset: LandmarkDataset) -> _Columns:
    columns: _Columns = {}
    for slot in range(dataset.n_hands):
        prefix = f"hand{slot + 1}_" if dataset.n_hands > 1 else ""
        for name in ("handedness", "score", "stage"):
            columns[f"{prefix}{name}"] = getattr(dataset, name)[:, slot]
        for kind, marks in (("", dataset.image), ("world_", dataset.world)):
            for number in range(N_LANDMARKS):
                for axis, letter in enumerate("xyz"):
                    columns[f"{prefix}{kind}{letter}{number}"] = marks[:, slot, number, axis]
    return columns


def _records(columns: Mapping[str, NDArray[Any]]) -> Iterator[list[Any]]:
    """Yield the rows as values of Python; NaN is None, and numbers are as short as they may be."""
    n_rows = len(next(iter(columns.values())))
    for start in range(0, n_rows, _ROWS_AT_ONCE):
        parts = [_values(column[start : start + _ROWS_AT_ONCE]) for column in columns.values()]
        yield from (list(row) for row in zip(*parts, strict=True))


def _values(column: NDArray[Any]) -> list[Any]:
    if column.dtype.kind == "U":
        return [_utf8(text) for text in column.tolist()]
    if column.dtype.kind != "f":
        return column.tolist()  # type: ignore[no-any-return]
    # The shortest text that is this float32 again is shorter than that of the same float64.
    short = column.astype(str) if column.dtype == np.float32 else column
    return [None if math.isnan(value) else value for value in map(float, short.tolist())]


def _utf8(text: str) -> str:
    """Return text whose bytes that are no UTF-8 are escaped: names of files may have some."""
    return text.encode("utf-8", "backslashreplace").decode()


def _write_text(separator: str) -> Callable[[LandmarkDataset, BinaryIO], None]:
    def write(dataset: LandmarkDataset, stream: BinaryIO) -> None:
        columns = _table_columns(dataset)
        stream.write((separator.join(columns) + "\n").encode())
        for row in _records(columns):
            stream.write((separator.join(map(_cell, row)) + "\n").encode())

    return write


def _cell(value: Any) -> str:
    """Return a cell of a text; blanks at its ends are kept by quotes."""
    if not isinstance(value, str):
        return "" if value is None else str(value)
    if value.isalnum():
        return value
    return '"' + value.replace('"', '""') + '"' if _QUOTED.search(value) else value


_QUOTED = re.compile(r"[\s,;\"'|]")


def _write_json(dataset: LandmarkDataset, stream: BinaryIO) -> None:
    for number, line in enumerate(_json_lines(dataset)):
        stream.write(b"[\n" if number == 0 else b",\n")
        stream.write(line)
    stream.write(b"\n]\n")


def _write_json_lines(dataset: LandmarkDataset, stream: BinaryIO) -> None:
    for line in _json_lines(dataset):
        stream.write(line + b"\n")


def _json_lines(dataset: LandmarkDataset) -> Iterator[bytes]:
    columns = _table_columns(dataset)
    for row in _records(columns):
        record = dict(zip(columns, row, strict=True))
        yield json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def _write_npy(dataset: LandmarkDataset, stream: BinaryIO) -> None:
    columns = _table_columns(dataset)
    types = [(name, column.dtype) for name, column in columns.items()]
    table = np.empty(dataset.n_frames, types)
    for name, column in columns.items():
        table[name] = column
    np.lib.format.write_array(stream, table, allow_pickle=False)


def _write_parquet(dataset: LandmarkDataset, stream: BinaryIO) -> None:
    parquet = pyarrow_parquet()
    import pyarrow

    columns = {
        name: pyarrow.array(_values(column)) if column.dtype.kind == "U" else pyarrow.array(column)
        for name, column in _table_columns(dataset).items()
    }
    parquet.write_table(pyarrow.table(columns), stream)


WRITERS: dict[str, Callable[[LandmarkDataset, BinaryIO], None]] = {
    ".csv": _write_text(","),
    ".tsv": _write_text("\t"),
    ".parquet": _write_parquet,
    ".json": _write_json,
    ".jsonl": _write_json_lines,
    ".npy": _write_npy,
    ".pose": write_pose,
}
"""By the ending of the file."""
