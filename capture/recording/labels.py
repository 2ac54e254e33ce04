"""The labels of a session: which there are, and which one is recorded next."""

import unicodedata
from collections.abc import Iterable, Sequence

from handlore.datasets.dataset import NONE_LABEL
from handlore.landmarks.errors import HandloreError

_LONGEST = 64
"""Most characters of a label."""


class Labels:
    """The labels of a session in the order of their keys; ``none`` is always the last.

    The first one is current. HandloreError is raised if a label is empty, too long, not printable,
    or given twice (also in other case).
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names: list[str] = [NONE_LABEL]
        for name in names:
            if name.strip() != NONE_LABEL:
                self.add(name)
        self._index = 0

    @property
    def current(self) -> str:
        """The label of the next recording."""
        return self.names[self._index]

    def add(self, name: str) -> None:
        """Add a label and make it current, or raise HandloreError."""
        name = checked_label(name)
        existing = same_label(name, self.names)
        if existing is not None:
            also = "" if existing == name else f", written {existing}"
            raise HandloreError(f"{name!r} is already a label{also}")
        self.names.insert(-1, name)
        self._index = len(self.names) - 2

    def choose(self, digit: int) -> bool:
        """Choose the label of a digit, 0 for ``none``; return whether it has one."""
        index = len(self.names) - 1 if digit == 0 else digit - 1
        if digit and index >= len(self.names) - 1:
            return False
        self._index = index
        return True

    def select(self, name: str) -> None:
        """Make an existing label current."""
        self._index = self.names.index(name)

    def step(self, by: int) -> None:
        """Go to the next label (1) or the previous one (-1), cyclically."""
        self._index = (self._index + by) % len(self.names)


def checked_label(name: str) -> str:
    """Return a label without surrounding blanks, in Unicode form NFC, or raise HandloreError."""
    # A letter with an accent is one character, or two labels could look the same.
    name = unicodedata.normalize("NFC", name).strip()
    if not name:
        raise HandloreError("the label is empty; expected a word such as swipe_left")
    if len(name) > _LONGEST:
        raise HandloreError(
            f"the label {name[:20]}... has {len(name)} characters; at most {_LONGEST} are allowed"
        )
    if not name.isprintable() or set(name) & set("/\\"):
        raise HandloreError(
            f"{name!r} cannot be a label: it contains a slash or a control character"
        )
    return name


def same_label(name: str, names: Iterable[str]) -> str | None:
    """Return the label among ``names`` that equals this one up to case; None if none does."""
    return next((one for one in names if _folded(one) == _folded(name)), None)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip()).casefold()
