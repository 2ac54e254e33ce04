"""Errors whose message a user can act on.

Every room raises them; the command line turns them into one line and an exit code.
"""

import os
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any


class HandloreError(Exception):
    """A problem the user can solve.

    The message is one line: what came, what was expected, what to do.
    """

    failures: tuple[tuple[str, str], ...] = ()
    """Inputs that had failed before, and why: perhaps the reason."""


class OptionError(HandloreError):
    """An option has a value that it cannot have: wrong usage."""


class InvalidDataError(HandloreError):
    """A file or array with invalid content."""


class InvalidArgumentError(HandloreError, ValueError):
    """An argument that a Python program gave is out of range or of the wrong shape."""


class NewerFormatError(InvalidDataError):
    """A file written by a later version of handlore than this one."""


def require_known_format(what: str, came: int, known: int, writer: object = "") -> None:
    """Raise NewerFormatError if a version of a file's format is later than what is known.

    ``what`` names the file and what the version is of; ``writer`` what wrote it, if it is known.
    """
    if came > known:
        by = f", written by {writer}" if writer else ""
        raise NewerFormatError(
            f"{what} {came}{by}; this handlore reads up to {known}: `pip install -U handlore`"
        )


def require_type(given: object, kind: type | tuple[type, ...], expected: str) -> Any:
    """Return an argument; HandloreError says what was expected where it is something else."""
    if isinstance(given, kind):
        return given
    raise HandloreError(f"expected {expected}, but got {type(given).__name__}")


@contextmanager
def naming(failures: Iterable[tuple[str, str]]) -> Iterator[None]:
    """Let a HandloreError in the block name inputs that had failed before."""
    try:
        yield
    except HandloreError as error:
        error.failures = tuple(dict.fromkeys((*failures, *error.failures)))
        raise


def counted(n: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, in the singular or plural.

    >>> counted(1, "recording"), counted(2, "recording"), counted(0, "entry", "entries")
    ('1 recording', '2 recordings', '0 entries')
    """
    return f"{n} {noun if n == 1 else plural or f'{noun}s'}"


def near_names(name: str, known: Iterable[str], least: float = 0.6) -> list[str]:
    """Return the known names that a misspelt one may mean, two at most.

    ``least`` is how alike they must be, from 0 to 1 (see ``difflib``).
    """
    return get_close_matches(name, list(known), 2, least)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known names that a misspelt one may mean, joined by "or"; empty if none is near.

    >>> nearest("fits", ["fist", "palm"])
    'fist'
    """
    return " or ".join(near_names(name, known))


def shell_line(*words: object) -> str:
    """Return a command as it is typed: words with spaces and the like are quoted.

    >>> shell_line("handlore", "train", "my gestures", "--out", "gestures.onnx")
    "handlore train 'my gestures' --out gestures.onnx"
    """
    texts = [str(word) for word in words]
    if os.name != "nt":
        return shlex.join(texts)
    # Imported here: this module is part of every start.
    from subprocess import list2cmdline

    return list2cmdline(texts)


def unknown_name(kind: str, name: str, known: Iterable[str]) -> OptionError:
    """Return the error for a name that is not known: the nearest ones, and all there are."""
    known = list(known)
    near = nearest(name, known)
    hint = f"; did you mean {near}?" if near else "."
    return OptionError(f"unknown {kind} {name!r}{hint} Known: {', '.join(known) or 'none'}")
