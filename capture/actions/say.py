"""``say``: a message on stderr and in the log of the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from handlore.models.stream.events import Event

from .base import ACTIONS, ActionKind, Table, as_text, fill


@ACTIONS.register
@dataclass(frozen=True)
class _SayAction(ActionKind):
    """Show a message."""

    name: ClassVar[str] = "say"
    prints: ClassVar[bool] = True
    text: str

    @classmethod
    def read(cls, table: Table, labels: Sequence[str], seconds: float) -> Self:
        del labels, seconds
        text = table.text("say")
        table.check_placeholders("say", text)
        return cls(text)

    def describe(self, event: Event) -> str:
        return fill(self.text, as_text(event))

    def perform(self, event: Event) -> None:
        """Do nothing: the result is the message."""
