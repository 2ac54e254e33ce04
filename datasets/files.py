"""Walking a source's folder, and reading its files: names, kinds, order, stamps, bytes."""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.files import os_errors_as
from handlore.landmarks.untrusted import MAX_FILE_BYTES, require_size

T = TypeVar("T")

_MAX_LINKS = 2
_MAX_DEPTH = 50
"""Most folders within each other; data sets have about five."""

_Seen = tuple[tuple[int, int], Path]
"""A folder: what identifies it on the disk, and its path."""

SAMPLED = 12
"""How many files are opened to recognise a layout by what is in them."""

MAX_LISTED = 20_000
"""How many names are listed to recognise a layout, so that a huge tree is not walked for it."""


def walk(root: Path) -> Iterator[str]:
    """Yield all files below a folder, relative to it, sorted, with forward slashes.

    Hidden files are skipped. Links to folders are followed, except where they lead back to a
    folder that contains them, and at most two on the path to a file. Below a file there is nothing.
    """
    if Path(root).is_file():
        return
    for path in _walk(Path(root), (), _MAX_LINKS):
        yield path.relative_to(root).as_posix()


def _walk(folder: Path, above: tuple[_Seen, ...], links: int) -> Iterator[Path]:
    if len(above) > _MAX_DEPTH:
        raise HandloreError(
            f"{above[0][1]} has more than {_MAX_DEPTH} folders within each other; give one further"
            " down"
        )
    with os_errors_as(f"cannot read the folder {folder}"):
        status = folder.stat()
        real = (status.st_dev, status.st_ino)
        if real in (one for one, _ in above):
            return
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    visible = [entry for entry in entries if not is_hidden(entry.name)]
    yield from (Path(entry.path) for entry in visible if not _is_folder(entry))
    for entry in visible:
        left = links - entry.is_symlink()
        if left >= 0 and _is_folder(entry):
            yield from _walk(Path(entry.path), (*above, (real, folder)), left)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself is a file that cannot be read
        return False


def files_of(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield name relative to the source and path of all files; of one file, only itself."""
    root = Path(root)
    if root.is_file():
        yield root.name, root
    else:
        yield from ((name, root / name) for name in walk(root))


def parent_of(name: str) -> str:
    """Return the folder of a file that :func:`walk` names; empty for the folder that is walked."""
    return name.rpartition("/")[0]


def is_hidden(name: str) -> bool:
    """Say whether a name is hidden, or one of the files that operating systems leave behind."""
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def spread(values: Sequence[T], n: int) -> list[T]:
    """Choose at most ``n`` values, evenly spread."""
    step = max(1.0, len(values) / n)
    return [values[int(place * step)] for place in range(min(n, len(values)))]


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that puts 2 before 10."""
    words = re.findall(r"[0-9]+|[^0-9]+", name)
    # Digits are counted before they are compared: int() refuses more than 4300 of them.
    return tuple(
        (0, len(word.lstrip("0")), word.lstrip("0")) if "0" <= word[0] <= "9" else (1, 0, word)
        for word in words
    )


def natural_order(paths: Iterable[Path]) -> list[Path]:
    """Sort files by name, with numbers in the names compared as numbers."""
    return sorted(paths, key=lambda path: (natural_key(path.stem), path.name))


def file_stamp(path: Path) -> tuple[int, int]:
    """Return size and time of change (ns) of a file, which tell whether it was changed.

    For a folder: the sum of the sizes of its files, and the latest change. (-1, -1) if it cannot
    be read.
    """
    try:
        status = path.stat()
        if not stat.S_ISDIR(status.st_mode):
            return status.st_size, status.st_mtime_ns
        inside = [entry.stat() for entry in os.scandir(path)]
    except OSError:
        return -1, -1
    return sum(one.st_size for one in inside), max(one.st_mtime_ns for one in (status, *inside))


def require_regular(path: Path) -> None:
    """Refuse pipes and devices: opening a pipe waits until another process writes into it."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise InvalidDataError("it is no regular file, but a pipe or a device")


readable = partial(os_errors_as, "cannot be read", InvalidDataError)
"""Raises errors of the system in reading a file as InvalidDataError, without its path."""


def read_bytes(path: Path, most: int = MAX_FILE_BYTES) -> bytes:
    """Return the bytes of a file, ``most`` at most; InvalidDataError does not repeat the path."""
    require_regular(path)
    with readable():
        require_size(path.stat().st_size, most, "the file")
        return path.read_bytes()


def read_start(path: Path, n_bytes: int = 65536) -> bytes:
    """Return the first bytes of a file, nothing if it cannot be read."""
    if not path.is_file():
        return b""
    try:
        with path.open("rb") as stream:
            return stream.read(n_bytes)
    except OSError:
        return b""


# Which files are pictures and videos, by their names.

_PICTURES = """
bmp dib jpg jpeg jpe jfif jp2 png webp avif gif tif tiff pbm pgm ppm pnm ras sr exr hdr heic heif
"""
_PICTURE_SUFFIXES = frozenset(f".{one}" for one in _PICTURES.split())
"""Endings of pictures; HEIC needs a package of its own."""

_VIDEOS = """
mp4 m4v avi webm mov mkv mpg mpeg wmv 3gp 3g2 flv ts mts m2ts m2v vob ogv asf mxf divx f4v
h264 264 h265 265 hevc mjpeg mjpg
"""
_VIDEO_SUFFIXES = frozenset(f".{one}" for one in _VIDEOS.split())
"""Endings of videos; a GIF may be a picture as well."""


def is_picture(path: Path) -> bool:
    """Say whether a file's name is that of a picture."""
    return path.suffix.lower() in _PICTURE_SUFFIXES


def is_video(path: Path) -> bool:
    """Say whether a file's name is that of a video."""
    return path.suffix.lower() in _VIDEO_SUFFIXES


_FOREIGN = "zip tar toml txt md html h5 hdf5 keras pkl pt pth tflite task"
_FOREIGN_SUFFIXES = frozenset(f".{one}" for one in _FOREIGN.split())


def is_foreign_name(path: Path) -> bool:
    """Say whether nobody would look for a dataset or a model of ours under a file's name."""
    return path.suffix.lower() in _FOREIGN_SUFFIXES or is_picture(path) or is_video(path)
