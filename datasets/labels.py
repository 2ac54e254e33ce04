"""Names of labels: one label in two spellings, and names that mean no gesture."""

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
_SEPARATORS = str.maketrans("", "", " -_")
_MOST_NAMED = 3


def means_no_gesture(label: str) -> bool:
    """Return whether a label may mean no gesture.

    >>> means_no_gesture("No gesture"), means_no_gesture("fist")
    (True, False)
    """
    return "".join(char for char in label.casefold() if char.isalpha()) in _NO_GESTURE


def same_labels(labels: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Return the known label that each of the others means.

    It differs from exactly one known label, and only in capitals, spaces, hyphens and underscores.

    >>> same_labels(["Stop inverted", "a", "wave"], ["a", "b", "stop_inverted"])
    {'Stop inverted': 'stop_inverted'}
    """
    known, meant = sorted(set(known)), dict[str, list[str]]()
    for label in known:
        meant.setdefault(_plain(label), []).append(label)
    others = {label: meant.get(_plain(label), []) for label in sorted({*labels} - {*known})}
    return {label: same[0] for label, same in others.items() if len(same) == 1 and _plain(label)}


def renamed(labels: StrArray, names: dict[str, str]) -> StrArray:
    """Return labels (n,) with other names for some."""
    return np.array([names.get(label, label) for label in labels.tolist()], np.str_)


def about_same(names: dict[str, str]) -> str:
    """Return in words which labels count as others: ``A counts as a, B as b and 24 more``."""
    first, *others = names.items()
    pairs = ["{} counts as {}".format(*first), *("{} as {}".format(*one) for one in others)]
    more = f" and {len(pairs) - _MOST_NAMED} more" if len(pairs) > _MOST_NAMED else ""
    return ", ".join(pairs[:_MOST_NAMED]) + more


def _plain(label: str) -> str:
    return label.casefold().translate(_SEPARATORS)
