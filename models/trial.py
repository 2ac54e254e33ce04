"""A model file that is seen for the first time is checked, and run once in a child process.

What passes is remembered by its digest in the cache folder, so that this costs half a second once.
A file that handlore has written itself is remembered without a trial.
"""

import hashlib
import json
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import onnxruntime

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.processes import python_command
from handlore.landmarks.weights import cache_folder

from . import trial_process
from .operators import check_operators

_VERSION = 1
"""Rises when the checks become stricter, so that all files are checked again."""

_SECONDS = 15
"""Most seconds of the child, the start of Python included."""

_MOST_REMEMBERED = 1000


def require_harmless(data: bytes) -> None:
    """Refuse a model file that could hang, exhaust memory or crash; InvalidDataError says why."""
    mark = _mark(data)
    if mark.is_file():
        return
    check_operators(data)
    problem = _tried(data)
    if problem is not None:
        raise InvalidDataError(problem)
    _keep(mark)


def remember(data: bytes) -> None:
    """Note that a model file is harmless, because this program made it."""
    _keep(_mark(data))


def _tried(data: bytes) -> str | None:
    """Run a graph in a child; return what is wrong with it."""
    try:
        done = subprocess.run(
            python_command("-m", trial_process.__name__, os.getpid()),
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"its graph takes longer than {_SECONDS} s to run"
    if done.returncode or not done.stdout:
        return "its graph crashes, or takes too much time or memory to run"
    found = json.loads(done.stdout)
    return None if found is None else str(found)


def _mark(data: bytes) -> Path:
    """Return the file that says that a model passed, with these checks and this onnxruntime."""
    version = f"{_VERSION} {onnxruntime.__version__} "
    digest = hashlib.sha256(version.encode() + data).hexdigest()
    return cache_folder() / "models" / digest


def _keep(mark: Path) -> None:
    # Without a writable cache every file is tried each time.
    with suppress(OSError):
        mark.parent.mkdir(parents=True, exist_ok=True)
        marks = sorted(mark.parent.iterdir(), key=lambda one: one.stat().st_mtime)
        for old in marks[:-_MOST_REMEMBERED]:
            old.unlink(missing_ok=True)
        mark.touch()
