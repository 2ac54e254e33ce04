"""The examples at the end of each command's help exist."""

import click
import pytest
from documentation import problems

from handlore.cli import COMMANDS, main


@pytest.mark.parametrize("name", list(COMMANDS))
def test_examples_of_the_help(name: str) -> None:
    context = click.Context(main)
    command = main.get_command(context, name)
    assert command is not None
    text = click.unstyle(command.get_help(click.Context(command, info_name=name, parent=context)))
    lines = [line.strip() for line in text.split("Examples:")[1].splitlines() if line.strip()]
    assert all(line.startswith("handlore ") for line in lines)
    shown = [line.partition(" | ")[0] for line in lines]
    assert {line: wrong for line in shown if (wrong := problems(line))} == {}
