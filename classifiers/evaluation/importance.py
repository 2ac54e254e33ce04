"""Importance of parts of the hand: the accuracy lost when a part is exchanged between samples.

Permutation importance (Breiman, *Machine Learning* 45, 2001) of fingers, not of single features:
a finger gets the shape that it has in another sample, and all features are computed anew. So
correlated features cannot replace each other.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.geometry import canonicalize, mirror, palm_length, rotate, rotation_deg
from handlore.landmarks.hands import FINGERS, FloatArray
from handlore.models.encoders import N_CHANNELS, N_COORDINATES, Encoder

MAX_SAMPLES = 500
_REPEATS = 3

_Predict = Callable[[FloatArray], FloatArray]
_Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Importance:
    """The importance of a part of the hand."""

    part: str
    """A finger, ``in-plane rotation`` or, for movements, ``path of the wrist``."""
    lost: float
    """Accuracy lost when the part is taken from another sample, 0 to 1; noise may make it
    negative."""
    n: int
    """Number of samples."""

    @classmethod
    def pooled(cls, found: Sequence[Sequence["Importance"]]) -> list[Self]:
        """Return the mean of several measurements, weighted by their number of samples."""
        by_part: dict[str, list[Importance]] = {}
        for one in (one for those in found for one in those):
            by_part.setdefault(one.part, []).append(one)
        return [
            cls(
                part,
                sum(o.lost * o.n for o in those) / sum(o.n for o in those),
                sum(o.n for o in those),
            )
            for part, those in by_part.items()
        ]


def measure_importances(
    predict: _Predict,
    classes: Sequence[str],
    dataset: LandmarkDataset,
    encoder: Encoder,
    *,
    at_most: int = MAX_SAMPLES,
    seed: int = 0,
) -> list[Importance]:
    """Measure the importance of each part of the hand for a classifier.

    The samples must not be in the training data; augmented copies and samples without a hand are
    left out, and at most ``at_most`` are drawn.
    """
    usable = np.flatnonzero(dataset.has_hand & (dataset.samples.view == 0))
    rng = np.random.default_rng(seed)
    if len(usable) < 2:
        return []
    chosen = dataset.select(np.sort(rng.permutation(usable)[:at_most]))
    names = np.asarray(classes)

    def accuracy(rows: FloatArray) -> float:
        return float((names[predict(rows).argmax(axis=1)] == chosen.samples.label).mean())

    exchanged = _of_clips if dataset.header.kind == "sequence" else _of_poses
    whole = encoder.encode_samples(chosen)
    before, after = accuracy(whole), dict[str, list[float]]()
    for _ in range(_REPEATS):
        donor = rng.permutation(len(whole))
        for part, rows in exchanged(chosen, encoder, whole, donor):
            after.setdefault(part, []).append(accuracy(rows))
    return [
        Importance(part, before - float(np.mean(those)), len(whole))
        for part, those in after.items()
    ]


def _of_poses(
    dataset: LandmarkDataset, encoder: Encoder, _: FloatArray, donor: _Indices
) -> Iterator[tuple[str, FloatArray]]:
    """Yield each part, and the features of hands with this part of another sample."""

    def encoded(part: Sequence[int]) -> FloatArray:
        image, world = (
            _exchanged(landmarks, dataset.handedness, part, donor)
            for landmarks in (dataset.image, dataset.world)
        )
        return encoder.encode_samples(replace(dataset, image=image, world=world))

    for finger, landmarks in FINGERS.items():
        yield finger, encoded(landmarks)
    yield "in-plane rotation", encoded(())


def _exchanged(
    landmarks: FloatArray, handedness: FloatArray, part: Sequence[int], donor: _Indices
) -> FloatArray:
    """Return hands (n, n_hands, 21, 3) with some landmarks, or the rotation, of their donors.

    The exchange is made in upright canonical form; position, size, side and presence stay. Where
    the donor has no hand, nothing changes.
    """
    hands = canonicalize(landmarks, handedness)
    turn = rotation_deg(hands)
    straight = rotate(hands, -turn)
    there = ~np.isnan(straight[donor][..., 0, 0])
    if part:
        given = straight.copy()
        given[..., list(part), :] = straight[donor][..., list(part), :]
    else:
        given, turn = straight, np.where(there, turn[donor], turn)
    turned = rotate(np.where(there[..., None, None], given, straight), turn)
    sided = np.where((handedness < 0.5)[..., None, None], mirror(turned), turned)
    back = sided * palm_length(landmarks)[..., None, None] + landmarks[..., :1, :]
    return np.asarray(back, np.float32)


def _of_clips(
    dataset: LandmarkDataset, _: Encoder, blocks: FloatArray, donor: _Indices
) -> Iterator[tuple[str, FloatArray]]:
    """Yield each part, and blocks (n, n_channels, n_timepoints) with this part of donors."""
    n, _channels, n_timepoints = blocks.shape
    # The last channel, the duration of a clip, is not part of a hand and stays.
    n_rows = dataset.n_hands * N_CHANNELS
    hands = blocks[:, :n_rows].reshape(n, dataset.n_hands, N_CHANNELS, n_timepoints)
    marks = hands[:, :, :N_COORDINATES].reshape(n, dataset.n_hands, -1, 3, n_timepoints)
    shape = marks - marks[:, :, :1]

    def joined(wrist: FloatArray, shapes: FloatArray) -> FloatArray:
        rows = hands.copy()
        rows[:, :, :N_COORDINATES] = (wrist + shapes).reshape(rows[:, :, :N_COORDINATES].shape)
        return np.concatenate([rows.reshape(n, n_rows, -1), blocks[:, n_rows:]], axis=1)

    for finger, landmarks in FINGERS.items():
        other = shape.copy()
        other[:, :, list(landmarks)] = shape[donor][:, :, list(landmarks)]
        yield finger, joined(marks[:, :, :1], other)
    yield "path of the wrist", joined(marks[donor][:, :, :1], shape)
