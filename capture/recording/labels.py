"""The labels of a session: which there are, and which one is recorded next."""

import contextlib
import unicodedata
from collections.abc import Iterable, Sequence

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
        If a label is empty, too long, not printable, or given twice, if only in other letters.
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
        there = same_label(name, self.names)
        if there is not None:
            also = "" if there == name else f", written {there}"
            raise HandloreError(f"{name!r} is a label already{also}")
        self.names.insert(-1, name)
        self._place = len(self.names) - 2

    def choose(self, digit: int) -> bool:
        """Choose the label of a digit, 0 for ``none``; say whether there is one."""
        place = len(self.names) - 1 if digit == 0 else digit - 1
        if digit and place >= len(self.names) - 1:
            return False
        self._place = place
        return True

    def take(self, name: str) -> None:
        """Make a label the current one that is there already."""
        self._place = self.names.index(name)

    def step(self, by: int) -> None:
        """Go on to the next label (1) or back to the one before (-1), round and round."""
        self._place = (self._place + by) % len(self.names)


def checked_label(name: str) -> str:
    """Return a label without the blanks around it, its accents written one way (NFC).

    Raises
    ------
    HandloreError
        If it cannot be a label.
    """
    # One letter, not letter and accent: two of a name would look the same.
    name = unicodedata.normalize("NFC", name).strip()
    if not name:
        raise HandloreError("a label is empty; expected a word such as swipe_left")
    if len(name) > LONGEST:
        raise HandloreError(
            f"the label {name[:20]}... has {len(name)} characters, at most {LONGEST}"
        )
    if not name.isprintable() or set(name) & set("/\\"):
        raise HandloreError(f"{name!r} cannot be a label: it holds a slash or a control character")
    return name


def same_label(name: str, names: Iterable[str]) -> str | None:
    """Return which of some labels people would take for this one: capitals make no difference."""
    return next((one for one in names if _folded(one) == _folded(name)), None)


def offered(given: Sequence[str], there: Sequence[str]) -> tuple[str, ...]:
    """Return the labels to begin with in a folder.

    Parameters
    ----------
    given
        What was asked for, checked; they are written as in the folder.
    there
        The labels of the folder, in their order; taken where none were asked for.
    """
    if given:
        return tuple(same_label(label, there) or label for label in given)
    found: list[str] = []
    for label in there:
        with contextlib.suppress(HandloreError):
            if same_label(checked_label(label), [*found, NONE_LABEL]) is None:
                found.append(label)
    return tuple(found)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip()).casefold()
