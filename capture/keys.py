"""Keys by name, the same from a window and from a terminal.

A key is named by its character (``r``, ``+``, `` ``, ``7``); those without one are ``enter``,
``esc`` and ``backspace``. There are no modifiers, so that all of them work over SSH and VNC.
``close`` says that there will be no more: the window was closed, the terminal has gone.
"""

from typing import Protocol

HELP = (
    ("r, space", "record; again to stop early"),
    ("1-9, n, p", "choose the label; 0 is none"),
    ("+", "add a label"),
    ("k", "keep"),
    ("u", "discard the last recording"),
    ("b", "burst of recordings"),
    ("s", "sample a pose, held or toggled"),
    ("m", "mirror the preview"),
    ("h", "this help"),
    ("q, Esc", "end"),
)
"""What the keys do, for people."""

# What X11, Windows and macOS call the keys without a character. The number pad has keys of its own.
_SPECIAL = {8: "backspace", 127: "backspace", 10: "enter", 13: "enter", 27: "esc"}
_X11_SPECIAL = 0xFF00
_X11_KEYPAD = {0x8D: "enter", 0xAB: "+", 0x80: " "} | {0xB0 + n: str(n) for n in range(10)}


class Keys(Protocol):
    """Where keys come from."""

    def pressed(self) -> list[str]:
        """Return the names of the keys pressed since the last call, in their order."""
        ...


def key_of_code(code: int) -> str | None:
    """Name the key of a code from OpenCV's ``waitKeyEx``; None for keys that mean nothing here.

    The upper bits are modifiers (GTK) or keys without a character (Windows).
    """
    code &= 0xFFFF
    if code & 0xFF00 == _X11_SPECIAL:
        low = code & 0xFF
        return _X11_KEYPAD.get(low) or _SPECIAL.get(low if low < 0x20 else 0)
    return key_of_character(chr(code)) if code else None


def key_of_character(character: str) -> str | None:
    """Name the key of a character that a terminal sent."""
    special = _SPECIAL.get(ord(character))
    return special or (character if character.isprintable() else None)
