"""``key``: a key press, such as ``ctrl+right``."""

from collections.abc import Sequence
from typing import ClassVar, Self

from handlore.classifiers.stream.events import Event

from .keyboards import Press, keyboard
from .keynames import KEYS, MODIFIERS
from .kinds import ActionError, register
from .table import Table, unknown


@register
class PressKey:
    """Press a key, with modifiers held.

    Parameters
    ----------
    keys
        Names of :data:`MODIFIERS`, then one of :data:`KEYS`.
    seconds
        For how long it may take.
    """

    key: ClassVar[str] = "key"

    def __init__(self, keys: Sequence[str], seconds: float) -> None:
        self._keys = tuple(keys)
        self._seconds = seconds
        self._press: Press | str | None = None

    @classmethod
    def read(cls, table: Table, labels: Sequence[str], seconds: float) -> Self:
        """Take its keys from the file."""
        del labels
        text = table.text("key")
        *held, last = (name.strip().lower() for name in text.split("+"))
        for name in held:
            if name not in MODIFIERS:
                table.problem("key", unknown(f"modifier {name!r} in {text!r}", name, MODIFIERS))
        if text and last not in KEYS:
            table.problem("key", unknown(f"key {last!r} in {text!r}", last, KEYS))
        return cls((*held, last), seconds)

    def missing(self) -> str | None:
        """Say whether nothing here can press keys."""
        self._press = keyboard()
        if isinstance(self._press, str):
            return f"nothing here can press keys: {self._press}"
        return None

    def said(self, event: Event) -> str:
        """Return the keys."""
        del event
        return f"press {'+'.join(self._keys)}"

    def perform(self, event: Event) -> None:
        """Press it."""
        del event
        if self._press is None:
            self._press = keyboard()
        if isinstance(self._press, str):
            raise ActionError(f"nothing here can press keys: {self._press}")
        self._press(self._keys, self._seconds)

    def cancel(self) -> None:
        """Do nothing: it takes milliseconds, and ends by its time-out."""
