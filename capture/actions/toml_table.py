"""Reading one table of an actions file: every value checked, every problem with its line."""

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from handlore.landmarks.errors import nearest

# On which line of a TOML file something stands: tomllib tells that of broken syntax only.


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


KINDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number",
         list: "a list", dict: "a table"}  # fmt: skip


class Problems:
    """What is wrong with a file; reading goes on, so that all of it is told at once."""

    def __init__(self, lines: Mapping[Path, int]) -> None:
        self._lines = lines
        self._found: list[tuple[int, str]] = []

    def add(self, path: Path, message: str) -> None:
        """Note a problem with what stands at ``path``."""
        while path and path not in self._lines:
            path = path[:-1]
        self._found.append((self._lines.get(path, 1), message))

    def __bool__(self) -> bool:
        return bool(self._found)

    def __str__(self) -> str:
        return "; ".join(f"line {line}: {message}" for line, message in sorted(self._found))


class Table:
    """A table of which keys are taken one by one; who asks for a key declares it known.

    Parameters
    ----------
    values
        As tomllib read it.
    path
        Where it stands.
    problems
        Where to note what is wrong.
    """

    def __init__(self, values: Mapping[str, Any], path: Path, problems: Problems) -> None:
        self.values = values
        self.path = path
        self._problems = problems
        self._known: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def problem(self, key: str | None, message: str) -> None:
        """Note a problem with a key, or with the table."""
        self._problems.add(self.path if key is None else (*self.path, key), message)

    def text(self, key: str, default: str = "") -> str:
        """Take a text that is not empty."""
        value = self._take(key, str, default)
        if self.values.get(key) == "":
            self.problem(key, f"{key} is empty")
        return str(value)

    def texts(self, key: str, hint: str = "") -> tuple[str, ...]:
        """Take a list of texts; ``hint`` goes on with the line that refuses something else."""
        values = self._take(key, list, [], hint)
        if not all(isinstance(value, str) for value in values):
            self.problem(key, f"{key} takes texts only; write numbers in quotes")
            return ()
        return tuple(values)

    def flag(self, key: str) -> bool:
        """Take true or false; default: false."""
        return bool(self._take(key, bool, False))

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """Take a number from ``low`` to ``high``."""
        value = self._take(key, float, default)
        # Compared as it came: a whole number may be too large for a float.
        if not low <= value <= high:
            self.problem(key, f"{key} is {_short(value)}; expected {low:g} to {high:g}")
            return default
        return float(value)

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        """Take a whole number from ``low`` to ``high``."""
        value = int(self._take(key, int, default))
        if not low <= value <= high:
            self.problem(key, f"{key} is {_short(value)}; expected {low} to {high}")
            return default
        return value

    def choice(self, key: str, choices: Iterable[str]) -> str | None:
        """Take one of a few words; None if it is not given."""
        value = self._take(key, str, None)
        if value is not None and value not in (known := list(choices)):
            self.problem(key, unknown(f"{key} {value!r}", value, known))
            return None
        return None if value is None else str(value)

    def tables(self, key: str) -> dict[str, Any]:
        """Take a table, whatever is in it."""
        return dict(self._take(key, dict, {}))

    def names(self, key: str) -> dict[str, str]:
        """Take a table of texts."""
        values = self._take(key, dict, {})
        for name, value in values.items():
            if not isinstance(value, str):
                self.problem(key, f"{key}.{name} is {_kind(value)}; expected text")
        return {name: value for name, value in values.items() if isinstance(value, str)}

    def refuse_rest(self) -> None:
        """Note every key that nobody asked for."""
        for key in self.values:
            if key not in self._known:
                self.problem(key, unknown(f"key {key!r}", key, self._known))

    def _take(self, key: str, kind: type, default: Any, hint: str = "") -> Any:
        self._known.append(key)
        if key not in self.values:
            return default
        value = self.values[key]
        whole = isinstance(value, int) and not isinstance(value, bool)
        # True is an int in Python, not in TOML.
        if not (whole if kind is int else isinstance(value, kind) or (kind is float and whole)):
            self.problem(key, f"{key} is {_kind(value)}; expected {KINDS[kind]}{hint}")
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
    return KINDS.get(type(value), "a date or time")
