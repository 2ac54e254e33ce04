"""What a conversion would read, before it starts: labels, people, splits, and what is left out."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

from handlore.landmarks.errors import counted, shell_line
from handlore.landmarks.files import as_path
from handlore.landmarks.untrusted import printable

from ..dataset import NONE_LABEL, listed
from ..labels import means_no_gesture
from ..sources.base import Listing, Source
from .batches import ConvertOptions, scan_source


@dataclass(frozen=True)
class Preview:
    """How a source was understood."""

    source: str
    kind: str
    labels: Mapping[str, int]
    """How many items each label has, ``none`` named."""

    groups: Mapping[str, int]
    """How many items each person or other group has; items without one are not counted."""

    splits: Mapping[str, int]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    none_candidates: tuple[str, ...]
    """Labels that may mean no gesture, if none was said to."""

    person_hint: str = ""
    """How people may be read from the names of the files, if none are known."""

    @classmethod
    def of(cls, source: Source, listing: Listing, options: ConvertOptions) -> Self:
        """Return what there is in a listing."""
        columns = {name: _counts(listing, name) for name in ("label", "group", "split")}
        if options.none:
            labels = columns["label"]
            labels[NONE_LABEL] += labels.pop(printable(options.none), 0)
        known = [name for name in columns["label"] if means_no_gesture(name)]
        unclear = not options.none and NONE_LABEL not in known
        return cls(
            source.name,
            source.kind,
            dict(sorted(columns["label"].items())),
            {name: n for name, n in sorted(columns["group"].items()) if name},
            {name: n for name, n in columns["split"].items() if name},
            tuple(listing.left_out),
            tuple(listing.notes),
            tuple(sorted(known)) if unclear else (),
            "" if any(columns["group"]) else _person_hint(source, listing),
        )

    @property
    def n_items(self) -> int:
        """How many items there are."""
        return sum(self.labels.values())

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {
            "source": self.source,
            "kind": self.kind,
            "n_items": self.n_items,
            "labels": dict(self.labels),
            "groups": dict(self.groups),
            "splits": dict(self.splits),
            "n_ignored": len(self.left_out),
            "left_out": list(self.left_out),
            "notes": list(self.notes),
            "none_candidates": list(self.none_candidates),
        }

    def lines(self) -> Iterator[str]:
        """Yield it as text."""
        items = counted(self.n_items, "clip" if self.kind == "sequence" else "sample")
        yield (
            f"read as {self.source}: {items} of {counted(len(self.labels), 'label')}:"
            f" {_each(self.labels)}"
        )
        yield f"people: {_each(self.groups) or 'not known'}{self.person_hint}"
        if self.splits:
            yield f"splits: {_each(self.splits)}"
        yield from self.notes
        if self.left_out:
            n = len(self.left_out)
            endings = Counter(PurePosixPath(f).suffix.lower() or "no ending" for f in self.left_out)
            yield (
                f"left out because they do not fit the layout {self.source}:"
                f" {counted(n, 'file')} ({_each(dict(endings.most_common()))}),"
                f" such as {printable(self.left_out[0])}"
            )
        if self.none_candidates:
            names = " and ".join(self.none_candidates)
            option = shell_line("--none", self.none_candidates[0])
            yield f"{names} may mean no gesture: {option} makes it `none`"


def _counts(listing: Listing, column: str) -> Counter[str]:
    counts = Counter(printable(getattr(item, column)) for item in listing.items)
    if listing.dataset:
        counts.update(getattr(listing.dataset.samples, column).tolist())
    return counts


def _each(counts: Mapping[str, int]) -> str:
    return listed([f"{name} ({n})" for name, n in counts.items()])


_FIRST_PART = r"(?P<group>[^/_-]+)[_-][^/]*$"
"""The name of a file up to its first sign between parts."""


def _person_hint(source: Source, listing: Listing) -> str:
    """Return how people may be in the names: the first part of most is in files of many labels."""
    if getattr(source, "name_pattern", None) != "" or not listing.items:
        return ""
    labels: dict[str, dict[Path, str]] = defaultdict(dict)
    for item in listing.items:
        match = re.search(_FIRST_PART, item.path.name)
        if match is None:
            return ""
        labels[match["group"]][item.path] = item.label
    shared = sum(len(set(of_file.values())) > 1 for of_file in labels.values())
    if len(labels) < 2 or 2 * shared < len(labels):
        return ""
    first, name = printable(next(iter(labels))), printable(listing.items[0].path.name)
    option = shell_line("--name-pattern", _FIRST_PART)
    return f"; if names of files begin with them, {option} reads {first} in {name}"


def preview(source: Source, root: str | Path, options: ConvertOptions | None = None) -> Preview:
    """Say how a source would be understood, without reading its items.

    Raises
    ------
    HandloreError
        If there is nothing to convert, or the labels are in doubt.

    Examples
    --------
    >>> import handlore
    >>> handlore.preview(handlore.make_source("images"), "photos").labels
    {'fist': 6, 'open_palm': 6, 'point': 6, 'victory': 6}
    """
    options, root = options or ConvertOptions(), as_path(root)
    return Preview.of(source, scan_source(source, root, options), options)
