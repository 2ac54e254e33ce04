"""The pure step of a conversion: some items of a source become landmarks.

A conversion is its batches in the order of the items, so the result depends on inputs and options
only: not on how the items were divided, nor on who converted them when.
"""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Self
from unicodedata import normalize

import numpy as np

from handlore.landmarks.detector import HandDetector
from handlore.landmarks.errors import HandloreError, InvalidDataError, require_type
from handlore.landmarks.hands import Hand
from handlore.landmarks.untrusted import printable, reason

from ..dataset import NONE_LABEL, Header, LandmarkDataset, Samples, concatenate, listed
from ..layouts.words import spelled_alike
from ..sources.base import Clip, Item, LandmarkClip, Listing, Source, UnclearLabelsError
from ..tracking import SearchOptions, find_hands
from ..validation import label_problem

Failures = tuple[tuple[str, str], ...]
"""Inputs that could not be read: the file relative to the source, and why."""
_Read = Callable[[], Clip | LandmarkClip]
"""Returns what is in an item."""
_TEXT_COLUMNS = ("group", "session", "recording", "split")


@dataclass(frozen=True)
class ConvertOptions(SearchOptions):
    """How a source is converted."""

    none: str = ""
    """The label of the source that means no gesture."""
    drop_conflicts: bool = False
    """Whether pictures under two labels are left out."""


@dataclass(frozen=True)
class Batch:
    """The result of some items."""

    dataset: LandmarkDataset
    """Their samples, possibly none; the header names the detector, and has no log."""
    failures: Failures = ()

    @classmethod
    def ready(cls, dataset: LandmarkDataset, options: ConvertOptions) -> Self:
        """Return samples that need no reading, as a batch of their source."""
        own = dataset.samples
        samples = _table(
            own.label.tolist(),
            {name: getattr(own, name).tolist() for name in _TEXT_COLUMNS},
            options,
            source=own.source.tolist(),
            view=own.view,
            sha256=own.sha256.tolist(),
        )
        header = Header(kind=dataset.header.kind, image_unit=dataset.header.image_unit)
        fitted = _with_n_hands(dataset, options.max_hands)
        return cls(replace(fitted, samples=samples, header=header))

    @classmethod
    def failed(cls, source: Source, item: Item, reason: str) -> Self:
        """Return the result of one item that could not be read."""
        dataset = _dataset(source, _FoundHands(), None, ConvertOptions())
        return cls(dataset, ((item.source, reason),))

    @classmethod
    def joined(cls, batches: "Sequence[Batch]") -> Self:
        """Put batches together, in order; at least one."""
        full = [batch.dataset for batch in batches if batch.dataset.n_samples]
        dataset = concatenate(full) if full else batches[0].dataset
        return cls(dataset, tuple(failure for batch in batches for failure in batch.failures))


@dataclass
class _FoundHands:
    """What has been found so far, item by item."""

    slots: list[list[Hand | None]] = field(default_factory=list)
    time: list[float] = field(default_factory=list)
    offsets: list[int] = field(default_factory=lambda: [0])
    rows: list[tuple[Item, int, str]] = field(default_factory=list)
    """Of each sample the item, the number of the augmented copy, and the digest."""
    failures: list[tuple[str, str]] = field(default_factory=list)


def scan_source(source: Source, root: Path, options: ConvertOptions) -> Listing:
    """List the items of a source; refuse none, and options that do not apply to them."""
    require_type(source, Source, 'a source such as make_source("images")')
    require_type(options, ConvertOptions, "options such as ConvertOptions(augment=2)")
    for name in ("augment", "min_score"):
        if getattr(options, name) and (source.brings_landmarks or source.kind != "pose"):
            flag = f"--{name.replace('_', '-')}"
            raise HandloreError(f"{flag} is for single pictures, and {source.name} has none")
    listing = source.scan(root)
    if listing.doubt:
        raise UnclearLabelsError(source, root, listing)
    if not listing.n_items:
        raise HandloreError(f"{root} holds nothing of the layout {source.name}: {source.layout}")
    labels = listing.labels
    if alike := spelled_alike(labels):
        note = f"labels that differ only in capitals or signs are different labels: {listed(alike)}"
        listing = replace(listing, notes=[*listing.notes, note])
    if options.none and normalize("NFC", options.none) not in labels:
        raise HandloreError(f"no class {options.none!r} in {root}; it has: {', '.join(labels)}")
    return listing


def convert_batch(
    source: Source,
    items: Sequence[Item],
    detector: HandDetector | None,
    options: ConvertOptions,
    progress: Callable[[int], None] | None = None,
) -> Batch:
    """Find the hands in some items of a source; an item that cannot be read is listed.

    ``detector`` is None for a source that brings landmarks; ``progress`` is called after each item
    with how many are done.
    """
    found = _FoundHands()
    with closing(_reads(source, items)) as reads:
        for done, (item, read) in enumerate(reads, 1):
            _convert_item(source, item, read, detector, options, found)
            if progress:
                progress(done)
    dataset = _dataset(source, found, detector, options)
    return Batch(dataset, tuple(found.failures))


def _convert_item(
    source: Source,
    item: Item,
    read: _Read,
    detector: HandDetector | None,
    options: ConvertOptions,
    found: _FoundHands,
) -> None:
    try:
        if why := label_problem(printable(item.label)):
            raise InvalidDataError(why)
        clip = read()
        samples = find_hands(source, clip, detector, options)
    except InvalidDataError as error:
        found.failures.append((item.source, str(error)))
        return
    except MemoryError as error:
        found.failures.append((item.source, reason(error)))
        return
    for sample in samples:
        found.slots += sample.slots
        found.time += sample.time
        found.offsets.append(len(found.slots))
        found.rows.append((item, sample.copy, clip.sha256))


def _dataset(
    source: Source, found: _FoundHands, detector: HandDetector | None, options: ConvertOptions
) -> LandmarkDataset:
    items = [item for item, _, _ in found.rows]
    samples = _table(
        [item.label for item in items],
        {column: [getattr(item, column) for item in items] for column in _TEXT_COLUMNS},
        options,
        source=[item.source for item in items],
        view=[copy for _, copy, _ in found.rows],
        sha256=[sha256 for _, _, sha256 in found.rows],
    )
    info = detector.info if detector else None
    header = Header(kind=source.kind, image_unit=source.image_unit, detector=info)
    return LandmarkDataset.of_hands(
        found.slots, samples, time=found.time, offsets=found.offsets, header=header
    )


def _table(
    labels: Sequence[str], texts: dict[str, list[str]], options: ConvertOptions, **columns: Any
) -> Samples:
    """Make the table of samples, with text that is safe to print and the class ``none`` named."""
    renamed = {normalize("NFC", options.none): NONE_LABEL} if options.none else {}
    return Samples.make(
        [renamed.get(label, printable(label)) for label in labels],
        **{name: [printable(text) for text in values] for name, values in texts.items()},
        **columns,
    )


def _with_n_hands(dataset: LandmarkDataset, n_hands: int) -> LandmarkDataset:
    """Return a dataset with another number of slots.

    As in :func:`~..tracking.find_hands`: of two slots those hands are kept that have the side seen
    most often in the sample; one slot becomes the left or the right one by the side of the hand.
    """
    if dataset.n_hands == n_hands:
        return dataset
    sides = np.where(dataset.detected, _sides(dataset), -1)
    if n_hands == 2:
        slots = np.stack([np.where(sides[:, 0] != 1, 0, -1), np.where(sides[:, 0] == 1, 0, -1)], 1)
    else:
        lengths = np.diff(dataset.offsets)
        bounds = zip(dataset.offsets[:-1], dataset.offsets[1:], strict=True)
        most = np.repeat([_most_frequent(sides[a:b].ravel()) for a, b in bounds], lengths)
        same = sides == most[:, None]
        slots = np.where(same.any(axis=1), same.argmax(axis=1), -1)[:, None]
    return _rearranged(dataset, slots)


def _sides(dataset: LandmarkDataset) -> Any:
    """Return (n_frames, n_hands) 1 for right hands, 0 for left ones, 2 where it is not known."""
    unknown = np.isnan(dataset.handedness)
    return np.where(unknown, 2, (dataset.handedness >= 0.5).astype(np.int64))


def _most_frequent(sides: Any) -> int:
    """Return the most frequent side, the first one seen of several; -2 if there is no hand."""
    values, first, counts = np.unique(sides[sides >= 0], return_index=True, return_counts=True)
    return int(values[np.lexsort((first, -counts))[0]]) if len(values) else -2


def _rearranged(dataset: LandmarkDataset, slots: Any) -> LandmarkDataset:
    """Return a dataset whose slots (n_frames, n_hands) are taken from these slots, -1 = empty."""
    rows = np.arange(dataset.n_frames)[:, None]
    arrays = {}
    for name in ("image", "world", "handedness", "score", "stage"):
        taken = getattr(dataset, name)[rows, slots]
        taken[slots < 0] = -1 if name == "stage" else np.nan
        arrays[name] = taken
    return replace(dataset, **arrays)


# Reading the next item while the hands of this one are searched for.
#
# *Measured* with one process on two cores: 1.03 to 1.08 times as fast on HGR1's photos, 1.21 to
# 1.39 times on rendered PNG files, at the same processor time; so it costs nothing where processes
# share the cores.


def _reads(source: Source, items: Sequence[Item]) -> Generator[tuple[Item, _Read], None, None]:
    """Yield each item with a function that returns what is in it, or raises why it cannot be read.

    A thread reads one item ahead, so memory holds one more picture; at the end it is gone. The
    frames of videos are read as they are asked for, and numbers are read at once.
    """
    if source.kind == "sequence" or source.brings_landmarks:
        yield from ((item, partial(source.read, item)) for item in items)
        return
    with ThreadPoolExecutor(1, "read ahead") as thread:
        futures = ((item, thread.submit(source.read, item)) for item in items)
        following = next(futures, None)
        try:
            while following:
                (item, future), following = following, next(futures, None)
                yield item, future.result
        finally:
            if following:
                following[1].cancel()
