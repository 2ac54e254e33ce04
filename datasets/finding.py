"""From one item of a source to the hands in its frames.

Three ways lead there: a still is searched, stage by stage; the frames of a video are tracked, and
those that lost the hand are searched; landmarks that a source brings are taken as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import isnan

from handlore.landmarks.detector import HandDetector
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.hands import Hand, Pixels, by_slot
from handlore.landmarks.search import STAGES, Stage, search, seen_as, seen_in_views

from .sources.registry import Clip, Item, LandmarkClip, Source


@dataclass(frozen=True)
class FindOptions:
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
class Sample:
    """What was found in one item, frame by frame."""

    slots: list[list[Hand | None]] = field(default_factory=list)
    """For each frame the hand in each slot."""

    time: list[float] = field(default_factory=list)
    """Seconds from the start of the item."""

    view: int = 0
    """0 = the item itself."""


def find_hands(
    source: Source, item: Item, detector: HandDetector | None, options: FindOptions
) -> tuple[list[Sample], str]:
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
    source: Source, clip: Clip, detector: HandDetector, options: FindOptions
) -> list[Sample]:
    """Search a picture, and look at what is found in more views."""
    samples = []
    for seconds, pixels in clip.frames:
        hands = search(detector, pixels, options.stages, silhouette=source.silhouettes)
        if options.min_score > 0:
            hands = _sure(detector, pixels, hands, options.min_score)
        slots = by_slot(hands, options.max_hands)
        samples.append(Sample([slots], [seconds]))
        views = seen_in_views(detector, pixels, slots, options.views)
        samples += [Sample([slots], [seconds], view) for view, slots in views]
    if not samples:
        raise InvalidDataError("it has no frames")
    return samples


def _sure(
    detector: HandDetector, pixels: Pixels, hands: Sequence[Hand], min_score: float
) -> list[Hand]:
    """Return the hands with at least this score; it is measured where it is not known."""
    scored = [
        replace(hand, score=detector.look(seen_as(hand, pixels), hand)[0].score)
        if isnan(hand.score)
        else hand
        for hand in hands
    ]
    return [hand for hand in scored if hand.score >= min_score]


def _tracked(
    source: Source, item: Item, clip: Clip, detector: HandDetector, options: FindOptions
) -> Sample:
    """Track a video; search the frames in which the hand was lost in a second pass."""
    detector.reset()
    sample, last = Sample(), -1.0
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


def _lost(sample: Sample) -> set[int]:
    """Return the frames without a hand between two frames with one."""
    seen = [number for number, slots in enumerate(sample.slots) if any(slots)]
    return {lost for one, next_one in pairwise(seen) for lost in range(one + 1, next_one)}


def _taken(clip: LandmarkClip, max_hands: int) -> Sample:
    """Take landmarks as they are; with room for one hand, the side that is seen most often."""
    frames = [list(hands) for _, hands in clip.frames]
    if max_hands == 1 and not clip.one_hand:
        sides = [hand.side for hands in frames for hand in hands]
        side = max(dict.fromkeys(sides), key=sides.count, default=None)
        frames = [[hand for hand in hands if hand.side == side] for hands in frames]
    slots = [by_slot(hands, max_hands) for hands in frames]
    return Sample(slots, [seconds for seconds, _ in clip.frames])
