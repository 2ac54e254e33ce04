"""Help, version and wrong usage."""

from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

import handlore.cli
from handlore import __version__
from handlore.cli import COMMANDS, GROUPS, main

Run = Callable[..., Result]


def test_version_and_unknown_command(run: Run) -> None:
    assert run("--version").stdout.strip().endswith(__version__)
    result = run("crosval")
    assert result.exit_code == 2
    assert "Did you mean crossval?" in result.stderr
    assert "Usage: " in run().output


def test_root_lists_every_command(run: Run) -> None:
    files = (path.stem for path in Path(handlore.cli.__file__).parent.glob("[a-z]*.py"))
    assert sorted(COMMANDS) == sorted(files)
    text = run("--help").stdout
    assert all(f"  {name} " in text for name in COMMANDS)


@pytest.mark.parametrize("group", GROUPS.values(), ids=list(GROUPS))
def test_summaries(group: dict[str, str]) -> None:
    found = {name: main.get_command(click.Context(main), name) for name in group}
    assert group == {
        name: f"{command.get_short_help_str(1000).rstrip('.')}."
        for name, command in found.items()
        if command
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_examples(name: str, run: Run) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "Examples:" in result.stdout
    assert f"  handlore {name}" in result.stdout.split("Examples:")[1]


@pytest.mark.parametrize(
    "args",
    [
        ("convert", "x"),
        ("convert", "x", "y.npz", "--max-hands", "3"),
        ("convert", "x", "y.npz", "--detector", "magic"),
        ("train", "x.npz"),
        ("crossval", "x.npz", "--by", "person"),
        ("crossval", "x.npz", "--folds", "1"),
        ("train", "x.npz", "--out", "y", "--seed", "one"),
        ("predict", "m.onnx"),
        ("info",),
        ("demo", "--people", "1"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(args: tuple[str, ...], run: Run) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error: " in result.stderr
