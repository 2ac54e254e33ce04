"""Arrays of numbers as tables: a row, rows, or clips of rows, with labels beside them."""

import contextlib
import io
import re
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.untrusted import MAX_FILE_BYTES, damage_as, read_member

from ..files import read_bytes, readable, require_regular
from ..layouts.words import split_in
from .names import role_of
from .pickles import MAX_PICKLE_BYTES, load_numbers
from .rows import NumberTable, Reader

_DATA = (
    *("x", "data", "features", "landmarks", "keypoints"),
    *("sequences", "inputs", "arr_0", "samples"),
)
_LABELS = ("y", "labels", "label", "targets", "target", "classes", "names", "arr_1")

_SIZES = {(21, 2): 42, (21, 3): 63, (2, 21, 2): 84, (2, 21, 3): 126, (42, 3): 126, (75, 3): 225}
"""How many numbers of a frame these are, by the last sides of an array."""
_WIDTHS = (42, 63, 84, 126, 225, 258, 1662)

_KAGGLE = 543
_KAGGLE_HANDS = (*range(468, 489), *range(522, 543))
"""Kaggle's order: 468 points of the face, left hand, 33 of the body, right hand."""


def _npy_tables(path: Path, name: str) -> list[NumberTable]:
    """Read a file of numpy; labels may be in one beside it: ``X.npy`` and ``y.npy``.

    Raises
    ------
    InvalidDataError
        If it is damaged, or has no landmarks of hands in it.
    """
    label_file = _label_file_of(path)
    labels = _read_npy(label_file) if label_file else None
    return [array_table(_read_npy(path), name, labels, split_in(path.stem))]


def _label_file_of(path: Path) -> Path | None:
    """Return the file with the labels of an array, by its name."""
    for stem in _partners(path.stem):
        for other in {stem, stem.lower(), stem.upper(), stem.capitalize()}:
            found = path.with_name(f"{other}{path.suffix}")
            if found != path and found.is_file():
                return found
    return None


def is_label_file(path: Path) -> bool:
    """Say whether an array is the labels of another one beside it."""
    words = re.split(r"[_\W]+", path.stem.lower())
    if not set(words) & set(_LABELS):
        return False
    beside = (one for one in path.parent.glob(f"*{path.suffix}") if one != path)
    return any(found.samefile(path) for one in beside if (found := _label_file_of(one)))


def _partners(stem: str) -> list[str]:
    """Return what the labels of an array may be called: ``y_train`` for ``X_train``."""
    parts = re.split(r"(_|-)", stem)
    places = [k for k, part in enumerate(parts) if part.lower() in _DATA]
    if stem in _DATA:
        return list(_LABELS)
    return ["".join([*parts[:k], label, *parts[k + 1 :]]) for k in places for label in _LABELS]


def _npz_tables(path: Path, name: str) -> list[NumberTable]:
    """Read an archive of numpy with data and labels, perhaps for training and test apart."""
    members = _read_npz(path)
    tables = []
    for key, values in members.items():
        label = next((other for other in _partners(key) if other in members), None)
        if label is not None and label != key:
            tables.append(array_table(values, f"{name}/{key}", members[label], split_in(key)))
    used = {key for key in members if any(key in _partners(other) for other in members)}
    if not tables:
        alone = [key for key in members if key not in used]
        tables = [array_table(members[key], f"{name}/{key}", None, "") for key in alone]
    return tables


_LEAST_LIMIT = 256 << 20
_MAX_RATIO = 20
"""An archive may unpack to this many times its size, or to the least limit: as a dataset may."""


def _read_npz(path: Path) -> dict[str, Any]:
    require_regular(path)
    with (
        readable(),
        damage_as("it is not an archive of numpy, or damaged"),
        zipfile.ZipFile(path) as archive,
    ):
        return _members(archive, max(_LEAST_LIMIT, _MAX_RATIO * path.stat().st_size))


def _members(archive: zipfile.ZipFile, most: int) -> dict[str, Any]:
    names = [one for one in archive.namelist() if one.endswith(".npy")][:50]
    if {"header.npy", "image.npy", "offsets.npy"} <= set(names):
        raise InvalidDataError("it is a landmark dataset already; see `handlore info`")
    left = min(most, MAX_FILE_BYTES)
    members: dict[str, Any] = {}
    for one in names:
        data = read_member(archive, one, left)
        left -= len(data)
        members[one.removesuffix(".npy")] = parse_npy(data)
    return members


def _read_npy(path: Path) -> Any:
    """Read one array; one of Python objects is read as a list, without executing anything."""
    return parse_npy(read_bytes(path, MAX_FILE_BYTES))


_DAMAGED = "it is not an array of numpy, or damaged"


def read_npy_header(stream: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, whether it is in Fortran's order, and type of an array; its numbers follow."""
    with damage_as(_DAMAGED):
        if np.lib.format.read_magic(stream) == (1, 0):
            return np.lib.format.read_array_header_1_0(stream)
        return np.lib.format.read_array_header_2_0(stream)


def parse_npy(data: bytes) -> Any:
    """Return an array from the bytes of its file; one of Python objects as a list."""
    stream = io.BytesIO(data)
    shape, is_fortran, dtype = read_npy_header(stream)
    with damage_as(_DAMAGED):
        rest = data[stream.tell() :]
        if dtype.hasobject:
            return load_numbers(rest[: MAX_PICKLE_BYTES + 1])
        count = int(np.prod(np.array(shape, object)))
        if dtype.itemsize * count > len(rest) or count < 0:
            raise InvalidDataError(f"it declares {shape}, and holds less")
        flat = np.frombuffer(rest, dtype, count)
        return flat.reshape(shape, order="F" if is_fortran else "C")


def array_table(values: Any, name: str, labels: Any, split: str) -> NumberTable:
    """Make a table of an array of landmarks, with a label for each row or clip if there are any.

    Shapes: (63,), (n, 63), (n, 21, 3), (n, t, 63), (n, t, 21, 3); so with 42, two hands, and the
    numbers of body, face and hands; also records with named fields, as `handlore export` writes.
    """
    if isinstance(values, np.ndarray) and values.dtype.names:
        return _record_table(values, name)
    values, bad = _rectangular(values)
    if values.dtype.kind not in "fiub" or not values.size:
        raise InvalidDataError(f"it is {values.dtype} {values.shape}, not landmarks")
    values = _frames(values)
    texts: dict[str, list[str]] = {}
    if labels is not None:
        texts["label"] = _label_texts(labels, len(values) if values.ndim > 1 else 1)
    if split:
        texts["split"] = [split] * (len(values) if values.ndim > 1 else 1)
    if values.ndim == 3:
        n_clips, n_frames, width = values.shape
        texts = {
            role: [t for t in column for _ in range(n_frames)] for role, column in texts.items()
        }
        texts["clip"] = [str(clip) for clip in range(1, n_clips + 1) for _ in range(n_frames)]
        return NumberTable.of(name, values.reshape(-1, width), texts)
    # One label for all rows: they are one clip, as those of a file without labels are.
    is_clip = values.ndim == 2 and (labels is None or np.ndim(labels) == 0)
    return NumberTable.of(name, np.atleast_2d(values), texts, is_clip=is_clip, bad=bad)


def _rectangular(values: Any) -> tuple[NDArray[Any], dict[int, str]]:
    """Return an array of lists; rows of another length than most are bad."""
    if isinstance(values, np.ndarray):
        return values, {}
    if not isinstance(values, list) or not values:
        raise InvalidDataError("it holds no rows of landmarks")
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return np.asarray(values, np.float64), {}
    flat = [_flat_row(row) for row in values]
    lengths = [len(row) for row in flat]
    most = max(set(lengths), key=lambda length: (lengths.count(length), length in _WIDTHS))
    bad = {
        k: f"the row has {length} numbers, expected {most}"
        for k, length in enumerate(lengths)
        if length != most
    }
    empty = [0.0] * most
    return np.array([empty if k in bad else row for k, row in enumerate(flat)], np.float64), bad


def _flat_row(row: Any) -> list[float]:
    try:
        return [float(value) for value in np.asarray(row, np.float64).ravel()]
    except (TypeError, ValueError, OverflowError):
        return []


def _frames(values: NDArray[Any]) -> NDArray[Any]:
    """Return (width,), (n, width) or (n, t, width) numbers of frames."""
    shape = values.shape
    if shape[-2:] == (_KAGGLE, 3):
        return _frames(values[..., _KAGGLE_HANDS, :])
    for tail, width in sorted(_SIZES.items(), key=lambda item: -len(item[0])):
        if shape[-len(tail) :] == tail and len(shape) - len(tail) <= 2:
            return values.reshape(*shape[: -len(tail)], width)
    if len(shape) == 4 and shape[-1] == 1:
        return _frames(values[..., 0])
    if len(shape) > 3 or (len(shape) == 3 and shape[-1] not in _WIDTHS):
        raise InvalidDataError(f"it is an array of {shape}, which is no table of hand landmarks")
    return values


def _require_characters(values: np.ndarray) -> None:
    """Refuse text with characters that do not exist: numpy raises SystemError when it is read."""
    if values.dtype.kind != "U" or not values.dtype.itemsize:
        return
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    if values.size and native.reshape(-1).view(np.uint32).max() > sys.maxunicode:
        raise InvalidDataError("its labels hold characters that do not exist")


def _label_texts(labels: Any, n_rows: int) -> list[str]:
    values = np.asarray(labels)
    _require_characters(values)
    if values.ndim == 0 or values.shape == (1,):
        values = np.repeat(values.ravel(), n_rows)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2 and values.dtype.kind in "biuf":
        values = values.argmax(axis=1)
    if values.ndim != 1 or len(values) != n_rows:
        raise InvalidDataError(f"it has {n_rows} rows or clips, and labels of shape {values.shape}")
    return [_label_text(value) for value in values.tolist()]


def _label_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _record_table(values: NDArray[Any], name: str) -> NumberTable:
    """Return a table of records: fields of landmarks, the others are text."""
    names: list[str] = []
    numbers: list[NDArray[Any]] = []
    texts: dict[str, list[str]] = {}
    rows = values.ravel()
    for field in values.dtype.names or ():
        column = rows[field]
        if column.ndim == 1 and column.dtype.kind in "fiu" and re.search(r"\d$", field):
            names.append(field)
            numbers.append(column.astype(np.float32))
        elif column.ndim == 1:
            texts[field] = [_label_text(value) for value in column.tolist()]
    if not numbers:
        raise InvalidDataError("it is an array of records without landmarks")
    return NumberTable.of(name, np.stack(numbers, 1), _by_role(texts), names=names)


def _by_role(texts: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Return columns of text by their role; those without one are left out."""
    return {role: column for name, column in texts.items() if (role := role_of(name))}


def _pickle_tables(path: Path, name: str) -> list[NumberTable]:
    """Read a pickled dict of rows and labels, or of lists by label, without executing anything."""
    value = load_numbers(read_bytes(path, MAX_PICKLE_BYTES))
    if isinstance(value, list) and len(value) == 2:
        value = {"data": value[0], "labels": value[1]}
    if not isinstance(value, dict):
        return [array_table(value, name, None, "")]
    pair = data_and_labels(value)
    if pair is not None:
        return [array_table(pair[0], name, pair[1], "")]
    rows = [(str(label), row) for label, rows in value.items() for row in _each(rows)]
    return [array_table([row for _, row in rows], name, [label for label, _ in rows], "")]


def data_and_labels(value: Mapping[Any, Any]) -> tuple[Any, Any] | None:
    """Return rows and their labels, by the names that they have in a dict; None if it has none.

    Raises
    ------
    InvalidDataError
        If there are rows under such a name, and no labels.
    """
    keys = {str(key).lower(): key for key in value}
    data = next((keys[key] for key in _DATA if key in keys), None)
    labels = next((keys[key] for key in _LABELS if key in keys), None)
    if data is None:
        return None
    if labels is None:
        raise InvalidDataError(f"it has {data!r}, and no labels beside it, such as 'labels'")
    return value[data], value[labels]


def _each(rows: Any) -> list[Any]:
    return list(rows) if isinstance(rows, list | np.ndarray) and np.ndim(rows) else []


READERS: dict[str, Reader] = {
    ".npy": _npy_tables,
    ".npz": _npz_tables,
    **dict.fromkeys((".pickle", ".pkl", ".p"), _pickle_tables),
}
