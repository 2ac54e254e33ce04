"""What every reader of a table delivers: names, a few rows to look at, then rows of numbers."""

import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.untrusted import printable

from .columns import Cells, Columns, number_in

LOOKED_AT = 200
"""How many rows are looked at to find out what the columns are."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a table."""

    numbers: NDArray[np.float32]
    """(n_rows, n_numbers) in the order of :attr:`Columns.numbers`; NaN where a cell is empty."""
    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The cells of each role, such as ``label``; empty where there is nothing."""
    bad: Mapping[int, str] = field(default_factory=dict)
    """Rows that cannot be used, counted from 0, and why."""

    @classmethod
    def of_cells(
        cls,
        cells: Iterable[Sequence[str]],
        columns: Columns,
        width: int,
        names: Sequence[str] | None = None,
    ) -> Self:
        """Return rows of cells of text; rows with words for numbers, or too few cells, are bad."""
        places, roles = columns.numbers, columns.roles
        numbers, bad = array("f"), dict[int, str]()
        texts: dict[str, list[str]] = {role: [] for role in roles}
        empty = [math.nan] * len(places)
        count = 0
        for count, row in enumerate(cells, 1):
            values = _numbers_of(row, places, width, names)
            if isinstance(values, str):
                bad[count - 1] = values
            numbers.extend(empty if isinstance(values, str) else values)
            for role, place in roles.items():
                texts[role].append(row[place] if place < len(row) else "")
        shaped = np.frombuffer(numbers, np.float32) if numbers else np.zeros(0, np.float32)
        return cls(shaped.reshape(count, len(places)), texts, bad)


@dataclass(frozen=True, eq=False)
class RawTable:
    """A table in a file, of which only the beginning has been looked at."""

    name: str
    """The file relative to the source, and the member in it where there are several."""
    names: Sequence[str] | None
    """The names of the columns, None where they have none."""
    head: Cells
    """Some rows as text."""
    given: Mapping[str, str] = field(default_factory=dict)
    """What holds for all rows, by role: a label that is the name of a folder, for example."""
    is_clip: bool = False
    """Whether its rows are the frames of one movement."""

    def columns(self) -> Columns:
        """Find out what its columns are."""
        return Columns.of(self.names, self.head)

    def rows(self, columns: Columns) -> Rows:
        """Read all rows."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class NumberTable(RawTable):
    """A table whose landmarks are numbers in memory, beside columns of text with known roles."""

    numbers: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    bad: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        name: str,
        numbers: NDArray[np.generic],
        texts: Mapping[str, Sequence[str]] | None = None,
        *,
        names: Sequence[str] | None = None,
        is_clip: bool = False,
        bad: Mapping[int, str] | None = None,
    ) -> "NumberTable":
        """Make a table of numbers (n_rows, n_columns) without or with names."""
        with np.errstate(over="ignore"):
            values = np.ascontiguousarray(numbers, np.float32)
        head = [[repr(float(value)) for value in row] for row in values[:LOOKED_AT]]
        return cls(
            *(name, names, head),
            is_clip=is_clip,
            numbers=values,
            texts=texts or {},
            bad=bad or {},
        )

    def columns(self) -> Columns:
        """Find out what its columns are; none of them is the label if that is known."""
        found = Columns.of(self.names, self.head)
        if "label" in self.texts and "label" in found.roles:
            raise InvalidDataError("it has one number more than a hand, and labels beside it")
        return found

    def rows(self, columns: Columns) -> Rows:
        """Return all rows; roles of number columns become text."""
        texts = {
            role: [_plain(value) for value in self.numbers[:, place].tolist()]
            for role, place in columns.roles.items()
        }
        return Rows(self.numbers[:, columns.numbers], {**texts, **self.texts}, self.bad)


Reader = Callable[[Path, str], Sequence[RawTable]]
"""Looks at a file, and at its name for messages; returns the tables in it."""


def _plain(value: float) -> str:
    return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)


def not_a_number(name: str, cell: str) -> str:
    """Say that a cell of a column of numbers holds something else."""
    return f"{printable(name)} is {cell[:40]!r}, expected a number"


def _numbers_of(
    row: Sequence[str], places: Sequence[int], width: int, names: Sequence[str] | None
) -> list[float] | str:
    """Return the numbers of a row, or why they cannot be used."""
    if not row:
        return "it is no record"
    if len(row) != width:
        return f"the row has {len(row)} columns, expected {width}"
    values = [number_in(row[place]) for place in places]
    kept = [value if abs(value) < 3e38 else math.inf for value in values if value is not None]
    if len(kept) < len(values):
        wrong = places[values.index(None)]
        return not_a_number(names[wrong] if names else f"column {wrong + 1}", row[wrong])
    # NaN compares as false, and becomes infinite here; an empty cell stays empty.
    return [math.nan if v is not None and v != v else k for v, k in zip(values, kept, strict=True)]
