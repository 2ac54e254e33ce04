"""Landmarks as the input of classifiers: rows of features of a pose, blocks of a movement.

Training, evaluation and live recognition all use these encoders, so a model gets the same input in
use as in training.

A block is the movement itself, not yet features of it: 21 landmarks over time, in palm lengths,
resampled to a fixed number of points. Clips of 8, 30 and 60 frames a second give the same block,
and rotating, scaling or warping a block gives another possible movement (data augmentation).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.kinds import Kind
from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.features import DEFAULT_FEATURES, feature_names, pose_features
from handlore.landmarks.geometry import mirror, palm_length
from handlore.landmarks.hands import N_LANDMARKS, FloatArray, HandLandmark, majority_side


class Encoder(Protocol):
    """Turns samples of landmarks into the input of a classifier of their kind."""

    kind: ClassVar[Kind]

    @property
    def n_hands(self) -> int:
        """How many hands a frame has room for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one encoded sample."""

    def encode_samples(self, dataset: LandmarkDataset) -> FloatArray:
        """Encode samples that all show a hand, one per row."""


@dataclass(frozen=True)
class PoseEncoder:
    """Turns frames of landmarks into rows of features."""

    kind: ClassVar[Kind] = "pose"

    groups: tuple[str, ...] = DEFAULT_FEATURES
    """Groups of features, see :data:`~handlore.landmarks.features.FEATURE_GROUPS`."""
    n_hands: int = 1
    """With two hands a row holds the features of both (zeros for a missing one), the presence of
    each, and the vector from the left wrist to the right one in palm lengths."""

    @property
    def names(self) -> list[str]:
        """The name of each column."""
        one = feature_names(self.groups)
        if self.n_hands == 1:
            return one
        both = [f"{side}.{name}" for side in ("left", "right") for name in one]
        return [*both, "left.present", "right.present", "between.x", "between.y"]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The number of columns."""
        return (len(self.names),)

    def encode_samples(self, dataset: LandmarkDataset) -> FloatArray:
        """Return the features (n_samples, n_features) of poses that all show a hand."""
        return self.encode(dataset.image, dataset.world, dataset.handedness)

    def encode(self, image: FloatArray, world: FloatArray, handedness: FloatArray) -> FloatArray:
        """Compute the features (n, n_features) of frames that show at least one hand.

        ``image`` and ``world`` are (n, n_hands, 21, 3), image landmarks in image widths and world
        landmarks in metres, NaN for a missing hand; ``handedness`` (n, n_hands) is the probability
        of a right hand.
        """
        if image.shape[1] != self.n_hands:
            raise InvalidDataError(
                f"this data has room for {image.shape[1]} hands a frame, the model takes"
                f" {self.n_hands}; convert with --max-hands {self.n_hands}"
            )
        if self.n_hands == 1:
            return pose_features(image[:, 0], world[:, 0], handedness[:, 0], self.groups)
        return self._encode_both(image, world, handedness)

    def _encode_both(
        self, image: FloatArray, world: FloatArray, handedness: FloatArray
    ) -> FloatArray:
        present = ~np.isnan(image[..., 0, 0])
        if not present.any(axis=1).all():
            raise InvalidDataError("a frame shows no hand; leave it out")
        width = len(feature_names(self.groups))
        rows = np.zeros((len(image), 2 * width + 4), np.float32)
        for slot in range(2):
            there = present[:, slot]
            if there.any():
                columns = slice(slot * width, (slot + 1) * width)
                rows[there, columns] = pose_features(
                    image[there, slot], world[there, slot], handedness[there, slot], self.groups
                )
        rows[:, -4:-2] = present
        both = present.all(axis=1)
        wrists = image[both, :, HandLandmark.WRIST, :2]
        scale = palm_length(image[both]).mean(axis=1, keepdims=True)
        rows[both, -2:] = (wrists[:, 1] - wrists[:, 0]) / scale
        return rows


def average_augmented(
    probabilities: FloatArray, items: NDArray[np.int64]
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Average probabilities (n_copies, n_classes) over the copies of each picture.

    ``items`` (n_copies,) numbers the picture of each copy. Returns the averages (n_items,
    n_classes) and the numbers (n_items,), rising.
    """
    numbers, place = np.unique(items, return_inverse=True)
    sums = np.zeros((len(numbers), probabilities.shape[1]), np.float64)
    np.add.at(sums, place, probabilities)
    averages = sums / np.bincount(place, minlength=len(numbers))[:, None]
    return averages.astype(np.float32), numbers


MIN_TIMEPOINTS = 8
"""The smallest block that a classifier accepts."""
N_COORDINATES = 3 * N_LANDMARKS
N_CHANNELS = N_COORDINATES + 1
"""Channels of one hand: x, y and z of each landmark, then presence (1 = detected)."""
MAX_GAP = 0.3
"""Seconds without a detection up to which a hand is interpolated and counts as present."""
_FINE = 4
"""Points of interpolation per averaged point in time."""
N_CONTEXT = 3
"""Rows that follow the hands in a block with ``context``: seconds, whole (1) or a window of a
stream (0), and the side of the hand (1 right, -1 left)."""


@dataclass(frozen=True)
class MovementEncoder:
    """Turns clips into blocks (n_channels, n_timepoints).

    Time runs from the first to the last frame with a hand; each point is the average over an
    interval or, if ``averaged`` is false, a moment. Positions are in palm lengths (the median of
    the clip) from the first position of the wrist: x right, y down, z away. With one hand, a left
    hand is mirrored in *shape* but keeps its *path*: a swipe to the left is one with either hand.
    If ``timed``, the last channel is the duration of the movement in seconds, 0 if unknown. With
    ``context``, the last :data:`N_CONTEXT` channels are facts about the clip instead.
    """

    n_hands: int = 1
    n_timepoints: int = 32
    averaged: bool = True
    timed: bool = False
    context: bool = False

    kind: ClassVar[Kind] = "sequence"

    @property
    def n_channels(self) -> int:
        """Number of rows of a block."""
        return self.n_hands * N_CHANNELS + (N_CONTEXT if self.context else self.timed)

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels and points in time of a block."""
        return self.n_channels, self.n_timepoints

    def encode_samples(self, dataset: LandmarkDataset) -> FloatArray:
        """Encode samples that all show a hand, as (n_samples, n_channels, n_timepoints)."""
        if dataset.n_hands != self.n_hands:
            raise InvalidDataError(
                f"this data has room for {dataset.n_hands} hands a frame, the model takes"
                f" {self.n_hands}; convert with --max-hands {self.n_hands}"
            )
        blocks = np.empty((dataset.n_samples, self.n_channels, self.n_timepoints), np.float32)
        for block, frames in zip(blocks, clip_slices(dataset), strict=True):
            block[:] = self.encode(
                dataset.image[frames], dataset.handedness[frames], dataset.time[frames], whole=True
            )
        return blocks

    def encode(
        self,
        image: FloatArray,
        handedness: FloatArray,
        time: NDArray[np.float64],
        *,
        whole: bool = False,
    ) -> FloatArray:
        """Encode one clip as (n_channels, n_timepoints); all zeros for a hand never detected.

        ``image`` is (n_frames, n_hands, 21, 3) in image widths, NaN for a missing hand, with a hand
        in at least one frame; ``handedness`` (n_frames, n_hands) the probability of a right hand;
        ``time`` (n_frames,) seconds, rising. The duration is known only if the clip shows the
        ``whole`` movement, which a window of a stream does not.
        """
        seen = ~np.isnan(image[..., 0, 0])
        showing = np.flatnonzero(seen.any(axis=1))
        if not len(showing):
            raise InvalidDataError("this clip shows no hand")
        hands = image[seen]
        if np.isnan(hands).any():
            raise InvalidDataError("movements need x, y and z of every landmark; z is missing here")
        clip = slice(showing[0], showing[-1] + 1)
        image, seen, time = image[clip], seen[clip], time[clip]
        origin = image[0][seen[0]][:, 0].mean(axis=0)
        scale = max(_median(palm_length(hands)), 1e-6)
        fine = _FINE if self.averaged else 1
        n_points = self.n_timepoints * fine
        grid = time[0] + np.arange(n_points) * ((time[-1] - time[0]) / (n_points - 1))
        # Rounding must not take the last moment beyond the last frame, where no hand is present.
        grid[-1] = time[-1]
        rows = np.zeros((self.n_channels, self.n_timepoints), np.float32)
        block = rows[: self.n_hands * N_CHANNELS].reshape(self.n_hands, N_CHANNELS, -1)
        is_left = self.n_hands == 1 and majority_side(handedness[clip][seen]) == "left"
        for slot in range(self.n_hands):
            frames = np.flatnonzero(seen[:, slot])
            if not len(frames):
                continue
            hand = (image[frames, slot] - origin) / scale
            if is_left:
                hand = hand[:, :1] + mirror(hand - hand[:, :1])
            flat, bins = hand.reshape(len(frames), N_COORDINATES), (self.n_timepoints, fine)
            moments, present = _interpolated(flat, time[frames], frames, grid)
            block[slot, :-1] = moments.reshape(*bins, N_COORDINATES).mean(axis=1).T
            block[slot, -1] = present.reshape(bins).sum(axis=1) / fine
        seconds = time[-1] - time[0]
        if self.context:
            rows[-N_CONTEXT:] = np.array([[seconds], [whole], [-1 if is_left else 1]])
        elif self.timed and whole:
            rows[-1] = seconds
        return rows


def durations(dataset: LandmarkDataset) -> NDArray[np.float64]:
    """Return the duration (n_samples,) of each sample in seconds."""
    return np.array([np.ptp(dataset.time[frames]) for frames in clip_slices(dataset)], np.float64)


def clip_slices(dataset: LandmarkDataset) -> Iterator[slice]:
    """Yield the frames of each sample."""
    for start, end in zip(dataset.offsets[:-1], dataset.offsets[1:], strict=True):
        yield slice(int(start), int(end))


def _median(values: FloatArray) -> float:
    """Return the median; faster than numpy's, which handles axes and NaN."""
    rising = np.sort(values)
    return float(rising[(len(values) - 1) // 2] + rising[len(values) // 2]) / 2


def _interpolated(
    values: FloatArray,
    time: NDArray[np.float64],
    frames: NDArray[np.int64],
    grid: NDArray[np.float64],
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return values (n_frames, n) at the times of a grid (n_grid, n), and the presence (n_grid,).

    Not as a product of matrices: the threads of linear algebra wait for each other, and where
    another program uses a core, a clip took ten times as long.

    Before its first and after its last detection a hand keeps its position and is not present. A
    gap of more than :data:`MAX_GAP` is interpolated too, but the hand is not present in it.
    """
    last = len(time) - 1
    before = np.searchsorted(time[1:last], grid, side="right")
    after = np.minimum(before + 1, last)
    start = time[before]
    gap = time[after] - start
    share = (grid - start) / np.where(gap > 0, gap, 1)
    share = np.minimum(np.maximum(share, 0), 1)
    left, right = (weight.astype(np.float32)[:, None] for weight in (1 - share, share))
    lost = (gap > MAX_GAP) & (frames[after] - frames[before] > 1)
    inside = (grid >= time[0]) & (grid <= time[last])
    return left * values[before] + right * values[after], inside & ~lost
