"""Tables in Parquet files, by pyarrow, which is the extra ``parquet``."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.hands import N_LANDMARKS
from handlore.landmarks.untrusted import damage_as

from ..files import require_regular
from .columns import MAX_COLUMNS, Columns
from .rows import LOOKED_AT, NumberTable, RawTable, Reader, Rows

LONG_FORM = ("frame", "type", "landmark_index", "x", "y", "z")
"""Columns of the layout with a landmark a row, as Kaggle's set of isolated signs has it."""

_ROWS_AT_ONCE = 65_536
_MAX_ROWS = 200_000_000


def pyarrow_parquet() -> Any:
    """Return pyarrow's module for Parquet; HandloreError names the extra where it is missing."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise HandloreError(
            "Parquet files need pyarrow: pip install 'handlore[parquet]'"
        ) from error
    return pyarrow.parquet


@dataclass(frozen=True, eq=False)
class _ParquetTable(RawTable):
    """A table in a Parquet file."""

    path: Path = Path()

    def rows(self, columns: Columns) -> Rows:
        """Read the columns that have a role, some rows at once."""
        names = self.names or ()
        wanted = [names[place] for place in columns.numbers]
        roles = {role: names[place] for role, place in columns.roles.items()}
        numbers: list[NDArray[np.float32]] = []
        texts: dict[str, list[str]] = {role: [] for role in roles}
        with _opened(self.path) as file:
            for batch in _batches(file, [*dict.fromkeys([*wanted, *roles.values()])]):
                numbers.append(np.stack([_numbers(batch[name]) for name in wanted], 1))
                for role, name in roles.items():
                    texts[role] += _texts(batch[name])
        whole = np.concatenate(numbers) if numbers else np.zeros((0, len(wanted)), np.float32)
        return Rows(whole, texts)


def _parquet_tables(path: Path, name: str) -> list[RawTable]:
    """Look at a Parquet file; one with a landmark a row is read at once."""
    require_regular(path)
    with _opened(path) as file:
        names = [str(one) for one in file.schema_arrow.names]
        if len(names) > MAX_COLUMNS or file.metadata.num_rows > _MAX_ROWS:
            raise InvalidDataError(f"it has {file.metadata.num_rows} rows, {len(names)} columns")
        if set(LONG_FORM) <= set(names):
            return [_long_table(file, name, names)]
        head = next(iter(_batches(file, names, LOOKED_AT)), None)
    cells = zip(*(_texts(head[one]) for one in names), strict=True) if head is not None else ()
    return [_ParquetTable(name, names, [list(row) for row in cells], path=path)]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    parquet = pyarrow_parquet()
    # pyarrow raises OSError for damage too.
    with (
        damage_as("it is not a Parquet file, or damaged", OSError),
        parquet.ParquetFile(path) as file,
    ):
        yield file


def _batches(file: Any, names: Sequence[str], n_rows: int = _ROWS_AT_ONCE) -> Iterator[Any]:
    yield from file.iter_batches(batch_size=n_rows, columns=list(names))


def _numbers(column: Any) -> NDArray[np.float32]:
    values = column.to_numpy(zero_copy_only=False)
    if values.dtype.kind not in "fiub":
        raise InvalidDataError("a column of landmarks holds no numbers")
    with np.errstate(over="ignore"):
        return np.asarray(values, np.float32)


def _texts(column: Any) -> list[str]:
    return ["" if value is None else _text(value) for value in column.to_pylist()]


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value) if not isinstance(value, float) else repr(value)


def _long_table(file: Any, name: str, names: Sequence[str]) -> NumberTable:
    clip = clip_column(names)
    wanted = [*LONG_FORM, *([clip] if clip else [])]
    kept = [_hand_rows(batch) for batch in _batches(file, wanted)]
    columns = {one: np.concatenate([batch[one] for batch in kept]) for one in wanted}
    return long_table(columns, name, clip)


def _hand_rows(batch: Any) -> dict[str, NDArray[Any]]:
    """Return the columns of the rows that are landmarks of a hand, and one row of each frame."""
    types = np.array(batch["type"].to_pylist(), np.str_)
    frames = batch["frame"].to_numpy(zero_copy_only=False)
    first = np.zeros(len(types), bool)
    first[np.unique(frames, return_index=True)[1]] = True
    chosen = first | (types == "left_hand") | (types == "right_hand")
    found = {}
    for place, one in enumerate(batch.schema.names):
        column = batch.column(place).to_numpy(zero_copy_only=False)
        found[one] = types[chosen] if one == "type" else column[chosen]
    return found


def clip_column(names: Sequence[str]) -> str | None:
    """Return the column that says which clip a landmark is of, if there is one."""
    return next((one for one in ("sequence_id", "sequence", "video") if one in names), None)


def long_table(columns: Mapping[str, NDArray[Any]], name: str, clip: str | None) -> NumberTable:
    """Return a table with a frame a row of one with a landmark a row."""
    frames = np.asarray(columns["frame"], np.int64)
    clips = np.asarray(columns[clip], np.str_) if clip else np.zeros(len(frames), "U1")
    keys, rows = np.unique(np.array([clips, frames.astype(np.str_)]), axis=1, return_inverse=True)
    order = np.argsort(keys[1].astype(np.int64), kind="stable")
    order = order[np.argsort(keys[0][order], kind="stable")]
    place_of = np.empty_like(order)
    place_of[order] = np.arange(len(order))
    numbers = np.full((len(order), 2, N_LANDMARKS, 3), np.nan, np.float32)
    marks = np.asarray(columns["landmark_index"], np.int64)
    sides = np.select([columns["type"] == "left_hand", columns["type"] == "right_hand"], [0, 1], -1)
    chosen = (sides >= 0) & (marks >= 0) & (marks < N_LANDMARKS)
    at = place_of[np.ravel(rows)[chosen]], sides[chosen], marks[chosen]
    for axis, one in enumerate("xyz"):
        numbers[(*at, axis)] = np.asarray(columns[one], np.float32)[chosen]
    names = [f"{a}_{s}_hand_{k}" for s in ("left", "right") for k in range(21) for a in "xyz"]
    texts: dict[str, list[str]] = {"frame": keys[1][order].tolist()}
    if clip:
        texts["clip"] = keys[0][order].tolist()
    flat = numbers.reshape(len(order), -1)
    return NumberTable.of(name, flat, texts, names=names, is_clip=clip is None)


READERS: dict[str, Reader] = dict.fromkeys((".parquet", ".pq"), _parquet_tables)
