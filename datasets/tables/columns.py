"""Which columns of a table are landmarks, label, person and so on: by names, else by position."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import HAND_CONNECTIONS, N_LANDMARKS
from handlore.landmarks.untrusted import printable

from ..layouts.words import SPLITS
from .names import Coordinate, rank_of, role_of

Cells = Sequence[Sequence[str]]
"""Some rows of a table as text."""

_ABSENT = ("", "nan", "na", "n/a", "null", "none")
"""What is in a cell without a number, in small letters."""

MAX_COLUMNS = 5000
"""Landmarks of body, face and hands are at most some 2,200 numbers."""


@dataclass(frozen=True)
class _HandColumns:
    """The columns of one hand, landmark by landmark."""

    image: tuple[int, ...]
    """(21 * n_axes) columns of the image landmarks, or else of those of the world."""
    world: tuple[int, ...] = ()
    """(63) columns of the world landmarks; none where there are none, or no others."""
    name: str = ""
    """``left``, ``right``, or what else the names of its columns share."""

    @property
    def n_axes(self) -> int:
        """2, or 3 with z."""
        return len(self.image) // N_LANDMARKS


@dataclass(frozen=True)
class Columns:
    """What the columns of a table are."""

    hands: tuple[_HandColumns, ...]
    roles: Mapping[str, int] = field(default_factory=dict)
    """The column of each role, such as ``label``."""
    left_out: tuple[str, ...] = ()
    """Names of columns that are not used."""
    notes: tuple[str, ...] = ()
    world_only: bool = False
    """Whether the names say that the only landmarks are those of the world."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """The columns with landmarks, hand by hand, those of the world behind the others."""
        return tuple(place for hand in self.hands for place in (*hand.image, *hand.world))

    @classmethod
    def of(cls, names: Sequence[str] | None, head: Cells) -> "Columns":
        """Find out what the columns of a table are, by their names and some of its rows.

        Raises
        ------
        InvalidDataError
            If there are no landmarks of hands in it, or it is unclear which columns they are.
        """
        n_columns = len(names) if names is not None else len(head[0]) if head else 0
        if n_columns > MAX_COLUMNS:
            raise InvalidDataError(f"it has {n_columns} columns, expected at most {MAX_COLUMNS}")
        known = list(names) if names is not None else [""] * n_columns
        marks = {k: mark for k, name in enumerate(known) if (mark := Coordinate.of(name))}
        roles = _roles(known, marks) if names is not None else {}
        if len(marks) > N_LANDMARKS:
            return _by_names(known, marks, roles, head)
        return _by_position(known, roles, head)


def number_in(cell: str) -> float | None:
    """Return the number in a cell, NaN if it is empty, None if there is something else."""
    cell = cell.strip()
    if cell.lower() in _ABSENT:
        return math.nan
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _roles(names: Sequence[str], marks: Mapping[int, Coordinate]) -> dict[str, int]:
    roles: dict[str, int] = {}
    for place, name in enumerate(names):
        role = role_of(name) if place not in marks else ""
        if role and (role not in roles or rank_of(name) < rank_of(names[roles[role]])):
            roles[role] = place
    return roles


def _by_names(
    names: Sequence[str], marks: Mapping[int, Coordinate], roles: dict[str, int], head: Cells
) -> Columns:
    found: _Found = {}
    for place, mark in marks.items():
        found.setdefault((mark.hand, mark.world), {})[mark.landmark, mark.axis] = place
    found = _parted(found)
    whole = {key: places for key, cells in found.items() if (places := _whole(cells))}
    hands = _hands(whole)
    if not hands:
        raise InvalidDataError(_incomplete(found))
    if len(hands) > 2:
        raise InvalidDataError(
            f"its columns name {len(hands)} hands, expected at most 2: "
            + ", ".join(printable(hand.name) for hand in hands)
        )
    if "label" not in roles:
        _add_label(roles, names, marks, head)
    used = {place for hand in hands for place in (*hand.image, *hand.world)} | set(roles.values())
    others = [name for place, name in enumerate(names) if place not in used and name]
    world_only = all((hand.name, False) not in whole for hand in hands)
    return Columns(tuple(hands), roles, tuple(others), world_only=world_only)


_Found = dict[tuple[str, bool], dict[tuple[int, int], int]]


def _parted(found: _Found) -> _Found:
    """Return the landmarks of hands that are numbered on, 0 to 41, as two hands."""
    parted: _Found = {}
    for (hand, world), cells in found.items():
        first = min(landmark for landmark, _ in cells)
        landmarks = {landmark for landmark, _ in cells}
        both = landmarks == set(range(first, first + 2 * N_LANDMARKS)) and first in (0, 1)
        for (landmark, axis), place in cells.items():
            number, own = divmod(landmark - first, N_LANDMARKS) if both else (0, landmark)
            name = f"{hand} {number + 1}".strip() if both else hand
            parted.setdefault((name, world), {})[own, axis] = place
    return parted


def _whole(cells: Mapping[tuple[int, int], int]) -> tuple[int, ...]:
    """Return the columns of a hand, landmark by landmark; nothing if it lacks some."""
    landmarks = sorted({landmark for landmark, _ in cells})
    if landmarks not in (list(range(N_LANDMARKS)), list(range(1, N_LANDMARKS + 1))):
        return ()
    axes = range(3) if any(axis == 2 for _, axis in cells) else range(2)
    wanted = [(landmark, axis) for landmark in landmarks for axis in axes]
    return tuple(cells[key] for key in wanted) if all(key in cells for key in wanted) else ()


def _hands(whole: Mapping[tuple[str, bool], tuple[int, ...]]) -> list[_HandColumns]:
    hands = []
    for name in dict.fromkeys(name for name, _ in whole):
        world, image = whole.get((name, True), ()), whole.get((name, False), ())
        kept = world if image and len(world) == 3 * N_LANDMARKS else ()
        hands.append(_HandColumns(image or world, kept, name))
    if {hand.name for hand in hands} == {"l", "r"}:
        sides = {"l": "left", "r": "right"}
        hands = [_HandColumns(hand.image, hand.world, sides[hand.name]) for hand in hands]
    if {hand.name for hand in hands} == {"left", "right"}:
        return sorted(hands, key=lambda hand: hand.name)
    return hands


def _incomplete(found: Mapping[tuple[str, bool], Mapping[tuple[int, int], int]]) -> str:
    key = max(found, key=lambda key: len(found[key]))
    landmarks = {landmark for landmark, _ in found[key]}
    if len(landmarks) > N_LANDMARKS + 1:
        return (
            f"its columns name {len(landmarks)} points of one body, where a hand has"
            f" {N_LANDMARKS}; name those of hands left_x0, ... or right_x0, ..."
        )
    return (
        f"its columns name {len(found[key])} coordinates of {len(landmarks)} landmarks, expected"
        f" x and y, or x, y and z, of all {N_LANDMARKS}"
    )


def _add_label(
    roles: dict[str, int], names: Sequence[str], marks: Mapping[int, Coordinate], head: Cells
) -> None:
    """Take the only column of words that has no role for the label."""
    free = [p for p in range(len(names)) if p not in marks and p not in roles.values()]
    worded = [place for place in free if _has_words(head, place)]
    if len(worded) == 1:
        roles["label"] = worded[0]


def _has_words(head: Cells, place: int) -> bool:
    return any(number_in(row[place]) is None for row in head if place < len(row))


# By position: so many numbers are one hand, two hands, or hands behind the body.

_BODY_BEFORE = {225: 99, 258: 132, 1662: 1536}
"""How many numbers of body and face are before the left and the right hand, by the whole."""

_LAYOUTS = (42, 63, 84, 126, *_BODY_BEFORE)


def _by_position(names: Sequence[str], roles: dict[str, int], head: Cells) -> Columns:
    if not head:
        raise InvalidDataError("it holds no rows")
    free = [place for place in range(len(names)) if place not in roles.values()]
    words = [place for place in free if _has_words(head, place)]
    numbers = [place for place in free if place not in words]
    if "label" not in roles and len(words) == 1:
        roles = roles | {"label": words[0]}
    elif words and "label" not in roles:
        roles = roles | _roles_by_content(words, head)
    if len(numbers) - 1 in _LAYOUTS and "label" not in roles:
        label = _first_or_last(numbers, head)
        roles, numbers = roles | {"label": label}, [p for p in numbers if p != label]
    if len(numbers) not in _LAYOUTS:
        raise InvalidDataError(
            f"it has {len(numbers)} columns of numbers; expected landmarks of a hand: 42 (x, y) or"
            " 63 (x, y, z), twice as many for two, or names such as x0, y0, ..., x20, y20"
        )
    hands, notes = _blocks(numbers, head)
    used = {*numbers, *roles.values()}
    others = [name for place, name in enumerate(names) if place not in used and name]
    return Columns(hands, roles, tuple(others), notes)


def _roles_by_content(words: Sequence[int], head: Cells) -> dict[str, int]:
    """Recognise left/right, train/test and file names; the one that is left is the label."""
    roles: dict[str, int] = {}
    for place in words:
        values = {row[place].strip().lower() for row in head if place < len(row)} - {""}
        if values <= {"left", "right"}:
            roles["side"] = place
        elif values <= set(SPLITS):
            roles["split"] = place
        elif all("." in value for value in values):
            roles["source"] = place
        elif "label" in roles:
            raise InvalidDataError(
                "it has several columns of words and no names: add a header with label, person, ..."
            )
        else:
            roles["label"] = place
    return roles


def _first_or_last(numbers: Sequence[int], head: Cells) -> int:
    """Return which of the outer columns is the label: a whole number, the others a hand."""
    first, last = numbers[0], numbers[-1]
    whole = [place for place in (first, last) if _is_class(head, place)]
    if len(whole) == 1:
        return whole[0]
    if not whole:
        raise InvalidDataError(
            "neither its first nor its last column is a class number or name, and one number is"
            " more than a hand has: add a header with label, x0, y0, ..."
        )
    at_wrist = {p: _wrist_at_zero([n for n in numbers if n != p], head) for p in (first, last)}
    if at_wrist[first] != at_wrist[last]:
        return first if at_wrist[first] else last
    # Class numbers are small and few beside pixels.
    return min((first, last), key=lambda place: _range(head, place))


def _range(head: Cells, place: int) -> tuple[float, int]:
    values = {row[place] for row in head if place < len(row)}
    known = [number for value in values if (number := number_in(value)) is not None]
    return max((abs(number) for number in known if number == number), default=0.0), len(values)


def _is_class(head: Cells, place: int) -> bool:
    values = [number_in(row[place]) for row in head if place < len(row)]
    known = [value for value in values if value is not None and not math.isnan(value)]
    return bool(known) and all(0 <= v < 100_000 and v == int(v) for v in known if v < math.inf)


def _block(numbers: Sequence[int], head: Cells) -> NDArray[np.float64]:
    """Return the rows of the head in which all of these columns are numbers."""
    rows = [[number_in(row[p]) if p < len(row) else None for p in numbers] for row in head]
    kept = [[v for v in row if v is not None] for row in rows if None not in row]
    block = np.array(kept, np.float64).reshape(-1, len(numbers))
    return block[np.isfinite(block).all(axis=1) & (np.abs(block) < 1e6).all(axis=1)]


def _wrist_at_zero(numbers: Sequence[int], head: Cells) -> bool:
    block = _block(numbers, head)
    return bool(len(block)) and not block[:, :2].any()


def _points(block: NDArray[np.float64], order: str) -> NDArray[np.float64]:
    """Return (n, 21, 2): x and y of one hand, landmark by landmark or axis by axis."""
    n_axes = 3 if block.shape[1] % 63 == 0 else 2
    one = block[:, : N_LANDMARKS * n_axes]
    if order == "landmarks":
        return one.reshape(-1, N_LANDMARKS, n_axes)[..., :2]
    return np.moveaxis(one.reshape(-1, n_axes, N_LANDMARKS), 1, 2)[..., :2]


def _bone_length(block: NDArray[np.float64], order: str = "landmarks") -> float:
    """Return the median length of all bones in sizes of the hand; it is high for random points."""
    points = _points(block, order)
    size = np.ptp(points, axis=1).max(axis=1) if len(points) else np.zeros(0)
    points, size = points[size > 0], size[size > 0]
    if not len(points):
        return math.inf
    bones = np.array(HAND_CONNECTIONS)
    lengths = np.linalg.norm(points[:, bones[:, 0]] - points[:, bones[:, 1]], axis=2).sum(axis=1)
    return float(median(lengths / size))


_CLEARLY = 0.92
"""Length of the bones read axis by axis, in that of the bones read landmark by landmark. *Measured*
on seven tables of real hands: 0.55 to 0.84 where x of all landmarks comes before y, 2.0 to 3.7
where it does not; numbers at random 0.98."""


def _blocks(
    numbers: Sequence[int], head: Cells
) -> tuple[tuple[_HandColumns, ...], tuple[str, ...]]:
    count = len(numbers)
    if count in _BODY_BEFORE:
        numbers = numbers[_BODY_BEFORE[count] :]
        note = f"{count} numbers: body, then left hand, then right hand"
        return _two(numbers, ("left", "right")), (note,)
    if count == 126:
        return _two(numbers, ("left", "right")), ("126 numbers: left hand, then right hand",)
    block = _block(numbers, head)
    if count == 84 and len(block) and not np.ptp(block[:, 3::4]) and block[0, 3] in (0, 1):
        kept = tuple(place for k, place in enumerate(numbers) if k % 4 < 3)
        return (_HandColumns(kept),), ("84 numbers: x, y, z and visibility of one hand",)
    if count == 84:
        return _two(numbers, ("1", "2")), ("84 numbers: two hands, of which side is not known",)
    if _bone_length(block, "axes") < _CLEARLY * _bone_length(block):
        n_axes = count // N_LANDMARKS
        kept = tuple(
            numbers[axis * N_LANDMARKS + k] for k in range(N_LANDMARKS) for axis in range(n_axes)
        )
        return (_HandColumns(kept),), ("x of all landmarks comes first, then y",)
    return (_HandColumns(tuple(numbers)),), ()


def _two(numbers: Sequence[int], names: tuple[str, str]) -> tuple[_HandColumns, ...]:
    half = len(numbers) // 2
    parts = (numbers[:half], numbers[half:])
    return tuple(_HandColumns(tuple(p), name=name) for p, name in zip(parts, names, strict=True))
