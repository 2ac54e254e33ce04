"""Keeping the chatter of native libraries off the user's screen."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_native_log(quiet: bool = True) -> Iterator[None]:
    """Discard what native code writes to stderr, while Python's own stderr goes on.

    MediaPipe, LiteRT and the image decoders of OpenCV write to file descriptor 2 past
    ``sys.stderr``, and offer no switch that works in every version. For the length of the block
    descriptor 2 leads nowhere, and ``sys.stderr`` keeps the real one. This touches the whole
    process, so it belongs to programs, not to libraries. Without ``quiet`` nothing is changed.
    """
    if not quiet or sys.stderr is None:
        yield
        return
    sys.stderr.flush()
    real = os.dup(2)
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
