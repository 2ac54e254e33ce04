"""Keys by name, the same from a window and from a terminal.

A key is named by its character (``r``, ``+``, `` ``, ``7``); those without one are ``enter``,
``esc`` and ``backspace``. There are no modifiers, so that all of them work over SSH and VNC.
``close`` means that no more keys will come: the window or the terminal was closed.
"""

import sys
from typing import Protocol

KeyBindings = tuple[tuple[str, str], ...]
"""Keys and what they do, for people."""
_SPECIAL = {8: "backspace", 127: "backspace", 10: "enter", 13: "enter", 27: "esc"}
"""What X11, Windows, macOS and terminals send for the keys without a character."""


class Keys(Protocol):
    """A source of keys."""

    def pressed(self) -> list[str]:
        """Return the names of the keys pressed since the last call, in order."""
        ...


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


# Keys of OpenCV's windows: from the codes of ``waitKeyEx`` to names.
#
# Qt reports letters as printed on the keys, Latin-1 beyond ASCII as negative numbers, and
# everything else as X11 does; it reports Shift, Alt and the like only as keys of their own. GTK
# reports what X11 does, with the modifiers in the upper bits. Windows puts keys without a
# character into the upper bits alone. Source: OpenCV, modules/highgui/src/window_*.cpp; X11,
# keysymdef.h.

_MODIFIER_SECONDS = 1.0
"""A modifier pressed at most this long before a key belongs to it."""
_X11_KEYPAD = {0x8D: "enter", 0xAB: "+", 0x80: " "} | {0xB0 + n: str(n) for n in range(10)}

_X11_SPECIAL = 0xFF00
_X11_UNICODE = 0x1000000
_X11_SCRIPTS = {
    0x100: "iso8859-2",
    0x200: "iso8859-3",
    0x300: "iso8859-4",
    0x500: "iso8859-6",
    0x600: "koi8-u",
    0x700: "iso8859-7",
    0xC00: "iso8859-8",
    0xD00: "iso8859-11",
}
"""Legacy codes of letters: the upper byte is a script, the lower one a position in a code page."""

_SHIFT = {0xFFE1, 0xFFE2}
_OTHERS = {0xFFE3, 0xFFE4, *range(0xFFE7, 0xFFEF)}
"""Control, Meta, Alt, Super (the Windows key), Hyper."""
_GTK_OTHERS = 0x4C0000
"""Control, Alt and Super among the upper bits."""


class WindowKeys:
    """Translates the codes of a window's keys to names, one after the other."""

    def __init__(self) -> None:
        self._before, self._before_at = 0, 0.0

    def name(self, code: int, now: float) -> str | None:
        """Return the name of the key of a ``waitKeyEx`` code; None for an unused one."""
        before = self._before if now - self._before_at <= _MODIFIER_SECONDS else 0
        self._before, self._before_at = code & 0xFFFF if code > 0 else 0, now
        key = _key_of_code(code)
        if key is None or before in _OTHERS:
            return None
        return _capital(key) if before in _SHIFT else key


def _key_of_code(code: int) -> str | None:
    """Return the name of the key of a single code; None for unused keys."""
    if -0x100 < code < 0:
        return key_of_character(chr(code & 0xFF).lower())
    if code & ~0xFFFFFF == _X11_UNICODE:
        return key_of_character(chr(code - _X11_UNICODE))
    low = code & 0xFFFF
    if not low or code & _GTK_OTHERS:
        return None
    if low & 0xFF00 == _X11_SPECIAL:
        low &= 0xFF
        return _X11_KEYPAD.get(low) or _SPECIAL.get(low if low < 0x20 else 0)
    if sys.platform.startswith("linux") and low > 0xFF:
        return _x11_letter(low)
    return key_of_character(chr(low))


def _x11_letter(low: int) -> str | None:
    page = _X11_SCRIPTS.get(low & 0xFF00)
    letter = bytes([low & 0xFF]).decode(page, "ignore") if page else ""
    return key_of_character(letter) if letter else None


def _capital(key: str) -> str:
    capital = key.upper()
    return capital if len(key) == len(capital) == 1 else key
