"""Keeping the chatter of native libraries off the user's screen."""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_CHATTER = re.compile(rb"INFO: |WARNING: Logging before InitGoogle|[IW]\d{4} ")
"""How LiteRT and MediaPipe begin a line that says nothing of use."""
_LOCK = threading.RLock()
_verbose = threading.Event()


@contextmanager
def without_chatter() -> Iterator[None]:
    """Leave out what native code says in a short call though nothing is wrong.

    LiteRT and MediaPipe report the delegates they make, and offer Python no switch. Everything
    else that is written to file descriptor 2 meanwhile, by whomever, is written afterwards. In a
    block of :func:`quiet_native_log` that is not quiet, nothing is left out.
    """
    if _verbose.is_set():
        yield
        return
    with _LOCK, tempfile.TemporaryFile() as captured:
        try:
            real = os.dup(2)
        except OSError:  # it is closed
            yield
            return
        os.dup2(captured.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(real, 2)
            os.close(real)
            captured.seek(0)
            for line in captured:
                if not _CHATTER.match(line):
                    os.write(2, line)


@contextmanager
def quiet_native_log(quiet: bool = True) -> Iterator[None]:
    """Discard what native code writes to stderr, while Python's own stderr goes on.

    MediaPipe, LiteRT and the image decoders of OpenCV write to file descriptor 2 past
    ``sys.stderr``, and offer no switch that works in every version. For the length of the block
    descriptor 2 leads nowhere, and ``sys.stderr`` keeps the real one. This touches the whole
    process, so it belongs to programs, not to libraries. Without ``quiet`` nothing is changed.
    """
    if not quiet:
        _verbose.set()
        try:
            yield
        finally:
            _verbose.clear()
        return
    try:
        real = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    if sys.stderr is None:
        os.close(real)
        yield
        return
    sys.stderr.flush()
    shown = sys.stderr
    owns = _leads_to(shown, 2)
    if owns:
        sys.stderr = os.fdopen(
            real, "w", buffering=1, closefd=False, encoding=shown.encoding, errors=shown.errors
        )
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(real, 2)
        if owns:
            sys.stderr = shown
        os.close(real)


def _leads_to(stream: object, descriptor: int) -> bool:
    try:
        return bool(stream.fileno() == descriptor)  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False
