"""Ends the process at SIGTERM and SIGHUP as after Ctrl-C: everything is closed."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

CLEANUP_SECONDS = 5.0
"""For this time after the first signal further ones are ignored."""


@contextmanager
def ending_on_signals(clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit for the length of the block; SIGINT stays Ctrl-C.

    The first signal ends the block. The next ones do not interrupt the cleanup, unless it takes
    longer than :data:`CLEANUP_SECONDS`.

    Python handles signals only in the main thread; in others this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # A shell makes background processes ignore it.
        signals.append(signal.SIGINT)
    end = _once(clock)
    before = {signum: signal.signal(signum, end) for signum in signals}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _once(clock: Callable[[], float]) -> Callable[[int, FrameType | None], None]:
    """Return a handler that ends at the first signal, and at one that comes much later."""
    ended: list[float] = []

    def end(signum: int, _: FrameType | None) -> None:
        now = clock()
        if ended and now - ended[0] < CLEANUP_SECONDS:
            return
        ended.append(now)
        if signum == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + signum)

    return end
