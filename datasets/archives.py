"""Zip and tar archives of data sets, as Kaggle serves them: unpacked for as long as they are read.

Nothing in an archive is trusted: names must stay inside, links and devices are passed over, and
sizes are limited before and while the members are written.
"""

import os
import shutil
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.files import os_errors_as
from handlore.landmarks.untrusted import damage_as, printable

from .files import is_hidden

_ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_MAX_MEMBERS = 2_000_000
_MAX_RATIO = 200
"""How many times as large as the archive its content may be: pictures hardly shrink, and tables
of numbers to a tenth."""
_ALLOWED = 256 << 20
"""Bytes of content that are allowed whatever the size of the archive."""
_MARK = ".handlore-unpacked"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class _Member:
    name: str
    size: int
    changed: float
    open: Callable[[], IO[bytes] | None]


def _is_archive(path: Path) -> bool:
    """Say whether a path is that of a zip or tar archive, by its name."""
    return path.name.lower().endswith(_ENDINGS) and path.is_file()


@contextmanager
def unpacked(path: Path, beside: Path | None = None) -> Iterator[Path]:
    """Yield the folder with the content of an archive, which is removed at the end.

    What is no archive is yielded as it is. Errors raised in the block name the archive instead of
    that folder.

    Parameters
    ----------
    path
        A zip or tar archive, a folder or any other file.
    beside
        The output that the content is unpacked beside, in a hidden folder; default: the system's
        folder for temporary files.

    Raises
    ------
    InvalidDataError
        If the archive is damaged, encrypted, too large, or has names that point out of it.
    """
    path = Path(path)
    if not _is_archive(path):
        yield path
        return
    with ExitStack() as stack:
        if beside is None:
            parent = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handlore-")))
        else:
            parent = stack.enter_context(_own_folder(beside))
        folder = parent / _stem(path)
        folder.mkdir()
        try:
            # A damaged one leads to impossible places and names; a disk may be full.
            with os_errors_as(f"{path} cannot be unpacked"):
                _unpack(path, folder)
            yield folder
        except HandloreError as error:
            text = str(error)
            if str(folder) not in text:
                raise
            raise HandloreError(text.replace(str(folder), str(path))) from error


def _stem(path: Path) -> str:
    name = path.name
    for ending in sorted(_ENDINGS, key=len, reverse=True):
        if name.lower().endswith(ending):
            return name[: -len(ending)] or "archive"
    return name


@contextmanager
def _own_folder(beside: Path) -> Iterator[Path]:
    """Make a hidden folder beside an output; what a killed process left there is removed."""
    beside = Path(beside).resolve()
    folder = beside.with_name(f".{beside.name}.unpacked")
    if (folder / _MARK).is_file():
        shutil.rmtree(folder)
    folder.mkdir()
    (folder / _MARK).touch()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unpack(path: Path, folder: Path) -> None:
    most = _MAX_RATIO * path.stat().st_size + _ALLOWED
    written = 0
    with damage_as(f"{path} is damaged", tarfile.TarError), _members(path) as members:
        for number, member in enumerate(members):
            if number >= _MAX_MEMBERS:
                raise InvalidDataError(f"{path} holds more than {_MAX_MEMBERS:,} files")
            target = _target(path, folder, member.name)
            if target is None:
                continue
            written += member.size
            _require_room(path, folder, written, most, member.size)
            _write(member, target)


def _target(path: Path, folder: Path, name: str) -> Path | None:
    """Return where a member is written; None for hidden files, which are never read."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    wrong = any(part in ("..", "/") or ":" in part or "\0" in part for part in parts)
    if wrong or not parts:
        raise InvalidDataError(
            f"{path}: its member {printable(name)} points out of the archive; nothing is read"
        )
    return None if any(map(is_hidden, parts)) else folder.joinpath(*parts)


def _require_room(path: Path, folder: Path, written: int, most: int, size: int) -> None:
    if written > most:
        raise InvalidDataError(
            f"{path} would become larger than {most >> 20:,} MiB, which no data set of"
            f" {path.stat().st_size >> 20:,} MiB does; unpack it yourself if you trust it"
        )
    if size > shutil.disk_usage(folder).free:
        raise HandloreError(f"{path} needs more room than is left on the disk of {folder.parent}")


def _write(member: _Member, target: Path) -> None:
    source = member.open()
    if source is None:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    left = member.size
    with source, target.open("wb") as stream:
        while left > 0 and (block := source.read(min(_BLOCK, left))):
            stream.write(block)
            left -= len(block)
    # The same in each run, so that an interrupted conversion continues.
    os.utime(target, (member.changed, member.changed))


@contextmanager
def _members(path: Path) -> Iterator[Iterator[_Member]]:
    """Open an archive and yield its files; folders, links and devices are passed over."""
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            yield _of_zip(path, archive)
    else:
        with tarfile.open(path, "r:*") as tar:
            yield _of_tar(tar)


def _of_zip(path: Path, archive: zipfile.ZipFile) -> Iterator[_Member]:
    for info in archive.infolist():
        if info.flag_bits & 1:
            raise InvalidDataError(f"{path} is encrypted; unpack it yourself")
        link = (info.external_attr >> 16) & 0o170000 == 0o120000
        if not (info.is_dir() or link):
            changed = time.mktime((*info.date_time, 0, 0, -1))
            yield _Member(info.filename, info.file_size, changed, partial(archive.open, info))


def _of_tar(tar: tarfile.TarFile) -> Iterator[_Member]:
    for info in tar:
        if info.isfile():
            yield _Member(info.name, info.size, info.mtime, partial(tar.extractfile, info))
