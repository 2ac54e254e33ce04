"""``say``: only a line, which appears where handlore talks and in the log of the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from handlore.models.stream.events import Event

from .base import ACTIONS, ActionKind, as_text, check_placeholders, filled
from .toml_table import Table


@ACTIONS.register
@dataclass(frozen=True)
class SayAction(ActionKind):
    """Say something."""

    name: ClassVar[str] = "say"
    words: str

    @classmethod
    def read(cls, table: Table, labels: Sequence[str], seconds: float) -> Self:
        """Take its keys from the file."""
        del labels, seconds
        words = table.text("say")
        check_placeholders(table, "say", words)
        return cls(words)

    def said(self, event: Event) -> str:
        """Say it: that is all there is to do."""
        return filled(self.words, as_text(event))

    def perform(self, event: Event) -> None:
        """Do nothing more."""
