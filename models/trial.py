"""A model file that is seen for the first time is checked, and run once in a child process.

What passes is remembered by its digest in the cache folder, so that this costs half a second once.
A file that handlore has written itself is remembered without a trial. The child,
``python -m handlore.models.trial``, reads the file from stdin, has limits on time and memory, and
prints what is wrong with the file as JSON; null if nothing is. Its argument is the number of the
parent process.
"""

import hashlib
import json
import os
import subprocess
import sys
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.processes import end_with_parent, python_command
from handlore.landmarks.weights import cache_folder

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
            python_command("-m", __name__, os.getpid()),
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


_CPU_SECONDS = 10
"""A model of ``train`` takes less than one."""

_MOST_MB = 512
"""Memory above what Python and onnxruntime take; a model of ``train`` takes less than 50."""

_MOST_NUMBERS = 1 << 20
"""Most numbers of a sample; two hands at 4096 points in time have half of it."""

_ROWS = (1, 16)
"""How many made-up samples are run at a time."""


def make_session(data: bytes) -> Any:
    """Return what runs a graph, in one thread and without other files."""
    options = onnxruntime.SessionOptions()
    # Rows come one at a time: more threads cost more than they save, and wake idle cores.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # A graph may name other files with its weights: a folder without any makes that an error.
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", os.devnull
    )
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _problem(data: bytes) -> str | None:
    """Return what is wrong with a graph; it is run on zeros and on random numbers."""
    try:
        session = make_session(data)
    except Exception:  # noqa: BLE001 (onnxruntime raises many kinds; all mean the file)
        return "it is not an ONNX model that onnxruntime can load"
    sizes = [one.shape[1:] for one in session.get_inputs() if one.type == "tensor(float)"]
    if len(sizes) != 1 or not all(isinstance(n, int) and n > 0 for n in sizes[0]):
        return "its graph does not take rows of numbers of a fixed size"
    if prod(sizes[0]) > _MOST_NUMBERS:
        return f"its graph takes samples of {prod(sizes[0]):,} numbers"
    rng = np.random.default_rng(0)
    for n in _ROWS:
        rows = rng.normal(size=(n, *sizes[0])).astype(np.float32)
        rows[0] = 0
        try:
            results = session.run(None, {session.get_inputs()[0].name: rows})
        except Exception:  # noqa: BLE001 (as above)
            return f"its graph does not run on {n} sample(s) of its features"
        if any(getattr(one, "shape", ())[:1] != (n,) for one in results):
            return f"its graph does not return {n} results for {n} samples"
    return None


def _limit() -> None:
    with suppress(ImportError, OSError, ValueError):
        import resource  # not on Windows

        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with open("/proc/self/statm", encoding="ascii") as stream:
            now = int(stream.read().split()[0]) * resource.getpagesize()
        most = now + (_MOST_MB << 20)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _main(parent: str) -> None:
    end_with_parent(int(parent))
    data = sys.stdin.buffer.read()
    _limit()
    # What onnxruntime prints about damaged models must not be read as the result.
    out = os.dup(1)
    os.dup2(2, 1)
    try:
        found = _problem(data)
    except MemoryError:
        found = "its graph needs too much memory"
    os.write(out, json.dumps(found).encode())
    # Without what onnxruntime does at the end, which takes longer than the trial.
    os._exit(0)


if __name__ == "__main__":
    _main(*sys.argv[1:])
