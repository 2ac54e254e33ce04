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

SPECIAL = {8: "backspace", 127: "backspace", 10: "enter", 13: "enter", 27: "esc"}
"""What X11, Windows, macOS and terminals send for the keys without a character."""


class Keys(Protocol):
    """Where keys come from."""

    def pressed(self) -> list[str]:
        """Return the names of the keys pressed since the last call, in their order."""
        ...


def key_of_character(character: str) -> str | None:
    """Name the key of a character that a terminal sent."""
    special = SPECIAL.get(ord(character))
    return special or (character if character.isprintable() else None)
