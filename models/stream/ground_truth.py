"""Streams with labelled intervals, and the score of events against them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from handlore.datasets.dataset import NONE_LABEL, LabelledInterval, LandmarkDataset, Samples
from handlore.landmarks.errors import InvalidDataError

from .events import Event

PICTURE_SECONDS = 1.0
"""A picture counts as a pose that is held for this long."""
_PICTURE_FRAMES = 11
"""Frames of a held picture: gaps stay below :data:`~.frames.MAX_FRAME_GAP`."""
_MAX_EARLY = 1.0
"""Seconds by which an event may start before its gesture."""


@dataclass(frozen=True, eq=False)
class Stream:
    """Consecutive frames, and the gestures that they show."""

    name: str
    """The file that it comes from."""
    video: LandmarkDataset
    """One sample; its times rise."""
    ground_truth: tuple[LabelledInterval, ...]
    """The gestures in order, without ``none``."""

    @property
    def seconds(self) -> float:
        """Duration."""
        return float(np.ptp(self.video.time)) if len(self.video.time) else 0.0


def dataset_streams(dataset: LandmarkDataset) -> Iterator[Stream]:
    """Yield the streams of a dataset.

    Consecutive samples that are parts of one recording (``walk.mp4#0``, ``walk.mp4#1`` with the
    same ``recording``) form one stream. Any other clip is a stream of its own with one gesture. A
    picture is held for a second; augmented copies are left out.
    """
    for name, parts in stream_parts(dataset):
        yield joined_clips(dataset, name, parts)


def stream_parts(dataset: LandmarkDataset) -> Iterator[tuple[str, list[int]]]:
    """Yield name and samples of the streams of a dataset, see :func:`dataset_streams`."""
    samples = dataset.samples
    own = np.flatnonzero(samples.view == 0)
    if not len(own):
        raise InvalidDataError("the data holds no samples")
    keys = [_key(str(samples.recording[i]), str(samples.source[i]), int(i)) for i in own]
    starts = [n for n, key in enumerate(keys) if n == 0 or key != keys[n - 1]]
    for first, last in zip(starts, [*starts[1:], len(own)], strict=True):
        yield keys[first][1], own[first:last].tolist()


def _key(recording: str, source: str, number: int) -> tuple[int, str]:
    """Return what the parts of one stream have in common."""
    whole, part, _ = source.rpartition("#")
    return (-1, whole) if recording and part else (number, source)


def joined_clips(dataset: LandmarkDataset, name: str, parts: list[int], gap: float = 0.0) -> Stream:
    """Return some samples of a dataset, one after the other, as a stream.

    Between them no frame is seen for ``gap`` seconds.
    """
    frames, time, intervals, now = [], [], [], 0.0
    for part in parts:
        own = np.arange(dataset.offsets[part], dataset.offsets[part + 1])
        seconds = dataset.time[own] - dataset.time[own[0]]
        if dataset.header.kind == "pose":
            own = np.repeat(own, _PICTURE_FRAMES)
            seconds = np.linspace(0.0, PICTURE_SECONDS, _PICTURE_FRAMES)
        # A frame lasts until the next one, and the last one as long as the median frame.
        frame = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 0.0
        frames.append(own)
        time.append(now + seconds)
        label = str(dataset.samples.label[part])
        if label != NONE_LABEL:
            intervals.append(LabelledInterval(label, now, now + float(seconds[-1])))
        now += float(seconds[-1]) + frame + gap
    video = dataset.at_frames(
        [np.concatenate(frames)],
        Samples.make(["?"], source=[name]),
        time=np.concatenate(time),
        header=replace(dataset.header, kind="sequence"),
    )
    return Stream(name, video, tuple(intervals))


@dataclass(frozen=True)
class StreamScore:
    """Events compared with the gestures of one stream, or of many."""

    found: tuple[tuple[LabelledInterval, Event], ...] = ()
    missed: tuple[LabelledInterval, ...] = ()

    false: tuple[Event, ...] = ()
    """False positives: outside any gesture, with a wrong label, or a repetition."""

    @classmethod
    def of(cls, events: Sequence[Event], ground_truth: Sequence[LabelledInterval]) -> Self:
        """Match events to gestures, one to one.

        A gesture is found by an event with its label that starts during the gesture or up to
        :data:`_MAX_EARLY` seconds before it, and ends after the gesture has started.
        """
        left, found, false = list(ground_truth), [], []
        for event in events:
            match = next((interval for interval in left if _matches(event, interval)), None)
            if match is None:
                false.append(event)
            else:
                left.remove(match)
                found.append((match, event))
        return cls(tuple(found), tuple(left), tuple(false))

    def __add__(self, other: "StreamScore") -> "StreamScore":
        return StreamScore(
            self.found + other.found, self.missed + other.missed, self.false + other.false
        )

    @property
    def n(self) -> int:
        """How many gestures there are."""
        return len(self.found) + len(self.missed)


def _matches(event: Event, interval: LabelledInterval) -> bool:
    starts = interval.start - _MAX_EARLY <= event.start <= interval.end
    return event.label == interval.label and starts and event.end > interval.start
