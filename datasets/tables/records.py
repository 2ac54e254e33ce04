"""Tables in JSON and JSON lines: flat records, and results of MediaPipe's hand landmarkers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import N_LANDMARKS
from handlore.landmarks.untrusted import MAX_JSON_BYTES, parse_json

from ..files import read_bytes, readable, require_regular
from .arrays import array_table, data_and_labels
from .columns import Cells, Columns
from .names import role_of
from .rows import LOOKED_AT, RawTable, Reader, Rows

_LANDMARKS = (
    *("landmarks", "handLandmarks", "hand_landmarks", "multiHandLandmarks", "keypoints", "points"),
    *("multi_hand_landmarks", "hands", "hand", "data", "landmark", "features"),
)
_WORLD = (
    *("worldLandmarks", "handWorldLandmarks", "hand_world_landmarks", "multiHandWorldLandmarks"),
    *("multi_hand_world_landmarks", "world_landmarks", "keypoints3D"),
)
_SIDES = ("handedness", "handednesses", "multiHandedness", "multi_handedness")
_LISTS = ("samples", "data", "frames", "records", "results", "items", "annotations", "gestures")
"""Keys under which a file keeps its list of records."""

_LONGEST_LINE = 8 << 20
_MAX_RECORDS = 5_000_000


@dataclass(frozen=True, eq=False)
class _CellTable(RawTable):
    """A table whose cells are text in memory."""

    cells: Cells = ()

    @classmethod
    def of(cls, name: str, names: Sequence[str] | None, cells: Cells) -> "_CellTable":
        """Make a table of all its cells."""
        return cls(name, names, cells[:LOOKED_AT], cells=cells)

    def rows(self, columns: Columns) -> Rows:
        """Return all rows."""
        width = len(self.names) if self.names is not None else len(self.head[0])
        return Rows.of_cells(self.cells, columns, width, self.names)


def _json_tables(path: Path, name: str) -> list[RawTable]:
    """Read a file of JSON: a list of records, lists by label, or rows and their labels."""
    value = parse_json(read_bytes(path, MAX_JSON_BYTES))
    if isinstance(value, dict) and {"images", "annotations"} <= set(value):
        # Its keypoints are x, y and visibility.
        raise InvalidDataError("it is COCO annotations; convert the folder with their pictures")
    listed = isinstance(value, dict) and any(_is_records(value.get(key)) for key in _LISTS)
    if isinstance(value, dict) and not listed and not _is_one(value):
        pair = data_and_labels(value)
        if pair is not None:
            return [array_table(pair[0], name, pair[1], "")]
    return [_table(name, list(_records(value)))]


def _json_lines_tables(path: Path, name: str) -> list[RawTable]:
    """Read a file of JSON lines, a record a line."""
    require_regular(path)
    records: list[Mapping[str, Any]] = []
    with readable(), path.open("rb") as file:
        while line := file.readline(_LONGEST_LINE):
            if len(records) >= _MAX_RECORDS:
                raise InvalidDataError(f"it has more than {_MAX_RECORDS:,} lines; cut it")
            if line.strip():
                records.append(_line(line))
    return [_table(name, records)]


def _line(line: bytes) -> Mapping[str, Any]:
    try:
        record = parse_json(line, _LONGEST_LINE)
    except InvalidDataError:
        return {}
    return record if isinstance(record, dict) else {}


def _records(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the records of a file; those that are none are empty."""
    if isinstance(value, dict):
        inner = next((value[key] for key in _LISTS if _is_records(value.get(key))), None)
        if inner is not None:
            yield from _records(inner)
        elif _is_one(value):
            yield value
        else:
            for label, samples in value.items():
                yield from _labelled(label, samples)
    elif isinstance(value, list):
        yield from (one if isinstance(one, dict) else {} for one in value)


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and (
        _is_one(value[0])
    )  # fmt: skip


def _is_one(value: Mapping[str, Any]) -> bool:
    """Say whether an object is a record: it has landmarks, or many numbers by name."""
    if any(_hands(value.get(key)) for key in _LANDMARKS):
        return True
    return sum(isinstance(one, int | float) for one in value.values()) >= 2 * N_LANDMARKS


def _labelled(label: str, samples: Any) -> Iterator[Mapping[str, Any]]:
    for sample in samples if isinstance(samples, list) else ():
        if isinstance(sample, dict):
            yield {"label": label, **sample}
        else:
            yield {"label": label, "landmarks": sample}


def _table(name: str, records: Sequence[Mapping[str, Any]]) -> _CellTable:
    flat = [_flat(record) for record in records]
    names = list(dict.fromkeys(key for record in flat for key in record))
    if not names:
        raise InvalidDataError("it holds no records with landmarks of hands")
    cells = [[record.get(key, "") for key in names] if record else [] for record in flat]
    return _CellTable.of(name, names, cells)


def _flat(record: Mapping[str, Any]) -> dict[str, str]:
    """Return a record as cells by name; the landmarks as hand1_x0 and so on."""
    cells = {
        str(key): text for key, value in record.items() if (text := _text(key, value)) is not None
    }
    hands = next((hands for key in _LANDMARKS if (hands := _hands(record.get(key)))), [])
    world = next((found for key in _WORLD if (found := _hands(record.get(key)))), [])
    sides: list[Any] = next(
        (record[key] for key in _SIDES if isinstance(record.get(key), list)), []
    )
    flipped = "multiHandedness" in record or "multi_handedness" in record
    for number, marks in enumerate(hands[:2]):
        prefix = f"hand{number + 1}_"
        cells |= _marked(prefix, marks)
        if number < len(world) and len(world[number][0]) == 3:
            cells |= _marked(f"{prefix}world_", world[number])
        side = _probability_right(sides[number]) if number < len(sides) else nan
        if side == side:
            # The older solutions assume a mirrored picture, and name the other hand.
            cells[f"{prefix}handedness"] = repr(1 - side if flipped else side)
    return cells


def _text(key: object, value: Any) -> str | None:
    """Return a cell; None for what is no cell. True and false are words."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    if isinstance(value, int | float):
        return repr(value) if not isinstance(value, int) or abs(value) < 10**18 else "inf"
    if isinstance(value, list) and len(value) == 1 and role_of(str(key)) == "label":
        return _text(key, value[0])
    return None


def _marked(prefix: str, marks: Sequence[Sequence[Any]]) -> dict[str, str]:
    return {
        f"{prefix}{axis}{number}": _text("", value) or ""
        for number, mark in enumerate(marks)
        for axis, value in zip("xyz", mark, strict=False)
    }


def _hands(value: Any) -> list[list[list[Any]]]:
    """Return the hands in a value, each 21 landmarks of 2 or 3 numbers; none if there are none."""
    if isinstance(value, dict):
        inner = next(
            (value[key] for key in ("landmark", "landmarks", "keypoints") if key in value), 0
        )
        return _hands(inner) if inner else []
    one = _hand(value)
    if one:
        return [one]
    if isinstance(value, list) and 0 < len(value) <= 8:
        found = [
            inner[0] if isinstance(each, dict) and (inner := _hands(each)) else _hand(each)
            for each in value
        ]
        return [hand for hand in found if hand]
    return []


def _hand(value: Any) -> list[list[Any]]:
    """Return 21 landmarks from objects, from lists, or from 42 or 63 numbers in a row."""
    if not isinstance(value, list):
        return []
    if len(value) in (42, 63) and all(isinstance(one, int | float) for one in value):
        n_axes = len(value) // N_LANDMARKS
        return [value[k : k + n_axes] for k in range(0, len(value), n_axes)]
    if len(value) != N_LANDMARKS:
        return []
    marks = [_mark(one) for one in value]
    return marks if all(marks) and len({len(mark) for mark in marks}) == 1 else []


def _mark(value: Any) -> list[Any]:
    if isinstance(value, dict):
        kept = [value[axis] for axis in "xyz" if axis in value]
    else:
        kept = list(value[:3]) if isinstance(value, list) and len(value) <= 4 else []
    return kept if len(kept) in (2, 3) else []


def _probability_right(value: Any) -> float:
    """Return the probability of a right hand that a category is, NaN where it is none."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict) and isinstance(value.get("classification"), list):
        return _probability_right(value["classification"])
    if isinstance(value, str):
        value = {"categoryName": value}
    if not isinstance(value, dict):
        return nan
    names = ("categoryName", "category_name", "label", "displayName")
    side = next((str(value[key]).lower() for key in names if value.get(key)), "")
    score = value.get("score", 1.0)
    if side not in ("left", "right") or not isinstance(score, int | float) or not 0 <= score <= 1:
        return nan
    return float(score if side == "right" else 1 - score)


READERS: dict[str, Reader] = {
    ".json": _json_tables,
    **dict.fromkeys((".jsonl", ".ndjson", ".jsonlines"), _json_lines_tables),
}
