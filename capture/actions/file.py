"""Reads actions files, also those that come with handlore; reports all that is wrong at once."""

import re
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from handlore.datasets.dataset import NONE_LABEL
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.files import as_path, no_file
from handlore.landmarks.untrusted import DAMAGE
from handlore.models.model import Model
from handlore.models.stream.settings import RecogniserSettings

from .base import ACTIONS, FIELDS, ActionKind, Place, Problems, Table, unknown
from .control import Timing, ValueMap

ANY = "*"
"""Matches every label."""

_LARGEST = 1 << 20
"""Most bytes; a file of actions has some kilobytes."""

_MOST_LINES = 10_000
_PART = r"""(?:(?<![\w-])[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_DEEP = re.compile(rf"(?:{_PART}[ \t]*+\.[ \t]*+){{32}}")
"""A name of more than 32 parts; each costs memory for all before it. A part is looked at once: it
cannot be cut short, nor begun in its middle, which would take the square of its length."""

_NEEDS_QUOTES = (
    "Expected ']' at the end of a table declaration",
    "Expected '=' after a key",
    "Invalid initial character for a key part",
)
"""What the parser says of names that need quotes."""
_TWICE = re.compile(r"Cannot (?:declare .* twice|overwrite a value) \(at line (?P<line>\d+)")
"""What tomllib says of a table or key that is there twice."""


@dataclass(frozen=True)
class Action:
    """An action to run when a label is recognised."""

    label: str
    """The label that triggers it, or ``*``: any."""
    kind: ActionKind
    """Runs it."""
    hand: str | None = None
    """Only for this hand: ``left`` or ``right``; None: either."""
    cooldown: float = 0.0
    """Seconds after a call during which it is not called again."""
    waiting: int = 0
    """How many calls may wait while it is busy; more are skipped."""
    name: str = ""
    """Its name in messages: label and kind, and a number if a file has several of them."""
    timing: Timing = field(default_factory=Timing)
    values: ValueMap | None = None
    """Values of the hand that it is given whenever they change."""

    @property
    def follows(self) -> bool:
        """Whether it needs to know where the hand is while the gesture lasts."""
        return self.kind.follows or self.values is not None

    @property
    def claims(self) -> frozenset[str]:
        """What only one gesture can control at a time."""
        pointer = {"the pointer"} if self.kind.follows else set()
        return frozenset(pointer | (self.values.names if self.values else set()))


@dataclass(frozen=True)
class _Arming:
    """Actions are run only for some seconds after an arming gesture."""

    label: str
    seconds: float


@dataclass(frozen=True)
class ActionSet:
    """The actions of a file."""

    actions: tuple[Action, ...]
    arming: _Arming | None = None

    @property
    def holds(self) -> bool:
        """Whether an action needs more than the one event of each gesture."""
        return any(action.timing.on is not None for action in self.actions)

    @property
    def follows(self) -> bool:
        """Whether an action needs to know where the hand is after the pose that began it."""
        return any(action.timing.until is not None for action in self.actions)

    def settings(self, given: RecogniserSettings) -> RecogniserSettings:
        """Return the settings of a recogniser that emits all that the actions need."""
        interval = 0.0 if self.holds else given.hold_interval
        return replace(given, hold_interval=interval, follow_hands=self.follows)


def load_actions(
    path: Path,
    labels: Sequence[str],
    movements: Collection[str] = (),
    *,
    check_computer: bool = True,
) -> ActionSet:
    """Read an actions file for models with these labels, see ``docs/reference/actions-file.md``.

    ``movements`` are those labels that cannot be held. With ``check_computer``, which a dry run
    does without, the programs and packages that the actions need must be installed.
    InvalidDataError lists all problems with their lines.
    """
    text = _read(Path(path))
    if _DEEP.search(text) or text.count("\n") > _MOST_LINES:
        raise InvalidDataError(
            f"{path} has names of more than 32 parts or more than {_MOST_LINES} lines; expected a"
            " file of actions"
        )
    try:
        values = tomllib.loads(text)
    except RecursionError as error:
        raise InvalidDataError(f"{path} has too deeply nested brackets") from error
    except DAMAGE as error:  # of syntax, and of numbers with thousands of digits
        end = f"line {text.count(chr(10)) + 1}, the end"
        reason = str(error).replace("at end of document", f"at {end}")
        reason = reason.replace("Invalid value (", "Invalid value; text needs quotes (")
        if any(start in reason for start in _NEEDS_QUOTES):
            reason += "; a label with other characters than a-z, 0-9, _ and - needs quotes, such as"
            reason += ' [actions."bravo!"]'
        reason = _TWICE.sub(lambda found: _twice(text, found), reason)
        raise InvalidDataError(f"{path} is not TOML: {reason}") from error
    problems = Problems(_lines_of(text))
    labels = [label for label in dict.fromkeys(labels) if label != NONE_LABEL]
    known = _Labels(tuple(labels), frozenset(movements))
    actions = _action_set(values, known, problems, check_computer=check_computer)
    if problems:
        raise InvalidDataError(f"{path}: {problems}")
    return actions


def _twice(text: str, found: re.Match[str]) -> str:
    """Return what a file has twice, a table or a key, and what several actions need."""
    line = text.split("\n")[int(found["line"]) - 1].strip()
    table = ".".join(map(str, _names(line))) if line.startswith("[") else ""
    each = f"; several actions of one label are each [[{table}]]" if "." in table else ""
    what = f"[{table}]" if table else "a key"
    return f"{what} is there twice{each} (at line {found['line']}"


def load_model_actions(
    path: str | Path, models: Sequence[Model], *, check_computer: bool = True
) -> ActionSet:
    """Read an actions file for the labels of models, see :func:`load_actions`."""
    path = as_path(path, "a file of actions")
    labels = dict.fromkeys(label for model in models for label in model.card.labels)
    _check_preset(path, labels)
    poses = {label for model in models if model.card.kind == "pose" for label in model.card.labels}
    movements = [label for label in labels if label not in poses]
    return load_actions(path, [*labels], movements, check_computer=check_computer)


def _read(path: Path) -> str:
    try:
        if path.is_dir():
            raise HandloreError(f"{path} is a folder; expected a file such as actions.toml")
        if path.exists() and not path.is_file():
            raise InvalidDataError(f"{path} is a pipe or a device; expected a file of actions")
        if path.stat().st_size > _LARGEST:
            raise InvalidDataError(f"{path} is larger than 1 MB; expected a file of actions")
        # Editors of Windows write a byte order mark.
        return path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise HandloreError(no_file(path)) from error
    except UnicodeDecodeError as error:
        raise InvalidDataError(f"{path} is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise HandloreError(f"cannot read {path}: {error.strerror}") from error


@dataclass(frozen=True)
class _Labels:
    """The labels of the models, without ``none``."""

    all: tuple[str, ...]
    movements: frozenset[str]


def _action_set(
    values: Mapping[str, Any], labels: _Labels, problems: Problems, *, check_computer: bool
) -> ActionSet:
    top = Table(values, (), problems)
    arming = _arming(top, labels.all, problems)
    found: list[Action] = []
    for label, given in top.tables("actions").items():
        path = ("actions", label)
        if label == NONE_LABEL:
            problems.add(path, f"{label} stands for no gesture, so no event has this label")
        elif label not in labels.all and label != ANY:
            problems.add(path, unknown(f"label {label!r}", label, labels.all))
        several = given if isinstance(given, list) else [given]
        if not several:
            problems.add(path, f"actions.{label} is an empty list; write [actions.{label}]")
        for number, one in enumerate(several):
            place = (*path, number) if isinstance(given, list) else path
            if not isinstance(one, dict):
                problems.add(place, f"actions.{label} is not a table; write [actions.{label}]")
                continue
            n_before = len(problems)
            action = _action(label, Table(one, place, problems), labels)
            if action is not None:
                found.append(action)
                valid = len(problems) == n_before
                missing = action.kind.missing() if check_computer and valid else None
                if missing:
                    problems.add((*place, action.kind.name), missing)
    top.refuse_rest({label: f"[actions.{label}]" for label in labels.all})
    if not found and not problems:
        problems.add((), "there are no actions; add [actions.LABEL]")
    return ActionSet(_numbered(found), arming)


def _numbered(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Return the actions with different names: ``fist (run)``, ``fist (run 2)``."""
    counts: Counter[str] = Counter()
    named = []
    for action in actions:
        counts[action.name] += 1
        n = counts[action.name]
        name = action.name if n == 1 else f"{action.name[:-1]} {n})"
        named.append(replace(action, name=name))
    return tuple(named)


def _arming(top: Table, labels: Sequence[str], problems: Problems) -> _Arming | None:
    values = top.tables("arming")
    if "arming" not in top or not isinstance(top.values["arming"], dict):
        return None
    table = Table(values, ("arming",), problems)
    label, seconds = table.choice("label", labels), table.number("seconds", 10.0, 0.1, 86400.0)
    if "label" not in table:
        table.problem(None, "arming has no label")
    table.refuse_rest()
    return _Arming(label or "", seconds)


def _action(label: str, table: Table, labels: _Labels) -> Action | None:
    """Read one action; None if it is invalid, with the problem recorded."""
    kinds = [kind for kind in ACTIONS if kind in table]
    if len(kinds) != 1:
        listed = ", ".join(ACTIONS)
        others = f" ({', '.join(table.values)})" if table.values else ""
        came = " and ".join(kinds) if kinds else f"none of them{others}"
        table.problem(None, f"actions.{label} needs exactly one of {listed}; it has {came}")
        return None
    hand = table.choice("hand", ("left", "right"))
    cooldown = table.number("cooldown", 0.0, 0.0, 86400.0)
    waiting = table.whole("waiting", 0, 0, 10_000)
    seconds = table.number("timeout", 10.0, 0.1, 3600.0)
    values = ValueMap.read(table)
    table.placeholders = (*FIELDS, *(values.mapped if values else ()))
    kind = ACTIONS[kinds[0]].read(table, labels.all if label == ANY else [label], seconds)
    if values and not kind.takes_values:
        table.problem("map", f"{kind.name} takes no values; use run, post, mqtt or say with map")
    follows = kind.follows or values is not None
    timing = Timing.read(table, labels.all, follows=follows)
    if label in labels.movements and timing.on in ("start", "hold"):
        table.problem("on", f"{label} is a movement, which is not held: it has only an end")
    table.refuse_rest()
    name = f"{label} ({kinds[0]})"
    return Action(label, kind, hand, cooldown, waiting, name, timing, values)


def _lines_of(text: str) -> dict[Place, int]:
    """Return the line number, from 1, of every table and key of a valid TOML text.

    tomllib reports lines only for syntax errors. Everything inside an inline table or a list of
    several lines has the line of its key.
    """
    found: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
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


def _names(line: str) -> Place:
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


_FOLDER = Path(__file__).parent / "presets"
PRESETS = ("slides", "media", "obs", "home", "mouse")


def preset_file(name: str) -> Path:
    """Return the actions file of a preset."""
    if name not in PRESETS:
        raise HandloreError(unknown(f"preset {name!r}", name, PRESETS))
    return _FOLDER / f"{name}.toml"


def _check_preset(path: Path, labels: Collection[str]) -> None:
    """Raise HandloreError if a file is a preset for other labels than those of the models."""
    if path.parent != _FOLDER:
        return
    needed = tomllib.loads(path.read_text("utf-8"))["actions"]
    missing = [label for label in needed if label not in labels]
    if missing:
        raise HandloreError(
            f"the preset {path.stem} needs {', '.join(missing)}, which the models do not know; use"
            f" the model everyday, or adapt it: `handlore live --print-preset {path.stem}`"
        )
