"""A lock that dies with the process that holds it."""

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from handlore.landmarks.errors import HandloreError

_FAR = 1 << 30
"""Where Windows, which locks bytes against reading, locks one: the process id stays readable."""


@contextmanager
def only_one(path: Path, what: str, talk: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold a lock file for the length of the block; it is removed in the end.

    The system drops the lock when the process ends, however it ends, so one that was killed
    leaves nothing that blocks.

    Parameters
    ----------
    path
        The lock file; its folder must exist.
    what
        What is being done, for the line that a second process gets.
    talk
        Told where the file system has no locks; then there is none.

    Raises
    ------
    HandloreError
        If another process holds it.
    """
    descriptor = _held(path, what, talk)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        # Unlinked while it is held, so that nobody else takes a lock on a file without a name.
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)
        with contextlib.suppress(OSError):
            if os.name == "nt":
                path.unlink()


def _held(path: Path, what: str, talk: Callable[[str], None] | None) -> int:
    while True:
        try:
            path.parent.mkdir(exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            if not path.parent.parent.is_dir():
                raise
            continue  # the last holder has just removed the folder
        try:
            _take(descriptor)
        except (BlockingIOError, PermissionError) as error:
            holder = _text(descriptor)
            os.close(descriptor)
            raise HandloreError(
                f"another process{holder} is at it: {what}; wait for it, or stop it"
            ) from error
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL):
                os.close(descriptor)
                raise
            if talk:
                talk("note: this file system has no locks; start no second conversion into it")
        if _is_still(path, descriptor):
            return descriptor
        # Its last holder removed the file between our opening it and locking it.
        os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except OSError:
        return False


def _text(descriptor: int) -> str:
    number = os.pread(descriptor, 20, 0) if hasattr(os, "pread") else os.read(descriptor, 20)
    pid = number.decode(errors="replace").strip()
    return f" (number {pid})" if pid.isdigit() else ""


if os.name == "nt":  # pragma: no cover

    def _take(descriptor: int) -> None:
        import msvcrt

        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        os.lseek(descriptor, 0, os.SEEK_SET)

else:

    def _take(descriptor: int) -> None:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
