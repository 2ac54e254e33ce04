"""A hand that moves, pinches and shows poses as a test says, and a model of its poses."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from movement_stubs import dataset_of

from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.hands import FloatArray
from handlore.models.encoders import Encoder, PoseEncoder

POSES = ("grab", "none", "stop")


@dataclass(frozen=True)
class Moment:
    """What a hand shows."""

    pose: str = "grab"
    """``grab``, ``stop``, ``none`` or ``gone``."""
    x: float = 0.5
    y: float = 0.4
    """Where the palm is, in image widths."""
    pinch: float = 1.0
    """Distance of thumb and index finger, in hand sizes."""
    degrees: float = 0.0
    """Roll, clockwise in the picture."""
    size: float = 1.0
    """Of the hand in the picture, in usual sizes."""

    def landmarks(self) -> FloatArray:
        """Return image landmarks (21, 3); the little finger shows the pose."""
        finger, joint = np.divmod(np.arange(20), 4)
        hand = np.zeros((21, 3))
        hand[1:, 0] = (finger - 2) * 0.25
        hand[1:, 1] = -1.0 - 0.25 * joint
        hand[20, 1] = {"grab": -2.0, "none": -1.2, "stop": -0.4}[self.pose]
        hand[4] = hand[8] + [-self.pinch, 0, 0]
        turn = np.radians(self.degrees)
        hand[:, :2] = hand[:, :2] @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
        palm = hand[[0, 5, 9, 17]].mean(axis=0)
        return ((hand - palm) * 0.2 * self.size + [self.x, self.y, 0]).astype(np.float32)


class Poses:
    """A model of the poses of such a hand."""

    labels = POSES
    seconds = ()

    def __init__(self) -> None:
        self.thresholds: dict[str, float] = {}
        self.patience: dict[str, float] = {}
        self.encoder: Encoder = PoseEncoder(("image",))

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        tip = np.hypot(X[:, -2], X[:, -1])
        codes = np.digitize(-tip, [-1.7, -0.9])
        return np.eye(3, dtype=np.float32)[codes]

    def predict_known(self, X: np.ndarray, max_novelty: float) -> np.ndarray:
        return self.predict_proba(X)


def driven(
    seconds: float, at: Callable[[float], Moment], fps: float = 30, tremor: float = 0.0
) -> LandmarkDataset:
    """A recording of a hand that shows ``at(t)``."""
    times, rng = np.arange(round(seconds * fps)) / fps, np.random.default_rng(0)
    gone = np.full((21, 3), np.nan, np.float32)
    shown = [at(float(time)) for time in times]
    image = np.array([gone if one.pose == "gone" else one.landmarks() for one in shown])[:, None]
    image += rng.normal(0, tremor, image.shape).astype(np.float32)
    side = np.where(np.isnan(image[..., 0, 0]), np.nan, 0.9).astype(np.float32)
    return dataset_of([(image, side, times)], ["?"])
