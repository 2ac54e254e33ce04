"""Streams in a dataset: what was cut into samples is put together again, with its times."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from handlore.datasets.dataset import NONE_LABEL, LabelledInterval, LandmarkDataset, Samples

from .events import Event

PICTURE_SECONDS = 1.0
"""A picture is taken for a pose that is held for so many seconds."""

_PICTURE_FRAMES = 11
"""So often it is seen in that time: a recogniser takes a hand that it does not see for a third of
a second for one that was away."""


@dataclass(frozen=True, eq=False)
class Stream:
    """Frames that follow one another, and what they show when."""

    name: str
    """The file that it comes from."""

    video: LandmarkDataset
    """One sample; its times rise."""

    truths: tuple[LabelledInterval, ...]
    """In order; what is ``none`` is left out."""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return float(np.ptp(self.video.time)) if len(self.video.time) else 0.0


def dataset_streams(dataset: LandmarkDataset) -> Iterator[Stream]:
    """Yield the streams of a dataset.

    Samples that follow one another and are parts of one recording (``walk.mp4#0``, ``walk.mp4#1``
    with the same ``recording``) are one stream; any other clip is a stream of its own, in which
    its label is shown all the time. A picture is held for a second; other views are left out.
    """
    samples = dataset.samples
    own = np.flatnonzero(samples.view == 0)
    keys = [_key(str(samples.recording[i]), str(samples.source[i]), int(i)) for i in own]
    starts = [n for n, key in enumerate(keys) if n == 0 or key != keys[n - 1]]
    for first, last in zip(starts, [*starts[1:], len(own)], strict=True):
        yield _joined(dataset, keys[first][1], own[first:last].tolist())


def _key(recording: str, source: str, number: int) -> tuple[int, str]:
    """Return what parts of one stream share."""
    whole, part, _ = source.rpartition("#")
    return (-1, whole) if recording and part else (number, source)


def _joined(dataset: LandmarkDataset, name: str, parts: list[int]) -> Stream:
    frames, time, truths, now = [], [], [], 0.0
    for part in parts:
        own = np.arange(dataset.offsets[part], dataset.offsets[part + 1])
        seconds = dataset.time[own] - dataset.time[own[0]]
        if dataset.header.kind == "pose":
            own = np.repeat(own, _PICTURE_FRAMES)
            seconds = np.linspace(0.0, PICTURE_SECONDS, _PICTURE_FRAMES)
        # A frame lasts until the next one comes, and the last one as long as they usually do.
        lasts = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 0.0
        frames.append(own)
        time.append(now + seconds)
        label = str(dataset.samples.label[part])
        if label != NONE_LABEL:
            truths.append(LabelledInterval(label, now, now + float(seconds[-1])))
        now += float(seconds[-1]) + lasts
    every = np.concatenate(frames)
    arrays = {array: getattr(dataset, array)[every] for array in _ARRAYS}
    video = LandmarkDataset(
        **arrays,
        time=np.concatenate(time),
        offsets=np.array([0, len(every)]),
        samples=Samples.make(["?"], source=[name]),
        header=replace(dataset.header, kind="sequence"),
    )
    return Stream(name, video, tuple(truths))


_ARRAYS = ("image", "world", "handedness", "score", "stage")


# What a recogniser told, beside what was shown.


MAX_EARLY = 1.0
"""An event may begin up to so many seconds before what it tells."""


@dataclass(frozen=True)
class StreamScore:
    """Events and gestures of one stream, or of many."""

    found: tuple[tuple[LabelledInterval, Event], ...] = ()
    missed: tuple[LabelledInterval, ...] = ()
    false: tuple[Event, ...] = ()
    """Told outside any gesture, with a wrong label, or once more."""

    def __add__(self, other: "StreamScore") -> "StreamScore":
        return StreamScore(
            self.found + other.found, self.missed + other.missed, self.false + other.false
        )

    @property
    def n(self) -> int:
        """How many gestures were made."""
        return len(self.found) + len(self.missed)


def score_stream(events: Sequence[Event], truths: Sequence[LabelledInterval]) -> StreamScore:
    """Compare what was told of a stream with what was shown.

    A gesture is found by an event with its label that begins while it is shown or up to
    :data:`MAX_EARLY` seconds before, and ends after its start. Each finds one gesture at most, each
    gesture counts once.
    """
    left, found, false = list(truths), [], []
    for event in events:
        own = next((truth for truth in left if _finds(event, truth)), None)
        if own is None:
            false.append(event)
        else:
            left.remove(own)
            found.append((own, event))
    return StreamScore(tuple(found), tuple(left), tuple(false))


def _finds(event: Event, truth: LabelledInterval) -> bool:
    begins = truth.start - MAX_EARLY <= event.start <= truth.end
    return event.label == truth.label and begins and event.end > truth.start
