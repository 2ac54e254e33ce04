"""The examples at the end of each command's help exist."""

import click
import pytest
from documentation import problems

from handlore.cli import main


def all_commands() -> dict[str, click.Context]:
    """Return the contexts of all commands and of their subcommands, by what is typed."""
    root = click.Context(main, info_name="handlore")
    found = {}
    for name in main.list_commands(root):
        command = main.get_command(root, name)
        assert command is not None
        found[name] = context = click.Context(command, info_name=name, parent=root)
        for part, inner in getattr(command, "commands", {}).items():
            found[f"{name} {part}"] = click.Context(inner, info_name=part, parent=context)
    return found


COMMANDS = all_commands()


@pytest.mark.parametrize("name", [name for name in COMMANDS if " " not in name])
def test_each_command_has_examples(name: str) -> None:
    assert "Examples:" in COMMANDS[name].get_help()


@pytest.mark.parametrize("name", list(COMMANDS))
def test_examples_exist(name: str) -> None:
    text = click.unstyle(COMMANDS[name].get_help()).partition("Examples:")[2]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    assert all(line.startswith("handlore ") for line in lines)
    shown = [line.partition(" | ")[0] for line in lines]
    assert {line: wrong for line in shown if (wrong := problems(line))} == {}
