"""What may be meant where folders leave a doubt about the labels: options for each reading."""

import re
from collections.abc import Sequence

from ..files import spread
from ..layouts.words import MEANINGS, Pattern, all_are, names_no_gesture, people_in
from .base import LabelReading

_MOST = 5000

_STEM = r"(?P<label>[^/]+?)[ _-]*\d*(?:\.\w+)?$"
"""The name of the file, without the number at its end."""

_PERSON_AND_LABEL = (
    r"(?:^|/)(?P<group>[A-Za-z]+\d+)[ _-](?P<label>[^/]+?)[ _-]*\d*(?:\.\w+)?$",
    r"(?:^|/)(?P<label>[^/]+?)[ _-](?P<group>[A-Za-z]+\d+)(?:[ _-]\d+)?(?:\.\w+)?$",
)
"""The person before or behind the label."""

_WORD = r"(?:^|/)(?P<label>[^\W_]+)[^/]*$"
"""The first word of the file's name."""


def likely_readings(files: Sequence[str], n: int = 2) -> list[LabelReading]:
    """Return the likeliest ways to read labels from paths, the best first.

    Each level of folders that (nearly) all files have is one, the name of the file another, and
    one label for everything the last. Of many files a sample is looked at.
    """
    files = spread(files, _MOST)
    named = [pattern for pattern in _PERSON_AND_LABEL if _people(files, pattern)]
    patterns = [_level(files, depth) for depth in range(_depth(files))] + [*named, _STEM]
    found = [(pattern, _labels(files, pattern)) for pattern in patterns]
    ranked = sorted(found, key=lambda one: -_worth(one[1], len(files)))
    readings = [
        LabelReading({"name_pattern": pattern}, labels)
        for pattern, labels in ranked
        if _worth(labels, len(files)) > 0
        and not (pattern == _STEM and all_are(Pattern.NUMBER, labels))
    ]
    one = next((labels[0] for _, labels in found if len(labels) == 1), "NAME")
    word = LabelReading({"name_pattern": _WORD}, _labels(files, _WORD))
    return [*readings, LabelReading({"label": one}, [one]), word][:n]


def _depth(files: Sequence[str]) -> int:
    depths = sorted(len(file.split("/")) - 1 for file in files)
    return depths[len(depths) // 10] if depths else 0


def _level(files: Sequence[str], depth: int) -> str:
    """Return the pattern of a level of folders; people above it become the group."""
    levels = [
        {parts[level] for file in files if len(parts := file.split("/")) > depth + 1}
        for level in range(depth)
    ]
    group = next((k for k, names in enumerate(levels) if all_are(Pattern.PERSON, names)), -1)
    above = ("(?P<group>[^/]+)/" if level == group else "[^/]+/" for level in range(depth))
    return f"^{''.join(above)}(?P<label>[^/]+)/"


def _labels(files: Sequence[str], pattern: str) -> list[str]:
    matches = (re.search(pattern, file) for file in files)
    return sorted({match["label"] for match in matches if match})


def _people(files: Sequence[str], pattern: str) -> bool:
    """Say whether a pattern finds people in all names."""
    matches = [re.search(pattern, file) for file in files]
    found = {match["group"] for match in matches if match}
    return all(matches) and len(found) > 1 and all_are(Pattern.PERSON, found)


def _worth(labels: Sequence[str], n_files: int) -> float:
    """Return how likely labels are: few, and named like gestures; 0 = they cannot be labels."""
    if len(labels) < 2:
        return 0.0
    odd = sum(names_no_gesture(label) for label in labels) / len(labels)
    index = any(all_are(kind, labels) for kind in MEANINGS) or people_in(labels)
    each = 2 * len(labels) > n_files > 2
    return 2.0 - odd - 0.5 * index - 0.6 * each
