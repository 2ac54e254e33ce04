"""Checks of the names in braces."""

import difflib
from collections.abc import Sequence

from .event import FIELDS, PLACEHOLDER, filled
from .table import Table


def check_placeholders(table: Table, key: str, template: str) -> None:
    """Refuse what looks like a misspelt name; other braces are nobody's business."""
    for name in PLACEHOLDER.findall(template):
        near = difflib.get_close_matches(name, FIELDS, 1)
        if name not in FIELDS and near:
            table.problem(key, f"{key} has {{{name}}}; did you mean {{{near[0]}}}?")


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
