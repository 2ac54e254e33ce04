"""Processes: ended at a signal even while native code runs, and children that are Python programs.

Python handles a signal between two steps of its own code. Native code, such as a network or a
decoder, may run for minutes until then. So a thread is woken by the system at each signal, and ends
the process if no handler has run soon. (It needs that the native code releases Python's lock, which
onnxruntime, OpenCV and LiteRT do.)

Python puts the current folder on the path of ``python -m`` and ``python -c``, so that a
``numpy.py`` in a folder of pictures would run. Every child is started without it. A parent that
is killed cannot end its children, so those that work for long notice it themselves.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

PATIENCE = 1.2
"""Seconds after a signal in which its handler must have run."""

CLEANUP_SECONDS = 5.0
"""For this time after the first signal further ones are ignored."""

_ENDING = {
    int(getattr(signal, name)) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
}
_SAFE_PATH = "PYTHONSAFEPATH"
_LOOK_SECONDS = 0.1


class _Watch:
    """What is known of signals; one for the process."""

    def __init__(self) -> None:
        self.active = False
        self.handled = float("-inf")
        """When a handler last ran."""
        self.cleanups: list[Callable[[], object]] = []


_WATCH = _Watch()


def signal_handled() -> None:
    """Note that the handler of an ending signal has run; every such handler calls this."""
    _WATCH.handled = time.monotonic()


@contextmanager
def cleaned_up(cleanup: Callable[[], object]) -> Iterator[None]:
    """Call something if the process is ended by force within the block; it must not wait."""
    _WATCH.cleanups.append(cleanup)
    try:
        yield
    finally:
        _WATCH.cleanups.remove(cleanup)


@contextmanager
def ends_in_native_code() -> Iterator[None]:
    """End the process at SIGINT, SIGTERM or SIGHUP if no handler of Python runs in time.

    This touches the whole process, so it belongs to programs, not to libraries. In other threads
    than the main one, within another such block, and on Windows it does nothing.
    """
    on_main = threading.current_thread() is threading.main_thread()
    if _WATCH.active or not on_main or os.name != "posix":
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    woken = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    interrupt = signal.getsignal(signal.SIGINT)
    if interrupt is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    _WATCH.active = True
    threading.Thread(target=_watch, args=(reading,), name="signals", daemon=True).start()
    try:
        yield
    finally:
        _WATCH.active = False
        signal.set_wakeup_fd(woken)
        if interrupt is signal.default_int_handler:
            signal.signal(signal.SIGINT, interrupt)
        # The thread ends when nothing more can come.
        os.close(writing)


def interrupts() -> bool:
    """Say whether SIGINT is a Ctrl-C; a shell makes background processes ignore it."""
    return signal.getsignal(signal.SIGINT) in (signal.default_int_handler, _interrupt)


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    signal_handled()
    raise KeyboardInterrupt


def _watch(reading: int) -> None:
    while numbers := os.read(reading, 64):
        ending = [number for number in numbers if number in _ENDING]
        if ending and not _handled_soon():
            _end(ending[0])
    os.close(reading)


def _handled_soon() -> bool:
    """Wait for a handler to run; what is cleaned up after an earlier signal gets its time."""
    arrived = time.monotonic()
    while time.monotonic() - arrived < PATIENCE:
        if arrived - _WATCH.handled < CLEANUP_SECONDS:
            return True
        time.sleep(0.02)
    return False


def _end(number: int) -> None:
    for cleanup in list(_WATCH.cleanups):
        with suppress(Exception):
            cleanup()
    with suppress(Exception):
        os.write(sys.stderr.fileno(), b"\nhandlore: stopped; no incomplete file was left behind\n")
    os._exit(128 + number)


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
    threading.Thread(target=_watch_parent, args=(parent,), name="parent", daemon=True).start()


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)
