"""A CSV file with one small picture a row: what its columns are, and any row of it.

Only one pass is ever made over a file; it leaves the place of each row, and its label.
"""

import hashlib
import re
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import isqrt
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import Pixels

from ..files import file_stamp, readable, require_regular

_LONGEST_ROW = 1 << 23
"""Bytes; a longer line is no row of a table, and is not read into memory."""

_LOOKED_AT = 20
_LEAST_PIXELS = 64
_LABEL_NAMES = (b"label", b"class")
_INDEX_NAMES = (b"", b"index", b"id", b"unnamed: 0")
_GRID = re.compile(rb"(\d+)[x_](\d+)$")


@dataclass(frozen=True)
class _TableLayout:
    """What the columns of a file are."""

    delimiter: bytes
    has_header: bool
    n_columns: int
    label: int
    """The column of the label."""
    pixels: tuple[int, ...]
    """The columns of the pixels, row by row of the picture."""
    shape: tuple[int, ...]
    """(height, width), or (height, width, 3) for RGB."""

    @classmethod
    def read(cls, path: Path) -> "_TableLayout":
        """Find out what the columns are, by the first rows only."""
        require_regular(path)
        with readable(), path.open("rb") as file:
            lines = [line for _, line in _lines(file, _LOOKED_AT)]
        if not lines:
            raise InvalidDataError("the file is empty")
        if any(b"\0" in line for line in lines):
            raise InvalidDataError("it is not plain text in UTF-8, such as a CSV; export it again")
        return _layout(lines)


@dataclass(frozen=True, eq=False)
class PixelTable:
    """The rows of a file, not read yet."""

    path: Path
    layout: _TableLayout
    offsets: "array[int]"
    """Where each row starts, in bytes."""
    labels: tuple[str | None, ...]
    """The label of each row as it is written; None where the row has another number of columns."""

    def row(self, number: int) -> tuple[Pixels, str]:
        """Read one row, counted from 0 without the header: (height, width, 3) RGB, and its digest.

        The digest is that of the row's bytes, without the end of the line.
        """
        with readable(), self.path.open("rb") as file:
            file.seek(self.offsets[number])
            line = file.readline(_LONGEST_ROW).rstrip(b"\r\n")
        return _picture(line, self.layout), hashlib.sha256(line).hexdigest()

    @classmethod
    def read(cls, path: Path) -> "PixelTable":
        """Find the rows of a file; the answer is kept as long as the file does not change."""
        return _indexed(path, file_stamp(path))


@lru_cache(maxsize=8)
def _indexed(path: Path, _stamp: tuple[int, int]) -> PixelTable:
    """Go through a file; its stamp is there to notice that it changed."""
    layout = _TableLayout.read(path)
    offsets, labels, known = array("q"), [], dict[bytes, str]()
    with path.open("rb") as file:
        lines = _lines(file)
        if layout.has_header:
            next(lines)
        for offset, line in lines:
            offsets.append(offset)
            labels.append(_label(line, layout, known))
    return PixelTable(path, layout, offsets, tuple(labels))


def _lines(file: IO[bytes], most: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield the place and the text of the lines with something in them."""
    offset, count = 0, 0
    while (most is None or count < most) and (line := file.readline(_LONGEST_ROW)):
        start = 3 if offset == 0 and line.startswith(b"\xef\xbb\xbf") else 0
        text = line[start:].rstrip(b"\r\n")
        if text.strip():
            yield offset + start, text
            count += 1
        offset += len(line)


def _label(line: bytes, layout: _TableLayout, known: dict[bytes, str]) -> str | None:
    if line.count(layout.delimiter) != layout.n_columns - 1:
        return None
    field = line.split(layout.delimiter, layout.label + 1)[layout.label]
    if field not in known:
        known[field] = _bare(field).decode("utf-8", "backslashreplace")
    return known[field]


def _bare(field: bytes) -> bytes:
    return field.strip().strip(b"\"'").strip()


def _layout(lines: list[bytes]) -> _TableLayout:
    delimiter = max(b",;\t", key=lambda sign: sum(line.count(sign) for line in lines)).to_bytes()
    counts = Counter(line.count(delimiter) + 1 for line in lines)
    n_columns = max(counts, key=lambda count: (counts[count], count))
    names = [_bare(field).lower() for field in lines[0].split(delimiter)]
    has_header = sum(not _is_number(name) for name in names) > max(1, len(names) // 2)
    known = names if has_header and len(names) == n_columns else None
    label, pixels = _columns(n_columns, known)
    layout = _TableLayout(delimiter, has_header, n_columns, label, pixels, _shape(pixels, known))
    _require_pixels(lines[has_header:], layout)
    return layout


def _columns(n_columns: int, names: list[bytes] | None) -> tuple[int, tuple[int, ...]]:
    if names is None:
        return 0, tuple(range(1, n_columns))
    named = [place for place, name in enumerate(names) if name in _LABEL_NAMES]
    plain = [place for place, name in enumerate(names) if name not in _INDEX_NAMES]
    words = [place for place in plain if not re.search(rb"\d", names[place])]
    label = named[0] if named else words[0] if len(words) == 1 else 0
    return label, tuple(place for place in plain if place != label)


def _shape(pixels: tuple[int, ...], names: list[bytes] | None) -> tuple[int, ...]:
    count = len(pixels)
    if count >= _LEAST_PIXELS:
        last = _GRID.search(names[pixels[-1]]) if names else None
        for more in (0, 1) if last else ():
            height, width = int(last[1]) + more, int(last[2]) + more  # type: ignore[index]
            if height * width == count:
                return height, width
        if isqrt(count) ** 2 == count:
            return isqrt(count), isqrt(count)
        if count % 3 == 0 and isqrt(count // 3) ** 2 == count // 3:
            return isqrt(count // 3), isqrt(count // 3), 3
    raise InvalidDataError(
        f"it has {count} columns beside the label; expected the pixels of a square picture, grey"
        " (N*N) or RGB (N*N*3), at least 8x8"
    )


def _require_pixels(lines: list[bytes], layout: _TableLayout) -> None:
    """Refuse a table of which no row at the start holds pixels."""
    problem: InvalidDataError | None = None
    for line in lines:
        try:
            _picture(line, layout)
        except InvalidDataError as error:
            problem = problem or error
        else:
            return
    raise problem or InvalidDataError("it has a header and no rows")


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _picture(line: bytes, layout: _TableLayout) -> Pixels:
    fields = line.split(layout.delimiter)
    if len(fields) != layout.n_columns:
        raise InvalidDataError(f"the row has {len(fields)} columns, expected {layout.n_columns}")
    first, last = layout.pixels[0], layout.pixels[-1]
    chosen = (
        fields[first : last + 1]
        if last - first + 1 == len(layout.pixels)
        else [fields[place] for place in layout.pixels]
    )
    values = _numbers(chosen).astype(np.uint8).reshape(layout.shape)
    return values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2)


def _numbers(fields: list[bytes]) -> NDArray[np.float64]:
    # Pixels have no signs, exponents, nan or underscores; checking all fields at once is quicker.
    strange = b"".join(fields).translate(None, b'0123456789. "')
    try:
        values = np.array([field.strip(b' "') for field in fields]).astype(np.float64)
    except ValueError:
        strange, values = b"x", np.zeros(0)
    if strange or not ((values <= 255) & (values == np.floor(values))).all():
        raise InvalidDataError("the row must hold whole numbers from 0 to 255 only")
    return values
