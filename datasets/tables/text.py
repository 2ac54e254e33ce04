"""Tables in text: CSV, TSV and their relatives, with any usual separator and decimal comma."""

import codecs
import csv
import math
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.untrusted import DAMAGE

from ..files import readable, require_regular
from .columns import Columns, number_in
from .parquet import LONG_FORM, clip_column, long_table
from .rows import LOOKED_AT, RawTable, Reader, Rows

_LONGEST_LINE = 1 << 20
_SEPARATORS = ";\t|, "
"""Those that are no decimal comma first."""

_EMPTY = ["", "nan", "NaN", "NAN", "na", "NA", "N/A", "n/a", "null", "NULL", "none", "None"]
_CELLS_AT_ONCE = 4_000_000
_NOT_PLAIN: tuple[type[Exception], ...] = (*DAMAGE, Warning)


@dataclass(frozen=True)
class _Dialect:
    separator: str
    encoding: str
    decimal: str
    n_columns: int
    has_header: bool


@dataclass(frozen=True, eq=False)
class _TextTable(RawTable):
    """A table in a text file."""

    path: Path = Path()
    dialect: _Dialect = _Dialect(",", "utf-8", ".", 0, has_header=False)

    def rows(self, columns: Columns) -> Rows:
        """Read all rows: quickly if every cell is what it should be, else one by one."""
        try:
            with warnings.catch_warnings(), np.errstate(over="ignore"):
                # It warns of cells that it drops, and of numbers beyond a float.
                warnings.simplefilter("error")
                return self._at_once(columns)
        except _NOT_PLAIN:
            return self._one_by_one(columns)

    def _one_by_one(self, columns: Columns) -> Rows:
        lines = _lines(self.path, self.dialect.encoding)
        if self.dialect.has_header:
            next(lines, None)
        dialect = self.dialect
        cells = (_with_points(_split(line, dialect.separator), dialect.decimal) for line in lines)
        return Rows.of_cells(cells, columns, dialect.n_columns, self.names)

    def _at_once(self, columns: Columns) -> Rows:
        import pandas

        places, roles = list(columns.numbers), dict(columns.roles)
        worded = {p for p in range(self.dialect.n_columns) if p not in places}
        dtypes: Any = {
            p: object if p in worded else np.float32 for p in range(self.dialect.n_columns)
        }
        empty: Any = dict.fromkeys(places, _EMPTY)
        numbers: list[Any] = []
        texts: dict[str, list[str]] = {role: [] for role in roles}
        with pandas.read_csv(
            self.path,
            sep=self.dialect.separator,
            header=0 if self.dialect.has_header else None,
            names=list(range(self.dialect.n_columns)),
            index_col=False,
            dtype=dtypes,
            na_values=empty,
            keep_default_na=False,
            skipinitialspace=True,
            decimal=self.dialect.decimal,
            encoding=self.dialect.encoding,
            encoding_errors="backslashreplace",
            chunksize=max(1000, _CELLS_AT_ONCE // self.dialect.n_columns),
            on_bad_lines="error",
        ) as chunks:
            for chunk in chunks:
                numbers.append(chunk[places].to_numpy(np.float32))
                for role, place in roles.items():
                    cells = [str(cell) for cell in chunk[place].tolist()]
                    texts[role] += _with_points(cells, self.dialect.decimal)
        return Rows(np.concatenate(numbers), texts)


def _text_table(path: Path, name: str) -> _TextTable:
    """Look at the beginning of a text file."""
    require_regular(path)
    encoding = _encoding(path)
    lines = [line for line, _ in zip(_lines(path, encoding), range(LOOKED_AT + 1), strict=False)]
    if not lines:
        raise InvalidDataError("the file is empty")
    separator = _separator(lines)
    split = [_split(line, separator) for line in lines]
    decimal = "," if separator != "," and _has_decimal_commas(split) else "."
    rows = [_with_points(row, decimal) for row in split]
    has_header = _is_header(rows[0])
    counts = Counter(len(row) for row in rows[has_header:])
    n_columns = max(counts, key=lambda n: counts[n], default=0)
    if has_header and len(rows[0]) != n_columns:
        raise InvalidDataError(
            f"its header names {len(rows[0])} columns, and its rows have {n_columns}"
        )
    dialect = _Dialect(separator, encoding, decimal, n_columns, has_header)
    head = [row for row in rows[has_header:] if len(row) == n_columns]
    return _TextTable(name, split[0] if has_header else None, head, path=path, dialect=dialect)


def _encoding(path: Path) -> str:
    with readable(), path.open("rb") as file:
        start = file.read(4096)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in start:
        raise InvalidDataError("it is not plain text in UTF-8, such as a CSV; export it again")
    return "utf-8-sig"


def _lines(path: Path, encoding: str) -> Iterator[str]:
    """Yield the lines with something in them."""
    with readable(), path.open(encoding=encoding, errors="backslashreplace", newline="") as file:
        while line := file.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE:
                raise InvalidDataError("a line is longer than any row of landmarks")
            if line.strip("\r\n "):
                yield line.rstrip("\r\n")


def _separator(lines: Sequence[str]) -> str:
    """Return what most lines have many of, and in the same number."""
    best, most = ",", 0
    for separator in _SEPARATORS:
        counts = Counter(len(_split(line, separator)) for line in lines)
        n_columns, n_lines = max(counts.items(), key=lambda item: (item[1], item[0]))
        if n_columns > 20 and n_lines > most * 1.2:
            best, most = separator, n_lines
    return best


def _split(line: str, separator: str) -> list[str]:
    try:
        cells = next(csv.reader([line.strip() if separator == " " else line], delimiter=separator,
                                skipinitialspace=True), [])  # fmt: skip
    except csv.Error:
        cells = line.split(separator)
    return cells


_COMMA = re.compile(r"\s*[-+]?(?:\d+,\d*|,\d+)(?:[eE][-+]?\d+)?\s*", re.ASCII)
_POINT = re.compile(_COMMA.pattern.replace(",", r"\."), re.ASCII)


def _with_points(cells: list[str], decimal: str) -> list[str]:
    """Return cells whose numbers have decimal points."""
    if decimal == ".":
        return cells
    return [cell.replace(",", ".") if _COMMA.fullmatch(cell) else cell for cell in cells]


def _has_decimal_commas(rows: Sequence[Sequence[str]]) -> bool:
    """Say whether more numbers have a comma than a point: a row without a hand has neither."""
    cells = [cell for row in rows for cell in row]
    commas = sum(bool(_COMMA.fullmatch(cell)) for cell in cells)
    return commas > sum(bool(_POINT.fullmatch(cell)) for cell in cells)


def _is_header(cells: Sequence[str]) -> bool:
    """Say whether a row holds names: most landmarks have one, and at most a few are numbers.

    Names may be plain numbers: 0, 1, 2 and so on.
    """
    numbers = [number_in(cell) for cell in cells]
    counted = [number for number in numbers if number is not None and not math.isnan(number)]
    if len(counted) >= 42 and all(b - a == 1 for a, b in pairwise(counted)):
        return True
    return len(counted) <= len(cells) // 4


def _text_tables(path: Path, name: str) -> list[RawTable]:
    """Look at a text file; one with a landmark a row is read at once."""
    table = _text_table(path, name)
    if table.names is not None and set(LONG_FORM) - {"z"} <= set(table.names):
        return [_long_text(table)]
    return [table]


def _long_text(table: _TextTable) -> RawTable:
    import pandas

    names = list(table.names or ())
    clip = clip_column(names)
    wanted = [*(one for one in LONG_FORM if one in names), *([clip] if clip else [])]
    try:
        frame = pandas.read_csv(
            table.path,
            sep=table.dialect.separator,
            decimal=table.dialect.decimal,
            encoding=table.dialect.encoding,
            usecols=wanted,
        )
        columns: dict[str, Any] = {one: frame[one].to_numpy() for one in wanted}
        columns.setdefault("z", frame["x"].to_numpy() * float("nan"))
        return long_table(columns, table.name, clip)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidDataError("it has a landmark a row, and not all are numbers") from error


READERS: dict[str, Reader] = dict.fromkeys((".csv", ".tsv", ".tab"), _text_tables)
