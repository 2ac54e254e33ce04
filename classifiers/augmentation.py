"""Data augmentation of movements: rotation, scale, time warping, noise, lost frames.

It works on batches of blocks of a :class:`~handlore.models.encoders.MovementEncoder`. The
same seed gives the same copies.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.hands import N_FINGERS, N_LANDMARKS, FloatArray
from handlore.models.encoders import N_CHANNELS, N_CONTEXT, N_COORDINATES


@dataclass(frozen=True)
class Augmentation:
    """Strength of the augmentation; standard deviations unless noted."""

    turn: float = 10.0
    """Rotation about each of the three axes, in degrees."""
    size: float = 0.1
    """Logarithm of the scale of everything."""
    reach: float = 0.15
    """Logarithm of the scale of the wrist's path along each axis."""
    bones: float = 0.05
    """Logarithm of the scale of each landmark's vector from the wrist, the same in all frames."""
    phalanges: float = 0.0
    """Logarithm of the scale of each finger bone, in all frames; outer bones move along."""
    shape: float = 0.02
    """Shift of each landmark, the same in all frames, in palm lengths."""
    jitter: float = 0.01
    """Shift of each landmark in each frame, in palm lengths."""
    warp: float = 0.15
    """Logarithm of the speed in each sixth of the time."""
    crop: float = 0.08
    """Maximum cut at either end, as a share of the duration; uniformly distributed."""
    drop: float = 0.1
    """Maximum share of points in time that are dropped and interpolated; uniformly distributed."""
    travel: float = 0.0
    """Logarithm of the scale of the wrist's whole path."""
    slow: float = 0.0
    """Share of movements with a lower frame rate: a fifth to three quarters of the points in time
    remain, the others are interpolated."""
    lost: float = 0.0
    """Share of movements in which the hand is lost for up to a quarter of the time: its position is
    interpolated and its presence is 0."""

    pace: float = 0.1
    """Logarithm of the duration."""

    def __call__(self, blocks: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return an augmented copy of each block (n, n_channels, n_timepoints)."""
        n_channels = N_CHANNELS * (blocks.shape[1] // N_CHANNELS)
        copies = blocks.copy()
        copies[:, :n_channels] = self._moved(blocks[:, :n_channels], rng)
        if blocks.shape[1] == n_channels + N_CONTEXT:
            copies[:, n_channels] *= self._factors((len(blocks), 1), self.pace, rng)
        return copies

    def _moved(self, blocks: FloatArray, rng: np.random.Generator) -> FloatArray:
        n, _, n_points = blocks.shape
        moved = _interpolated_at(blocks, self._moments(n, n_points, rng))
        moved = _bridged(moved, ~self._dropped(n, n_points, rng))
        hands = self._interrupted(moved, rng)
        hands = hands.reshape(n, -1, N_CHANNELS, n_points)
        marks = hands[:, :, :N_COORDINATES].reshape(n, -1, N_LANDMARKS, 3, n_points)
        marks = np.einsum("nij,nhljt->nhlit", _rotations(self.turn, n, rng), marks)
        wrist = marks[:, :, :1]
        shape = marks - wrist
        shape *= self._factors((n, 1, N_LANDMARKS, 1, 1), self.bones, rng)
        if self.phalanges:
            shape[:, :, 1:] = self._lengthened(shape[:, :, 1:], rng)
        shape += rng.normal(0, self.shape, (n, 1, N_LANDMARKS, 3, 1)).astype(np.float32)
        shape += rng.normal(0, self.jitter, shape.shape).astype(np.float32)
        wrist = wrist * self._factors((n, 1, 1, 3, 1), self.reach, rng)
        if self.travel:
            wrist *= self._factors((n, 1, 1, 1, 1), self.travel, rng)
        marks = (wrist + shape) * self._factors((n, 1, 1, 1, 1), self.size, rng)
        hands[:, :, :N_COORDINATES] = marks.reshape(n, -1, N_COORDINATES, n_points)
        # A hand that is missing in the whole clip stays missing.
        never = blocks.reshape(n, -1, N_CHANNELS, n_points)[:, :, -1].max(axis=-1) == 0
        hands[never] = 0
        return hands.reshape(blocks.shape)

    def _moments(self, n: int, n_points: int, rng: np.random.Generator) -> FloatArray:
        """Return the source time (n, n_points) of each point of the warped block."""
        start, end = rng.uniform(0, self.crop, (2, n, 1))
        knots = np.zeros((n, 7))
        knots[:, 1:] = np.cumsum(np.exp(rng.normal(0, self.warp, (n, 6))), axis=1)
        knots /= knots[:, -1:]
        even = np.linspace(0, 6, n_points)
        left = np.minimum(even.astype(int), 5)
        warped = knots[:, left] + (knots[:, left + 1] - knots[:, left]) * (even - left)
        moments: FloatArray = (start + warped * (1 - end - start)) * (n_points - 1)
        return moments.astype(np.float32)

    def _dropped(self, n: int, n_points: int, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Return which points in time (n, n_points) are dropped, never the first or last."""
        lost = rng.random((n, n_points)) < rng.uniform(0, self.drop, (n, 1))
        lost[:, [0, -1]] = False
        return lost

    def _interrupted(self, blocks: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return blocks with a lower frame rate, or with lost hands."""
        n, _, n_points = blocks.shape
        point = np.arange(n_points)
        if self.slow:
            slow = rng.random(n) < self.slow
            n_left = np.maximum(n_points * rng.uniform(0.2, 0.75, (n, 1)), 2).astype(int)
            seen = point * (n_left - 1) // (n_points - 1)
            kept = np.diff(seen, axis=1, prepend=-1) > 0
            kept[:, -1] = True
            blocks[slow] = _bridged(blocks[slow], kept[slow])
        if self.lost:
            lost = rng.random(n) < self.lost
            length = n_points * rng.uniform(0, 0.25, (n, 1))
            start = 1 + (n_points - 2 - length) * rng.random((n, 1))
            gone = (point >= start) & (point < start + length)
            hidden = _bridged(blocks[lost], ~gone[lost])
            hidden[:, N_CHANNELS - 1 :: N_CHANNELS] *= ~gone[lost][:, None]
            blocks[lost] = hidden
        return blocks

    def _lengthened(self, joints: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return joints (n, n_hands, 20, 3, n_points) of fingers with scaled bones."""
        n, n_hands = joints.shape[:2]
        fingers = joints.reshape(n, n_hands, N_FINGERS, -1, *joints.shape[3:])
        bones = np.diff(fingers, axis=3, prepend=0)
        bones *= self._factors((n, 1, *fingers.shape[2:4], 1, 1), self.phalanges, rng)
        lengthened: FloatArray = bones.cumsum(axis=3).reshape(joints.shape)
        return lengthened

    @staticmethod
    def _factors(shape: tuple[int, ...], sigma: float, rng: np.random.Generator) -> FloatArray:
        factors: FloatArray = np.exp(rng.normal(0, sigma, shape)).astype(np.float32)
        return factors


def _interpolated_at(blocks: FloatArray, moments: FloatArray) -> FloatArray:
    """Return blocks interpolated at fractional points in time (n, n_points)."""
    before = np.minimum(moments.astype(np.int64), blocks.shape[-1] - 2)
    share = (moments - before).astype(np.float32)[:, None]
    index = before[:, None]
    first = np.take_along_axis(blocks, index, axis=-1)
    second = np.take_along_axis(blocks, index + 1, axis=-1)
    moved: FloatArray = first + (second - first) * share
    return moved


def _bridged(blocks: FloatArray, kept: NDArray[np.bool_]) -> FloatArray:
    """Return blocks with points in time that are not kept (n, n_points) interpolated.

    The first and last point must be kept.
    """
    point = np.arange(kept.shape[1])
    before = np.maximum.accumulate(np.where(kept, point, 0), axis=1)
    after = np.where(kept, point, point[-1])[:, ::-1]
    after = np.minimum.accumulate(after, axis=1)[:, ::-1]
    share = (point - before) / np.maximum(after - before, 1)
    first = np.take_along_axis(blocks, before[:, None], axis=-1)
    second = np.take_along_axis(blocks, after[:, None], axis=-1)
    bridged: FloatArray = first + (second - first) * share[:, None].astype(np.float32)
    return bridged


def _rotations(sigma: float, n: int, rng: np.random.Generator) -> FloatArray:
    """Return n rotation matrices (n, 3, 3) about x, then y, then z."""
    angles = np.radians(rng.normal(0, sigma, (n, 3)))
    total = np.broadcast_to(np.eye(3), (n, 3, 3))
    for axis in range(3):
        one, other = (axis + 1) % 3, (axis + 2) % 3
        turn = np.tile(np.eye(3), (n, 1, 1))
        cos, sin = np.cos(angles[:, axis]), np.sin(angles[:, axis])
        turn[:, one, one] = turn[:, other, other] = cos
        turn[:, one, other], turn[:, other, one] = -sin, sin
        total = turn @ total
    return total.astype(np.float32)
