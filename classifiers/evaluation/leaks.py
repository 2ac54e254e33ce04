"""Samples that stand on both sides of a split: such a test asks what was learned by heart.

A copy of a picture is found by its digest. A picture that was saved again, scaled, shifted,
mirrored or turned, or the next frame of a video, is found by its landmarks: in upright canonical
form they hardly differ.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset, printable
from handlore.datasets.splits import Fold, training_samples
from handlore.landmarks.geometry import canonicalize, upright
from handlore.landmarks.hands import FloatArray
from handlore.models.card import ModelCard
from handlore.models.movement_encoder import MovementEncoder

NEAR = 0.02
"""Landmarks this near are as good as equal: root mean square distance in palm lengths. Of HGR1
the nearest pictures of two people are 0.05 apart, the nearest two of one person 0.022."""

NOT_COMPARED = "landmarks could not be compared"

_MAX_EXAMPLES = 5
_MOMENTS = 8
"""At so many points in time two movements are compared."""

_LEAST_FRAMES = 5
"""A clip with a hand in fewer frames is no movement to compare; of `none` there are many."""


@dataclass(frozen=True)
class Leak:
    """An item of the test and its like in training."""

    test: str
    train: str
    """Their sources."""

    distance: float | None
    """Between their landmarks in palm lengths; None for copies of one file."""

    @property
    def why(self) -> str:
        """In what they are alike."""
        return "same file" if self.distance is None else "same landmarks"


@dataclass(frozen=True)
class Leaks:
    """What was found on both sides."""

    n_same_file: int
    n_same_landmarks: int
    """Of the others, how many have nearly the landmarks of a training sample."""

    examples: tuple[Leak, ...]
    """The nearest of them."""

    by_landmarks: bool = True
    """Whether landmarks were compared; a model file remembers digests alone."""

    @property
    def n(self) -> int:
        """How many samples of the tests have their like in training."""
        return self.n_same_file + self.n_same_landmarks

    def as_json(self) -> dict[str, Any]:
        """Return them under the names that scripts rely on."""
        return {
            "n": self.n,
            "same_file": self.n_same_file,
            "same_landmarks": self.n_same_landmarks if self.by_landmarks else None,
            "examples": [
                {"test": one.test, "train": one.train, "why": one.why, "distance": one.distance}
                for one in self.examples
            ],
        }

    def lines(self) -> list[str]:
        """Return them for people; nothing where there is nothing."""
        if not self.n:
            return []
        such = "; ".join(
            f"{printable(one.test)} = {printable(one.train)} ({one.why})"
            for one in self.examples[:3]
        )
        near = f"{self.n_same_landmarks} by landmarks" if self.by_landmarks else NOT_COMPARED
        has = "sample of the test has its" if self.n == 1 else "samples of the test have their"
        return [
            f"{self.n} {has} like in training ({self.n_same_file} by file, {near}), so"
            f" the scores flatter: {such}"
        ]


def find_leaks(dataset: LandmarkDataset, folds: Iterable[Fold]) -> Leaks:
    """Look for samples that stand on both sides of any fold.

    Parameters
    ----------
    dataset
        Poses or movements.
    folds
        Training and test samples of each; a sample is counted in every fold that tests it.
    """
    prints = fingerprints(dataset)
    found = [_of_fold(dataset, prints, *fold) for fold in folds]
    files = [leak for leaks in found for leak in leaks if leak.distance is None]
    near = [leak for leaks in found for leak in leaks if leak.distance is not None]
    near.sort(key=lambda leak: leak.distance or 0.0)
    half = _MAX_EXAMPLES // 2 + 1
    shown = (files[:half] + near)[:_MAX_EXAMPLES] if near else files[:_MAX_EXAMPLES]
    return Leaks(len(files), len(near), tuple(shown))


def fingerprints(dataset: LandmarkDataset) -> FloatArray:
    """Return numbers (n_samples, n) whose distance is that of the landmarks.

    Distance is the root mean square over landmarks (and moments) in palm lengths, after both
    hands were brought into upright canonical form; of movements only place and size are taken out.
    A sample without a hand, or a clip with hardly any, is NaN. Where z is unknown it counts as 0.
    """
    image = np.where(np.isnan(dataset.image), 0, dataset.image)
    image[~dataset.detected] = np.nan
    if dataset.header.kind == "sequence":
        return _of_movements(dataset, image)
    hands = upright(canonicalize(image, dataset.handedness))
    flat = hands.reshape(dataset.n_samples, -1) / np.sqrt(hands.shape[-2])
    missing = np.isnan(flat)
    # A second hand that is there in one picture and not in the other makes a difference.
    flat[missing & ~missing.all(axis=1, keepdims=True)] = 9
    return np.asarray(flat, np.float32)


def _of_movements(dataset: LandmarkDataset, image: FloatArray) -> FloatArray:
    encoder = MovementEncoder(dataset.n_hands, _MOMENTS)
    prints = np.full((dataset.n_samples, encoder.n_channels * _MOMENTS), np.nan, np.float32)
    for sample in np.flatnonzero(dataset.has_hand):
        frames = slice(*dataset.offsets[sample : sample + 2])
        if dataset.detected[frames].any(axis=1).sum() < _LEAST_FRAMES:
            continue
        block = encoder.encode(image[frames], dataset.handedness[frames], dataset.time[frames])
        prints[sample] = block.ravel() / np.sqrt(21 * _MOMENTS)
    return prints


def _of_fold(
    dataset: LandmarkDataset,
    prints: FloatArray,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
) -> Sequence[Leak]:
    samples = dataset.samples
    # A picture counts once, by itself; its views are compared only as what training has seen.
    test = test[samples.view[test] == 0]
    digests = np.where(_tells(dataset), samples.sha256, "")
    known = {digest: at for at, digest in zip(train, digests[train], strict=True) if digest}
    copies = {at: known[d] for at, d in zip(test, digests[test], strict=True) if d in known}
    leaks = [Leak(_name(dataset, at), _name(dataset, of), None) for at, of in copies.items()]
    rest = test[~np.isin(test, list(copies))]
    two = dataset.n_hands == 2 and dataset.header.kind == "pose"
    distance, nearest = _nearest(prints, train, rest, either_side=two)
    near = np.isfinite(distance)
    return leaks + [
        Leak(_name(dataset, at), _name(dataset, of), round(float(apart), 5))
        for at, of, apart in zip(rest[near], nearest[near], distance[near], strict=True)
    ]


def _tells(dataset: LandmarkDataset) -> NDArray[np.bool_]:
    """(n_samples,) whether equal digests mean copies: imported clips without a hand are alike."""
    return dataset.has_hand | (dataset.header.detector is not None)


def _nearest(
    prints: FloatArray,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    *,
    either_side: bool,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the distance to the nearest training sample (infinite if none is near), and which."""
    from scipy.spatial import cKDTree

    train = train[~np.isnan(prints[train]).any(axis=1)]
    distance, nearest = np.full(len(test), np.inf), np.zeros(len(test), np.int64)
    asked = np.flatnonzero(~np.isnan(prints[test]).any(axis=1))
    if len(train) and len(asked):
        seen = prints[train]
        if either_side:
            # In a mirror the left hand is the right one: the two change places.
            seen = np.concatenate([seen, np.roll(seen, seen.shape[1] // 2, axis=1)])
        # Not balanced: many equal rows would make that one slow.
        tree = cKDTree(seen, balanced_tree=False, compact_nodes=False)
        found, place = tree.query(prints[test[asked]], distance_upper_bound=NEAR)
        distance[asked], nearest[asked] = found, train[place % len(train)]
    return distance, nearest


def _name(dataset: LandmarkDataset, sample: int) -> str:
    return str(dataset.samples.source[sample]) or f"sample {sample}"


# What a model file remembers of its training data, so that a test can tell what it has seen.


MAX_DIGESTS = 4096
"""More items are not remembered: their digests would take more than 40 KB of a model file."""

_LENGTH = 10
"""Hexadecimal digits of a digest that are kept; 40 bits mix up one of 60,000 tests of 4,096."""


def item_digests(dataset: LandmarkDataset) -> str:
    """Return the shortened digests of the items of a dataset, one after the other.

    Empty where there are too many items, or none has a digest.
    """
    digests = sorted({_short(digest) for digest in dataset.samples.sha256.tolist() if digest})
    return "" if len(digests) > MAX_DIGESTS else "".join(digests)


def find_model_leaks(
    card: ModelCard, tested: LandmarkDataset, loaded: LandmarkDataset
) -> Leaks | None:
    """Look for what a model was both trained and tested on.

    Parameters
    ----------
    card
        Of the model.
    tested
        What it is tested on.
    loaded
        All of the file that this comes from. Where the model was trained on its training split,
        landmarks are compared too.

    Returns
    -------
    None where nothing can be known.
    """
    pairs = _split(card, tested, loaded)
    if pairs is not None:
        return find_leaks(loaded, [pairs])
    text = card.training.get("item_digests")
    if not isinstance(text, str) or not text:
        return None
    known = {text[start : start + _LENGTH] for start in range(0, len(text), _LENGTH)}
    samples = tested.samples
    digests = [bool(digest) and _short(digest) in known for digest in samples.sha256.tolist()]
    seen = np.flatnonzero(np.array(digests) & (samples.view == 0))
    examples = [Leak(str(samples.source[at]), "a training item", None) for at in seen[:5]]
    return Leaks(len(seen), 0, tuple(examples), by_landmarks=False)


def _split(
    card: ModelCard, tested: LandmarkDataset, loaded: LandmarkDataset
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return the samples that the model was trained and is tested on, if one file has both."""
    split = loaded.samples.split
    trains = np.isin(split, ["train", ""])
    tests = np.isin(split, np.unique(tested.samples.split))
    if not trains.any() or (trains & tests).any():
        return None
    if training_samples(loaded).digest() != card.training.get("data_digest"):
        return None
    return np.flatnonzero(trains), np.flatnonzero(tests)


def _short(digest: str) -> str:
    # Hashed once more: whatever a source writes there, these digits tell items apart.
    return hashlib.sha256(digest.encode("utf-8", "surrogateescape")).hexdigest()[:_LENGTH]
