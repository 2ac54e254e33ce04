"""Keys by name, the same from a window and from a terminal.

A key is named by its character (``r``, ``+``, `` ``, ``7``); those without one are ``enter``,
``esc``, ``backspace`` and ``f11``. There are no modifiers, so that all of them work over SSH and
VNC. A click on a label in a window is a key too: :func:`choosing` that label.
``close`` means that no more keys will come: the window or the terminal was closed.
"""

from typing import Protocol

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


def choosing(label: str) -> str:
    """Return the key that a click on a label presses."""
    return f"{_CHOOSES}{label}"


def chosen_label(key: str) -> str | None:
    """Return the label that a key of :func:`choosing` chooses; None for other keys."""
    return key.removeprefix(_CHOOSES) if key.startswith(_CHOOSES) else None
