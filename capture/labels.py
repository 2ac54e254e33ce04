"""The labels of a session: which there are, and which one is recorded next."""

from collections.abc import Sequence

from handlore.datasets.dataset import NONE_LABEL
from handlore.landmarks.errors import HandloreError

LONGEST = 64
"""So many characters a label may have."""


class Labels:
    """Labels in the order in which keys choose them; ``none`` is always one, and the last.

    Parameters
    ----------
    names
        The labels to begin with; the first one is current.

    Raises
    ------
    HandloreError
        If a label is empty, too long, not printable, or given twice.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names: list[str] = [NONE_LABEL]
        for name in names:
            if name.strip() != NONE_LABEL:
                self.add(name)
        self._place = 0

    @property
    def current(self) -> str:
        """What is recorded next."""
        return self.names[self._place]

    def add(self, name: str) -> None:
        """Add a label and make it the current one.

        Raises
        ------
        HandloreError
            If it cannot be a label, or is one already.
        """
        name = checked_label(name)
        if name in self.names:
            raise HandloreError(f"{name!r} is a label already")
        self.names.insert(-1, name)
        self._place = len(self.names) - 2

    def choose(self, digit: int) -> bool:
        """Choose the label of a digit, 0 for ``none``; say whether there is one."""
        place = len(self.names) - 1 if digit == 0 else digit - 1
        if digit and place >= len(self.names) - 1:
            return False
        self._place = place
        return True

    def step(self, by: int) -> None:
        """Go on to the next label (1) or back to the one before (-1), round and round."""
        self._place = (self._place + by) % len(self.names)


def checked_label(name: str) -> str:
    """Return a label without the blanks around it.

    Raises
    ------
    HandloreError
        If it cannot be a label.
    """
    name = name.strip()
    if not name:
        raise HandloreError("a label is empty; expected a word such as swipe_left")
    if len(name) > LONGEST:
        raise HandloreError(
            f"the label {name[:20]}... has {len(name)} characters, at most {LONGEST}"
        )
    if not name.isprintable() or set(name) & set("/\\"):
        raise HandloreError(f"{name!r} cannot be a label: it holds a slash or a control character")
    return name
