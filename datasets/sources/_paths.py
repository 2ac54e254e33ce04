"""What the path of a file says about it: label, person and so on, train or test."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from handlore.landmarks.errors import HandloreError

SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""Names of folders that set the split, in small letters."""

_NAMED = ("label", "group", "session", "recording", "split")
"""The groups that a name pattern may have."""

PATTERN_HELP = (
    "Regular expression with named groups label, group, session, recording, split,"
    " searched for in the path below SOURCE."
)


class NamePattern:
    """What a regular expression reads from the path of a file; an empty one reads nothing."""

    def __init__(self, text: str) -> None:
        try:
            self._pattern = re.compile(text)
        except (re.error, OverflowError, RecursionError) as error:
            raise HandloreError(
                f"--name-pattern {text!r} is not a regular expression: {error}"
            ) from error
        groups = set(self._pattern.groupindex)
        self.has_label = "label" in groups
        if text and (not groups or groups - set(_NAMED)):
            found = ", ".join(sorted(groups - set(_NAMED))) or "none"
            raise HandloreError(
                f"--name-pattern needs named groups such as (?P<label>...), out of"
                f" {', '.join(_NAMED)}; it has {found}"
            )

    def read(self, path: str) -> dict[str, Any] | None:
        """Return what it reads from a path; None if it is not found there."""
        match = self._pattern.search(path)
        if match is None:
            return None
        named = {name: text for name, text in match.groupdict().items() if text}
        if "split" in named:
            named["split"] = SPLITS.get(named["split"].lower(), named["split"])
        return named


def split_off(folders: Sequence[str], fewest: int) -> tuple[str, list[str]]:
    """Take the split from the front of the folders of a file.

    A folder is a split only where at least ``fewest`` folders are there with it: a lone one named
    train is a label. Archives that hold train/train/<label> count as train/<label>.
    """
    rest, split = list(folders), ""
    while len(rest) >= fewest and rest[0].lower() in SPLITS:
        named = SPLITS[rest[0].lower()]
        if split not in ("", named):
            break
        split, rest = named, rest[1:]
    return split, rest


def splits_among(files: Sequence[str], fewest: int) -> frozenset[str]:
    """Return the first folders of files that are splits, see :func:`split_off`.

    Files directly in one of these have no label: they are not labelled train.
    """
    folders = [PurePosixPath(file).parts[:-1] for file in files]
    return frozenset(f[0] for f in folders if len(f) >= fewest and f[0].lower() in SPLITS)


def wrapper_of(files: Sequence[str], below: int = 1) -> str:
    """Return the only folder around train and test, with a slash; else nothing.

    Parameters
    ----------
    files
        Paths relative to the source.
    below
        How many folders a file needs below its split.
    """
    parts = [PurePosixPath(file).parts for file in files]
    tops = {part[0] for part in parts}
    inner = {part[1].lower() if len(part) > below + 2 else "" for part in parts}
    alone = len(tops) == 1 and bool(inner) and inner <= set(SPLITS)
    return f"{tops.pop()}/" if alone else ""
