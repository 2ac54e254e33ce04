"""Trees of empty files in the layouts of data sets."""

import re

from handlore.datasets.sources import find_source, make_source

NUMBERS = re.compile(r"\{(\d+)\.\.(\d+)\}")


def expanded(name):
    """Return the names that a name with {1..6} stands for."""
    found = NUMBERS.search(name)
    if not found:
        return [name]
    first, last = found.groups()
    numbers = [str(n).zfill(len(first)) for n in range(int(first), int(last) + 1)]
    return [one for n in numbers for one in expanded(NUMBERS.sub(n, name, count=1))]


def tree(root, names, text=None):
    for name in (one for given in names for one in expanded(given)):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((text or {}).get(name, ""))
    return root


def read(root):
    """Return the source, and its listing."""
    name, _ = find_source(root)
    return name, make_source(name).scan(root)
