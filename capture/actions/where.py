"""On which line of a TOML file something stands: tomllib tells that of broken syntax only."""

import tomllib
from typing import Any

Path = tuple[str | int, ...]
"""Names of tables and keys from the outside in; a number counts the tables of an array."""


def lines_of(text: str) -> dict[Path, int]:
    """Return the line, from 1, of every table and key of a valid TOML text.

    What stands inside an inline table or a list of several lines has the line of its key.
    """
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    quotes = ""
    # Not splitlines, which ends lines at signs that end none in TOML.
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        if quotes:
            quotes = "" if quotes in bare else quotes
            continue
        quotes = next((q for q in ('"""', "'''") if bare.count(q) == 1), "")
        if bare.startswith("[") and (name := _names(bare)):
            table = name
            if bare.startswith("[["):
                counts[name] = counts.get(name, -1) + 1
                table = (*name, counts[name])
            for depth in range(1, len(table) + 1):
                found.setdefault(table[:depth], number)
        elif "=" in bare and (name := _names(f"{_key(bare)} = 0")):
            for depth in range(1, len(name) + 1):
                found.setdefault((*table, *name[:depth]), number)
    return found


def _key(line: str) -> str:
    """Return what stands before the equals sign; one inside quotes does not count."""
    quote = ""
    for place, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign == "=":
            return line[:place]
    return ""


def _names(line: str) -> Path:
    """Return the names that a header or a key spells, by letting tomllib read it alone."""
    try:
        inner: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    names: list[str] = []
    while isinstance(inner, dict | list) and inner:
        if isinstance(inner, list):
            inner = inner[0]
            continue
        name, inner = next(iter(inner.items()))
        names.append(name)
    return tuple(names)
