"""Models and streams for tests of :mod:`handlore.models.stream`."""

import numpy as np
from movement_stubs import dataset_of, hand_shape

from handlore.datasets.dataset import LandmarkDataset
from handlore.models.encoders import Encoder, MovementEncoder, PoseEncoder
from handlore.models.stream.events import Event
from handlore.models.stream.recogniser import recognise
from handlore.models.stream.settings import RecogniserSettings

LABELS = ("left", "none", "right")


class Swipes:
    """A model of movements: how far the wrist has moved, and how straight."""

    labels = LABELS
    seconds = (0.8, 1.0, 1.2)

    def __init__(self, n_hands: int = 1, **thresholds: float) -> None:
        self.encoder: Encoder = MovementEncoder(n_hands, 16)
        self.thresholds = thresholds
        self.patience: dict[str, float] = {}

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        x = X[:, 0]
        way = x[:, -1] - x[:, 0]
        # All of it in the middle of the window: part of a swipe, or one at the edge, is less sure.
        middle = x[:, -3] - x[:, 2]
        sure = np.clip(np.abs(middle) / 3.2, 0, 0.98) * (np.abs(way) < 4.5)
        p = np.stack([sure * (way < 0), 1 - sure, sure * (way > 0)], axis=1)
        return (p + 0.01).astype(np.float32) / np.float32(1.03)

    def predict_known(self, X: np.ndarray, max_novelty: float) -> np.ndarray:
        return self.predict_proba(X)


class Spread:
    """A model of poses: a spread hand, a narrow one, or none in between."""

    labels = ("narrow", "none", "wide")
    seconds = ()

    def __init__(self, **thresholds: float) -> None:
        self.encoder: Encoder = PoseEncoder(("image",))
        self.thresholds = thresholds
        self.patience: dict[str, float] = {}

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        width = np.ptp(X[:, 0::2], axis=1)
        wide = np.clip(width - 0.5, 0, 1)
        p = np.stack(
            [np.clip(1 - 2 * wide, 0, 1), 1 - np.abs(1 - 2 * wide), np.clip(2 * wide - 1, 0, 1)],
            axis=1,
        )
        return p.astype(np.float32)

    def predict_known(self, X: np.ndarray, max_novelty: float) -> np.ndarray:
        return self.predict_proba(X)


def frame(x: float, wide: float, person: int = 0) -> np.ndarray:
    """Image landmarks (1, 21, 3) of a hand at x (palm lengths), ``wide`` times as wide."""
    shape = hand_shape(person)
    palm = float(np.linalg.norm(shape[9] - shape[0]))
    return ((shape * [wide, 1, 1]) / palm + [x, 0, 0])[None].astype(np.float32) * 0.13


def stream(parts: list[tuple[str, float]], fps: float = 30, noise: float = 0) -> LandmarkDataset:
    """Parts are ``left``, ``right``, ``rest``, ``wide``, ``thin`` or ``gone``, and seconds."""
    ends = np.cumsum([seconds for _, seconds in parts])
    images = []
    times = np.arange(int(ends[-1] * fps)) / fps
    rng = np.random.default_rng(0)
    for now in times:
        at = int(np.searchsorted(ends, now, side="right"))
        x = sum({"left": -4.0, "right": 4.0}.get(what, 0.0) for what, _ in parts[:at])
        what, seconds = parts[at]
        share = 1 - (ends[at] - now) / seconds
        x += {"left": -4.0, "right": 4.0}.get(what, 0.0) * share * share * (3 - 2 * share)
        image = frame(x, {"wide": 2.5, "thin": 0.35}.get(what, 1.0))
        image = image + rng.normal(0, noise, image.shape).astype(np.float32)
        images.append(np.full_like(image, np.nan) if what == "gone" else image)
    image = np.array(images)
    side = np.where(np.isnan(image[..., 0, 0]), np.nan, 0.9).astype(np.float32)
    return dataset_of([(image, side, times)], ["?"])


def events_of(model: object, video: LandmarkDataset, **kw: object) -> list[Event]:
    return list(recognise([model], video, RecogniserSettings(**kw)))
