"""Negative windows: training examples of ``none``, made from clips of movements.

A classifier trained on whole clips only takes everything for a movement: the start of one, the
return of the hand, idle fingers. Here clips are joined into synthetic streams in which a hand
rests, moves its fingers idly, makes a movement and returns. Windows of these streams that show no
whole movement are examples of ``none``. So are windows of the clips themselves, joined end to end:
what is around a movement there is real.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset, StrArray
from handlore.landmarks.geometry import palm_length
from handlore.landmarks.hands import FloatArray
from handlore.models.encoders import MovementEncoder, clip_slices, durations
from handlore.models.stream.ground_truth import joined_clips

FRAME_RATE = 20
"""Frames per second of a synthetic stream."""
_MAX_SECONDS = 600
"""Longer clips are left out: a stream of them would not fit into memory."""
_MAX_CLIPS, _MAX_REAL_CLIPS = 300, 800
_CLIPS_PER_STREAM = 6
_MOST_SHOWN_IN_REAL = 0.35
"""Largest overlap of a movement and a window of ``none`` in real streams: what is around a
movement there is real, and a window that only touches it need not be learnt."""
_MIN_NONE = 0.02
"""Share of clips of ``none`` that is enough to show what people do between gestures."""


class _EncodedWindows(NamedTuple):
    """Encoded windows of synthetic streams."""

    X: FloatArray
    """(n_windows, n_channels, n_timepoints)"""
    label: StrArray
    """(n_windows,) ``none`` for windows without a whole movement."""
    group: StrArray
    """(n_windows,) group of the clips of the stream."""


@dataclass(frozen=True)
class NegativeWindows:
    """The number of windows of each kind per clip, and what they show."""

    whole: int = 3
    """Windows that match a movement, with its label."""
    begun: int = 1
    """Windows that end during a movement."""
    other: int = 6
    """Windows at random positions, if they show no movement."""
    slack: float = 0.12
    """A matching window starts and ends up to this share of the movement outside it, or up to twice
    this share inside."""
    least_done: float = 0.3
    most_done: float = 0.7
    """Shares of the movement between which unfinished windows end."""
    most_shown: float = 0.5
    """Largest overlap (intersection over union) of a movement and a window of ``none``."""
    idle: float = 0.5
    """Share of movements before which the hand rests and moves idly; before the others it goes
    straight from one clip to the next."""

    def windows(
        self,
        dataset: LandmarkDataset,
        groups: StrArray,
        encoder: MovementEncoder,
        rng: np.random.Generator,
    ) -> _EncodedWindows:
        """Make windows of synthetic streams of clips that all show a hand.

        A window belongs to the group (n_samples,) of its clips.
        """
        blocks, labels, window_groups = [], [], []
        for kinds, stream in self._streams(dataset, groups, rng):
            time = np.arange(len(stream.image)) / FRAME_RATE
            for label, start, end in kinds._intervals(stream, rng):
                part = slice(max(start, 0), max(end, start + 2))
                image = stream.image[part]
                if not np.isnan(image[..., 0, 0]).all():
                    blocks.append(encoder.encode(image, stream.handedness[part], time[part]))
                    labels.append(label)
                    window_groups.append(stream.group)
        return _EncodedWindows(
            np.array(blocks, np.float32).reshape(-1, encoder.n_channels, encoder.n_timepoints),
            np.array(labels, np.str_),
            np.array(window_groups, np.str_),
        )

    def _streams(
        self, dataset: LandmarkDataset, groups: StrArray, rng: np.random.Generator
    ) -> Iterator[tuple["NegativeWindows", "_Stream"]]:
        """Yield streams, and which windows are taken of them."""
        for stream in synthetic_streams(dataset, groups, rng, self.idle):
            yield self, stream
        real = replace(self, most_shown=_MOST_SHOWN_IN_REAL)
        for stream in _real_streams(dataset, groups, rng):
            yield real, stream

    def _intervals(
        self, stream: "_Stream", rng: np.random.Generator
    ) -> Iterator[tuple[str, int, int]]:
        """Yield label, start and end of windows, in frames."""
        lengths = [end - start for _, start, end in stream.events]
        shortest, longest = np.log(0.75 * min(lengths)), np.log(1.1 * max(lengths))
        for label, start, end in stream.events:
            n = end - start
            for _ in range(self.whole):
                early, late = rng.uniform(-self.slack, 2 * self.slack, 2) * n
                yield label, round(start + early), round(end - late)
            for _ in range(self.begun):
                last = start + rng.uniform(self.least_done, self.most_done) * n
                length = np.exp(rng.uniform(shortest, longest))
                yield from self._negative(stream, round(last - length), round(last))
        for _ in range(self.other * len(stream.events)):
            length = np.exp(rng.uniform(shortest, longest))
            first = round(rng.uniform(0, max(len(stream.image) - length, 1)))
            yield from self._negative(stream, first, round(first + length))

    def _negative(self, stream: "_Stream", first: int, last: int) -> Iterator[tuple[str, int, int]]:
        # What is beyond the stream is not in the window.
        first, last = max(first, 0), min(last, len(stream.image))
        if all(_overlap(first, last, *event) < self.most_shown for event in stream.events):
            yield NONE_LABEL, first, last


def _overlap(first: int, last: int, label: str, start: int, end: int) -> float:
    """Return the intersection over union of a window and a movement; 0 for ``none``."""
    if label == NONE_LABEL:
        return 0.0
    return (min(last, end) - max(first, start)) / (max(last, end) - min(first, start))


@dataclass(frozen=True, eq=False)
class _Stream:
    """A hand that makes one movement after the other, at :data:`FRAME_RATE`."""

    image: FloatArray
    """(n_frames, n_hands, 21, 3) in palm lengths, or in image widths if it is real."""
    handedness: FloatArray
    """(n_frames, n_hands)"""
    group: str
    events: list[tuple[str, int, int]]
    """Label, first frame and frame after the last."""


@dataclass(frozen=True, eq=False)
class _Clip:
    label: str
    image: FloatArray
    """(n_frames, n_hands, 21, 3) in palm lengths from the first position of the wrist."""
    group: str
    person: str
    is_left: bool


def synthetic_streams(
    dataset: LandmarkDataset, groups: StrArray, rng: np.random.Generator, idle: float
) -> Iterator[_Stream]:
    """Join clips of hands; a stream has clips of one person and one side.

    Before a share ``idle`` of the clips the hand rests and moves idly.
    """
    clips = _clips(dataset, groups, rng)
    for person, is_left in sorted({(clip.person, clip.is_left) for clip in clips}):
        own = [clip for clip in clips if (clip.person, clip.is_left) == (person, is_left)]
        shapes = np.concatenate([clip.image[::3] for clip in own])
        shapes = shapes - shapes[:, :, :1]
        for first in range(0, len(own), _CLIPS_PER_STREAM):
            yield _Hand(shapes, rng).stream(own[first : first + _CLIPS_PER_STREAM], idle=idle)


def shows_none(dataset: LandmarkDataset) -> bool:
    """Return whether clips of ``none`` show what people do between gestures."""
    return bool((dataset.samples.label == NONE_LABEL).mean() >= _MIN_NONE)


def _real_streams(
    dataset: LandmarkDataset, groups: StrArray, rng: np.random.Generator
) -> Iterator[_Stream]:
    """Yield the clips of each group in random order, joined end to end."""
    usable = rng.permutation(dataset.n_samples)[:_MAX_REAL_CLIPS]
    usable = usable[durations(dataset)[usable] <= _MAX_SECONDS]
    for group in np.unique(groups[usable]):
        joined = joined_clips(dataset, str(group), usable[groups[usable] == group].tolist())
        ticks = np.arange(0, joined.seconds, 1 / FRAME_RATE)
        frames = np.searchsorted(joined.video.time, ticks)
        events = [
            (one.label, round(one.start * FRAME_RATE), round(one.end * FRAME_RATE))
            for one in joined.ground_truth
            if one.end - one.start >= 2 / FRAME_RATE
        ]
        if events:
            video = joined.video
            yield _Stream(video.image[frames], video.handedness[frames], str(group), events)


def _clips(dataset: LandmarkDataset, groups: StrArray, rng: np.random.Generator) -> list[_Clip]:
    order = rng.permutation(dataset.n_samples)[:_MAX_CLIPS]
    order = order[durations(dataset)[order] <= _MAX_SECONDS]
    slices = list(clip_slices(dataset))
    clips = []
    for sample in order:
        frames = slices[sample]
        side = dataset.handedness[frames]
        known = side[~np.isnan(side)]
        clips.append(
            _Clip(
                str(dataset.samples.label[sample]),
                _even(dataset.image[frames], dataset.time[frames]),
                str(groups[sample]),
                str(dataset.samples.group[sample]),
                dataset.n_hands == 1 and bool(known.size) and bool(np.median(known) < 0.5),
            )
        )
    return clips


def _even(image: FloatArray, time: NDArray[np.float64]) -> FloatArray:
    """Return a clip at FRAME_RATE, in palm lengths from the first position of the wrist."""
    seen = ~np.isnan(image[..., 0, 0])
    showing = np.flatnonzero(seen.any(axis=1))
    image, seen = image[showing[0] : showing[-1] + 1], seen[showing[0] : showing[-1] + 1]
    time = time[showing[0] : showing[-1] + 1]
    scale = max(float(np.median(palm_length(image[seen]))), 1e-6)
    image = (image - image[0][seen[0]][:, 0].mean(axis=0)) / np.float32(scale)
    ticks = np.arange(time[0], time[-1] + 1e-9, 1 / FRAME_RATE)
    after = np.clip(np.searchsorted(time, ticks), 1, max(len(time) - 1, 1))
    if len(time) == 1:
        return image
    gap = time[after] - time[after - 1]
    share = (ticks - time[after - 1]) / np.where(gap > 0, gap, 1)
    weight = np.clip(share, 0, 1).astype(np.float32)[:, None, None, None]
    even: FloatArray = image[after - 1] + weight * (image[after] - image[after - 1])
    return even


class _Hand:
    """A synthetic hand that makes one clip after the other."""

    def __init__(self, shapes: FloatArray, rng: np.random.Generator) -> None:
        self._shapes = shapes
        self._rng = rng
        self._parts: list[FloatArray] = []
        self._n = 0
        self._now = shapes[0]

    def stream(self, clips: list[_Clip], idle: float) -> _Stream:
        """Make each clip near the resting position; rest and move idly before a share of them."""
        events = []
        self._now = clips[0].image[0]
        for clip in clips:
            if self._rng.random() < idle:
                self._rest(clip)
            begin = 0.3 * self._wrists(self._now) + self._offset(0.25)
            moved = clip.image - self._wrists(clip.image[0]) + begin
            self._go(moved[0], self._rng.uniform(0.15, 0.6))
            events.append((clip.label, self._n, self._n + len(moved)))
            self._add(moved)
        self._go(self._at(clips[0].image[0], 0.3), self._rng.uniform(0.2, 0.8))
        image = np.concatenate(self._parts)
        side = np.full(image.shape[:2], 0.0 if clips[0].is_left else 1.0, np.float32)
        return _Stream(image, side, clips[0].group, events)

    def _rest(self, clip: _Clip) -> None:
        """Go to the resting position, and move idly there or wait."""
        if self._rng.random() < 0.8:
            self._go(self._at(clip.image[0], 0.3), self._rng.uniform(0.2, 0.8))
        if self._rng.random() < 0.75:
            self._idle(self._rng.uniform(0.4, 2.5))
        else:
            self._go(self._now, self._rng.uniform(0.1, 0.8))

    def _idle(self, seconds: float) -> None:
        """Move from shape to shape near one position, often with some fingers only."""
        place, until = self._wrists(self._now), self._n + seconds * FRAME_RATE
        while self._n < until:
            shape = self._shapes[self._rng.integers(len(self._shapes))]
            own = self._now - self._wrists(self._now)
            shape = np.where(np.isnan(shape), own, shape)
            if self._rng.random() < 0.6:
                shape = np.where(self._some_fingers(), shape, own)
            elif self._rng.random() < 0.25:
                shape = own
            shift = self._offset(0.35) if self._rng.random() < 0.7 else np.float32(0)
            self._go((shape + place + shift).astype(np.float32), self._rng.uniform(0.1, 0.6))

    def _some_fingers(self) -> NDArray[np.bool_]:
        chosen = self._rng.choice(5, self._rng.integers(1, 4), replace=False)
        mask = np.zeros(21, bool)
        for finger in chosen:
            mask[1 + 4 * finger : 5 + 4 * finger] = True
        return mask[:, None]

    def _at(self, shape: FloatArray, sigma: float) -> FloatArray:
        """Return a shape near the resting position."""
        return shape - self._wrists(shape) + self._offset(sigma)

    def _offset(self, sigma: float) -> FloatArray:
        return self._rng.normal(0, sigma, 3).astype(np.float32)

    @staticmethod
    def _wrists(frame: FloatArray) -> FloatArray:
        """Return the position (1, 1, 3): the mean wrist of the visible hands."""
        seen = ~np.isnan(frame[:, 0, 0])
        mean = frame[seen, 0].mean(axis=0) if seen.any() else np.zeros(3, np.float32)
        return np.asarray(mean, np.float32)[None, None]

    def _go(self, target: FloatArray, seconds: float) -> None:
        """Move to a target smoothly."""
        share = np.linspace(0, 1, max(round(seconds * FRAME_RATE), 1) + 1)[1:, None, None, None]
        eased = (share * share * (3 - 2 * share)).astype(np.float32)
        self._add(self._now + eased * (target - self._now))

    def _add(self, frames: FloatArray) -> None:
        self._parts.append(frames)
        self._n += len(frames)
        self._now = frames[-1]
