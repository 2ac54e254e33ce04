"""Errors whose message a user can act on.

Every room raises them; the command line turns them into one line and an exit code.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class HandloreError(Exception):
    """A problem the user can solve.

    The message is one line: what came, what was expected, what to do.
    """


class InvalidDataError(HandloreError):
    """A file or array with invalid content."""


class NewerFormatError(InvalidDataError):
    """A file written by a later version of handlore than this one."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known names that a misspelt one may mean, joined by "or"; empty if none is near.

    >>> nearest("fits", ["fist", "palm"])
    'fist'
    """
    return " or ".join(get_close_matches(name, list(known), 2))
