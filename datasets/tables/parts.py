"""The rows of one table: hands, whether they are there, texts by role, and which are one clip."""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import N_LANDMARKS, FloatArray
from handlore.landmarks.untrusted import printable

from ..dataset import Samples, listed
from ..kinds import Kind
from ..layouts.words import SPLITS
from ..validation import MAX_SPAN
from .columns import Columns, number_in
from .rows import RawTable, Rows, not_a_number


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
    """Rows that cannot be used, and why; nothing for the further rows of a clip that cannot be."""

    @property
    def n_rows(self) -> int:
        """How many rows there are, bad ones included."""
        return len(self.hands[0])

    @property
    def is_own(self) -> bool:
        """Whether `handlore export` wrote it."""
        return _is_own(self.texts)

    def name_of(self, role: str) -> str:
        """Return the name of the column with a role."""
        place, names = self.columns.roles.get(role), self.table.names
        return role if place is None or names is None else printable(names[place])

    @property
    def kind(self) -> Kind:
        """Whether its rows are poses, or frames of movements."""
        if self.is_own:
            return "sequence" if "sequence" in self.texts["kind"] else "pose"
        if self.table.is_clip:
            return "sequence"
        keys = set(_clip_keys(self)) if "clip" in self.texts else set()
        return "sequence" if keys and 2 * len(keys) <= self.n_rows else "pose"

    def clips(self, good: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows clip by clip, by frame or time within each, and where clips begin."""
        numbers: dict[tuple[str, ...], int] = {}
        keys = [()] * self.n_rows if self.table.is_clip else _clip_keys(self)
        clips = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)
        by = next((role for role in ("frame", "time", "time_ms") if role in self.texts), None)
        within = np.array([number_of(t) for t in self.texts[by]]) if by else np.zeros(self.n_rows)
        rows = np.flatnonzero(good)
        order = rows[np.lexsort((rows, np.nan_to_num(within[rows]), clips[rows]))]
        starts = np.flatnonzero(np.diff(clips[order], prepend=-1))
        return order, np.append(starts, len(order)).astype(np.int64)

    def times(
        self, order: NDArray[np.int64], offsets: NDArray[np.int64], frame_rate: float
    ) -> tuple[NDArray[np.float64], str]:
        """Return the seconds of the rows of clips in order, from the beginning of each clip.

        Also returns why the frame rate sets them; nothing where a column of times does.
        """
        if self.is_own:
            return _numbers_of(self, "time")[order], ""
        lengths = np.diff(offsets)
        place = np.arange(len(order)) - np.repeat(offsets[:-1], lengths)
        why = "no column says the time"
        for role in [one for one in _TIMES if one in self.texts]:
            values = _numbers_of(self, role)
            seconds = values[order] / _per_second(role, values, frame_rate)
            since = seconds - np.repeat(seconds[offsets[:-1]], lengths)
            problem = _clock_problem(since, np.diff(place) > 0)
            if not problem:
                return since, why if role == "frame" else ""
            why = f"{self.name_of(role)} {problem}"
        return place / frame_rate, why

    def refuse_clips(self, order: NDArray[np.int64], offsets: NDArray[np.int64]) -> None:
        """Note clips that cannot be used, at their first row."""
        checks = {"frame": self._repeated, **({"time": _own_times_problem} if self.is_own else {})}
        for role in [one for one in checks if one in self.texts]:
            values = _numbers_of(self, role)[order]
            for start, end in pairwise(offsets.tolist()):
                if why := checks[role](values[start:end]):
                    rows = sorted(order[start:end].tolist())
                    self.bad.update(dict.fromkeys(rows, "") | {rows[0]: why})

    def _repeated(self, frames: NDArray[np.float64]) -> str:
        """Say which frames of a clip, in order, are in several rows; nothing if none is."""
        twice = np.unique(frames[1:][np.diff(frames) == 0])
        if not len(twice):
            return ""
        numbers = listed([f"{number:g}" for number in twice.tolist()])
        return (
            f"{self.name_of('frame')} {numbers} is in several rows of one clip; number its frames,"
            " or leave the column out"
        )

    def samples(
        self,
        image: FloatArray,
        order: NDArray[np.int64],
        offsets: NDArray[np.int64],
    ) -> Samples:
        """Return what is known of each sample: the first of its rows says it."""
        firsts = order[offsets[:-1]].tolist()
        columns = {
            role: [self.texts[role][row] for row in firsts]
            for role in ("group", "session", "recording")
            if role in self.texts
        }
        if "split" in self.texts:
            splits = [self.texts["split"][row] for row in firsts]
            known = [SPLITS.get(split.lower(), "") for split in splits]
            columns["split"] = splits if self.is_own else known
        labels = [self.texts["label"][row] for row in firsts]
        if not self.is_own:
            labels = [tidy(label) for label in labels]
        whole = self.table.is_clip and len(firsts) == 1
        names = [self.table.name if whole else f"{self.table.name}#{row + 1}" for row in firsts]
        digests = list(_digests(image, offsets))
        own: dict[str, Any] = {}
        if self.is_own:
            texts = self.texts
            names = [texts["source"][row] for row in firsts] if "source" in texts else names
            digests = [texts["sha256"][row] for row in firsts] if "sha256" in texts else digests
            if "view" in texts:
                own["view"] = [int(number_of(texts["view"][row])) for row in firsts]
        return Samples.make(labels, source=names, sha256=digests, **columns, **own)

    @classmethod
    def read(cls, table: RawTable) -> "TablePart":
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
        return _with_numbers(_part(table, columns, rows, texts))


def _is_own(texts: Mapping[str, Sequence[str]]) -> bool:
    """Say whether these are the columns that `handlore export` writes."""
    return {"unit", "kind", "clip", "time"} <= set(texts)


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


_TIMES = ("time_ms", "time", "frame")
_NUMBERS = ("score", "width", "height")
_OWN_NUMBERS = (*_NUMBERS, "side", "stage", "view", "time", "frame")
_NEEDED = {"time": (-1e300, 1e300), "view": (0, 1e9)}
"""What `handlore export` writes into every row, and its limits."""


def _with_numbers(part: TablePart) -> TablePart:
    """Return a part in which a word makes its row bad, where a column holds numbers.

    A column without any number is not used: people write dates where others write seconds.
    """
    timed = _TIMES if part.kind == "sequence" else ()
    wanted = _OWN_NUMBERS if part.is_own else (*_NUMBERS, *timed)
    texts, notes = dict(part.texts), list(part.columns.notes)
    for role in [one for one in texts if one.partition(".")[0] in wanted]:
        numbers = [number_in(cell) for cell in texts[role]]
        limits = _NEEDED.get(role) if part.is_own else None
        wrong = [row for row, number in enumerate(numbers) if not _is_within(number, limits)]
        if wrong and not part.is_own and all(n is None or math.isnan(n) for n in numbers):
            example = texts.pop(role)[wrong[0]][:40]
            notes.append(
                f"column {part.name_of(role)} is not used: it holds no numbers, such as {example!r}"
            )
            continue
        for row in wrong:
            part.bad.setdefault(row, not_a_number(part.name_of(role), texts[role][row]))
    return replace(part, texts=texts, columns=replace(part.columns, notes=tuple(notes)))


def _is_within(number: float | None, limits: tuple[float, float] | None) -> bool:
    if number is None or limits is None:
        return number is not None
    return limits[0] <= number <= limits[1]


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


def _clip_keys(part: TablePart) -> list[tuple[str, ...]]:
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


def _numbers_of(part: TablePart, role: str) -> NDArray[np.float64]:
    return np.array([number_of(text) for text in part.texts[role]])


def _per_second(role: str, values: NDArray[np.float64], frame_rate: float) -> float:
    """Return how many units of a column of times a second has."""
    if role == "frame":
        return frame_rate
    return 1000.0 if role == "time_ms" or _is_milliseconds(values) else 1.0


def _clock_problem(since: NDArray[np.float64], follows: NDArray[np.bool_]) -> str:
    """Say why seconds from the beginning of each clip cannot be used; nothing if they can.

    ``follows`` (n_rows - 1) says which rows are of the same clip as the one before.
    """
    steps = np.diff(since)[follows]
    if not np.isfinite(since).all():
        return "is empty in some rows"
    if (since > MAX_SPAN).any():
        return f"spans more than {MAX_SPAN:,.0f} s in a clip"
    if (steps < 0).any():
        return "falls within a clip"
    return "never changes within a clip" if len(steps) and not steps.any() else ""


def _own_times_problem(times: NDArray[np.float64]) -> str:
    """Say why the times of a clip that was exported cannot be used; nothing if they can."""
    if (np.diff(times) < 0).any():
        return "time falls within a clip"
    return f"a clip lasts longer than {MAX_SPAN:,.0f} s" if np.ptp(times) > MAX_SPAN else ""


def _is_milliseconds(values: NDArray[np.float64]) -> bool:
    """Say whether times rise by 5 or more from frame to frame; seconds do not."""
    steps = np.diff(values)
    steps = steps[steps > 0]
    return bool(len(steps)) and float(np.median(steps)) >= 5


def tidy(label: str) -> str:
    """Return a label; a class number that went through a column of decimals is whole again."""
    whole, point, rest = label.partition(".")
    return whole if point and whole.isdigit() and rest and not rest.strip("0") else label


def _digests(image: FloatArray, offsets: NDArray[np.int64]) -> Iterator[str]:
    """Yield the first 16 digits of a sha256 of the landmarks of each sample."""
    numbers = np.ascontiguousarray(image)
    data = memoryview(numbers.view(np.uint8).reshape(-1))  # type: ignore[arg-type]
    size = data.nbytes // max(len(numbers), 1)
    for start, end in pairwise(offsets.tolist()):
        yield hashlib.sha256(data[start * size : end * size]).hexdigest()[:16]
