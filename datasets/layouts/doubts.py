"""Why labels that were read from folders may not be what anybody meant."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from ..dataset import listed
from . import words

MANY = 50
"""So many labels are a vocabulary, in which train, test, picture and video are signs."""


def why_unclear(labels: Iterable[str], root: str = "") -> str:
    """Say why labels that were read from folders may not be what anybody meant."""
    found = sorted(set(labels))
    if not found:
        return "no folder names a gesture"
    if len(found) == 1:
        return f"everything would get one label, {found[0]}"
    odd = [name for name in found if words.names_no_gesture(name, {words.letters(root)})]
    plain = [name for name in odd if not words.is_also_a_word(name)]
    if len(found) < MANY and (plain or 4 * len(odd) > len(found)):
        return f"{listed(plain or odd)} would become labels"
    repeated = _numbered_alike(found) or _spelled_alike(found)
    if repeated and len(found) < MANY:
        return f"{listed(repeated)} would become different labels"
    if words.people_in(found):
        return f"the labels would be {listed(found)}, in which people are named"
    if words.are_padded(found):
        return f"the labels would be {listed(found)}, which look like numbers of people or clips"
    for kind, what in words.MEANINGS.items():
        if words.all_are(kind, found):
            return f"the labels would be {listed(found)}, which look like {what}"
    return ""


def _spelled_alike(labels: Sequence[str]) -> list[str]:
    """Return words that differ only in capitals and signs, Thumbs_up and thumbs up; letters may."""
    same = defaultdict(list)
    for label in labels:
        same[re.sub(r"[ _-]", "", label.casefold())].append(label)
    return [one for key, found in same.items() if len(key) > 3 and len(found) > 1 for one in found]


def _numbered_alike(labels: Sequence[str]) -> list[str]:
    """Return labels that differ only in their number, where others have other words."""
    stems = defaultdict(list)
    for label in labels:
        stems[re.sub(r"[ _-]*\(?\d+\)?$", "", label)].append(label)
    alike = [label for same in stems.values() if len(same) > 1 for label in same]
    counted = len(stems) > 1 and "" not in stems and 2 * len(stems) <= len(labels) + 1
    return alike if counted else []
