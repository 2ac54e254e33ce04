"""Files that are either wholly there or not there at all."""

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO

from .errors import HandloreError, near_names, require_type
from .processes import cleaned_up
from .untrusted import printable


def each_path(paths: Sequence[str | Path] | str | Path) -> list[Path]:
    """Return one path or several as a list."""
    return [as_path(path, "a path, or several") for path in each(paths)]


def each(given: Any) -> list[Any]:
    """Return one object or several as a list; the letters of a text are not several."""
    several = isinstance(given, Iterable) and not isinstance(given, str)
    return list(given) if several else [given]


def as_path(given: object, expected: str = "a path") -> Path:
    """Return a path; HandloreError says what was expected where something else is given."""
    if isinstance(given, str) and not given:  # not the current folder, which is "."
        raise HandloreError(f"expected {expected}, but got an empty text")
    return Path(require_type(given, (str, os.PathLike), expected))


_ALIKE, _VERY_ALIKE = 0.6, 0.85
"""How alike a misspelt name and the one that was meant are at least, from 0 to 1."""
_MOST_NAMES = 5000
"""How many names of a folder are compared with a misspelt one."""


def no_file(path: Path, ending: str = "", what: str = "file") -> str:
    """Say that there is no file, and which one in the same folder may have been meant."""
    near = similar_files(path, ending)
    return f"there is no {what} {path}" + (f"; did you mean {near}?" if near else "")


def similar_files(path: Path, ending: str = "") -> str:
    """Return the files and folders that a misspelt path may mean, joined by "or".

    Those of its own ending come first, then those of the ending that is expected, if one is, else
    those of any other that are very alike.
    """
    names = _names_beside(path)
    same = [name for name in names if Path(name).suffix == (path.suffix or ending)]
    expected = [name for name in names if Path(name).suffix == ending] if ending else names
    least = _VERY_ALIKE if path.suffix and not ending else _ALIKE
    near = _near_stems(path.stem, same) or _near_stems(path.stem, expected, least)
    return " or ".join(printable(str(path.with_name(name))) for name in near)


def _near_stems(stem: str, names: Sequence[str], least: float = _ALIKE) -> list[str]:
    """Return the names whose stems are near, two at most: equal endings make no names alike."""
    stems: dict[str, str] = {}
    for name in names:
        stems.setdefault(Path(name).stem.casefold(), name)
    return [stems[one] for one in near_names(stem.casefold(), stems, least)]


def _names_beside(path: Path) -> list[str]:
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in islice(entries, _MOST_NAMES)]
    except (OSError, ValueError):  # the latter for a path that no system has
        return []
    return sorted(name for name in names if not name.startswith("."))


@contextmanager
def os_errors_as(what: str, kind: type[HandloreError] = HandloreError) -> Iterator[None]:
    """Raise errors of the system as one of handlore: ``what`` failed, and why."""
    try:
        yield
    except OSError as error:
        raise kind(f"{what}: {error.strerror or error}") from error


STDOUT = "standard output"
"""The name of stdout in errors of the system."""


@contextmanager
def naming_stdout() -> Iterator[None]:
    """Let errors of the system in the block name stdout: a full disk, or a reader that is gone."""
    try:
        yield
    except OSError as error:
        error.filename = STDOUT
        raise


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a file that appears under its name only when the block ends well.

    The bytes go to a temporary file in the same folder, are synced to the disk, then renamed.
    An exception (a full disk and Ctrl-C included) leaves what was there before untouched. If it
    cannot be written, HandloreError names the cause.
    """
    # A link stays a link: what it leads to is written.
    path = real_path(path)
    require_writable(path)
    temporary: Path | None = None
    try:
        # Not `tempfile`: this gives the file the permissions that any new file has.
        temporary = path.with_name(f".{path.name[:40]}.{token_hex(4)}.tmp")
        with cleaned_up(temporary.unlink), temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        temporary = None
    except OSError as error:
        raise HandloreError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file that is there as a whole or not at all, see :func:`atomic_write`."""
    with atomic_write(path) as stream:
        stream.write(data)


def write_together(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by name into a folder; where one cannot be written, none is changed."""
    with ExitStack() as stack:
        for name, data in files.items():
            stream = stack.enter_context(atomic_write(folder / name))
            stream.write(data)
            stream.flush()


def require_writable(path: Path) -> None:
    """Refuse an output path early, before minutes of work are spent on it."""
    path = Path(path)
    if path.is_symlink() and _is_loop(path):
        raise HandloreError(f"cannot write {path}: it is a link that leads to itself")
    if path.is_dir():
        raise HandloreError(f"cannot write {path}: it is a folder; give a file name")
    if path.exists() and not path.is_file():
        raise HandloreError(f"cannot write {path}: it is a device or pipe; give a file name")
    if not path.parent.is_dir():
        raise HandloreError(f"cannot write {path}: the folder {path.parent} does not exist")
    if not os.access(path.parent, os.W_OK):
        raise HandloreError(f"cannot write {path}: the folder {path.parent} is not writable")


def real_path(path: Path) -> Path:
    """Return the path of an output with its links resolved, or raise HandloreError."""
    try:
        return Path(path).resolve()
    except RuntimeError as error:  # before Python 3.13
        raise HandloreError(f"cannot write {path}: it is a link that leads to itself") from error


def _is_loop(path: Path) -> bool:
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def make_folder(path: Path) -> None:
    """Make an output folder and those above it, if they are missing, or raise HandloreError."""
    with os_errors_as(f"cannot make the folder {path}"):
        path.mkdir(parents=True, exist_ok=True)
