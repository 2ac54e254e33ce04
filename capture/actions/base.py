"""What every kind of action offers, and what it is given: a table of the actions file to read.

A table checks every value, and collects every problem with its line.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Protocol, Self

from handlore.landmarks.errors import nearest
from handlore.landmarks.registry import Registry
from handlore.models.stream.events import VALUES, Event

Place = tuple[str | int, ...]
"""Names of tables and keys from the outside in; a number counts the tables of an array."""

_LARGEST_NUMBER = 1e9
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

    def __init__(self, lines: Mapping[Place, int]) -> None:
        self._lines = lines
        self._found: list[tuple[int, str]] = []

    def add(self, path: Place, message: str) -> None:
        """Add a problem with the value at ``path``."""
        while path and path not in self._lines:
            path = path[:-1]
        self._found.append((self._lines.get(path, 1), message))

    def __len__(self) -> int:
        return len(self._found)

    def __str__(self) -> str:
        lines: dict[str, list[int]] = {}
        for line, message in sorted(set(self._found)):
            lines.setdefault(message, []).append(line)
        return "; ".join(f"{_places(numbers)}: {message}" for message, numbers in lines.items())


def _places(lines: Sequence[int]) -> str:
    """Return ``line 2``, or ``lines 2, 5, 8`` for a problem that several lines have."""
    return f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}"


class Table:
    """A table of the file whose keys are read one by one; a key that is never read is unknown."""

    def __init__(self, values: Mapping[str, Any], path: Place, problems: Problems) -> None:
        self.values = values
        self.path = path
        self._problems = problems
        self._known: list[str] = []
        self.placeholders = FIELDS
        """What can be in braces in the texts of an action."""

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

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Read true or false."""
        return bool(self._get(key, bool, default))

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

    def interval(self, key: str) -> tuple[float, float] | None:
        """Read a list of two different numbers; None if it is missing."""
        values = self._get(key, list, None)
        if values is None:
            return None
        kinds = {type(value) for value in values}
        valid = kinds <= {int, float} and all(abs(v) <= _LARGEST_NUMBER for v in values)
        if len(values) != 2 or not valid or values[0] == values[1]:
            self.problem(key, f"{key} is not a list of two different numbers, such as [0, 100]")
            return None
        return float(values[0]), float(values[1])

    def choices(self, key: str, choices: Iterable[str]) -> tuple[str, ...]:
        """Read one of several words, or a list of them."""
        if isinstance(self.values.get(key), str):
            return (str(self.choice(key, choices)),)
        known = list(choices)
        for value in (found := self.texts(key)):
            if value not in known:
                self.problem(key, unknown(f"{key} {value!r}", value, known))
        return found

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

    def refuse_rest(self, meant: Mapping[str, str] | None = None) -> None:
        """Add a problem for every key that was not read; ``meant`` says what some stand for."""
        for key in self.values:
            if key not in self._known:
                hint = f"unknown key {key!r}; write {meant[key]}" if meant and key in meant else ""
                self.problem(key, hint or unknown(f"key {key!r}", key, self._known))

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

    def check_placeholders(self, key: str, template: str) -> None:
        """Reject what looks like a misspelt placeholder; other braces are allowed."""
        for name in PLACEHOLDER.findall(template):
            if name not in self.placeholders and (hint := self._hint(name)):
                self.problem(key, f"{key} has {{{name}}}; {hint}")
        for name, rest in _FORMATTED.findall(template):
            if name in self.placeholders:
                self.problem(
                    key, f"{key} has {{{name}{rest}}}; write {{{name}}}, and a range to round it"
                )

    def _hint(self, name: str) -> str:
        """Say what an unknown placeholder may mean; empty if it may be meant literally."""
        if near := nearest(name, self.placeholders):
            return f"did you mean {near}?"
        mapped = [one for one in self.placeholders if one not in FIELDS]
        if mapped:
            return f"map names {', '.join(mapped)}"
        return f'a value of the hand needs map = "{name}"' if name in VALUES else ""


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


class ActionError(Exception):
    """An action failed; the message says why, in a few words."""


@dataclass(frozen=True)
class ActionEvent(Event):
    """The event of an action that asks for more than the one event of a gesture.

    Its JSON has the type and the duration, and the values that the action maps by their names.
    """

    mapped: Mapping[str, float] = field(default_factory=dict)
    """Values of the hand in the ranges that the action asks for."""

    @classmethod
    def of(cls, event: Event, mapped: Mapping[str, float]) -> Self:
        """Return an event with values."""
        given = {one.name: getattr(event, one.name) for one in fields(Event)}
        return cls(**given, mapped=mapped)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON types."""
        known = {name: value for name, value in self.detailed().items() if name != "values"}
        return {**known, **self.mapped}


class ActionKind(Protocol):
    """A kind of action: the base class of all of them; one instance per action of the file."""

    name: ClassVar[str]
    """The key that asks for it in the file, such as ``run``."""
    takes_values: ClassVar[bool] = True
    """Whether values of a held hand can be mapped to it."""
    prints: ClassVar[bool] = False
    """Whether it is there to print its line: each one is shown, however often it is called."""
    follows: bool = False
    """Whether it is performed for every position of the hand while the gesture lasts, the newest
    first, and with an event of type ``end`` in any case."""

    @classmethod
    def read(cls, table: Table, labels: Sequence[str], seconds: float) -> Self:
        """Read its keys from the file.

        Parameters
        ----------
        table
            The table of the action; collects problems.
        labels
            The labels that can trigger it.
        seconds
            Its time limit.
        """

    def missing(self) -> str | None:
        """Return what is missing on this computer, and what to do; None if nothing is."""
        return None

    def describe(self, event: Event) -> str:
        """Return what is done for an event, in a few words."""

    def perform(self, event: Event) -> None:
        """Run the action in its own thread, within its time limit.

        Raises
        ------
        ActionError
            If it failed.
        """

    def cancel(self) -> None:
        """End a running action immediately; called from another thread."""


_COMMON_KEYS = (
    *("hand", "cooldown", "waiting", "timeout", "on", "repeat", "after", "until"),
    *("map", "from", "range", "rate", "dead_band"),
)
"""Keys that every action may have, so that no kind can be called so."""


def _check(kind: Any) -> None:
    if kind.name in _COMMON_KEYS:
        raise TypeError(f"an action cannot be named {kind.name}: every action may have that key")


ACTIONS: Registry[type[ActionKind]] = Registry("action", "handlore.capture.actions", _check)
"""All kinds of action, those of other packages too (entry points ``handlore.actions``)."""

FIELDS = ("label", "start", "end", "probability", "hand", "type", "duration")
"""Placeholders in actions, in braces; also names of ``HANDLORE_...`` variables."""

PLACEHOLDER = re.compile(r"\{(\w+)\}")
_FORMATTED = re.compile(r"\{(\w+)([:!][^{}]*)\}")
"""A placeholder as in Python, with a format."""


def as_text(event: Event) -> dict[str, str]:
    """Return the fields as text; an unknown hand is empty."""
    mapped = event.mapped if isinstance(event, ActionEvent) else {}
    return {
        "label": event.label,
        "start": f"{event.start:.3f}",
        "end": f"{event.end:.3f}",
        "probability": f"{event.probability:.4f}",
        "hand": event.hand or "",
        "type": event.type,
        "duration": f"{event.duration:.3f}",
        **{name: str(value) for name, value in mapped.items()},
    }


def fill_json(template: str, event: Event) -> str:
    """Replace the placeholders in a text that may be JSON: a label cannot end a text in it."""
    values = as_text(event).items()
    return fill(template, {n: json.dumps(v, ensure_ascii=False)[1:-1] for n, v in values})


def fill(template: str, values: Mapping[str, str]) -> str:
    """Replace the known placeholders; other braces stay, so that JSON and awk can be written."""
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)
