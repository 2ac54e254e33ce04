"""Samples of a table: which rows are one clip, in which order, when, and what is known of them."""

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.hands import FloatArray

from ..dataset import Samples
from ..validation import Kind
from .parts import TableOptions, TablePart, clip_keys, number_of

_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def clips_of(
    part: TablePart, good: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows clip by clip, by frame or time within each, and where clips begin."""
    numbers: dict[tuple[str, ...], int] = {}
    keys = [()] * part.n_rows if part.table.is_clip else clip_keys(part)
    clips = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)
    by = next((role for role in ("frame", "time", "time_ms") if role in part.texts), None)
    within = np.array([number_of(t) for t in part.texts[by]]) if by else np.zeros(part.n_rows)
    rows = np.flatnonzero(good)
    order = rows[np.lexsort((rows, np.nan_to_num(within[rows]), clips[rows]))]
    starts = np.flatnonzero(np.diff(clips[order], prepend=-1))
    return order, np.append(starts, len(order)).astype(np.int64)


def times_of(
    part: TablePart,
    order: NDArray[np.int64],
    offsets: NDArray[np.int64],
    kind: Kind,
    options: TableOptions,
) -> NDArray[np.float64]:
    """Return the seconds of the rows in order, from the beginning of each clip."""
    seconds = _seconds(part, options)[order]
    if part.is_own:
        return seconds
    if kind == "pose":
        return np.zeros(len(order))
    lengths = np.diff(offsets)
    since = seconds - np.repeat(seconds[offsets[:-1]], lengths)
    place = np.arange(len(order)) - np.repeat(offsets[:-1], lengths)
    usable = np.isfinite(since).all() and (np.diff(since)[np.diff(place) > 0] >= 0).all()
    return since if usable else place / options.frame_rate


def _seconds(part: TablePart, options: TableOptions) -> NDArray[np.float64]:
    for role in ("time_ms", "time", "frame"):
        if role in part.texts:
            values = np.array([number_of(text) for text in part.texts[role]])
            break
    else:
        return np.full(part.n_rows, np.nan)
    if role == "frame":
        return values / options.frame_rate
    if role == "time_ms" or (role == "time" and not part.is_own and _is_milliseconds(values)):
        return values / 1000
    return values


def _is_milliseconds(values: NDArray[np.float64]) -> bool:
    """Say whether times rise by 5 or more from frame to frame; seconds do not."""
    steps = np.diff(values)
    steps = steps[steps > 0]
    return bool(len(steps)) and float(np.median(steps)) >= 5


def samples_of(
    part: TablePart,
    image: FloatArray,
    order: NDArray[np.int64],
    offsets: NDArray[np.int64],
) -> Samples:
    """Return what is known of each sample: the first of its rows says it."""
    firsts = order[offsets[:-1]].tolist()
    columns = {
        role: [part.texts[role][row] for row in firsts]
        for role in ("group", "session", "recording")
        if role in part.texts
    }
    if "split" in part.texts:
        splits = [part.texts["split"][row] for row in firsts]
        known = [_SPLITS.get(split.lower(), "") for split in splits]
        columns["split"] = splits if part.is_own else known
    labels = [_tidy(part.texts["label"][row]) for row in firsts] if not part.is_own else [
        part.texts["label"][row] for row in firsts
    ]  # fmt: skip
    whole = part.table.is_clip and len(firsts) == 1
    names = [part.table.name if whole else f"{part.table.name}#{row + 1}" for row in firsts]
    digests = list(_digests(image, offsets))
    own: dict[str, Any] = {}
    if part.is_own:
        texts = part.texts
        names = [texts["source"][row] for row in firsts] if "source" in texts else names
        digests = [texts["sha256"][row] for row in firsts] if "sha256" in texts else digests
        if "view" in texts:
            own["view"] = [int(number_of(texts["view"][row]) or 0) for row in firsts]
    return Samples.make(labels, source=names, sha256=digests, **columns, **own)


def _tidy(label: str) -> str:
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
