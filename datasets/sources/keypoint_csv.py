"""keypoint.csv of the popular hand gesture project for MediaPipe (Takahashi; Kinivi)."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from math import nan
from pathlib import Path

import numpy as np

from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.hands import Hand

from ..files import files_of, read_bytes, read_start
from ._landmarks import (
    LandmarkSource,
    Numbers,
    first_files,
    lines_in,
    lines_of,
    number_rows,
    require_within,
)
from .base import SOURCES, Item, LandmarkClip, Listing, option

_LABELS = "keypoint_classifier_label.csv"

_N_NUMBERS = 42
_CLASS = re.compile(rb"\s*([0-9]{1,6})(?:\.0*)?\s*")
_HISTORY = "point_history"
_LONGEST_LABEL = 200


@SOURCES.register
@dataclass(frozen=True)
class _KeypointCsv(LandmarkSource):
    """keypoint.csv of the popular MediaPipe gesture project: a class number and 42 coordinates.

    Each row is x, y of 21 landmarks from the wrist, which is at (0, 0), divided by the largest of
    them without its sign, which becomes 1; other tables are read as landmark-table. They were
    measured in pixels, so shapes keep their aspect; how large a hand was and where is lost. The
    project mirrors the camera's picture before it looks for hands, so x is flipped back; use
    --not-mirrored for rows from pictures as they were. z and handedness are unknown.

    Labels are the lines of keypoint_classifier_label.csv beside it; where there is no line the
    label is the number. SOURCE is the file or a folder that holds it. The project's other file,
    point_history.csv, follows one fingertip: that is no hand, and it is left out.
    """

    name = "keypoint-csv"
    layout = f"keypoint.csv: class,x0,y0,...,x20,y20; labels in {_LABELS}"

    not_mirrored: bool = option(
        False, "The rows come from pictures that were not mirrored: leave x as it is."
    )

    def fits(self, root: Path) -> bool:
        """Say whether a table has such rows; the path of a fingertip is refused by scan."""
        if root.is_file() and root.name.lower().startswith(_HISTORY):
            return root.suffix.lower() == ".csv"
        return any(_is_table(path) for _, path in first_files(root, ".csv"))

    def scan(self, root: Path) -> Listing:
        """List the rows; the paths of fingertips beside them are left out."""
        if root.is_file() and _is_history(root):
            raise HandloreError(
                f"{root.name} holds the path of one fingertip, which is no hand;"
                " give keypoint.csv, or record movements as videos"
            )
        files = list(files_of(root))
        tables = _tables(root, files)
        items = [item for name, path in tables for item in _rows(name, path)]
        left_out = [name for name, path in files if path != root and _is_history(path)]
        nameless = sorted({number for _, path in tables for number in _nameless(path)}, key=int)
        side = "not mirrored" if self.not_mirrored else "mirrored, x was flipped back"
        notes = [
            f"pictures treated as {side}; the unit is the largest coordinate of each hand",
            *([f"classes without a name in {_LABELS}: {', '.join(nameless)}"] if nameless else []),
        ]
        return Listing(items, left_out, notes)

    def read_landmarks(self, item: Item) -> LandmarkClip:
        """Read a row."""
        number, comma, rest = lines_of(item.path)[item.part - 1].partition(b",")
        if not _CLASS.fullmatch(number):
            raise InvalidDataError("it does not begin with the number of a class")
        row = number_rows([rest if comma else b""], _N_NUMBERS, b",", first=item.part)[0]
        require_within(row, 1.001, "at most 1: divided by the largest")
        if not _is_normalised(row):
            raise InvalidDataError(
                "landmark 0 is not at (0, 0), or the largest number is not 1; for other tables"
                " give --source landmark-table"
            )
        # Without the class, so that equal rows of two classes are found.
        digest = sha256(rest).hexdigest()
        return LandmarkClip(digest, [(0.0, [self._hand(row)] if row.any() else [])])

    def _hand(self, row: Numbers) -> Hand:
        image = np.full((21, 3), np.nan, np.float32)
        image[:, :2] = row.reshape(21, 2) * ((1 if self.not_mirrored else -1), 1)
        return Hand(image, np.full((21, 3), np.nan, np.float32), nan)


def _tables(root: Path, files: Sequence[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Return the tables of hands; a file that was given itself is one, whatever it holds."""
    tables = [(name, path) for name, path in files if path.suffix.lower() == ".csv"]
    return [(name, path) for name, path in tables if path == root or _is_table(path)]


def _is_history(path: Path) -> bool:
    return path.suffix.lower() == ".csv" and path.name.lower().startswith(_HISTORY)


def _is_table(path: Path) -> bool:
    """Say whether one of the first rows is such a row; a header may be above."""
    # The last line of what was read may be cut.
    lines = lines_in(read_start(path))
    return any(_is_row(line) for line in islice(lines, 5))


def is_keypoint_table(path: Path) -> bool:
    """Say whether a CSV file is one of the popular project: its hands, or a fingertip's path."""
    return _is_history(path) or _is_table(path)


def _is_row(line: bytes) -> bool:
    number, _, rest = line.partition(b",")
    try:
        row = number_rows([rest], _N_NUMBERS, b",")[0]
    except InvalidDataError:
        return False
    return bool(_CLASS.fullmatch(number)) and _is_normalised(row)


def _is_normalised(row: Numbers) -> bool:
    """Say whether landmark 0 is the origin, and the largest number 1; zeros are no hand.

    Other tables of 42 numbers are shares of a picture, and their aspect has to be known.
    """
    return not row[:2].any() and bool(abs(np.abs(row).max() - 1) <= 0.001 or not row.any())


def _rows(name: str, path: Path) -> list[Item]:
    lines = lines_of(path)
    labels = _labels(path.parent / _LABELS)
    start = 1 if lines and _is_header(lines[0]) else 0
    return [
        Item(path, f"{name}#{part}", _label(line, labels), part=part)
        for part, line in enumerate(lines[start:], start + 1)
        if line.strip()
    ]


def _is_header(line: bytes) -> bool:
    """Say whether no word of a line is a number."""
    return not re.search(rb"(^|,)\s*[-+.]?[0-9]", line) and b"," in line


def _label(line: bytes, labels: list[str]) -> str:
    match = _CLASS.fullmatch(line.split(b",", 1)[0])
    if not match:
        return "unknown"
    number = int(match[1])
    named = labels[number] if number < len(labels) else ""
    return named or str(number)


def _nameless(path: Path) -> set[str]:
    """Return the numbers of classes that no line of the labels names."""
    labels = _labels(path.parent / _LABELS)
    matches = (_CLASS.fullmatch(line.split(b",", 1)[0]) for line in lines_of(path))
    numbers = {int(match[1]) for match in matches if match}
    return {str(number) for number in numbers if not "".join(labels[number : number + 1])}


def _labels(path: Path) -> list[str]:
    """Return the names of the classes, the first word of each line."""
    if not path.is_file():
        return []
    try:
        text = read_bytes(path).decode("utf-8-sig")
        rows = list(csv.reader(text.splitlines(), strict=True))
    except (UnicodeDecodeError, csv.Error, InvalidDataError) as error:
        raise InvalidDataError(f"{path.name} is not a text of labels in UTF-8: {error}") from error
    labels = [row[0].strip() if row else "" for row in rows]
    strange = next((x for x in labels if not x.isprintable() or len(x) > _LONGEST_LABEL), None)
    if strange is not None:
        raise InvalidDataError(f"{path.name} is not a text of labels: it has {strange[:40]!r}")
    return labels
