"""The one pure step of a conversion: some items of a source become landmarks.

A conversion is the batches one after another in the order of the items, so what comes out depends
on inputs and options only: not on where the items were cut, by whom and when they were converted.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from handlore.landmarks.detector import HandDetector
from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import Hand

from .dataset import NONE_LABEL, Header, LandmarkDataset, Samples, concatenate, printable
from .finding import FindOptions, find_hands
from .readahead import reading_ahead
from .sources.registry import Item, Source

Failures = tuple[tuple[str, str], ...]
"""Inputs that could not be read: the file relative to the source, and why."""


@dataclass(frozen=True)
class ConvertOptions(FindOptions):
    """How a source is to be converted."""

    none: str = ""
    """The label of the source that stands for no gesture."""

    drop_conflicts: bool = False
    """Whether pictures that stand under two labels are left out."""


@dataclass(frozen=True)
class Batch:
    """What came of some items."""

    dataset: LandmarkDataset
    """Their samples, possibly none; the header names the detector, and has no log."""

    failures: Failures = ()


@dataclass
class _Frames:
    """What has been found so far, item by item."""

    slots: list[list[Hand | None]] = field(default_factory=list)
    time: list[float] = field(default_factory=list)
    offsets: list[int] = field(default_factory=lambda: [0])
    rows: list[tuple[Item, int, str]] = field(default_factory=list)
    """Of each sample the item, the view and the digest."""

    failures: list[tuple[str, str]] = field(default_factory=list)


def convert_batch(
    source: Source,
    items: Sequence[Item],
    detector: HandDetector | None,
    options: ConvertOptions,
    told: Callable[[int], None] | None = None,
) -> Batch:
    """Find the hands in some items of a source.

    Parameters
    ----------
    source, items
        What to read; an item that cannot be read is listed.
    detector
        An open detector; None for a source that brings landmarks.
    options
        How to do it.
    told
        Called after each item with how many are done.
    """
    found = _Frames()
    with _reader(source, items) as read:
        for done, item in enumerate(items, 1):
            _convert_item(read, item, detector, options, found)
            if told:
                told(done)
    dataset = _dataset(source, found, detector, options)
    return Batch(dataset, tuple(found.failures))


def _reader(source: Source, items: Sequence[Item]) -> AbstractContextManager[Source]:
    # The frames of videos are read as they are asked for, and numbers are read at once.
    if source.kind == "sequence" or source.brings_landmarks:
        return nullcontext(source)
    return reading_ahead(source, items)


def failed_batch(source: Source, item: Item, reason: str) -> Batch:
    """Return what comes of one item that could not be read."""
    dataset = _dataset(source, _Frames(), None, ConvertOptions())
    return Batch(dataset, ((item.source, reason),))


def join_batches(batches: Sequence[Batch]) -> Batch:
    """Put batches together, in order; at least one."""
    full = [batch.dataset for batch in batches if batch.dataset.n_samples]
    dataset = concatenate(full) if full else batches[0].dataset
    return Batch(dataset, tuple(failure for batch in batches for failure in batch.failures))


def _convert_item(
    source: Source,
    item: Item,
    detector: HandDetector | None,
    options: ConvertOptions,
    found: _Frames,
) -> None:
    try:
        samples, sha256 = find_hands(source, item, detector, options)
    except InvalidDataError as error:
        found.failures.append((item.source, str(error)))
        return
    for sample in samples:
        found.slots += sample.slots
        found.time += sample.time
        found.offsets.append(len(found.slots))
        found.rows.append((item, sample.view, sha256))


def _dataset(
    source: Source, found: _Frames, detector: HandDetector | None, options: ConvertOptions
) -> LandmarkDataset:
    items = [item for item, _, _ in found.rows]
    renamed = {options.none: NONE_LABEL} if options.none else {}
    samples = Samples.make(
        [renamed.get(item.label, printable(item.label)) for item in items],
        **{
            column: [printable(getattr(item, column)) for item in items]
            for column in ("group", "session", "recording", "split")
        },
        source=[item.source for item in items],
        view=[view for _, view, _ in found.rows],
        sha256=[sha256 for _, _, sha256 in found.rows],
    )
    header = Header(
        kind=source.kind,
        image_unit=source.image_unit,
        detector=detector.info if detector else None,
    )
    return LandmarkDataset.of_hands(
        found.slots, samples, time=found.time, offsets=found.offsets, header=header
    )
