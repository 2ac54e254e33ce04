"""Python programs that handlore starts.

Python puts the current folder on the path of ``python -m`` and ``python -c``, so that a
``numpy.py`` in a folder of pictures would run. Every child is started without it. A parent that
is killed cannot end its children, so those that work for long notice it themselves.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_SAFE_PATH = "PYTHONSAFEPATH"
_LOOK_SECONDS = 0.1


def python_command(*arguments: object) -> list[str]:
    """Return the command that runs this Python, without the current folder on its path."""
    return [sys.executable, "-P", *map(str, arguments)]


@contextmanager
def safe_children() -> Iterator[None]:
    """Keep the current folder off the path of children that another package starts in the block.

    This changes the environment of the process, which ``run`` actions inherit; so it lasts for a
    block only.
    """
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_SAFE_PATH, None)
        else:
            os.environ[_SAFE_PATH] = before


def end_with_parent(parent: int) -> None:
    """End this process soon after its parent is gone, whose number is given.

    Linux has a signal for that, but it comes when the thread ends that started the child, which may
    be long before its process does; so a thread looks. On Windows this does nothing: there the
    parent may be a launcher of Python.
    """
    if os.name != "posix":
        return
    if os.getppid() != parent:  # it was killed while this process was starting
        os._exit(1)
    threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)
