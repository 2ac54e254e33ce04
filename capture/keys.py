"""Keys by name, the same from a window and from a terminal; and the terminal, which sends them.

A key is named by its character (``r``, ``+``, `` ``, ``7``); those without one are ``enter``,
``esc``, ``backspace`` and ``f11``. There are no modifiers, so that all of them work over SSH and
VNC. A click on a label in a window is a key too: :func:`choosing` that label.
``close`` means that no more keys will come: the window or the terminal was closed. A terminal sends
keys without Enter, on POSIX and on Windows, and the signals that end the process.
"""

import atexit
import codecs
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import FrameType
from typing import Any, Protocol, Self

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.processes import CLEANUP_SECONDS, cleaned_up, interrupts, signal_handled

KeyBindings = tuple[tuple[str, str], ...]
"""Keys and what they do, for people."""
FULL_SCREEN_KEYS = ("f", "f11")
WINDOW_KEY_BINDINGS: KeyBindings = (("f, F11", "fill the screen"), ("click", "choose a label"))
"""What windows have and terminals have not."""
_CHOOSES = "choose "
_SPECIAL = {8: "backspace", 127: "backspace", 10: "enter", 13: "enter", 27: "esc"}
"""What X11, Windows, macOS and terminals send for the keys without a character."""


class Keys(Protocol):
    """A source of keys."""

    def pressed(self) -> list[str]:
        """Return the names of the keys pressed since the last call, in order."""


class ScriptedKeys:
    """Keys that a program presses, all of them at the start."""

    def __init__(self, *keys: str) -> None:
        self._keys = list(keys)

    def pressed(self) -> list[str]:
        """Return all keys at the first call, then none."""
        keys, self._keys = self._keys, []
        return keys


def key_of_character(character: str) -> str | None:
    """Return the name of the key of a character that a terminal sent."""
    special = _SPECIAL.get(ord(character))
    return special or (character if character.isprintable() else None)


def choosing(label: str) -> str:
    """Return the key that a click on a label presses."""
    return f"{_CHOOSES}{label}"


def chosen_label(key: str) -> str | None:
    """Return the label that a key of :func:`choosing` chooses; None for other keys."""
    return key.removeprefix(_CHOOSES) if key.startswith(_CHOOSES) else None


if sys.platform != "win32":
    import termios
    import tty

_NO_KEYS = (
    "keys come from a window or a terminal, and stdin is neither and has ended; start it in a"
    " terminal, over SSH with `ssh -t`"
)
_ESCAPE = "\x1b"
_ESCAPE_WAIT = 0.05
"""Arrow keys send Esc and more; an Esc without more after this time is the key itself; seconds."""


def terminal_keys() -> AbstractContextManager[Keys]:
    """Return what reads keys from the terminal; use it with ``with``."""
    return _Console() if sys.platform == "win32" else _Terminal()


def has_terminal() -> bool:
    """Return whether a person can press keys in a terminal, and see what it shows on stderr."""
    streams = (sys.stdin, sys.stderr)
    return all(one is not None and one.isatty() for one in streams)


class _Terminal:
    """Reads keys from stdin, or another file descriptor, as they are pressed.

    Use it with ``with``: the terminal is restored afterwards, while the process is stopped
    (Ctrl-Z) and, with :func:`ending_on_signals`, at a signal to end. If stdin is no terminal, keys
    are read from it all the same; HandloreError is raised if it has none. While the process runs in
    the background (``&``), the terminal is not touched, and no keys come. The clock
    distinguishes Esc from arrow keys.
    """

    def __init__(
        self, descriptor: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        found = _stdin() if descriptor is None else descriptor
        self._descriptor = -1 if found is None else found
        self._clock = clock
        self._decoder = codecs.getincrementaldecoder("utf-8")("ignore")
        self._text = ""
        self._escape_at = 0.0
        self._before: list[Any] | None = None
        self._handlers: dict[int, Any] = {}
        self._ending = ExitStack()
        self.ended = found is None
        """Whether stdin has ended."""

    def __enter__(self) -> Self:
        if not self.ended and os.isatty(self._descriptor):
            self._before = termios.tcgetattr(self._descriptor)
            atexit.register(self.restore)
            self._ending.enter_context(cleaned_up(self.restore))
            self._handlers = {
                signum: signal.signal(signum, handler)
                for signum, handler in (
                    (signal.SIGTSTP, self._stopped),
                    (signal.SIGCONT, self._continued),
                )
            }
            self._prepare()
        else:
            self._text = self._arrived()
            if self.ended and not self._text:
                raise HandloreError(_NO_KEYS)
        return self

    def __exit__(self, *_: object) -> None:
        self.restore()
        self._ending.close()
        atexit.unregister(self.restore)
        for signum, handler in self._handlers.items():
            signal.signal(signum, handler)

    def restore(self) -> None:
        """Restore the settings of the terminal."""
        # In the background the shell has restored it; touching it would stop the process.
        if self._before is not None and self._in_front():
            try:
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)
            except termios.error:
                return

    def pressed(self) -> list[str]:
        """Return the keys pressed since the last call, see :class:`~.keys.Keys`."""
        arrived = self._arrived()
        if arrived:
            self._escape_at = self._clock()
        self._text += arrived
        keys: list[str] = []
        while self._text:
            key, self._text = self._next(self._text)
            if key == _ESCAPE:
                break
            keys += [key] if key else []
        return [*keys, "close"] if self.ended else keys

    def _next(self, text: str) -> tuple[str | None, str]:
        """Split one key off a text; ``_ESCAPE`` if more input has to be awaited."""
        if text[0] != _ESCAPE:
            return key_of_character(text[0]), text[1:]
        if len(text) == 1:
            alone = self._clock() - self._escape_at >= _ESCAPE_WAIT or self.ended
            return ("esc", "") if alone else (_ESCAPE, text)
        if text[1] not in "[O":
            # A character that came together with Esc was pressed with Alt, which is not used.
            return (None, text[2:]) if text[1] != _ESCAPE else ("esc", text[1:])
        # ESC [ numbers letter, or ESC O letter: arrows, Delete, F1.
        end = next((k for k in range(2, len(text)) if not (text[k].isdigit() or text[k] == ";")), 0)
        return None, text[end + 1 :] if end else ""

    def _arrived(self) -> str:
        if not self._in_front():
            return ""
        data = b""
        while not self.ended and select.select([self._descriptor], [], [], 0)[0]:
            try:
                part = os.read(self._descriptor, 1024)
            except OSError:  # the terminal was closed
                part = b""
            self.ended = not part
            data += part
        return self._decoder.decode(data)

    def _prepare(self) -> None:
        if self._in_front():
            tty.setcbreak(self._descriptor)

    def _stopped(self, signum: int, _: FrameType | None) -> None:
        """Stop as without a handler, with the terminal restored; then continue."""
        self.restore()
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)
        self._continued(signum, None)

    def _continued(self, _: int, __: FrameType | None) -> None:
        signal.signal(signal.SIGTSTP, self._stopped)
        self._prepare()

    def _in_front(self) -> bool:
        """Return whether this is the foreground process; others are stopped at access (SIGTTOU)."""
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:  # no terminal, or not a controlling one
            return True


def _stdin() -> int | None:
    """Return the descriptor of stdin; None if it is closed, as in a service."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return None


_PREFIXES = ("\0", "\xe0")
"""In a Windows console arrows and function keys send one of these and another character."""


class _Console(AbstractContextManager[Keys]):
    """Reads keys from a Windows console, see :class:`_Terminal`."""

    def __init__(self) -> None:
        import msvcrt

        self._console: Any = msvcrt

    def __exit__(self, *_: object) -> None:
        """Nothing needs to be restored."""

    def pressed(self) -> list[str]:
        keys = []
        while self._console.kbhit():
            character = self._console.getwch()
            if character in _PREFIXES:
                self._console.getwch()
            elif key := key_of_character(character):
                keys.append(key)
        return keys


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
    if interrupts():
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
        signal_handled()
        now = clock()
        if ended and now - ended[0] < CLEANUP_SECONDS:
            return
        ended.append(now)
        if signum == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + signum)

    return end
