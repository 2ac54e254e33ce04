"""Ending when the system says so as one ends after Ctrl-C: with everything put away."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

PUTTING_AWAY = 5.0
"""For so many seconds after the first signal others are not heard."""


@contextmanager
def ending_on_signals(clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit for the length of the block; SIGINT stays Ctrl-C.

    Whoever presses Ctrl-C twice means it once: the first signal ends the block, and the next ones
    do not disturb what is being put away, unless that takes :data:`PUTTING_AWAY` seconds.

    Signals are Python's only in the main thread; in others this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # A shell lets what runs in the background ignore it.
        signals.append(signal.SIGINT)
    end = _once(clock)
    before = {signum: signal.signal(signum, end) for signum in signals}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _once(clock: Callable[[], float]) -> Callable[[int, FrameType | None], None]:
    """Return a handler that ends with the first signal, and with one that comes much later."""
    ended: list[float] = []

    def end(signum: int, _: FrameType | None) -> None:
        now = clock()
        if ended and now - ended[0] < PUTTING_AWAY:
            return
        ended.append(now)
        if signum == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + signum)

    return end
