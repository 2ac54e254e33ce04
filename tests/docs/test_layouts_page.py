"""The page of layouts says of each layout in the tests what comes of it."""

import re

from documentation import ROOT
from layout_folders import FOLDERS, Asked
from layout_lists import LISTS


def results():
    """Return what the tests of layouts hold: by name the source, or asked."""
    found = {
        name: "asked" if any(isinstance(one, Asked) for one in files.values()) else source
        for name, (source, files) in FOLDERS.items()
    }
    return found | {f"{name} (list)": source for name, (source, _, _) in LISTS.items()}


def test_the_page_lists_every_layout_with_its_result():
    layouts = results()
    text = (ROOT / "docs" / "reference" / "layouts.md").read_text("utf-8")
    rows = re.findall(r"^\| `([^`]+)` \|.*\| ([\w-]+) \|$", text, re.MULTILINE)
    assert dict(rows) == layouts
    asked = sum(result == "asked" for result in layouts.values())
    counts = (
        f"Of {len(layouts)} layouts: {len(layouts) - asked} are recognised, {asked} are refused"
    )
    assert counts in " ".join(text.split())
    assert len(layouts) >= 60
