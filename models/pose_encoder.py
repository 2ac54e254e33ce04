"""Frames of landmarks as rows of features, the input of pose classifiers.

Training, evaluation and live recognition all use :class:`PoseEncoder`, so a model gets the same
input in use as in training.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import Kind, LandmarkDataset
from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.features import DEFAULT_FEATURES, feature_names, pose_features
from handlore.landmarks.geometry import palm_length
from handlore.landmarks.hands import FloatArray, HandLandmark


class Encoder(Protocol):
    """Turns samples of landmarks into the input of a classifier of their kind."""

    kind: ClassVar[Kind]

    @property
    def n_hands(self) -> int:
        """How many hands a frame has room for."""

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
