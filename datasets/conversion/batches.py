"""The one pure step of a conversion: some items of a source become landmarks.

A conversion is the batches one after another in the order of the items, so what comes out depends
on inputs and options only: not on where the items were cut, by whom and when they were converted.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import isnan
from pathlib import Path
from typing import Any, cast

from handlore.landmarks.detector import HandDetector
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.hands import Hand, Pixels, by_slot
from handlore.landmarks.search import STAGES, Stage, as_searched, augmented_hands, search

from ..dataset import NONE_LABEL, Header, LandmarkDataset, Samples, concatenate, printable
from ..sources.base import Clip, Item, LandmarkClip, Source

# From one item of a source to the hands in its frames.
#
# Three ways lead there: a still is searched, stage by stage; the frames of a video are tracked,
# and those that lost the hand are searched; landmarks that a source brings are taken as they are.


@dataclass(frozen=True)
class SearchOptions:
    """How hands are to be found."""

    max_hands: int = 1
    """How many hands a frame has room for."""

    stages: Sequence[Stage] = STAGES
    """What the search for hands tries."""

    views: int = 0
    """How many more renderings of each picture, turned, scaled and mirrored, are looked at: each
    becomes a sample that shares the picture's source."""

    min_score: float = 0.0
    """Hands in stills with a lower score are left out. Detectors that give no score look again."""

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        if not 0 <= self.min_score <= 1:
            raise HandloreError(f"min_score is {self.min_score}, expected a number from 0 to 1")


@dataclass
class HandsInItem:
    """What was found in one item, frame by frame."""

    slots: list[list[Hand | None]] = field(default_factory=list)
    """For each frame the hand in each slot."""

    time: list[float] = field(default_factory=list)
    """Seconds from the start of the item."""

    view: int = 0
    """0 = the item itself."""


def find_hands(
    source: Source, item: Item, detector: HandDetector | None, options: SearchOptions
) -> tuple[list[HandsInItem], str]:
    """Find the hands in one item.

    Parameters
    ----------
    source, item
        What to read.
    detector
        An open detector; None for a source that brings landmarks.
    options
        How to do it.

    Returns
    -------
    The samples that the item makes, and the digest of what was read.

    Raises
    ------
    InvalidDataError
        If the item cannot be read, or has no frames.
    """
    clip = source.read(item)
    if isinstance(clip, LandmarkClip):
        sample = _taken(clip, options.max_hands)
    elif detector is None:
        raise ValueError(f"source {source.name} has pictures, which need a detector")
    elif source.kind == "sequence":
        sample = _tracked(source, item, clip, detector, options)
    else:
        return _searched(source, clip, detector, options), clip.sha256
    if not sample.slots:
        raise InvalidDataError("it has no frames")
    return [sample], clip.sha256


def _searched(
    source: Source, clip: Clip, detector: HandDetector, options: SearchOptions
) -> list[HandsInItem]:
    """Search a picture, and look at what is found in more views."""
    samples = []
    for seconds, pixels in clip.frames:
        hands = search(detector, pixels, options.stages, silhouette=source.silhouettes)
        if options.min_score > 0:
            hands = _sure(detector, pixels, hands, options.min_score)
        slots = by_slot(hands, options.max_hands)
        samples.append(HandsInItem([slots], [seconds]))
        views = augmented_hands(detector, pixels, slots, options.views)
        samples += [HandsInItem([slots], [seconds], view) for view, slots in views]
    if not samples:
        raise InvalidDataError("it has no frames")
    return samples


def _sure(
    detector: HandDetector, pixels: Pixels, hands: Sequence[Hand], min_score: float
) -> list[Hand]:
    """Return the hands with at least this score; it is measured where it is not known."""
    scored = [
        replace(hand, score=detector.detect_again(as_searched(hand, pixels), hand)[0].score)
        if isnan(hand.score)
        else hand
        for hand in hands
    ]
    return [hand for hand in scored if hand.score >= min_score]


def _tracked(
    source: Source, item: Item, clip: Clip, detector: HandDetector, options: SearchOptions
) -> HandsInItem:
    """Track a video; search the frames in which the hand was lost in a second pass."""
    detector.reset()
    sample, last = HandsInItem(), -1.0
    for seconds, pixels in clip.frames:
        # Detectors count milliseconds; two frames within one are two all the same.
        last = max(seconds, last + 0.001)
        sample.slots.append(by_slot(detector.track(pixels, last), options.max_hands))
        sample.time.append(seconds)
    detector.reset()
    lost = _lost(sample)
    again = source.read(item) if lost else None
    if isinstance(again, Clip):
        for number, (_, pixels) in enumerate(again.frames):
            if number in lost:
                hands = search(detector, pixels, options.stages)
                sample.slots[number] = by_slot(hands, options.max_hands)
    return sample


def _lost(sample: HandsInItem) -> set[int]:
    """Return the frames without a hand between two frames with one."""
    seen = [number for number, slots in enumerate(sample.slots) if any(slots)]
    return {lost for one, next_one in pairwise(seen) for lost in range(one + 1, next_one)}


def _taken(clip: LandmarkClip, max_hands: int) -> HandsInItem:
    """Take landmarks as they are; with room for one hand, the side that is seen most often."""
    frames = [list(hands) for _, hands in clip.frames]
    if max_hands == 1 and not clip.one_hand:
        sides = [hand.side for hands in frames for hand in hands]
        side = max(dict.fromkeys(sides), key=sides.count, default=None)
        frames = [[hand for hand in hands if hand.side == side] for hands in frames]
    slots = [by_slot(hands, max_hands) for hands in frames]
    return HandsInItem(slots, [seconds for seconds, _ in clip.frames])


# Reading the next item while the hands of this one are sought.
#
# *Measured* with one process on two cores: 1.03 to 1.08 times as fast on HGR1's photos, 1.21 to
# 1.39 times on rendered PNG files, at the same processor time; so it costs nothing where processes
# share the cores.


@contextmanager
def reading_ahead(source: Source, items: Sequence[Item]) -> Iterator[Source]:
    """Give a source of which a thread has read the next item already.

    What reading raises is raised when the item is asked for. One item is read ahead, so one more
    picture lies in memory; in the end nothing is left running.

    Parameters
    ----------
    source
        What to read. Its ``read`` is called in another thread, and in this one for items that are
        asked for a second time.
    items
        The items, in the order in which they will be asked for.
    """
    with ThreadPoolExecutor(1, "read ahead") as thread:
        ahead = _Ahead(source, items, thread)
        try:
            yield cast(Source, ahead)
        finally:
            ahead.stop()


class _Ahead:
    """Looks like the source."""

    def __init__(self, source: Source, items: Sequence[Item], thread: ThreadPoolExecutor) -> None:
        self._source, self._thread = source, thread
        self._coming = iter(items)
        self._item: Item | None = None
        self._future: Future[Clip | LandmarkClip] | None = None
        self._read_next()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def read(self, item: Item) -> Clip | LandmarkClip:
        if self._future is None or item is not self._item:
            return self._source.read(item)
        future = self._future
        self._read_next()
        return future.result()

    def stop(self) -> None:
        if self._future is not None:
            self._future.cancel()

    def _read_next(self) -> None:
        self._item = next(self._coming, None)
        self._future = (
            None if self._item is None else self._thread.submit(self._source.read, self._item)
        )


Failures = tuple[tuple[str, str], ...]
"""Inputs that could not be read: the file relative to the source, and why."""


@dataclass(frozen=True)
class ConvertOptions(SearchOptions):
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


def items_of(source: Source, root: Path, options: ConvertOptions) -> list[Item]:
    """List the items of a source.

    Raises
    ------
    HandloreError
        If there are none, or the class that is to be ``none`` is not among theirs.
    """
    for name in ("views", "min_score"):
        if getattr(options, name) and (source.brings_landmarks or source.kind != "pose"):
            flag = f"--{name.replace('_', '-')}"
            raise HandloreError(f"{flag} is for single pictures, and {source.name} has none")
    items = source.items(root)
    if not items:
        raise HandloreError(f"{root} holds nothing of the layout {source.name}: {source.layout}")
    labels = sorted({item.label for item in items})
    if options.none and options.none not in labels:
        raise HandloreError(f"no class {options.none!r} in {root}; it has: {', '.join(labels)}")
    return items
