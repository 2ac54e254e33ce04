"""Names of labels: one label in two spellings, and names that mean no gesture."""

import re
from collections.abc import Iterable

import numpy as np

from .dataset import StrArray

_NO_GESTURE_NAMES = """
none nogesture background idle nothing unknown noclass nohand nosign nongesture neutral negative
other others rest resting relaxed random blank empty
"""
_NO_GESTURE = frozenset(_NO_GESTURE_NAMES.split())
"""Names that data sets have for no gesture, in small letters only. Some may be those of signs, too:
they are only hinted at."""
_SEPARATORS = re.compile(r"(?<=[^\W\d_])[ _-]+(?=[^\W_])|(?<=[^\W_])[ _-]+(?=[^\W\d_])")
"""Between words, or between a word and a number: in ``-1`` and ``1-1`` they mean something."""
_MOST_NAMED = 3


def means_no_gesture(label: str) -> bool:
    """Return whether a label may mean no gesture.

    >>> means_no_gesture("No gesture"), means_no_gesture("fist")
    (True, False)
    """
    return "".join(char for char in label.casefold() if char.isalpha()) in _NO_GESTURE


def same_labels(labels: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Return the known label that each of the others means.

    It differs from exactly one known label, and only in capitals, and in spaces, hyphens and
    underscores between words. Labels that differ so among themselves are different labels.

    >>> same_labels(["Stop inverted", "a", "wave"], ["a", "b", "stop_inverted"])
    {'Stop inverted': 'stop_inverted'}
    """
    given, known = set(labels), set(known)
    spelled, meant = _by_spelling(given), _by_spelling(known)
    return {
        label: meant[plain][0]
        for plain, (label, *others) in sorted(spelled.items())
        if not others and label not in known and len(meant.get(plain, ())) == 1
    }


def renamed(labels: StrArray, names: dict[str, str]) -> StrArray:
    """Return labels (n,) with other names for some."""
    return np.array([names.get(label, label) for label in labels.tolist()], np.str_)


def in_spelling_of(labels: StrArray, known: StrArray) -> StrArray:
    """Return labels (n,) in the spelling of the known ones, see :func:`same_labels`."""
    return renamed(labels, same_labels(labels.tolist(), known.tolist()))


def about_same(names: dict[str, str]) -> str:
    """Return in words which labels count as others: ``A counts as a, B as b and 24 more``."""
    first, *others = names.items()
    pairs = ["{} counts as {}".format(*first), *("{} as {}".format(*one) for one in others)]
    more = f" and {len(pairs) - _MOST_NAMED} more" if len(pairs) > _MOST_NAMED else ""
    return ", ".join(pairs[:_MOST_NAMED]) + more


def _by_spelling(labels: Iterable[str]) -> dict[str, list[str]]:
    """Return the labels by what they are without capitals and separators."""
    spelled = dict[str, list[str]]()
    for label in sorted(labels):
        spelled.setdefault(_SEPARATORS.sub("", label.casefold()), []).append(label)
    return spelled
