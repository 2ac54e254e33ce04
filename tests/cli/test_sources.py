"""``handlore sources``."""

from collections.abc import Callable
from typing import Any

from click.testing import Result

Run = Callable[..., Result]
Parsed = Callable[..., Any]


def test_sources(run: Run, parsed: Parsed) -> None:
    listed = parsed(run("sources", "--json"))
    assert {row["name"] for row in listed} >= {"images", "hgr1"}
    assert "images" in run("sources").stdout
    one = parsed(run("sources", "images", "--json"))
    assert "--name-pattern" in one["options"]
    assert "--name-pattern" in run("sources", "images").stdout
    assert "--name-pattern" in run("convert", "--help").stdout
