"""Reads tables of an actions file: checks every value, reports every problem with its line."""

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from handlore.landmarks.errors import nearest

Path = tuple[str | int, ...]
"""Names of tables and keys from the outside in; a number counts the tables of an array."""


def lines_of(text: str) -> dict[Path, int]:
    """Return the line number, from 1, of every table and key of a valid TOML text.

    tomllib reports lines only for syntax errors. Everything inside an inline table or a list of
    several lines has the line of its key.
    """
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    quotes = ""
    # Not splitlines, which also splits at characters that do not end lines in TOML.
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
    """Return the text before the first equals sign outside quotes."""
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
    """Return the names in a header or key, parsed by tomllib."""
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


_TYPE_NAMES = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


class Problems:
    """Collects the problems of a file, to report all of them at once."""

    def __init__(self, lines: Mapping[Path, int]) -> None:
        self._lines = lines
        self._found: list[tuple[int, str]] = []

    def add(self, path: Path, message: str) -> None:
        """Add a problem with the value at ``path``."""
        while path and path not in self._lines:
            path = path[:-1]
        self._found.append((self._lines.get(path, 1), message))

    def __bool__(self) -> bool:
        return bool(self._found)

    def __str__(self) -> str:
        return "; ".join(f"line {line}: {message}" for line, message in sorted(self._found))


class Table:
    """A table whose keys are read one by one; a key that is never read is unknown.

    Parameters
    ----------
    values
        The table as read by tomllib.
    path
        Its path in the file.
    problems
        Collects problems.
    """

    def __init__(self, values: Mapping[str, Any], path: Path, problems: Problems) -> None:
        self.values = values
        self.path = path
        self._problems = problems
        self._known: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def problem(self, key: str | None, message: str) -> None:
        """Add a problem with a key, or with the table."""
        self._problems.add(self.path if key is None else (*self.path, key), message)

    def text(self, key: str, default: str = "") -> str:
        """Read a text that is not empty."""
        value = self._get(key, str, default)
        if self.values.get(key) == "":
            self.problem(key, f"{key} is empty")
        return str(value)

    def texts(self, key: str, hint: str = "") -> tuple[str, ...]:
        """Read a list of texts; ``hint`` is appended to the message for another type."""
        values = self._get(key, list, [], hint)
        if not all(isinstance(value, str) for value in values):
            self.problem(key, f"{key} accepts only texts; write numbers in quotes")
            return ()
        return tuple(values)

    def flag(self, key: str) -> bool:
        """Read true or false; default: false."""
        return bool(self._get(key, bool, False))

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """Read a number from ``low`` to ``high``."""
        value = self._get(key, float, default)
        # Compared before conversion: a whole number may be too large for a float.
        if not low <= value <= high:
            self.problem(key, f"{key} is {_short(value)}; expected {low:g} to {high:g}")
            return default
        return float(value)

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        """Read a whole number from ``low`` to ``high``."""
        value = int(self._get(key, int, default))
        if not low <= value <= high:
            self.problem(key, f"{key} is {_short(value)}; expected {low} to {high}")
            return default
        return value

    def choice(self, key: str, choices: Iterable[str]) -> str | None:
        """Read one of several words; None if it is missing."""
        value = self._get(key, str, None)
        if value is not None and value not in (known := list(choices)):
            self.problem(key, unknown(f"{key} {value!r}", value, known))
            return None
        return None if value is None else str(value)

    def tables(self, key: str) -> dict[str, Any]:
        """Read a table with any content."""
        return dict(self._get(key, dict, {}))

    def names(self, key: str) -> dict[str, str]:
        """Read a table of texts."""
        values = self._get(key, dict, {})
        for name, value in values.items():
            if not isinstance(value, str):
                self.problem(key, f"{key}.{name} is {_kind(value)}; expected text")
        return {name: value for name, value in values.items() if isinstance(value, str)}

    def refuse_rest(self) -> None:
        """Add a problem for every key that was not read."""
        for key in self.values:
            if key not in self._known:
                self.problem(key, unknown(f"key {key!r}", key, self._known))

    def _get(self, key: str, kind: type, default: Any, hint: str = "") -> Any:
        self._known.append(key)
        if key not in self.values:
            return default
        value = self.values[key]
        whole = isinstance(value, int) and not isinstance(value, bool)
        # True is an int in Python, not in TOML.
        if not (whole if kind is int else isinstance(value, kind) or (kind is float and whole)):
            self.problem(key, f"{key} is {_kind(value)}; expected {_TYPE_NAMES[kind]}{hint}")
            return default
        return value


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Say that a name is unknown, and the nearest ones, else all."""
    known = list(dict.fromkeys(known))
    if near := nearest(name, known):
        return f"unknown {what}; did you mean {near}?"
    return f"unknown {what}; known: {', '.join(known)}"


def _short(value: float) -> str:
    text = str(value)
    return text if len(text) <= 20 else f"{text[:6]}... with {len(text)} digits"


def _kind(value: Any) -> str:
    return _TYPE_NAMES.get(type(value), "a date or time")
