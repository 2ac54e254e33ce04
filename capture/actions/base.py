"""What every kind of action offers, and the list of kinds."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self

from handlore.landmarks.errors import nearest
from handlore.landmarks.registry import Registry
from handlore.models.stream.events import Event

from .toml_table import Table


class ActionError(Exception):
    """An action that did not do what it should; the message says why, in a few words."""


class ActionKind(Protocol):
    """What is done: the base class of all kinds. One instance serves one action of the file.

    ``@ACTIONS.register`` makes a kind known.
    """

    name: ClassVar[str]
    """The key that asks for it in the file, such as ``run``."""

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
        return None

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


COMMON_KEYS = ("hand", "cooldown", "waiting", "timeout")
"""Keys that every action may have, so that no kind can be called so."""


def _check(kind: Any) -> None:
    if kind.name in COMMON_KEYS:
        raise TypeError(f"an action cannot be named {kind.name}: every action may have that key")


ACTIONS: Registry[type[ActionKind]] = Registry("action", "handlore.capture.actions", _check)
"""All kinds of action, those of other packages too (entry points ``handlore.actions``)."""


# What an action learns of the gesture that called it.


FIELDS = ("label", "start", "end", "probability", "hand")
"""What can stand in braces in an action, and in ``HANDLORE_...`` variables."""

PLACEHOLDER = re.compile(r"\{(\w+)\}")


def as_text(event: Event) -> dict[str, str]:
    """Return the fields as text; a side that is unknown is empty."""
    return {
        "label": event.label,
        "start": f"{event.start:.3f}",
        "end": f"{event.end:.3f}",
        "probability": f"{event.probability:.4f}",
        "hand": event.hand or "",
    }


def as_environment(event: Event) -> dict[str, str]:
    """Return the variables a command finds: ``HANDLORE_LABEL`` and so on, and the JSON."""
    named = {f"HANDLORE_{name.upper()}": text for name, text in as_text(event).items()}
    return named | {"HANDLORE_EVENT": event.line()}


def filled(template: str, values: Mapping[str, str]) -> str:
    """Replace the known names in braces; other braces stay, so that JSON and awk can be written."""
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)


# Checks of the names in braces.


def check_placeholders(table: Table, key: str, template: str) -> None:
    """Refuse what looks like a misspelt name; other braces are nobody's business."""
    for name in PLACEHOLDER.findall(template):
        near = nearest(name, FIELDS)
        if name not in FIELDS and near:
            table.problem(key, f"{key} has {{{name}}}; did you mean {near}?")


def check_arguments(table: Table, arguments: Sequence[str], labels: Sequence[str]) -> None:
    """Refuse arguments that a label could turn into something else: a program, or an option."""
    for number, argument in enumerate(arguments):
        check_placeholders(table, "run", argument)
        values = [dict.fromkeys(FIELDS, "0") | {"label": label} for label in labels]
        if number == 0 and any(filled(argument, value) != argument for value in values):
            table.problem("run", "the program itself cannot have a name in braces")
        options = [v["label"] for v in values if filled(argument, v).startswith("-")]
        if options and not argument.startswith("-"):
            table.problem(
                "run", f"with the label {options[0]!r} the argument {argument!r} becomes an option"
            )
