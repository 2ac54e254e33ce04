"""``--sensitivity``: a word for several settings of a recogniser."""

from collections.abc import Callable
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from handlore.cli._streams import pop_settings, recogniser_options
from handlore.models.stream.settings import SENSITIVITIES, RecogniserSettings

Run = Callable[..., Result]


def settings(*words: str) -> RecogniserSettings:
    """Return what a command with the options of a recogniser gets."""
    got: list[RecogniserSettings] = []

    @click.command
    @recogniser_options
    def command(**given: Any) -> None:
        got.append(pop_settings(given))
        assert given == {}

    done = CliRunner().invoke(command, words)
    assert done.exit_code == 0, done.output
    return got[0]


def test_normal_is_the_default() -> None:
    assert settings() == settings("--sensitivity", "normal") == RecogniserSettings()


@pytest.mark.parametrize("word", ["low", "high"])
def test_sensitivity(word: str) -> None:
    assert settings("--sensitivity", word) == RecogniserSettings(**SENSITIVITIES[word])


def test_options_go_before_it() -> None:
    """Also an option that is given its default."""
    given = settings("--sensitivity", "low", "--threshold", "0.5", "--cooldown", "2")
    assert (given.threshold, given.cooldown) == (0.5, 2)
    assert given.dwell == SENSITIVITIES["low"]["dwell"]


@pytest.mark.parametrize("command", ["live", "replay", "calibrate"])
def test_commands_that_have_it(command: str, run: Run) -> None:
    assert "--sensitivity [low|normal|high]" in run(command, "--help").stdout
    done = run(command, "x.onnx", "y.npz", "--sensitivity", "none")
    assert done.exit_code == 2
    assert "'none' is not one of 'low', 'normal', 'high'" in done.stderr
