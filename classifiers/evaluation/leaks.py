"""Data leaks: samples that are in training and test.

A copy of a picture is found by its digest. A picture that was saved again, scaled, shifted,
mirrored or rotated, or the next frame of a video, is found by its landmarks: in upright canonical
form they hardly differ.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from handlore.datasets.dataset import LandmarkDataset, concatenate
from handlore.datasets.splits import Fold, training_samples
from handlore.landmarks.geometry import canonicalize, rotate, rotation_deg
from handlore.landmarks.hands import FloatArray
from handlore.landmarks.untrusted import printable
from handlore.models.card import ModelCard
from handlore.models.encoders import MovementEncoder

from ..pretrained import pretrained_items

NEAR = 0.02
"""Landmarks up to this root mean square distance in palm lengths count as equal. In HGR1 the
nearest pictures of two people have a distance of 0.05, the nearest two of one person 0.022."""
NOT_COMPARED = "landmarks could not be compared"

_MAX_EXAMPLES = 5
_MOMENTS = 8
"""Points in time at which two movements are compared."""
_LEAST_FRAMES = 5
"""Clips with a hand in fewer frames are not compared; many are `none`."""


@dataclass(frozen=True)
class _Leak:
    """A test item and its copy in training."""

    test: str
    train: str
    """Their sources."""
    distance: float | None
    """Between their landmarks in palm lengths; None for copies of one file."""

    @property
    def why(self) -> str:
        """What they have in common."""
        return "same file" if self.distance is None else "same landmarks"


@dataclass(frozen=True)
class Leaks:
    """Items that are in training and test."""

    n_same_file: int
    n_same_landmarks: int
    """Other items with nearly the landmarks of a training sample."""
    examples: tuple[_Leak, ...]
    """The nearest ones."""
    by_landmarks: bool = True
    """Whether landmarks were compared; a model file stores digests only."""
    n_checked: int | None = None
    """How many test samples could be looked up; None for all."""
    n_pretrained: int = 0
    """Test samples that pretrained features of the model were learnt from, at least."""

    @property
    def n(self) -> int:
        """Number of test samples that are also in training."""
        return self.n_same_file + self.n_same_landmarks

    def as_json(self) -> dict[str, Any]:
        """Return them under the names that scripts rely on."""
        found = {
            "n": self.n,
            "same_file": self.n_same_file,
            "same_landmarks": self.n_same_landmarks if self.by_landmarks else None,
            "examples": [
                {"test": one.test, "train": one.train, "why": one.why, "distance": one.distance}
                for one in self.examples
            ],
        }
        if self.n_checked is not None:
            found["checked"] = self.n_checked
        if self.n_pretrained:
            found["pretrained"] = self.n_pretrained
        return found

    def lines(self) -> list[str]:
        """Return them as sentences; none if there are no leaks."""
        return [*self._about_training(), *self._about_pretraining()]

    def _about_pretraining(self) -> list[str]:
        if not self.n_pretrained:
            return []
        items = "test sample is" if self.n_pretrained == 1 else "test samples are"
        return [
            f"at least {self.n_pretrained} {items} among those that the pretrained features for few"
            " samples were learnt from, so the scores are too high;"
            " --param pretrained_below=0 trains without such features"
        ]

    def _about_training(self) -> list[str]:
        if not self.n:
            return []
        such = "; ".join(
            f"{printable(one.test)} = {printable(one.train)} ({one.why})"
            for one in self.examples[:3]
        )
        near = f"{self.n_same_landmarks} by landmarks" if self.by_landmarks else NOT_COMPARED
        items = "test sample is" if self.n == 1 else "test samples are"
        least, of = "", ""
        if self.n_checked is not None:
            least, of = "at least ", f" of the {self.n_checked} that can be looked up"
        return [
            f"{least}{self.n} {items} also in training ({self.n_same_file}{of} by file, {near}), so"
            f" the scores are too high: {such}"
        ]

    @classmethod
    def of(
        cls,
        dataset: LandmarkDataset,
        folds: Iterable[Fold],
        base: LandmarkDataset | None = None,
    ) -> Self:
        """Find samples that are in training and test of a fold.

        A sample is counted in every fold that tests it. Samples of ``base`` are in the training
        data of each fold.
        """
        whole = dataset if base is None else concatenate([dataset, base])
        prints, added = _fingerprints(whole), np.arange(dataset.n_samples, whole.n_samples)
        found = [
            _of_fold(whole, prints, np.concatenate([train, added]), test) for train, test in folds
        ]
        files = [leak for leaks in found for leak in leaks if leak.distance is None]
        near = [leak for leaks in found for leak in leaks if leak.distance is not None]
        near.sort(key=lambda leak: leak.distance or 0.0)
        half = _MAX_EXAMPLES // 2 + 1
        shown = (files[:half] + near)[:_MAX_EXAMPLES] if near else files[:_MAX_EXAMPLES]
        return cls(len(files), len(near), tuple(shown))

    @classmethod
    def of_model(
        cls, card: ModelCard, tested: LandmarkDataset, loaded: LandmarkDataset
    ) -> "Leaks | None":
        """Find test items that a model was trained on; None if it cannot be determined.

        ``loaded`` is the whole dataset of the test data: if the model was trained on its training
        split, landmarks are compared too.
        """
        pairs, uses = _split(card, tested, loaded), bool(card.training.get("pretrained"))
        if pairs is not None:
            return cls.of(loaded, [pairs]).with_pretrained(tested, used=uses)
        found = seen_items(card, tested)
        if found is None or not found.checked.any():
            return None
        samples = tested.samples
        seen = np.flatnonzero(found.seen & (samples.view == 0))
        n_checked = int((found.checked & (samples.view == 0)).sum()) if found.is_part else None
        examples = [_Leak(str(samples.source[at]), "a training item", None) for at in seen[:5]]
        leaks = cls(len(seen), 0, tuple(examples), by_landmarks=False, n_checked=n_checked)
        return leaks.with_pretrained(tested, used=uses)

    def with_pretrained(self, tested: LandmarkDataset, *, used: bool) -> "Leaks":
        """Count test samples that pretrained features were learnt from, if a model has some."""
        if not used:
            return replace(self, n_pretrained=0)
        known, samples = pretrained_items(tested.header.kind), tested.samples
        digests = samples.sha256[samples.view == 0].tolist()
        return replace(self, n_pretrained=sum(_short(one) in known for one in digests if one))


def _fingerprints(dataset: LandmarkDataset) -> FloatArray:
    """Return vectors (n_samples, n) whose distance is that of the landmarks.

    Distance is the root mean square over landmarks (and moments) in palm lengths, in
    upright canonical form; for movements only position and size are normalised.
    A sample without a hand, or a clip with a few frames of one, is NaN. An unknown z counts as 0.
    """
    image = np.where(np.isnan(dataset.image), 0, dataset.image)
    image[~dataset.detected] = np.nan
    if dataset.header.kind == "sequence":
        return _of_movements(dataset, image)
    hands = _upright(canonicalize(image, dataset.handedness))
    flat = hands.reshape(dataset.n_samples, -1) / np.sqrt(hands.shape[-2])
    missing = np.isnan(flat)
    # A second hand that is missing in one of two pictures makes them different.
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
) -> Sequence[_Leak]:
    samples = dataset.samples
    # A test picture counts once; augmented copies are compared as training samples only.
    test = test[samples.view[test] == 0]
    digests = dataset.digests
    known = {digest: at for at, digest in zip(train, digests[train], strict=True) if digest}
    copies = {at: known[d] for at, d in zip(test, digests[test], strict=True) if d in known}
    leaks = [_Leak(_name(dataset, at), _name(dataset, of), None) for at, of in copies.items()]
    rest = test[~np.isin(test, list(copies))]
    two = dataset.n_hands == 2 and dataset.header.kind == "pose"
    distance, nearest = _nearest(prints, train, rest, either_side=two)
    near = np.isfinite(distance)
    return leaks + [
        _Leak(_name(dataset, at), _name(dataset, of), round(float(apart), 5))
        for at, of, apart in zip(rest[near], nearest[near], distance[near], strict=True)
    ]


def _nearest(
    prints: FloatArray,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    *,
    either_side: bool,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return distance (infinite if none is near) and index of the nearest training sample."""
    train = train[~np.isnan(prints[train]).any(axis=1)]
    distance, nearest = np.full(len(test), np.inf), np.zeros(len(test), np.int64)
    asked = np.flatnonzero(~np.isnan(prints[test]).any(axis=1))
    if len(train) and len(asked):
        seen = prints[train]
        if either_side:
            # Mirroring swaps the left and the right hand.
            seen = np.concatenate([seen, np.roll(seen, seen.shape[1] // 2, axis=1)])
        # Not balanced: that is slow for many equal rows.
        tree = cKDTree(seen, balanced_tree=False, compact_nodes=False)
        found, place = tree.query(prints[test[asked]], distance_upper_bound=NEAR)
        distance[asked], nearest[asked] = found, train[place % len(train)]
    return distance, nearest


def _name(dataset: LandmarkDataset, sample: int) -> str:
    return str(dataset.samples.source[sample]) or f"sample {sample}"


MAX_DIGESTS = 4096
"""Items whose digests a model file stores at most; they take 40 KB."""
_LENGTH = 10
"""Hexadecimal digits of a digest in a model file: 40 bits give one false match in 60,000 tests of
4,096 items."""


def item_digests(dataset: LandmarkDataset) -> str:
    """Return the shortened digests of the items of a dataset, sorted and concatenated.

    Of more than :data:`MAX_DIGESTS` the smallest, as the same items are among them in any data.
    """
    digests = sorted({_short(digest) for digest in dataset.samples.sha256.tolist() if digest})
    return "".join(digests[:MAX_DIGESTS])


def digests_in(text: str) -> list[str]:
    """Return the shortened digests that :func:`item_digests` has concatenated."""
    return [text[start : start + _LENGTH] for start in range(0, len(text), _LENGTH)]


@dataclass(frozen=True, eq=False)
class SeenItems:
    """Samples that were looked up in the digests of a model file."""

    seen: NDArray[np.bool_]
    """(n_samples,) whether the model was trained on it."""
    checked: NDArray[np.bool_]
    """(n_samples,) whether it can be looked up: it has a digest, of those that are stored."""
    is_part: bool
    """Whether the file stores as many digests as it may: others can be missing."""


def seen_items(card: ModelCard, dataset: LandmarkDataset) -> SeenItems | None:
    """Look up the samples of a dataset in a model file; None if it has no digests."""
    text = card.training.get("item_digests")
    if not isinstance(text, str) or not text:
        return None
    known = set(digests_in(text))
    digests = [_short(digest) if digest else "" for digest in dataset.samples.sha256.tolist()]
    is_part, last = len(known) >= MAX_DIGESTS, max(known)
    seen = np.array([digest in known for digest in digests], bool)
    checked = np.array([bool(one) and (one <= last or not is_part) for one in digests], bool)
    return SeenItems(seen, checked, is_part)


def trained_on(card: ModelCard, dataset: LandmarkDataset) -> list[bool] | None:
    """Return which samples (n_samples,) a model was trained on; None if its card does not say.

    It does not where the file stores the digests of a part of its training data.
    """
    found = seen_items(card, dataset)
    return None if found is None or found.is_part else found.seen.tolist()


def _split(
    card: ModelCard, tested: LandmarkDataset, loaded: LandmarkDataset
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return the training and test samples of a model, if one dataset has both."""
    split = loaded.samples.split
    trains = np.isin(split, ["train", ""])
    tests = np.isin(split, np.unique(tested.samples.split))
    if not trains.any() or (trains & tests).any():
        return None
    if training_samples(loaded).digest() != card.training.get("data_digest"):
        return None
    return np.flatnonzero(trains), np.flatnonzero(tests)


def _short(digest: str) -> str:
    # Hashed once more, as sources may use any text as a digest.
    return hashlib.sha256(digest.encode("utf-8", "surrogateescape")).hexdigest()[:_LENGTH]


def _upright(landmarks: FloatArray) -> FloatArray:
    """Turn each hand about the origin so that its palm points to image-up."""
    return rotate(landmarks, -rotation_deg(landmarks))
