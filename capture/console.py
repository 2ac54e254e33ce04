"""Keys of a Windows console, without Enter."""

from types import TracebackType
from typing import Any, Self

from .keys import key_of_character

_PREFIXES = ("\0", "\xe0")
"""Arrows and function keys send one of these and another character."""


class Console:
    """Reads keys as they are pressed, see :class:`~.terminal.Terminal`."""

    def __init__(self) -> None:
        import msvcrt

        self._console: Any = msvcrt

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing needs to be restored."""

    def pressed(self) -> list[str]:
        """Return the keys pressed since the last call, see :class:`~.keys.Keys`."""
        keys = []
        while self._console.kbhit():
            character = self._console.getwch()
            if character in _PREFIXES:
                self._console.getwch()
            elif key := key_of_character(character):
                keys.append(key)
        return keys
