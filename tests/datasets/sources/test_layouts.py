"""Layouts of public data sets, made to shape: what each file is, or that it is asked.

A layout is a tree of files; `{1..6}` stands for six of them. What must come out is the label of
each file, or its label, person and split; files that are left out are None. `Asked` are layouts
with two readings, which convert refuses with a command for each.
"""

import shlex

import pytest
from layout_folders import FOLDERS, Asked
from layout_stubs import expanded, read, tree

from handlore.datasets.sources import make_source


def columns(listing, frames):
    """Return label, group and split of every item, by its file or folder."""
    found = {item.source: (item.label, item.group, item.split) for item in listing.items}
    return found | ({} if frames else dict.fromkeys(listing.left_out))


@pytest.mark.parametrize("layout", FOLDERS)
def test_folders(layout, tmp_path):
    source, files = FOLDERS[layout]
    name, listing = read(tree(tmp_path / "download", files))
    asked = next((one for one in files.values() if isinstance(one, Asked)), None)
    if asked:
        assert listing.doubt
        assert len(listing.readings) == 2
        offered = [set(reading.labels) for reading in listing.readings]
        assert not asked.labels or set(asked.labels) in offered, offered
        return
    assert (name, listing.doubt) == (source, "")
    found = columns(listing, name == "frames")
    for given, right in files.items():
        for file in expanded(given):
            key = file.rpartition("/")[0] if name == "frames" else file
            wanted = right if isinstance(right, tuple | None) else (right, "", "")
            assert found[key] == wanted, key


def test_each_reading_that_is_offered_works(tmp_path):
    for layout, (_, files) in FOLDERS.items():
        if not any(isinstance(right, Asked) for right in files.values()):
            continue
        name, listing = read(tree(tmp_path / layout, files))
        for reading in listing.readings:
            again = make_source(name, dict(reading.options)).scan(tmp_path / layout)
            assert again.doubt == ""
            assert again.labels == sorted(reading.labels), shlex.join(reading.options.values())


def test_numbers_of_files_are_not_the_likeliest_labels(tmp_path):
    _, listing = read(tree(tmp_path / "in", ["fist/{1..6}.jpg"]))
    assert dict(listing.readings[0].options) == {"label": "fist"}
