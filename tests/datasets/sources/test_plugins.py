import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from handlore.datasets.sources import SOURCES, find_source, make_source

DOCS = Path(__file__).parents[3] / "docs" / "how-to" / "extend.md"


def example():
    return re.search(
        r"## A source.*?```python check\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL
    )[1]


def test_the_example_of_the_docs_is_a_source(stub_package):
    home = stub_package(SOURCES, example())
    assert "dashed" in SOURCES.names()
    (home / "data").mkdir()
    (home / "data" / "anna-fist-01.jpg").touch()
    (item,) = make_source("dashed", {}).scan(home / "data").items
    assert (item.label, item.group, item.source) == ("fist", "anna", "anna-fist-01.jpg")
    assert find_source(home / "data") == ("dashed", [])


def test_the_command_line_lists_it(stub_package):
    home = stub_package(SOURCES, example(), "stub_module:Dashed")
    done = subprocess.run(
        [sys.executable, "-m", "handlore", "sources"],
        env=os.environ | {"PYTHONPATH": str(home)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "dashed" in done.stdout
    assert done.stderr == ""


HEAD = """
from dataclasses import dataclass
from handlore.datasets.sources.base import SOURCES, Source
@SOURCES.register
@dataclass(frozen=True)
class Mine(Source):
"""


@pytest.mark.parametrize(
    ("code", "value", "match"),
    [
        ("import nothing_of_this_name", "stub_module", "ModuleNotFoundError"),
        ("this is no python", "stub_module", "SyntaxError"),
        ("raise SystemExit('bye')", "stub_module", "SystemExit: bye"),
        ("raise ValueError('one\\ntwo')", "stub_module", r"ValueError: one\)"),
        ("x = 1", "stub_module:Missing", "AttributeError"),
        ("x = 1", "stub_module:x", "neither a module nor a class"),
        (HEAD + "    name, layout = 'images', 'x'", "stub_module", "already a source images"),
        (HEAD + "    name = 'mine'", "stub_module", "has no layout"),
        (HEAD + "    name, layout = 'm', 'x'\n    size: int = 1", "stub_module", "option size"),
    ],
)
def test_a_broken_plug_in_is_one_line_that_names_its_package(
    stub_package, caplog, code, value, match
):
    before = SOURCES.entries()
    stub_package(SOURCES, code, value)
    assert SOURCES.entries() == before
    SOURCES.load()
    (record,) = caplog.records
    assert "package fake-hands" in record.getMessage()
    assert "\n" not in record.getMessage()
    assert re.search(match, record.getMessage())
