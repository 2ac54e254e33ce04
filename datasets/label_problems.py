"""Label problems: conflicting labels, duplicates, and classes with hardly any hand."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .dataset import LandmarkDataset, listed

_MIN_ITEMS = 5
"""A class with fewer items that show a hand is nearly empty."""


@dataclass(frozen=True)
class _Conflict:
    """Identical pictures under different labels."""

    labels: tuple[str, ...]
    n: int
    """How many pictures, counted under every label."""
    sources: tuple[str, ...]
    """The first of them and its copies."""


@dataclass(frozen=True)
class LabelProblems:
    """The label problems of a dataset. Items are pictures or clips, not augmented copies."""

    conflicts: tuple[_Conflict, ...]
    """Identical items under different labels; most items first."""
    n_duplicates: int
    """Items that are identical to an earlier one of the same label."""
    detection: Mapping[str, tuple[int, int]]
    """By label: how many items, and in how many a hand was found."""
    one_class_groups: tuple[str, ...]
    """Groups with a single class, where others have more: they cannot show a confusion."""

    @property
    def n_conflicts(self) -> int:
        """How many pictures are under more than one label."""
        return sum(conflict.n for conflict in self.conflicts)

    @property
    def near_empty(self) -> dict[str, int]:
        """The classes with hardly any hand, and how many there are; ``none`` needs no hand."""
        short = {label: found for label, (_, found) in self.detection.items() if found < _MIN_ITEMS}
        return {label: found for label, found in short.items() if label != "none"}

    @property
    def handless(self) -> list[str]:
        """The classes without any hand, where others have some; ``none`` needs no hand."""
        found = {label: hands for label, (_, hands) in self.detection.items() if label != "none"}
        return [label for label, hands in found.items() if not hands] if any(found.values()) else []

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        return {
            "conflicts": self.n_conflicts,
            "conflict_labels": [
                {"labels": list(one.labels), "n": one.n, "such_as": list(one.sources)}
                for one in self.conflicts
            ],
            "duplicates": self.n_duplicates,
            "near_empty": self.near_empty,
            "one_class_groups": list(self.one_class_groups),
        }

    def lines(self) -> Iterator[str]:
        """Yield the problems as text, the most important first, long lists cut."""
        if self.conflicts:
            pairs = [f"{' = '.join(one.labels)} ({one.n})" for one in self.conflicts]
            yield (
                f"{self.n_conflicts} identical items are under two labels or more: {listed(pairs)};"
                f" such as {' = '.join(self.conflicts[0].sources[:2])}"
            )
        if self.near_empty:
            few = [f"{label} ({found})" for label, found in self.near_empty.items()]
            yield f"fewer than {_MIN_ITEMS} items with a hand: {listed(few)}"
        if self.one_class_groups:
            yield f"groups with one class only: {listed(self.one_class_groups)}"
        if self.n_duplicates:
            yield f"{self.n_duplicates} items are identical to another one of the same label"


def find_label_problems(dataset: LandmarkDataset) -> LabelProblems:
    """Find conflicting labels, duplicates, and classes with hardly any hand.

    Items are identical if their digests are; items without a digest are not compared.
    """
    samples, first = dataset.samples, dataset.samples.view == 0
    labels, groups = samples.label[first].tolist(), samples.group[first].tolist()
    found = dataset.has_hand[first].tolist()
    copies: dict[str, list[tuple[str, str]]] = defaultdict(list)
    digests, sources = samples.sha256[first].tolist(), samples.source[first].tolist()
    # Imported clips without any hand are all identical, without being copies.
    imported = dataset.header.detector is None
    for label, source, digest, hand in zip(labels, sources, digests, found, strict=True):
        if digest and (hand or not imported):
            copies[digest].append((label, source))
    repeated = sum(len(rows) - len({label for label, _ in rows}) for rows in copies.values())
    return LabelProblems(
        _conflicts(copies.values()), repeated, _detection(labels, found), _one_class(groups, labels)
    )


def _conflicts(copies: Any) -> tuple[_Conflict, ...]:
    by_labels: dict[tuple[str, ...], list[list[str]]] = defaultdict(list)
    for rows in copies:
        labels = tuple(sorted({label for label, _ in rows}))
        if len(labels) > 1:
            by_labels[labels].append([source for _, source in rows])
    found = [
        _Conflict(labels, sum(map(len, alike)), tuple(alike[0]))
        for labels, alike in by_labels.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.n, one.labels)))


def _detection(labels: Sequence[str], found: Sequence[bool]) -> dict[str, tuple[int, int]]:
    counts: dict[str, list[int]] = {label: [0, 0] for label in sorted(set(labels))}
    for label, hand in zip(labels, found, strict=True):
        counts[label][0] += 1
        counts[label][1] += hand
    return {label: (n, with_hand) for label, (n, with_hand) in counts.items()}


def _one_class(groups: Sequence[str], labels: Sequence[str]) -> tuple[str, ...]:
    classes = defaultdict(set)
    for group, label in zip(groups, labels, strict=True):
        classes[group].add(label)
    classes.pop("", None)
    if len(set(labels)) < 2:
        return ()
    return tuple(sorted(group for group, shown in classes.items() if len(shown) == 1))
