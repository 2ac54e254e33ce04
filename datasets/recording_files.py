"""The files of a folder of recordings: its marker, its numbers, and moving without losing.

What is in a recording is the business of :mod:`.recordings`.
"""

import contextlib
import json
import os
import re
import shutil
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from handlore import __version__
from handlore.landmarks.errors import (
    HandloreError,
    InvalidDataError,
    require_known_format,
    shell_line,
)
from handlore.landmarks.files import os_errors_as, similar_files, write_bytes
from handlore.landmarks.untrusted import DAMAGE, parse_json

from .files import is_video

_RECORDINGS_VERSION = 1
MARKER = "recordings.json"
"""The file that marks a folder of recordings."""
_LEAST_MARKER = json.dumps({"format": _RECORDINGS_VERSION})
DISCARDED = "discarded"
"""The folder below it for discarded recordings."""
_NUMBERED = re.compile(r"[0-9]{1,9}")
_TEMPORARY = re.compile(r"\..*\.(tmp|claim)(\.\w+)?")
_STALE = 60.0
"""Seconds after which an unfinished file is abandoned; writing one takes a moment."""
_MOST_TRIED = 20
"""How many files are opened to find out whether a folder without its marker holds recordings."""
_LONGEST_NAME = 60
_RESERVED = {DISCARDED, "con", "prn", "aux", "nul"} | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)
}
"""Names that the folder of a label must not have, here or on Windows."""


def refuse_other_recordings(path: Path) -> None:
    """Raise HandloreError if a folder is that of one label of recordings, or lacks its marker."""
    if lost := lost_marker(path):
        raise HandloreError(lost)
    if (path.parent / MARKER).is_file():
        raise HandloreError(
            f"{path} is one label of the recordings in {path.parent}; name {path.parent} instead"
        )


def about_empty(path: Path) -> str:
    """Say of an empty folder that it holds neither recordings nor a dataset; else nothing."""
    if not path.is_dir() or _visible(path):
        return ""
    capture = shell_line("handlore", "capture", "--out", path)
    return (
        f"{path} is empty: it holds neither recordings nor a dataset; `{capture}` makes it a folder"
        " of recordings, `handlore convert SOURCE OUT.npz` makes a dataset"
    )


def lost_marker(root: Path) -> str:
    """Say that recordings lack a marker that can be read, and what to do; else nothing."""
    every = (path for gone in (False, True) for path in recording_files(root, discarded=gone))
    if not root.is_dir() or not any(map(_is_recording, islice(every, _MOST_TRIED))):
        return ""
    marker = root / MARKER
    if not marker.exists():
        return f"{root} holds recordings, but no {MARKER}; write {_LEAST_MARKER} into {marker}"
    try:
        require_recordings(root)
    except InvalidDataError as error:
        return str(error)
    return ""


def _is_recording(path: Path) -> bool:
    if number_of(path) is None:
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return {"header.npy", "offsets.npy"} <= set(archive.namelist())
    except (*DAMAGE, OSError):
        return False


def open_recordings_folder(root: Path, *, create: bool) -> None:
    """Check a folder of recordings; remove half-written files of killed processes.

    With ``create`` it is made if it does not exist, or is empty, and must be writable.
    """
    if create and not (root / MARKER).exists():
        _make_recordings_folder(root)
    require_recordings(root)
    if create:
        _require_writable_folder(root)
    _clean_up(root)


def is_recordings(root: Path) -> bool:
    """Say whether a path is a folder of recordings; reads nothing."""
    return (Path(root) / MARKER).is_file()


def _make_recordings_folder(root: Path) -> None:
    """Make a folder of recordings, if it is new or empty."""
    if root.exists() and not root.is_dir():
        raise HandloreError(f"{root} is a file; recordings are kept in a folder, give its name")
    with os_errors_as(f"cannot make the folder {root}"):
        root.mkdir(parents=True, exist_ok=True)
        there = _visible(root)
    if lost := lost_marker(root):
        raise HandloreError(lost)
    if there and there != [MARKER]:
        raise HandloreError(
            f"{root} holds other files, such as {there[0]}, and no recordings; give a new folder"
        )
    write_marker(root, [])


def write_marker(root: Path, labels: Sequence[str]) -> None:
    """Mark a folder of recordings, with its labels in the order of their keys if there are any."""
    marker: dict[str, Any] = {"format": _RECORDINGS_VERSION, "writer": f"handlore {__version__}"}
    marker |= {"labels": list(labels)} if labels else {}
    with os_errors_as(f"cannot write into {root}"):
        write_bytes(root / MARKER, f"{json.dumps(marker, ensure_ascii=False)}\n".encode())


def labels_in_marker(root: Path) -> list[str]:
    """Return the labels that the marker names; what is no label is left out."""
    try:
        labels = parse_json((root / MARKER).read_bytes()).get("labels", [])
    except (OSError, InvalidDataError, *DAMAGE):
        return []
    named = [one for one in labels if isinstance(one, str)] if isinstance(labels, list) else []
    return list(dict.fromkeys(named))


def require_recordings(root: Path) -> None:
    """Refuse a path that is not a folder of recordings."""
    marker = root / MARKER
    try:
        said = parse_json(marker.read_bytes())
        version = int(said["format"])
    except (FileNotFoundError, NotADirectoryError) as error:
        raise HandloreError(_not_recordings(root)) from error
    except OSError as error:
        raise HandloreError(f"cannot read {marker}: {error.strerror}") from error
    except (InvalidDataError, *DAMAGE) as error:
        raise InvalidDataError(
            f"{marker} is damaged; if {root} holds recordings, write {_LEAST_MARKER} into it"
        ) from error
    require_known_format(
        f"{root} has recordings format", version, _RECORDINGS_VERSION, said.get("writer")
    )


def _require_writable_folder(root: Path) -> None:
    probe = root / f".{os.getpid()}.tmp"
    with os_errors_as(f"cannot write into {root}"):
        _created(probe)
        probe.unlink()


def folder_of(label: str) -> str:
    """Return the name of the folder for a label, which any file system allows."""
    safe = "".join(c if c.isalnum() or c in "-_+ " else "_" for c in label)
    safe = safe[:_LONGEST_NAME].strip() or "_"
    return f"{safe}_" if safe.lower() in _RESERVED else safe


def recording_files(root: Path, *, discarded: bool = False) -> list[Path]:
    """List the .npz files in the folders of the labels, which should be recordings."""
    with os_errors_as(f"cannot read {root}"):
        files = [
            folder / name
            for folder in _folders(root, discarded=discarded)
            for name in sorted(_names(folder))
        ]
    return [path for path in files if path.suffix == ".npz" and not path.name.startswith(".")]


def number_of(path: Path) -> int | None:
    """Return the number of a recording, None if the name is no number."""
    return int(path.stem) if _NUMBERED.fullmatch(path.stem) else None


def video_of(path: Path) -> Path | None:
    """Return the video of the same number beside a recording."""
    there = sorted(name for name in _names(path.parent) if name.partition(".")[0] == path.stem)
    return next((path.parent / name for name in there if is_video(Path(name))), None)


@contextmanager
def new_recording(root: Path, label: str, video: Path | None) -> Iterator[Path]:
    """Reserve the next number for a recording that is written in the block; move its video there.

    The recording must be written to the path that the block gets.
    """
    folder = root / folder_of(label)
    if not (root / MARKER).exists():
        # Somebody, or another session that failed, has removed the folder under this one.
        with os_errors_as(f"cannot keep a recording in {root}"):
            root.mkdir(parents=True, exist_ok=True)
        write_marker(root, ())
    with _next_number(root) as number, os_errors_as(f"cannot keep a recording in {root}"):
        path = folder / f"{number:04d}.npz"
        folder.mkdir(exist_ok=True)
        ending = video.suffix.lower() if video else ".avi"
        with _moving_video(video, path.with_suffix(ending)):
            yield path
        _sync_folder(folder)


@contextmanager
def _next_number(root: Path) -> Iterator[int]:
    """Reserve a number that no other process has or gets.

    The process that creates the claim file has the number; numbers that came into use before are
    found when the folder is listed once more. This needs neither locks nor links, which memory
    cards and network drives may not have.
    """
    number = 1 + max(_numbers(root), default=0)
    while True:
        claim = root / f".{number:04d}.claim"
        with os_errors_as(f"cannot keep a recording in {root}"):
            claimed = _created(claim)
        if claimed and number not in _numbers(root):
            break
        if claimed:
            claim.unlink(missing_ok=True)
        number += 1
    try:
        yield number
    finally:
        claim.unlink(missing_ok=True)


def move_recording(root: Path, path: Path, to: Path) -> Path:
    """Move a recording and its video; return where it is now.

    If its number is in use, as in a folder that was put together by hand, it gets the next one.
    """
    if to == path:
        return to
    if not path.is_file():
        raise HandloreError(f"there is no recording {path}")
    with os_errors_as(f"cannot move {path}"):
        to.parent.mkdir(parents=True, exist_ok=True)
        if not to.exists():
            return _moved(path, to)
        with _next_number(root) as number:
            return _moved(path, to.with_stem(f"{number:04d}"))


@contextmanager
def _moving_video(video: Path | None, to: Path) -> Iterator[None]:
    """Move a video, possibly from another disk, beside the recording written in the block.

    It gets its name after the recording is written, so there is no video without a recording; if
    writing fails, the video is where it was. If interrupted in between, it gets its name when the
    folder is next opened (:func:`_clean_up`).
    """
    if video is None:
        yield
        return
    half = to.with_name(f".{to.name}.tmp")
    try:
        shutil.move(video, half)
        yield
    except BaseException:
        if not video.exists() and half.exists():
            shutil.move(half, video)
        half.unlink(missing_ok=True)
        raise
    with contextlib.suppress(
        FileNotFoundError
    ):  # a process that opened the folder meanwhile has named it
        half.replace(to)


def _sync_folder(folder: Path) -> None:
    """Sync the names of new files to the disk, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _clean_up(root: Path) -> None:
    """Remove half-written files of killed processes; name whole videos."""
    folders = [root, *_folders(root, discarded=False), *_folders(root, discarded=True)]
    for path in (folder / name for folder in folders for name in _names(folder)):
        with contextlib.suppress(OSError):
            if not _TEMPORARY.fullmatch(path.name):
                continue
            if (video := _whole_video(path)) is not None:
                path.replace(video)
            elif time.time() - path.stat().st_mtime > _STALE:
                path.unlink()


def _whole_video(path: Path) -> Path | None:
    """Return the name of a video whose recording was written, see :func:`_moving_video`."""
    to = path.with_name(path.name.removeprefix(".").removesuffix(".tmp"))
    is_one = is_video(to) and to.with_suffix(".npz").is_file() and not to.exists()
    return to if is_one else None


def _not_recordings(root: Path) -> str:
    if not root.exists():
        near = similar_files(root)
        meant = f"did you mean {near}? else " if near else ""
        capture, live = shell_line("capture", "--out", root), shell_line("live", "--record", root)
        make = f"`{capture}` or `{live}` makes it"
        return f"{root} does not exist; {meant}{make}"
    if empty := about_empty(root):
        return empty
    if lost := lost_marker(root):
        return lost
    return f"{root} is no folder of recordings; give one of `capture --out` or `live --record`"


def _folders(root: Path, *, discarded: bool) -> list[Path]:
    above = root / DISCARDED if discarded else root
    found = [above / name for name in _visible(above)]
    return [path for path in found if path.is_dir() and path != root / DISCARDED]


def _numbers(root: Path) -> Iterator[int]:
    """Yield the numbers that any file has, videos and discarded ones included.

    They are not collected: a run of weeks has many, and looks for each new one.
    """
    # The kept ones once more, for what is restored meanwhile.
    for discarded in (False, True, False):
        for folder in _folders(root, discarded=discarded):
            with os_errors_as(f"cannot read {root}"), _scanned(folder) as files:
                names = (file.name.partition(".")[0] for file in files)
                yield from (int(name) for name in names if _NUMBERED.fullmatch(name))


@contextmanager
def _scanned(folder: Path) -> Iterator[Iterator[os.DirEntry[str]]]:
    """Open a folder, which may be gone, to go through it without a list."""
    try:
        files = os.scandir(folder)
    except FileNotFoundError:
        yield iter(())
    else:
        with files:
            yield files


def _moved(path: Path, to: Path) -> Path:
    video = video_of(path)
    path.rename(to)
    if video:
        video.rename(to.with_suffix(video.suffix))
    with contextlib.suppress(OSError):
        path.parent.rmdir()  # succeeds only if nothing is left in it
    return to


def _visible(folder: Path) -> list[str]:
    return sorted(name for name in _names(folder) if not name.startswith("."))


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _created(path: Path) -> bool:
    """Create an empty file; say whether it was not there before."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    return True
