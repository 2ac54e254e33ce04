"""What README.md and docs/ tell people to type exists."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from handlore.cli import COMMANDS, main

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^\s*```[^\n]*\n(.*?)^\s*```", re.MULTILINE | re.DOTALL)
PAGES = [page for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md") if page.exists()]
PAGES += sorted((ROOT / "docs").glob("*.md"))


def command_lines(text: str) -> Iterator[str]:
    """Yield what is typed at a prompt: `handlore ...` lines of code blocks, joined at a \\."""
    for block in FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            typed = re.sub(r"^\s*[$>]\s+", "", line).strip()
            if typed.startswith("handlore "):
                yield re.split(r"\s[|#>&]|;", typed)[0].strip()


def problems(line: str) -> list[str]:
    """Say which words of a command line do not exist."""
    _, *words = shlex.split(line)
    command: click.Command = main
    context = click.Context(main)
    while words and isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        if found is None:
            break
        command, words = found, words[1:]
        context = click.Context(command, parent=context)
    known = {
        flag for option in command.get_params(context) for flag in [*option.opts, "-h", "--help"]
    } | {"--version"}
    flags = [word.partition("=")[0] for word in words if word.startswith("-")]
    missing = [flag for flag in flags if flag not in known and not re.fullmatch(r"-\d+", flag)]
    if command is main and not flags:
        missing.append(words[0] if words else "(no command)")
    return missing


def test_the_checker_finds_what_is_wrong() -> None:
    text = "```sh\n$ handlore convert a b.npz \\\n  --json | jq .\nhandlore liev\n```\nhandlore x\n"
    assert list(command_lines(text)) == ["handlore convert a b.npz    --json", "handlore liev"]
    assert problems("handlore convert a b.npz --json") == []
    assert problems("handlore weights fetch --landmarker lite") == []
    assert problems("handlore convert a b.npz --jsn") == ["--jsn"]
    assert problems("handlore liev") == ["liev"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_in_the_documentation_exists(page: Path) -> None:
    lines = command_lines(page.read_text("utf-8"))
    assert {line: wrong for line in lines if (wrong := problems(line))} == {}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_in_the_help_exists(name: str) -> None:
    context = click.Context(main)
    command = main.get_command(context, name)
    assert command is not None
    text = click.unstyle(command.get_help(click.Context(command, info_name=name, parent=context)))
    lines = [line.strip() for line in text.split("Examples:")[1].splitlines() if line.strip()]
    assert all(line.startswith("handlore ") for line in lines)
    assert {line: wrong for line in lines if (wrong := problems(line))} == {}


def test_readme_has_a_table_that_names_every_command() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\|\s*`(?:handlore )?(\w+)", text, re.MULTILINE)
    if not rows:
        pytest.skip("README.md has no table of commands yet")
    assert set(COMMANDS) - set(rows) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
