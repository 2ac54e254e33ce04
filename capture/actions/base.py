"""What every kind of action offers, and the list of kinds."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self

from handlore.landmarks.errors import nearest
from handlore.landmarks.registry import Registry
from handlore.models.stream.events import Event

from .toml_table import Table


class ActionError(Exception):
    """An action failed; the message says why, in a few words."""


class ActionKind(Protocol):
    """A kind of action: the base class of all of them; one instance per action of the file."""

    name: ClassVar[str]
    """The key that asks for it in the file, such as ``run``."""

    @classmethod
    def read(cls, table: Table, labels: Sequence[str], seconds: float) -> Self:
        """Read its keys from the file.

        Parameters
        ----------
        table
            The table of the action; collects problems.
        labels
            The labels that can trigger it.
        seconds
            Its time limit.
        """
        ...

    def missing(self) -> str | None:
        """Return what is missing on this computer, and what to do; None if nothing is."""
        return None

    def describe(self, event: Event) -> str:
        """Return what is done for an event, in a few words."""
        ...

    def perform(self, event: Event) -> None:
        """Run the action in its own thread, within its time limit.

        Raises
        ------
        ActionError
            If it failed.
        """
        ...

    def cancel(self) -> None:
        """End a running action immediately; called from another thread."""


COMMON_KEYS = ("hand", "cooldown", "waiting", "timeout")
"""Keys that every action may have, so that no kind can be called so."""


def _check(kind: Any) -> None:
    if kind.name in COMMON_KEYS:
        raise TypeError(f"an action cannot be named {kind.name}: every action may have that key")


ACTIONS: Registry[type[ActionKind]] = Registry("action", "handlore.capture.actions", _check)
"""All kinds of action, those of other packages too (entry points ``handlore.actions``)."""


FIELDS = ("label", "start", "end", "probability", "hand")
"""Placeholders in actions, in braces; also names of ``HANDLORE_...`` variables."""

PLACEHOLDER = re.compile(r"\{(\w+)\}")


def as_text(event: Event) -> dict[str, str]:
    """Return the fields as text; an unknown hand is empty."""
    return {
        "label": event.label,
        "start": f"{event.start:.3f}",
        "end": f"{event.end:.3f}",
        "probability": f"{event.probability:.4f}",
        "hand": event.hand or "",
    }


def as_environment(event: Event) -> dict[str, str]:
    """Return the environment variables of a command: ``HANDLORE_LABEL`` and so on, and the JSON."""
    named = {f"HANDLORE_{name.upper()}": text for name, text in as_text(event).items()}
    return named | {"HANDLORE_EVENT": event.line()}


def fill(template: str, values: Mapping[str, str]) -> str:
    """Replace the known placeholders; other braces stay, so that JSON and awk can be written."""
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)


def check_placeholders(table: Table, key: str, template: str) -> None:
    """Reject what looks like a misspelt placeholder; other braces are allowed."""
    for name in PLACEHOLDER.findall(template):
        near = nearest(name, FIELDS)
        if name not in FIELDS and near:
            table.problem(key, f"{key} has {{{name}}}; did you mean {near}?")


def check_arguments(table: Table, arguments: Sequence[str], labels: Sequence[str]) -> None:
    """Reject arguments that a label could turn into a program or an option."""
    for number, argument in enumerate(arguments):
        check_placeholders(table, "run", argument)
        values = [dict.fromkeys(FIELDS, "0") | {"label": label} for label in labels]
        if number == 0 and any(fill(argument, value) != argument for value in values):
            table.problem("run", "the program itself cannot have a placeholder")
        options = [v["label"] for v in values if fill(argument, v).startswith("-")]
        if options and not argument.startswith("-"):
            table.problem(
                "run", f"with the label {options[0]!r} the argument {argument!r} becomes an option"
            )
