"""Which samples train, which test, and what must never be on both sides.

Neighbouring frames, augmented copies of one picture and pictures of one person look alike. A split
that puts them on both sides measures memory, not recognition.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import HandloreError, counted, require_type

from .dataset import NONE_LABEL, LandmarkDataset, listed

By = Literal["group", "session", "recording", "random"]
BY: tuple[By, ...] = ("group", "session", "recording", "random")
_MOST_GROUPS_FOR_ONE_FOLD_EACH = 12
_DEFAULT_FOLDS = 5
_LEAST_LABELS = 2
"""Labels that training needs."""

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Indices of the training samples and of the test samples."""


def training_samples(dataset: LandmarkDataset, split: str | None = None) -> LandmarkDataset:
    """Return what a model may be trained on: split ``train`` or empty, or the split given."""
    wanted = [split] if split else ["train", ""]
    return _of_split(dataset, wanted)


def held_out_samples(
    dataset: LandmarkDataset, split: str | None = None, sizes: Sequence[int] = ()
) -> LandmarkDataset:
    """Return what a model is tested on: split ``test`` where there is one, else all.

    Of a dataset that was joined of files, ``sizes`` are the numbers of their samples: each has a
    split ``test`` or not.
    """
    if not dataset.n_samples:
        raise HandloreError("the data holds no samples")
    if split is not None:
        return _of_split(dataset, [split])
    is_test = dataset.samples.split == "test"
    files = np.split(is_test, np.cumsum(sizes)[:-1]) if sizes else [is_test]
    chosen = np.concatenate([one | ~one.any() for one in files])
    return dataset if chosen.all() else dataset.select(chosen)


def split_counts(dataset: LandmarkDataset) -> Counter[str]:
    """Count the samples of each split, without augmented copies; '' is no split."""
    return Counter(dataset.samples.split[dataset.samples.view == 0].tolist())


def _of_split(dataset: LandmarkDataset, wanted: list[str]) -> LandmarkDataset:
    chosen = np.isin(dataset.samples.split, wanted)
    if not chosen.any():
        found = sorted({str(split) for split in dataset.samples.split})
        there = f"there is: {', '.join(split or '(empty)' for split in found)}"
        if not any(found):
            there = "the data has no splits"
        raise HandloreError(f"no samples in split {' or '.join(map(repr, wanted))}; {there}")
    return dataset.select(chosen)


def strictest_by(dataset: LandmarkDataset) -> By:
    """Return the first of person, session and recording that differs and that all samples have."""
    return next((by for by in BY[:-1] if differs(dataset, by)), "random")


def default_by(dataset: LandmarkDataset, known: Collection[str] = ()) -> By:
    """Return the strictest way to split data that leaves enough to train on.

    Whichever group is left out, training needs two labels, and some gesture has to be shown by
    another group too, unless labels are ``known`` from other samples.
    """
    usable = (
        by for by in BY[:-1] if differs(dataset, by) and (known or not _obstacle(dataset, by))
    )
    return next(usable, "random")


def differs(dataset: LandmarkDataset, by: By) -> bool:
    """Return whether all samples have a name to split by, and not the same one."""
    column = getattr(dataset.samples, by)
    return bool((column != "").all() and len(np.unique(column)) > 1)


def _obstacle(dataset: LandmarkDataset, by: By) -> str:
    """Say why groups cannot be left out in turn: no gesture can be tested, or too little is left.

    Nothing if they can.
    """
    seen = dataset.has_hand
    labels, label_of = np.unique(dataset.samples.label[seen], return_inverse=True)
    groups, group_of = np.unique(getattr(dataset.samples, by)[seen], return_inverse=True)
    shown = np.zeros((len(labels), len(groups)), bool)
    shown[label_of, group_of] = True
    in_several = shown.sum(axis=1) > 1
    n_left = len(labels) - shown[~in_several].sum(axis=0)
    if not (in_several & (labels != NONE_LABEL)).any():
        return f"no two {by}s show the same gesture"
    if (n_left < _LEAST_LABELS).any():
        return f"without one {by}, fewer than {_LEAST_LABELS} labels are left to train on"
    return ""


def groups_of(dataset: LandmarkDataset, by: By | None = None) -> NDArray[Any]:
    """Return a name (n_samples,) for each sample, shared by those that are not to be split."""
    return np.asarray(_groups(dataset, by or strictest_by(dataset)), np.str_)


def doubt_about(dataset: LandmarkDataset, by: By) -> str | None:
    """Say what makes a default split too easy; None if nothing does."""
    how = "random" if by == "random" else f"by {by}"
    if lacking := partly_named(dataset, by):
        return f"{lacking}, so the split is {how}; scores are too high"
    for better in BY[: BY.index(by)]:
        if differs(dataset, better) and (obstacle := _obstacle(dataset, better)):
            return f"{obstacle}, so the split is {how}; scores are too high"
    lonely = [] if by == "random" else _in_one_group(dataset, by)
    if lonely:
        return (
            f"only one {by} shows {listed(lonely)}: when it is tested, training has no example;"
            f" record it in a second {by}"
        )
    return None


def partly_named(dataset: LandmarkDataset, by: By = "random") -> str | None:
    """Say how many samples lack a better name to split by, where others have one; else None."""
    for better in BY[: BY.index(by)]:
        column = getattr(dataset.samples, better)
        missing = int((column == "").sum())
        if 0 < missing < len(column):
            return f"{missing} of {len(column)} samples have no {better}"
    return None


def _of_one_label(groups: NDArray[Any], labels: NDArray[Any]) -> bool:
    pairs = np.unique(np.stack([groups.astype(np.str_), labels]), axis=1)
    return bool(pairs.shape[1] == len(np.unique(groups)))


def untested_labels(dataset: LandmarkDataset, by: By) -> list[str]:
    """Return the labels that only one group shows: when it is tested, training has no example.

    ``none`` is not among them, as it is also the answer where no hand is found. Nothing is returned
    where it would be all labels.
    """
    lonely = [label for label in _in_one_group(dataset, by) if label != NONE_LABEL]
    return [] if len(lonely) == len(set(dataset.labels) - {NONE_LABEL}) else lonely


def require_testable(dataset: LandmarkDataset, by: By, known: Collection[str] = ()) -> None:
    """Refuse data of which no gesture can be tested: one group shows it, and training has no other.

    Gestures that are ``known`` from other samples can be.
    """
    gestures = set(dataset.labels) - {NONE_LABEL}
    if not gestures or gestures - set(_in_one_group(dataset, by)) or gestures & set(known):
        return
    what = "item" if by == "random" else by
    raise HandloreError(
        f"nothing can be tested: each label has only one {what}, so that training has no example"
        f" when it is tested; add a second {what} of each" + other_split(dataset, by)
    )


def other_split(dataset: LandmarkDataset, by: By) -> str:
    """Return the end of a line about a split that leaves too little: which one does not."""
    if by == "random":
        return ""
    better = next((one for one in BY[BY.index(by) + 1 : -1] if differs(dataset, one)), "random")
    return ", or split at random" if better == "random" else f", or split by {better}"


def _in_one_group(dataset: LandmarkDataset, by: By) -> list[str]:
    pairs = np.unique(np.stack([dataset.samples.label, _groups(dataset, by)]), axis=1)
    labels, counts = np.unique(pairs[0], return_counts=True)
    return [str(label) for label in labels[counts == 1]]


def cross_validation(
    dataset: LandmarkDataset, by: By, n_folds: int | None = None, seed: int = 0
) -> Iterator[Fold]:
    """Split a dataset several times into training and test samples; each is tested once.

    The samples of a group stay together; ``random`` keeps only the copies of a picture together.
    Labels are spread evenly there, and where each group shows one, as recordings do. There are
    ``n_folds`` folds, by default one for each group up to 12 groups, else 5; the seed decides the
    order where there is a choice. HandloreError is raised if the data cannot be split so.
    """
    groups = _groups(dataset, by)
    n_folds = fold_count(dataset, by, n_folds)
    labels = dataset.samples.label
    if by != "random" and not _of_one_label(groups, labels):
        # A group that shows several labels brings them all: they count as the same.
        labels = np.zeros_like(groups)
    fold = _dealt_out(groups, labels, n_folds, seed)
    for number in range(n_folds):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)


def fold_count(dataset: LandmarkDataset, by: By, n_folds: int | None = None) -> int:
    """Return how many folds there will be, see :func:`cross_validation`."""
    n_groups = len(np.unique(_groups(dataset, by)))
    if n_groups < 2:
        raise HandloreError(
            f"cross-validation needs at least two {_plural(by)}; there is {n_groups}"
        )
    if n_folds is None:
        few = by != "random" and n_groups <= _MOST_GROUPS_FOR_ONE_FOLD_EACH
        return n_groups if few else min(_DEFAULT_FOLDS, n_groups)
    if not 2 <= require_type(n_folds, Integral, "a number of folds") <= n_groups:
        raise HandloreError(
            f"{counted(n_folds, 'fold')} cannot be made of {n_groups} {_plural(by)}; expected 2 to"
            f" {n_groups}"
        )
    return int(n_folds)


def protocol_words(by: str, n_folds: int | None = None) -> str:
    """Return how samples were cross-validated.

    >>> protocol_words("group", 5), protocol_words("random")
    ('cross-validated by group, 5 folds', 'cross-validated at random')
    """
    how = "at random" if by == "random" else f"by {by}"
    return f"cross-validated {how}" + (f", {n_folds} folds" if n_folds else "")


def n_groups(dataset: LandmarkDataset, by: By) -> int:
    """Return how many groups there are to be split by."""
    return len(np.unique(_groups(dataset, by)))


def is_weaker(by: By, other: By) -> bool:
    """Return whether one way to split is easier for a classifier than another."""
    return BY.index(_checked(by)) > BY.index(_checked(other))


def _checked(by: By) -> By:
    if by not in BY:
        raise HandloreError(
            f"the split is by {by!r}, expected group (the person), session, recording or random"
        )
    return by


def _groups(dataset: LandmarkDataset, by: By) -> NDArray[np.generic]:
    if _checked(by) == "random":
        return _pictures(dataset)
    column: NDArray[np.generic] = getattr(dataset.samples, by)
    missing = int((column == "").sum())
    if missing:
        raise HandloreError(
            f"{missing} of {len(column)} samples have no {by}; split by {strictest_by(dataset)}"
        )
    return column


def _dealt_out(
    groups: NDArray[Any], labels: NDArray[Any], n_folds: int, seed: int
) -> NDArray[np.int64]:
    """Return the fold (n_samples,) of each sample; those of a group share it.

    The groups are shuffled, the large ones come first, and each is put into the
    fold that has the fewest samples of its label so far, then the fewest samples. So no fold is
    empty where there are as many groups as folds.
    """
    names, first, counts = np.unique(groups, return_index=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-counts[order], kind="stable")]
    codes = np.unique(labels, return_inverse=True)[1][first]
    of_label = np.zeros((codes.max() + 1, n_folds), np.int64)
    fold_of = np.zeros(len(names), np.int64)
    for group in order:
        sizes = of_label.sum(axis=0)
        # Empty folds go first, whatever their labels: there are enough groups to fill them all.
        chosen = np.lexsort((sizes, of_label[codes[group]], sizes > 0))[0]
        fold_of[group] = chosen
        of_label[codes[group], chosen] += counts[group]
    return fold_of[np.searchsorted(names, groups)]


def _pictures(dataset: LandmarkDataset) -> NDArray[np.generic]:
    """Return a key for each picture; copies of it under other names share the key."""
    own = np.char.add("file ", dataset.samples.files().astype(np.str_))
    return np.where(dataset.samples.sha256 == "", own, dataset.samples.sha256)


def _plural(by: By) -> str:
    return "different samples" if by == "random" else f"{by}s"
