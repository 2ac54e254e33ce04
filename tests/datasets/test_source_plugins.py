import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from handlore.datasets.sources import base, load_sources, make_source
from handlore.datasets.sources.base import load_plugins

DOCS = Path(__file__).parents[2] / "docs" / "sources.md"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return a maker of a package that is installed for this test only."""
    monkeypatch.setattr(base, "_SOURCES", dict(load_sources()))
    monkeypatch.syspath_prepend(tmp_path)

    def make(code, value="fake_sources", package="fake-hands"):
        (tmp_path / "fake_sources.py").write_text(code)
        info = tmp_path / f"{package.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[handlore.sources]\nmine = {value}\n")
        load_plugins.cache_clear()
        sys.modules.pop("fake_sources", None)
        return tmp_path

    yield make
    load_plugins.cache_clear()
    sys.modules.pop("fake_sources", None)


def example():
    return re.search(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)[1]


def test_the_example_of_the_docs_is_a_source(installed, tmp_path):
    home = installed(example())
    assert "dashed" in load_sources()
    (home / "data").mkdir()
    (home / "data" / "anna-fist-01.jpg").touch()
    (item,) = make_source("dashed", {}).items(home / "data")
    assert (item.label, item.group, item.source) == ("fist", "anna", "anna-fist-01.jpg")
    assert base.find_source(home / "data") == ("dashed", [])


def test_the_command_line_lists_it(installed):
    home = installed(example(), "fake_sources:Dashed")
    done = subprocess.run(
        [sys.executable, "-m", "handlore", "sources"],
        env=os.environ | {"PYTHONPATH": str(home)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "dashed" in done.stdout
    assert done.stderr == ""


HEAD = """
from dataclasses import dataclass
from handlore.datasets.sources.base import Source, register
@register
@dataclass(frozen=True)
class Mine(Source):
"""


@pytest.mark.parametrize(
    ("code", "value", "match"),
    [
        ("import nothing_of_this_name", "fake_sources", "ModuleNotFoundError"),
        ("this is no python", "fake_sources", "SyntaxError"),
        ("raise SystemExit('bye')", "fake_sources", "SystemExit: bye"),
        ("raise ValueError('one\\ntwo')", "fake_sources", r"ValueError: one\)"),
        ("x = 1", "fake_sources:Missing", "AttributeError"),
        ("x = 1", "fake_sources:x", "neither a module nor a class"),
        (HEAD + "    name, layout = 'images', 'x'", "fake_sources", "has a source images itself"),
        (HEAD + "    name = 'mine'", "fake_sources", "has no layout"),
        (HEAD + "    name, layout = 'm', 'x'\n    size: int = 1", "fake_sources", "option size"),
    ],
)
def test_a_broken_plug_in_is_one_line_that_names_its_package(installed, caplog, code, value, match):
    before = dict(load_sources())
    installed(code, value)
    assert load_sources() == before
    load_sources()
    (record,) = caplog.records
    assert "package fake-hands" in record.getMessage()
    assert "\n" not in record.getMessage()
    assert re.search(match, record.getMessage())


def test_the_table_of_the_docs_has_the_options_that_sources_have():
    listed = dict(
        re.findall(r"^\| `([\w-]+)` \|.*\|(.*)\|$", DOCS.read_text("utf-8"), re.MULTILINE)
    )
    assert {"frames", "hgr1", "images", "pixels-csv", "silhouettes", "videos"} <= set(listed)
    sources = load_sources()
    for name, options in listed.items():
        own = {"--" + option.name.replace("_", "-") for option in fields(sources[name])}
        assert set(re.findall(r"--[\w-]+", options)) == own, name
