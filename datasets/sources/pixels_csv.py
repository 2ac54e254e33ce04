"""Small pictures as rows of numbers: Sign Language MNIST and its kin."""

import string
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePosixPath

from handlore.landmarks.errors import HandloreError, InvalidDataError, OptionError

from ..files import MAX_LISTED, files_of
from ..layouts.words import split_in
from ._pixel_table import PixelTable, _TableLayout
from .base import SOURCES, Clip, Item, Listing, Source, option

_LETTERS = ("auto", "kaggle", "dense", "none")
"""The numberings that can be asked for."""

# J and Z are movements: no still picture shows them.
_DENSE = "ABCDEFGHIKLMNOPQRSTUVWXY"
_ALPHABET = string.ascii_uppercase
_SAY = "; --letters changes that"


@dataclass(frozen=True)
class _Numbering:
    """How the labels of one file are read."""

    name: str
    """``kaggle``, ``dense``, ``none`` or ``text``."""
    why: str
    """What was decided, in words."""

    @property
    def refused(self) -> str:
        """What a label is that cannot be read."""
        return {
            "text": "empty",
            "none": "not a whole number",
            "kaggle": "not a whole number from 0 to 25, the letters A-Z",
            "dense": "not a whole number from 0 to 23, the letters A-Y without J",
        }[self.name]

    def label(self, written: str | None) -> str | None:
        """Return the label, None where it cannot be read."""
        if not written or self.name == "text":
            return written or None
        number = _whole_number(written)
        if number is None or self.name == "none":
            return None if number is None else str(number)
        letters = _ALPHABET if self.name == "kaggle" else _DENSE
        return letters[number] if number < len(letters) else None


def _whole_number(text: str) -> int | None:
    """Return the number that a text is, such as 7 or 7.0; None if it is none."""
    whole, _, rest = text.partition(".")
    if not (whole.isascii() and whole.isdigit()) or rest.strip("0") or len(whole) > 9:
        return None
    return int(whole)


def _numbering_of(labels: Iterable[str | None], asked: str = "auto") -> _Numbering:
    """Decide how the labels of one file are to be read, by the values that are in it.

    Labels that are None or empty are passed over; ``asked`` is one of :data:`_LETTERS`.
    """
    counts = Counter(label for label in labels if label)
    numbers = {text: _whole_number(text) for text in counts}
    n_text = sum(count for text, count in counts.items() if numbers[text] is None)
    if 2 * n_text > counts.total() or not counts:
        return _Numbering("text", "labels are text and stay as they are")
    if asked != "auto":
        return _Numbering(asked, _ASKED[asked])
    return _by_values({number for number in numbers.values() if number is not None})


_ASKED = {
    "kaggle": "numbers are places in the alphabet (A = 0, K = 10), as asked",
    "dense": "numbers are letters without J (A = 0, K = 9), as asked",
    "none": "numbers stay as they are, as asked",
}


def _by_values(values: set[int]) -> _Numbering:
    """Decide by the different numbers of a file."""
    shown = f"{len(values)} values from {min(values)} to {max(values)}"
    for fits, name, what in _RULES:
        if fits(values):
            return _Numbering(name, f"{shown}: {what}{_SAY}")
    return _Numbering("kaggle", f"{shown}, {_UNSURE}read as places in the alphabet{_SAY}")


_UNSURE = "which does not determine the numbering: "

_RULES: tuple[tuple[Callable[[set[int]], bool], str, str], ...] = (
    (lambda values: max(values) > 25, "none", "more than letters, numbers stay as they are"),
    (lambda values: values == set(range(10)), "none", "read as the digits 0-9"),
    (
        lambda values: max(values) > 23 and 9 not in values,
        "kaggle",
        "Kaggle's numbering, places in the alphabet (A = 0, K = 10)",
    ),
    (lambda values: max(values) > 23, "kaggle", "places in the alphabet (A = 0, J = 9)"),
    (lambda values: values == set(range(24)), "dense", "letters without J (A = 0, K = 9)"),
    (lambda values: 9 in values, "dense", _UNSURE + "read as letters without J (A = 0, K = 9)"),
)

_LOOKED_INTO = 5
"""How many CSV files are opened to recognise the layout."""


@SOURCES.register
@dataclass(frozen=True)
class _PixelsCsv(Source):
    """CSV files with a label and the pixels of a small picture in each row.

    Sign Language MNIST and its kin: 0 to 255, grey (N*N numbers) or RGB (N*N*3, the colours of a
    pixel side by side). The label is the first column, or the one called label or class; a
    header may be missing. Header names such as 28x20 for the last pixel set the height and
    width. train, val or test in the name of the file or a folder set the split.

    Numbers become letters by the values in each file: 0 to 25 without 9 and 25 is the
    Kaggle numbering, in which a number is the letter's place in the alphabet; 0 to 23 without a
    gap is a dense one, in which 9 is K. Rows are named file.csv#1, counted from the first row
    of data; empty lines do not count.
    """

    name = "pixels-csv"
    layout = "*.csv of label, pixel, pixel, ... (N*N or N*N*3 numbers from 0 to 255)"
    specificity = 5

    letters: str = option(
        "auto",
        "Which numbers are which letters: auto (by the values in each file), kaggle (0-25 are"
        " A-Z), dense (0-23 are A-Y without J), none (the number itself is the label).",
    )

    def __post_init__(self) -> None:
        """Refuse an unknown numbering."""
        if self.letters not in _LETTERS:
            raise OptionError(
                f"--letters is {self.letters!r}, expected one of: {', '.join(_LETTERS)}"
            )

    def fits(self, root: Path) -> bool:
        """Say whether one of the first CSV files holds pixels."""
        files = (path for _, path in islice(files_of(root), MAX_LISTED) if _is_csv(path))
        return any(_why_not(path) is None for path in islice(files, _LOOKED_INTO))

    def scan(self, root: Path) -> Listing:
        """List the rows of all tables of pixels; other CSV files are left out."""
        files = [(name, path) for name, path in files_of(root) if _is_csv(path)]
        problems = {name: _why_not(path) for name, path in files}
        tables = [(name, path) for name, path in files if problems[name] is None]
        left_out = [name for name, problem in problems.items() if problem is not None]
        if left_out and not tables:
            problem = f"{left_out[0]}: {problems[left_out[0]]}"
            raise HandloreError(f"no table of pixels in {root}; {problem}")
        items = [item for name, path in tables for item in self._rows(name, path)]
        # How the numbers of each file were read.
        notes = [
            f"{name}: {_numbering(PixelTable.read(path), self.letters).why}"
            for name, path in tables
        ]
        return Listing(items, left_out, notes)

    def _rows(self, name: str, path: Path) -> Iterator[Item]:
        table, split = PixelTable.read(path), _split_of(name)
        numbering = _numbering(table, self.letters)
        for part, written in enumerate(table.labels):
            label = numbering.label(written) or ""
            yield Item(path, f"{name}#{part + 1}", label, split=split, part=part)

    def read(self, item: Item) -> Clip:
        """Read one row; its digest is that of the bytes of the row."""
        table = PixelTable.read(item.path)
        if item.part >= len(table.offsets):
            raise InvalidDataError("the file was changed meanwhile, and the row is gone")
        pixels, sha256 = table.row(item.part)
        if not item.label:
            written, numbering = table.labels[item.part], _numbering(table, self.letters)
            raise InvalidDataError(f"its label {written!r} is {numbering.refused}")
        return Clip(sha256, iter([(0.0, pixels)]))


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


@lru_cache(maxsize=8)
def _numbering(table: PixelTable, letters: str) -> _Numbering:
    return _numbering_of(table.labels, letters)


def _why_not(path: Path) -> InvalidDataError | None:
    try:
        _TableLayout.read(path)
    except InvalidDataError as error:
        return error
    return None


def _split_of(name: str) -> str:
    """Return the split that the file's name, or else the nearest folder, has as a word."""
    return next(filter(None, map(split_in, reversed(PurePosixPath(name).parts))), "")
