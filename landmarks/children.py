"""Python programs that handlore starts.

Python puts the current folder on the path of ``python -m`` and ``python -c``, so that a
``numpy.py`` in a folder of pictures would run. Every child is started without it.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SAFE_PATH = "PYTHONSAFEPATH"


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
