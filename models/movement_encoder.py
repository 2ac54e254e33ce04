"""From a clip of landmarks to the fixed block of numbers that a movement classifier sees.

The block is the movement itself, not yet features of it: 21 landmarks over time, in palm lengths,
resampled by time. So clips of 8, 30 and 60 frames a second look alike, and a classifier may turn,
stretch or warp a block to make another that could have been recorded. Needs numpy alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import Kind, LandmarkDataset
from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.geometry import mirror, palm_length
from handlore.landmarks.hands import N_LANDMARKS, FloatArray, majority_side

MIN_TIMEPOINTS = 8
"""With fewer a classifier has nothing to go by."""

N_COORDINATES = 3 * N_LANDMARKS
N_CHANNELS = N_COORDINATES + 1
"""Channels of one hand: x, y and z of each landmark, then whether the hand is seen."""

MAX_GAP = 0.3
"""For so many seconds a hand may be lost and still count as seen; it is interpolated."""

_FINE = 4


@dataclass(frozen=True)
class MovementEncoder:
    """Turns clips into blocks (n_channels, n_timepoints).

    Time runs from the first frame that shows a hand to the last one; each point is the average
    over its share of that time or, where ``averaged`` is false, a moment. Positions are palm
    lengths (the median of the clip) from where the wrist is first seen: x right, y down, z away.
    Of one hand, a left one gets the *shape* of a right hand and keeps its *path*: a swipe to the
    left is one with either hand. If ``timed`` the last channel says at each point how many seconds
    the movement lasts, or 0 where nobody knows.
    """

    n_hands: int = 1
    n_timepoints: int = 32
    averaged: bool = True
    timed: bool = False

    kind: ClassVar[Kind] = "sequence"

    @property
    def n_channels(self) -> int:
        """How many rows a block has."""
        return self.n_hands * N_CHANNELS + self.timed

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
        """Encode one clip.

        Parameters
        ----------
        image
            (n_frames, n_hands, 21, 3) image landmarks, NaN for a missing hand; at least one frame
            shows a hand.
        handedness
            (n_frames, n_hands) probability of a right hand.
        time
            (n_frames,) seconds, rising.
        whole
            Whether the clip shows a movement from begin to end, so that it says how long that
            lasts. A window of a stream does not.

        Returns
        -------
        (n_channels, n_timepoints). A hand that is never seen is all zeros.

        Raises
        ------
        InvalidDataError
            If landmarks have no z, or no frame shows a hand.
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
        rows = np.zeros((self.n_channels, self.n_timepoints), np.float32)
        block = rows[: self.n_hands * N_CHANNELS].reshape(self.n_hands, N_CHANNELS, -1)
        for slot in range(self.n_hands):
            frames = np.flatnonzero(seen[:, slot])
            if not len(frames):
                continue
            hand = (image[frames, slot] - origin) / scale
            if self.n_hands == 1 and majority_side(handedness[clip][frames, slot]) == "left":
                hand = hand[:, :1] + mirror(hand - hand[:, :1])
            weights, present = _resampling(time[frames], frames, grid)
            bins = (self.n_timepoints, fine)
            averaging = weights.reshape(*bins, -1).sum(axis=1) / np.float32(fine)
            block[slot, :-1] = (averaging @ hand.reshape(len(frames), N_COORDINATES)).T
            block[slot, -1] = present.reshape(bins).sum(axis=1) / fine
        if self.timed and whole:
            rows[-1] = time[-1] - time[0]
        return rows


def durations(dataset: LandmarkDataset) -> NDArray[np.float64]:
    """Return how long (n_samples,) each sample is, in seconds."""
    return np.array([np.ptp(dataset.time[frames]) for frames in clip_slices(dataset)], np.float64)


def clip_slices(dataset: LandmarkDataset) -> Iterator[slice]:
    """Yield the frames of each sample."""
    for start, end in zip(dataset.offsets[:-1], dataset.offsets[1:], strict=True):
        yield slice(int(start), int(end))


def _median(values: FloatArray) -> float:
    """Return what numpy's median does, without its care for axes and NaN; it is asked often."""
    rising = np.sort(values)
    return float(rising[(len(values) - 1) // 2] + rising[len(values) // 2]) / 2


def _resampling(
    time: NDArray[np.float64], frames: NDArray[np.int64], grid: NDArray[np.float64]
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the weights (n_grid, n_frames) of linear interpolation, and where a hand is seen.

    Before it is first seen and after it is last seen a hand stays where it is, unseen; so it does
    through a gap that is too long, moving evenly.
    """
    last = len(time) - 1
    before = np.searchsorted(time[1:last], grid, side="right")
    after = np.minimum(before + 1, last)
    start = time[before]
    gap = time[after] - start
    share = (grid - start) / np.where(gap > 0, gap, 1)
    share = np.minimum(np.maximum(share, 0), 1)
    weights = np.zeros((len(grid), len(time)), np.float32)
    rows = np.arange(len(grid))
    weights[rows, before] = 1 - share
    weights[rows, after] += share
    lost = (gap > MAX_GAP) & (frames[after] - frames[before] > 1)
    inside = (grid >= time[0]) & (grid <= time[last])
    return weights, inside & ~lost
