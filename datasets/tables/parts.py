"""The rows of one table by what they are: hands, whether they are there, and texts by role."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import N_LANDMARKS, FloatArray

from ..validation import Kind
from .columns import Columns
from .rows import RawTable, Rows


@dataclass(frozen=True)
class TableOptions:
    """How tables are read."""

    units: str = "auto"
    aspect: str = ""
    mirrored: bool = False
    frame_rate: float = 30.0


@dataclass(frozen=True, eq=False)
class TablePart:
    """All rows of one table."""

    table: RawTable
    columns: Columns
    hands: Sequence[FloatArray]
    """Of each hand (n_rows, 21, 2 or 3) as in the table."""
    worlds: Sequence[FloatArray | None]
    found: Sequence[NDArray[np.bool_]]
    """Of each hand (n_rows,) whether it is there: neither empty nor zeros."""
    texts: Mapping[str, Sequence[str]]
    bad: dict[int, str]

    @property
    def n_rows(self) -> int:
        """How many rows there are, bad ones included."""
        return len(self.hands[0])

    @property
    def is_own(self) -> bool:
        """Whether `handlore export` wrote it."""
        return _is_own(self.texts)

    @property
    def kind(self) -> Kind:
        """Whether its rows are poses, or frames of movements."""
        if self.is_own:
            return "sequence" if "sequence" in self.texts["kind"] else "pose"
        if self.table.is_clip:
            return "sequence"
        keys = set(clip_keys(self)) if "clip" in self.texts else set()
        return "sequence" if keys and 2 * len(keys) <= self.n_rows else "pose"


def _is_own(texts: Mapping[str, Sequence[str]]) -> bool:
    """Say whether these are the columns that `handlore export` writes."""
    return {"unit", "kind", "clip", "time"} <= set(texts)


def read_part(table: RawTable) -> TablePart:
    """Read all rows of a table.

    Raises
    ------
    InvalidDataError
        If there are no landmarks of hands in it, or no labels.
    """
    columns = table.columns()
    rows = table.rows(columns)
    texts = dict(rows.texts)
    if not _is_own(texts):
        texts = {role: [text.strip() for text in column] for role, column in texts.items()}
    for role, value in table.given.items():
        texts.setdefault(role, [value] * len(rows.numbers))
    if not len(rows.numbers):
        raise InvalidDataError("it has a header and no rows")
    return _part(table, columns, rows, texts)


def _part(
    table: RawTable, columns: Columns, rows: Rows, texts: Mapping[str, Sequence[str]]
) -> TablePart:
    hands, worlds, found, bad, start = [], [], [], dict(rows.bad), 0
    for hand in columns.hands:
        image, start = _taken(rows.numbers, start, len(hand.image))
        world, start = _taken(rows.numbers, start, len(hand.world))
        there, damaged = _found(image)
        stages = texts.get(f"stage.{hand.name}" if hand.name else "stage")
        if _is_own(texts) and stages is not None:
            there, damaged = _found_by_stage(image, stages)
        for row in np.flatnonzero(damaged).tolist():
            bad.setdefault(row, "numbers of a hand are missing, or not finite")
        hands.append(image)
        worlds.append(world if hand.world else None)
        found.append(there)
    return TablePart(table, columns, hands, worlds, found, texts, bad)


def _taken(numbers: FloatArray, start: int, width: int) -> tuple[FloatArray, int]:
    n_axes = max(width // N_LANDMARKS, 1)
    part = numbers[:, start : start + width]
    return part.reshape(len(numbers), -1, n_axes), start + width


def _found_by_stage(
    points: FloatArray, stages: Sequence[str]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows have a hand, and which are damaged, where a column says what was found."""
    there = np.array([number_of(stage) >= 0 for stage in stages], bool)
    finite = np.isfinite(points[..., :2]).all(axis=(1, 2))
    return there & finite, there & ~finite


def _found(points: FloatArray) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows have a hand, and which are damaged; zeros and nothing are no hand."""
    flat = points[..., :2].reshape(len(points), -1)
    absent = np.isnan(flat).all(axis=1) | ~flat.any(axis=1)
    damaged = ~np.isfinite(flat).all(axis=1)
    if points.shape[2] == 3:
        # A z that is not known is empty in all landmarks.
        z = points[..., 2]
        damaged |= ~(np.isfinite(z).all(axis=1) | np.isnan(z).all(axis=1))
    return np.asarray(~absent & ~damaged), np.asarray(damaged & ~absent)


def clip_keys(part: TablePart) -> list[tuple[str, ...]]:
    """Return what the rows of a clip have in common, of each row."""
    roles = ("clip", "label", "group", "session", "split")
    columns = [part.texts[role] for role in roles if role in part.texts]
    if part.is_own:
        columns = [part.texts["clip"]]
    return list(zip(*columns, strict=True)) if columns else [()] * part.n_rows


def number_of(text: str) -> float:
    """Return the number in a cell, NaN if there is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
