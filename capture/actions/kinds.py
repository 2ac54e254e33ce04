"""What every kind of action offers, and the list of kinds."""

from collections.abc import Sequence
from typing import ClassVar, Protocol, Self

from handlore.classifiers.stream.events import Event

from .table import Table


class ActionError(Exception):
    """An action that did not do what it should; the message says why, in a few words."""


class Deed(Protocol):
    """What is done. One instance serves one action of the file."""

    key: ClassVar[str]
    """The key of the file that asks for it, such as ``run``."""

    @classmethod
    def read(cls, table: Table, labels: Sequence[str], seconds: float) -> Self:
        """Take its keys from the file.

        Parameters
        ----------
        table
            The action; problems are noted there.
        labels
            Which labels can call it.
        seconds
            For how long it may take.
        """
        ...

    def missing(self) -> str | None:
        """Say what is not there on this computer, and what to do; None if nothing."""
        ...

    def said(self, event: Event) -> str:
        """Say in a few words what is done for an event."""
        ...

    def perform(self, event: Event) -> None:
        """Do it, on a thread of its own, within the seconds allowed.

        Raises
        ------
        ActionError
            If it did not work.
        """
        ...

    def cancel(self) -> None:
        """End what is going on, at once; called from another thread."""
        ...


KINDS: dict[str, type[Deed]] = {}
"""By the key that asks for them."""


def register(kind: type[Deed]) -> type[Deed]:
    """Add a kind of action."""
    KINDS[kind.key] = kind
    return kind
