"""Datasets on disk: one ``.npz`` file, specified in ``docs/reference/formats.md``.

The bytes are a pure function of the dataset: fixed member dates, no clock, host or path.
Nothing in it is pickled, and nothing pickled is ever loaded.
"""

import io
import json
import zipfile
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from handlore import __version__
from handlore.landmarks.errors import (
    HandloreError,
    InvalidDataError,
    require_known_format,
    shell_line,
)
from handlore.landmarks.files import as_path, atomic_write, no_file
from handlore.landmarks.untrusted import (
    DAMAGE,
    parse_json,
    read_member,
    reason,
    require_size,
)

from .dataset import (
    FORMAT_VERSION,
    FRAME_ARRAYS,
    SAMPLE_COLUMNS,
    TEXT,
    Header,
    LandmarkDataset,
    Samples,
)
from .files import read_start
from .recording_files import about_empty, is_recordings, refuse_other_recordings

CONVERT_AGAIN = "convert the source again"
"""What to do about a damaged dataset."""
_LEAST_LIMIT = 256 << 20
_MAX_RATIO = 20
"""How many bytes the members may have: so many, or so many times those of the file. Landmarks are
compressed to a third; only frames without a hand become much smaller."""

_MAX_HEADER_BYTES = 64 << 20

_FIXED_DATE = (1980, 1, 1, 0, 0, 0)
_ARRAYS = (*FRAME_ARRAYS, "offsets")


def save_dataset(dataset: LandmarkDataset | str | Path, path: str | Path) -> None:
    """Write a dataset; the file appears whole or not at all.

    Raises
    ------
    HandloreError
        If it cannot be written.

    Examples
    --------
    >>> dataset = handlore.load_dataset("poses.npz")
    >>> handlore.save_dataset(dataset.select(dataset.has_hand), "with_hands.npz")
    """
    path, dataset = as_path(path), load_dataset(dataset)
    header = {"format": FORMAT_VERSION, "writer": f"handlore {__version__}"}
    values = header | dataset.header.as_json()
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, default=_plain)
    members = {"header": np.frombuffer(text.encode(*TEXT), np.uint8)}
    members |= {name: getattr(dataset, name) for name in _ARRAYS}
    members |= {f"samples.{name}": getattr(dataset.samples, name) for name in SAMPLE_COLUMNS}
    with atomic_write(path) as stream, zipfile.ZipFile(stream, "w") as archive:
        for name, array in members.items():
            info = zipfile.ZipInfo(f"{name}.npy", _FIXED_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.file_size = array.nbytes
            with archive.open(info, "w") as member:
                np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)


def _plain(value: object) -> object:
    """Return a path, or a number or an array of NumPy, as a type of JSON."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise InvalidDataError(f"options in a header are numbers and text, not {type(value).__name__}")


def load_dataset(path: str | Path | LandmarkDataset) -> LandmarkDataset:
    """Read a dataset; one that is loaded already is returned.

    So functions that take a dataset take its file too.

    Raises
    ------
    HandloreError
        If there is no such file, or it cannot be read.
    InvalidDataError
        If it is something else, truncated, or damaged.
    NewerFormatError
        If a later version of handlore wrote it.

    Examples
    --------
    >>> dataset = handlore.load_dataset("poses.npz")
    >>> dataset.labels
    ['fist', 'open_palm', 'point', 'victory']
    >>> dataset.image.shape
    (24, 1, 21, 3)
    """
    if isinstance(path, LandmarkDataset):
        return path
    path = as_path(path, "a dataset or its file (`handlore.load_data(PATHS).dataset` joins some)")
    _require_zip(path)
    members = _read_members(path)
    header = _header(path, members)
    missing = [name for name in _member_names() if name not in members]
    if missing:
        raise InvalidDataError(f"{path} lacks {', '.join(missing)}; {CONVERT_AGAIN}")
    try:
        return LandmarkDataset(
            **{name: members[name] for name in _ARRAYS},
            samples=Samples(**{name: members[f"samples.{name}"] for name in SAMPLE_COLUMNS}),
            header=Header.from_json(header),
        )
    except InvalidDataError as error:
        raise InvalidDataError(f"{path} is damaged: {error}") from error
    except DAMAGE as error:
        raise InvalidDataError(f"{path} is damaged: {reason(error)}") from error


def is_dataset(path: Path) -> bool:
    """Say whether a file looks like a landmark dataset, whole or damaged; reads little of it."""
    if not Path(path).is_file():  # a pipe would be waited for
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return {"header.npy", "image.npy"} <= set(archive.namelist())
    except (*DAMAGE, OSError):
        return Path(path).suffix == ".npz"


def _member_names() -> list[str]:
    return [*_ARRAYS, *(f"samples.{name}" for name in SAMPLE_COLUMNS)]


def _require_zip(path: Path) -> None:
    """Refuse what is no zip file by its first bytes; a pipe is not opened, which would wait."""
    if path.exists() and not path.is_dir() and not path.is_file():
        raise InvalidDataError(f"{path} is a pipe or a device; expected a dataset file")
    if path.is_file() and not (start := read_start(path, 8)).startswith(b"PK"):
        raise InvalidDataError(f"{path} is not a landmark dataset: {_what_is(path, start)}")


def _read_members(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            # Only what is known is unpacked: the rest may be of any size.
            there = set(archive.namelist())
            wanted = [name for name in ("header", *_member_names()) if f"{name}.npy" in there]
            _require_sizes(path, archive, wanted)
            return {name: _read_array(archive, name) for name in wanted}
    except IsADirectoryError as error:
        refuse_other_recordings(path)
        if empty := about_empty(path):
            raise HandloreError(empty) from error
        known = f"is a folder of recordings; `handlore.load_data({str(path)!r}).dataset` reads it"
        other = f"is a folder; make a dataset of it with `{_convert(path)}`"
        raise HandloreError(f"{path} {known if is_recordings(path) else other}") from error
    except FileNotFoundError as error:
        raise HandloreError(no_file(path)) from error
    except (*DAMAGE, InvalidDataError) as error:
        raise InvalidDataError(
            f"{path} is truncated or damaged ({reason(error)}); {CONVERT_AGAIN}"
        ) from error
    except OSError as error:
        raise HandloreError(f"cannot read {path}: {error.strerror or error}") from error


def _require_sizes(path: Path, archive: zipfile.ZipFile, wanted: Sequence[str]) -> None:
    """Refuse a file that would become very large, by what its members declare."""
    most = max(_LEAST_LIMIT, _MAX_RATIO * path.stat().st_size)
    n_bytes = sum(archive.getinfo(f"{name}.npy").file_size for name in wanted)
    require_size(n_bytes, most, "unpacked it")


def _read_array(archive: zipfile.ZipFile, name: str) -> Any:
    """Read a member whose size is that of the array it declares."""
    member = f"{name}.npy"
    data = read_member(archive, member, archive.getinfo(member).file_size)
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    shape, _, dtype = read_header[version](stream)
    if prod(shape) * dtype.itemsize != len(data) - stream.tell():
        raise ValueError(f"{name} has another size than it declares")
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)


def _header(path: Path, members: dict[str, Any]) -> dict[str, Any]:
    try:
        text = members["header"].tobytes().decode(*TEXT)
        header = parse_json(text, _MAX_HEADER_BYTES)
        version = int(header["format"])
    except (*DAMAGE, InvalidDataError) as error:
        raise InvalidDataError(
            f"{path} is a zip or npz file, but not a landmark dataset; make one with"
            " `handlore convert`"
        ) from error
    require_known_format(
        f"{path} has dataset format", version, FORMAT_VERSION, header.get("writer")
    )
    return dict(header)


def _what_is(path: Path, start: bytes) -> str:
    if not start:
        return "it is empty"
    if start[:1] == b"\x80":
        return "it is a Python pickle, which handlore never loads"
    if start[:1] == b"\x08":
        return "it looks like a model; datasets are .npz files made by `handlore convert`"
    made = "expected an .npz file made by `handlore convert`"
    return made if path.suffix == ".npz" else f"{made}, as by `{_convert(path)}`"


def _convert(path: Path) -> str:
    return shell_line("handlore", "convert", path, "OUT.npz")
