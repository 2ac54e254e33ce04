"""Rows of tables become a landmark dataset: units, hands found and not, clips, labels."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import HandloreError, InvalidDataError, counted
from handlore.landmarks.hands import N_LANDMARKS, FloatArray, HandArrays

from ..dataset import SAMPLE_COLUMNS, Header, LandmarkDataset, concatenate, listed
from ..kinds import Kind
from ..validation import MAX_VALUE, Unit, label_problem, text_problem
from .parts import TableOptions, TablePart, number_of, tidy
from .units import NAMED, Numbers, UnitConversion, Units

_SAMPLED = 20_000
"""Hands by which the units are found out, of all tables together."""

_FARTHEST = 100.0
"""Picture widths or metres; a landmark farther away is a damaged number."""

# Units: the same for all tables of a source.


def _units_of_parts(parts: Sequence[TablePart], options: TableOptions) -> Units:
    if options.units != "auto":
        return NAMED[options.units]
    if all(part.is_own for part in parts):
        units = {unit for part in parts for unit in part.texts["unit"]}
        if len(units - {"width", "metre"}) or len(units) != 1:
            raise InvalidDataError(f"the column unit holds {', '.join(sorted(units))[:80]}")
        return NAMED["metres" if "metre" in units else "widths"]
    sampled = [_sampled(part, max(20, _SAMPLED // len(parts))) for part in parts]
    whole = _joined([points for points in sampled if len(points)])
    if not len(whole):
        raise InvalidDataError("no row shows a hand: all of them are zeros or empty")
    metres = all(part.columns.world_only for part in parts)
    if not metres:
        _require_same(parts, sampled)
    return Units.of(whole, metres=metres)


def _require_same(parts: Sequence[TablePart], sampled: Sequence[FloatArray]) -> None:
    """Refuse tables of different units; a clip or a few rows say too little to be asked."""
    first: tuple[str, Units] | None = None
    for part, points in zip(parts, sampled, strict=True):
        if len(points) < 20 or part.table.is_clip:
            continue
        own = Units.of(np.nan_to_num(points))
        first = first or (part.table.name, own)
        if own.name != first[1].name:
            raise HandloreError(
                f"{first[0]} holds {first[1].words}, {part.table.name} {own.words}; convert them"
                " one by one, or say what they are with --units"
            )


def _sampled(part: TablePart, most: int) -> FloatArray:
    """Return some hands that were found, evenly spread."""
    good = part.found[0].copy()
    good[list(part.bad)] = False
    points = part.hands[0][_spread(good, most)]
    if len(points) or len(part.hands) == 1:
        return points
    return part.hands[1][_spread(part.found[1], most)]


def _spread(chosen: NDArray[np.bool_], most: int) -> NDArray[np.int64]:
    rows = np.flatnonzero(chosen)
    return rows[:: max(1, len(rows) // most)]


def _joined(hands: Sequence[FloatArray]) -> FloatArray:
    n_axes = min((points.shape[2] for points in hands), default=2)
    kept = [points[..., :n_axes] for points in hands]
    whole = np.concatenate(kept) if kept else np.zeros((0, N_LANDMARKS, 2), np.float32)
    return np.nan_to_num(whole)


def _largest(parts: Sequence[TablePart]) -> float:
    values = [
        np.quantile(np.abs(points[..., :2]), 0.9999)
        for part in parts
        if len(points := _sampled(part, _SAMPLED))
    ]
    return float(max(values, default=1.0))


def _pixels_of(part: TablePart) -> FloatArray | None:
    """Return (n_rows, 2) width and height of the pictures, None if the table does not say them."""
    if not {"width", "height"} <= set(part.texts):
        return None
    sides = [np.array([number_of(t) for t in part.texts[one]]) for one in ("width", "height")]
    pixels = np.stack(sides, 1).astype(np.float32)
    pixels[list(part.bad)] = 1
    return pixels if (np.isfinite(pixels) & (pixels > 0)).all() else None


# From parts to arrays.


def _frames_of(
    part: TablePart, conversion: UnitConversion, n_hands: int, mirrored: bool
) -> HandArrays:
    frames = HandArrays.empty(part.n_rows, n_hands)
    pixels = _pixels_of(part)
    for slot in range(len(part.hands)):
        for start in range(0, part.n_rows, _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            _fill_image(frames, part, slot, rows, conversion, pixels, mirrored)
        _fill_world(frames, part, slot, conversion, mirrored)
        _fill_facts(frames, part, slot, mirrored)
    for start in range(0, part.n_rows, _ROWS_AT_ONCE):
        _refuse_large(frames, part, start)
    if n_hands == 2 and not part.is_own:
        _left_first(frames)
    return frames


_ROWS_AT_ONCE = 50_000
"""Rows that are converted at once, so that the whole is in memory no more often than needed."""


def _fill_image(
    frames: HandArrays,
    part: TablePart,
    slot: int,
    rows: slice,
    conversion: UnitConversion,
    pixels: FloatArray | None,
    mirrored: bool,
) -> None:
    found = part.found[slot][rows]
    image = conversion.apply(part.hands[slot][rows], None if pixels is None else pixels[rows])
    if not part.is_own:
        far = found & (np.abs(image[..., :2]) > _FARTHEST).any(axis=(1, 2))
        for row in (rows.start + np.flatnonzero(far)).tolist():
            part.bad.setdefault(row, "a coordinate is much larger than those of other hands")
    if mirrored:
        image[..., 0] = (-image[..., 0]) if conversion.units.relative else 1 - image[..., 0]
    image[~found] = np.nan
    frames.image[rows, slot, :, : image.shape[2]] = image


def _refuse_large(frames: HandArrays, part: TablePart, start: int) -> None:
    """Note rows with numbers that no dataset can hold, among those from a start."""
    for name in ("image", "world", "score"):
        values = np.abs(getattr(frames, name)[start : start + _ROWS_AT_ONCE])
        large = (values > MAX_VALUE).reshape(len(values), -1).any(axis=1)
        for row in (start + np.flatnonzero(large)).tolist():
            part.bad.setdefault(row, f"{name} holds a number above {MAX_VALUE:g}")


def _fill_world(
    frames: HandArrays, part: TablePart, slot: int, conversion: UnitConversion, mirrored: bool
) -> None:
    found, world = part.found[slot], part.worlds[slot]
    if world is None and conversion.units.name == "metres" and not part.is_own:
        # What shows only metres is both, as tracked skeletons are.
        image = frames.image[found, slot]
        frames.world[found, slot] = image - image.mean(axis=1, keepdims=True)
    elif world is not None:
        good = found if part.is_own else found & np.isfinite(world).all(axis=(1, 2))
        frames.world[good, slot] = world[good] * ((-1, 1, 1) if mirrored else (1, 1, 1))


def _fill_facts(frames: HandArrays, part: TablePart, slot: int, mirrored: bool) -> None:
    found, name = part.found[slot], part.columns.hands[slot].name
    side = {"left": 0.0, "right": 1.0}.get(name, math.nan)
    sides = np.full(part.n_rows, side, np.float32)
    column = part.texts.get(f"side.{name}" if name else "side", part.texts.get("side"))
    if column is not None and math.isnan(side):
        sides = np.array([_probability_right(text) for text in column], np.float32)
    frames.handedness[found, slot] = (1 - sides if mirrored else sides)[found]
    frames.stage[found, slot] = 0
    suffix = f".{name}" if name else ""
    if (scores := part.texts.get(f"score{suffix}")) is not None:
        frames.score[found, slot] = np.array([number_of(one) for one in scores], np.float32)[found]
    if part.is_own and (stages := part.texts.get(f"stage{suffix}")) is not None:
        values = np.nan_to_num(np.array([number_of(one) for one in stages])).clip(0, 127)
        frames.stage[found, slot] = values[found]


def _probability_right(text: str) -> float:
    """Return the probability of a right hand that a word or number is."""
    named = {"left": 0.0, "l": 0.0, "right": 1.0, "r": 1.0}.get(text.lower())
    value = number_of(text) if named is None else named
    return value if 0 <= value <= 1 else math.nan


def _left_first(frames: HandArrays) -> None:
    """Put right hands into slot 1, and left ones into slot 0, where that is free or the same."""
    first, second = frames.handedness[:, 0] >= 0.5, frames.handedness[:, 1] < 0.5
    empty = frames.stage < 0
    swap = (first & (second | empty[:, 1])) | (second & empty[:, 0])
    for values in frames:
        values[swap] = values[swap][:, ::-1]


@dataclass(frozen=True)
class _BadRow:
    """A row that cannot be used."""

    name: str
    label: str
    why: str


@dataclass(frozen=True, eq=False)
class _Assembled:
    """What one table holds, or all of them."""

    dataset: LandmarkDataset | None
    """None if every row is bad."""
    failures: Sequence[_BadRow] = ()
    """Rows that cannot be used, by name, and why."""
    notes: Sequence[str] = ()


def assemble(parts: Sequence[TablePart], options: TableOptions) -> _Assembled:
    """Make one dataset of tables, at least one.

    Raises
    ------
    HandloreError
        If the aspect of the pictures matters and is not known, or tables do not fit together.
    """
    _require_labels(parts)
    _refuse_texts(parts)
    kinds = {part.kind for part in parts}
    if len(kinds) > 1:
        one = {part.kind: part.table.name for part in parts}
        raise HandloreError(
            f"{one['pose']} holds poses, {one['sequence']} movements; convert them one by one"
        )
    kind = kinds.pop()
    units = _units_of_parts(parts, options)
    has_size = all(_pixels_of(part) is not None for part in parts)
    conversion = UnitConversion.of(
        *(units, options.aspect, parts[0].table.name),
        has_size=has_size,
        largest=lambda: _largest(parts),
    )
    if units.name == "pixels":
        sampled = [_sampled(part, 1000) for part in parts]
        conversion = replace(conversion, shallow=all(map(_is_shallow, sampled)))
    n_hands = max(len(part.hands) for part in parts)
    unit: Unit = "metre" if units.name == "metres" else "width"
    header = Header(kind=kind, image_unit=unit)
    made = [_made(part, conversion, n_hands, header, options) for part in parts]
    datasets = [one.dataset for one in made if one.dataset is not None]
    notes = [
        _described(conversion, options.aspect, has_size=has_size),
        *_layout_notes(parts, kind, options),
        *sorted({note for one in made for note in one.notes})[:3],
    ]
    return _Assembled(
        concatenate(datasets) if datasets else None,
        [failure for one in made for failure in one.failures],
        notes,
    )


def _layout_notes(parts: Sequence[TablePart], kind: Kind, options: TableOptions) -> list[str]:
    columns = parts[0].columns
    roles = [role for role in ("label", "group", "split", "clip", "time") if role in parts[0].texts]
    n_axes = columns.hands[0].n_axes
    hands = counted(len(columns.hands), "hand")
    flipped = "mirrored, x flipped back" if options.mirrored else "not mirrored"
    notes = [
        f"{hands} of 21 landmarks, {'x y z' if n_axes == 3 else 'x y'}; {', '.join(roles)};"
        f" pictures treated as {flipped}",
        *columns.notes,
    ]
    if merged := _merged_labels(parts):
        notes.append(f"numbers read as one label: {listed(merged)}")
    if columns.left_out:
        names = ", ".join(columns.left_out[:6])
        notes.append(f"columns that are not used: {names}{' ...' * (len(columns.left_out) > 6)}")
    timed = any("frame" in p.texts or "time" in p.texts for p in parts if not p.is_own)
    if kind == "pose" and timed:
        notes.append("no column says which rows are one clip: each row is a pose")
    return notes


def _merged_labels(parts: Sequence[TablePart]) -> list[str]:
    """Return the labels of all tables that are one although they are written in several ways."""
    written = {label for part in parts if not part.is_own for label in part.texts["label"]}
    ways: dict[str, list[str]] = defaultdict(list)
    for label in sorted(written):
        ways[tidy(label)].append(label)
    return [" = ".join(same) for _, same in sorted(ways.items()) if len(same) > 1]


def _made(
    part: TablePart, conversion: UnitConversion, n_hands: int, header: Header, options: TableOptions
) -> _Assembled:
    frames = _frames_of(part, conversion, n_hands, options.mirrored)
    is_pose = header.kind == "pose"
    if not is_pose:
        part.refuse_clips(*part.clips(_good(part)))
    good = _good(part)
    failures = [
        _BadRow(f"{part.table.name}#{row + 1}", part.texts["label"][row] or "no label", why)
        for row, why in sorted(part.bad.items())
        if why
    ]
    if not good.any():
        return _Assembled(None, failures)
    if is_pose:
        order, offsets = np.flatnonzero(good), np.arange(good.sum() + 1, dtype=np.int64)
    else:
        order, offsets = part.clips(good)
    if len(order) < part.n_rows or (order[1:] < order[:-1]).any():
        frames = HandArrays._make(values[order] for values in frames)
    time, why = np.zeros(len(order)), ""
    if not is_pose or part.is_own:
        time, why = part.times(order, offsets, options.frame_rate)
    samples = part.samples(frames.image, order, offsets)
    dataset = LandmarkDataset(*frames, time=time, offsets=offsets, samples=samples, header=header)
    notes = [f"{options.frame_rate:g} frames a second, since {why}"] if why else []
    return _Assembled(dataset, failures, notes)


def _good(part: TablePart) -> NDArray[np.bool_]:
    good = np.ones(part.n_rows, bool)
    good[list(part.bad)] = False
    return good


def _require_labels(parts: Sequence[TablePart]) -> None:
    for part in parts:
        if "label" not in part.texts:
            raise HandloreError(
                f"{part.table.name} has no column of labels; call a column `label`, or put the"
                " file into a folder named after its label"
            )


def _refuse_texts(parts: Sequence[TablePart]) -> None:
    """Note rows whose label, or other text, cannot be that of a sample."""
    for part in parts:
        for role in [one for one in part.texts if one in SAMPLE_COLUMNS and one != "view"]:
            check = label_problem if role == "label" else partial(text_problem, role)
            problems = {text: why for text in set(part.texts[role]) if (why := check(text))}
            for row, text in enumerate(part.texts[role] if problems else ()):
                if text in problems:
                    part.bad.setdefault(row, problems[text])


def _is_shallow(points: Numbers) -> bool:
    """Say whether z was left as MediaPipe gives it, in picture widths, beside x and y in pixels."""
    return points.shape[2] == 3 and bool(np.nanmax(np.abs(points[..., 2]), initial=0) < 3)


def _described(done: UnitConversion, aspect: str, *, has_size: bool) -> str:
    """Return the line that says which units were understood."""
    words = done.units.words
    if done.units.name == "pixels":
        of = "each row's own picture" if has_size else f"pictures {done.width:g} wide, assumed"
        return f"units: {words} of {of}"
    if done.aspect is not None and aspect.strip().lower() == "unknown":
        return f"units: {words}; aspect unknown, so both axes are left as they are"
    if done.aspect is not None:
        return f"units: {words}; pictures of {aspect.strip()}"
    return f"units: {words}" + ("; pictures as each row says" if done.units.needs_aspect else "")
