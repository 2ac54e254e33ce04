"""Datasets on disk: one ``.npz`` file, specified in ``docs/reference/formats.md``.

The bytes are a pure function of the dataset: fixed member dates, no clock, host or path.
Nothing in it is pickled, and nothing pickled is ever loaded.
"""

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from handlore import __version__
from handlore.landmarks.errors import HandloreError, InvalidDataError, NewerFormatError
from handlore.landmarks.files import atomic_write

from .dataset import (
    FORMAT_VERSION,
    FRAME_ARRAYS,
    SAMPLE_COLUMNS,
    TEXT,
    Header,
    LandmarkDataset,
    Samples,
)

_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError),
    *(NotImplementedError, RuntimeError, OverflowError, MemoryError),
)
"""What Python's zip reader raises when bytes of a zip file have changed."""

_FIXED_DATE = (1980, 1, 1, 0, 0, 0)
_ARRAYS = (*FRAME_ARRAYS, "offsets")


def save_dataset(dataset: LandmarkDataset, path: Path) -> None:
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
    header = {"format": FORMAT_VERSION, "writer": f"handlore {__version__}"}
    text = json.dumps(header | dataset.header.as_json(), sort_keys=True, ensure_ascii=False)
    members = {"header": np.frombuffer(text.encode(*TEXT), np.uint8)}
    members |= {name: getattr(dataset, name) for name in _ARRAYS}
    members |= {f"samples.{name}": getattr(dataset.samples, name) for name in SAMPLE_COLUMNS}
    with atomic_write(Path(path)) as stream, zipfile.ZipFile(stream, "w") as archive:
        for name, array in members.items():
            info = zipfile.ZipInfo(f"{name}.npy", _FIXED_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(info, buffer.getbuffer())


def load_dataset(path: Path) -> LandmarkDataset:
    """Read a dataset.

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
    path = Path(path)
    members = _read_members(path)
    header = _header(path, members)
    missing = [name for name in _member_names() if name not in members]
    if missing:
        raise InvalidDataError(f"{path} lacks {', '.join(missing)}; convert the source again")
    try:
        return LandmarkDataset(
            **{name: members[name] for name in _ARRAYS},
            samples=Samples(**{name: members[f"samples.{name}"] for name in SAMPLE_COLUMNS}),
            header=Header.from_json(header),
        )
    except (InvalidDataError, TypeError, ValueError, IndexError) as error:
        raise InvalidDataError(f"{path} is damaged: {error}") from error


def is_dataset(path: Path) -> bool:
    """Say whether a file looks like a landmark dataset, whole or damaged; reads little of it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {"header.npy", "image.npy"} <= set(archive.namelist())
    except (*_DAMAGE, OSError):
        return Path(path).suffix == ".npz"


def _member_names() -> list[str]:
    return [*_ARRAYS, *(f"samples.{name}" for name in SAMPLE_COLUMNS)]


def _read_members(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            start = stream.read(8)
            if not start.startswith(b"PK"):
                raise InvalidDataError(f"{path} is not a landmark dataset: {_what_is(start)}")
            with zipfile.ZipFile(stream) as archive:
                # Only what is known is unpacked: the rest may be of any size.
                there = set(archive.namelist())
                wanted = [name for name in ("header", *_member_names()) if f"{name}.npy" in there]
                return {name: _read_array(archive.read(f"{name}.npy")) for name in wanted}
    except IsADirectoryError as error:
        raise HandloreError(
            f"{path} is a folder; make a dataset of it with `handlore convert {path} OUT.npz`"
        ) from error
    except FileNotFoundError as error:
        raise HandloreError(f"there is no file {path}") from error
    except _DAMAGE as error:
        raise InvalidDataError(
            f"{path} is truncated or damaged ({error}); convert the source again"
        ) from error
    except OSError as error:
        raise HandloreError(f"cannot read {path}: {error.strerror or error}") from error


def _read_array(data: bytes) -> Any:
    return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)


def _header(path: Path, members: dict[str, Any]) -> dict[str, Any]:
    try:
        header = json.loads(members["header"].tobytes().decode(*TEXT))
        version = int(header["format"])
    except (*_DAMAGE, KeyError, TypeError, AttributeError) as error:
        raise InvalidDataError(
            f"{path} is a zip or npz file, but not a landmark dataset; make one with"
            " `handlore convert`"
        ) from error
    if version > FORMAT_VERSION:
        writer = header.get("writer", "a newer handlore")
        raise NewerFormatError(
            f"{path} has dataset format {version}, written by {writer};"
            f" this is handlore {__version__}, which reads up to {FORMAT_VERSION}:"
            " `pip install -U handlore`"
        )
    return dict(header)


def _what_is(start: bytes) -> str:
    if not start:
        return "it is empty"
    if start[:1] == b"\x80":
        return "it is a Python pickle, which handlore never loads"
    if start[:1] == b"\x08":
        return "it looks like a model; datasets are .npz files made by `handlore convert`"
    return "expected an .npz file made by `handlore convert`"
