"""The page of layouts says of each layout in the tests what comes of it."""

import re
import sys
from pathlib import Path

import pytest
from documentation import ROOT

SOURCES = Path(__file__).parents[1] / "datasets" / "sources"


@pytest.fixture
def tested(monkeypatch):
    """What the tests of layouts hold: by name the source, or asked."""
    monkeypatch.syspath_prepend(str(SOURCES))
    from test_layouts import FOLDERS, Asked
    from test_lists import LISTS

    found = {
        name: "asked" if any(isinstance(one, Asked) for one in files.values()) else source
        for name, (source, files) in FOLDERS.items()
    }
    yield found | {f"{name} (list)": source for name, (source, _, _) in LISTS.items()}
    for name in ("test_layouts", "test_lists"):
        sys.modules.pop(name, None)


def test_the_page_lists_every_layout_with_its_result(tested):
    text = (ROOT / "docs" / "reference" / "layouts.md").read_text("utf-8")
    rows = re.findall(r"^\| `([^`]+)` \|.*\| ([\w-]+) \|$", text, re.MULTILINE)
    assert dict(rows) == tested
    asked = sum(result == "asked" for result in tested.values())
    counts = f"Of {len(tested)} layouts: {len(tested) - asked} are recognised, {asked} are refused"
    assert counts in " ".join(text.split())
    assert len(tested) >= 60
