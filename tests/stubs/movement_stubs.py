"""Movements made of numbers, and a detector without networks that follows a bright spot."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes import FakeDetector

from handlore.classifiers.base import HandEstimator, MovementEstimator
from handlore.classifiers.estimators import ESTIMATORS
from handlore.classifiers.onnx_graph import Graph, GraphRunner
from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.landmarks.hands import Hand
from handlore.models.card import INPUT

LABELS = ("circle", "left", "right")

TREMOR = 0.001
"""Standard deviation, in image widths: no landmark of a real hand ever stands still."""

Clip = tuple[np.ndarray, np.ndarray, np.ndarray]


def hand_shape(person: int = 0) -> np.ndarray:
    """A right hand (21, 3), wrist at the origin and fingers up, in image widths."""
    finger, joint = np.divmod(np.arange(20), 4)
    shape = np.zeros((21, 3))
    shape[1:, 0] = (finger - 2) * -0.03
    shape[1:, 1] = -0.1 - 0.03 * joint
    shape[1:, 2] = -0.01 * joint
    shape[1:] += np.random.default_rng(person).normal(0, 0.004, (20, 3))
    return shape.astype(np.float32)


def path_of(label: str, share: np.ndarray) -> np.ndarray:
    """The wrist's way (n, 3), in image widths, at shares of the time."""
    x, y = {
        "left": (-0.4 * share, 0 * share),
        "right": (0.4 * share, 0 * share),
        "up": (0 * share, -0.4 * share),
        "circle": (0.15 * np.sin(2 * np.pi * share), -0.15 * np.cos(2 * np.pi * share)),
        "still": (0 * share, 0 * share),
    }[label]
    return np.stack([x, y, 0 * x], axis=1)


def clip(label: str, *, fps: float = 30, seconds: float = 1.0, person: int = 0) -> Clip:
    """Image landmarks (n, 1, 21, 3), handedness (n, 1) and time of a right hand that moves."""
    time = np.arange(round(fps * seconds) + 1) / fps
    image = path_of(label, time / seconds)[:, None, None] + hand_shape(person) + [0.5, 0.6, 0]
    return image.astype(np.float32), np.full((len(time), 1), 0.9, np.float32), time


def dataset_of(clips: Iterable[Clip], labels: Iterable[str], **columns: object) -> LandmarkDataset:
    clips = list(clips)
    image = np.concatenate([one[0] for one in clips])
    seen = ~np.isnan(image[..., 0, 0])
    return LandmarkDataset(
        image=image,
        world=np.full_like(image, np.nan),
        handedness=np.concatenate([one[1] for one in clips]),
        score=np.where(seen, 0.9, np.nan).astype(np.float32),
        stage=np.where(seen, 0, -1).astype(np.int8),
        time=np.concatenate([one[2] for one in clips]),
        offsets=np.cumsum([0, *(len(one[2]) for one in clips)]),
        samples=Samples.make(list(labels), **columns),
        header=Header(kind="sequence"),
    )


def movements(
    n_people: int = 4, each: int = 2, labels: Iterable[str] = LABELS, seed: int = 0
) -> LandmarkDataset:
    """Movements of several people, of different lengths and frame rates, a little unsteady."""
    rng = np.random.default_rng(seed)
    clips, names, groups = [], [], []
    for person in range(n_people):
        for label in labels:
            for _ in range(each):
                fps, seconds = rng.choice([10, 15, 30]), rng.uniform(0.8, 1.4)
                image, side, time = clip(label, fps=fps, seconds=seconds, person=person)
                image += rng.normal(0, 0.003, image.shape).astype(np.float32)
                clips.append((image, side, time))
                names.append(label)
                groups.append(f"p{person}")
    return dataset_of(clips, names, group=groups)


def lesson(name: str, *labels: str) -> LandmarkDataset:
    """Movements with rests of two seconds between, as consecutive parts of one recording."""
    clips, names, place, rng = [], [], np.zeros(3), np.random.default_rng(len(labels))
    for label in ("still", *(part for one in labels for part in (one, "still"))):
        image, side, time = clip(label, fps=30, seconds=2 if label == "still" else 1, person=9)
        moved = image - image[0, 0, 0] + place
        place = moved[-1, 0, 0]
        moved = moved + rng.normal(0, TREMOR, moved.shape)
        clips.append((moved.astype(np.float32), side, time))
        names.append("none" if label == "still" else label)
    n = len(names)
    return dataset_of(clips, names, recording=[name] * n, source=[f"{name}#{k}" for k in range(n)])


def two_handed(dataset: LandmarkDataset) -> LandmarkDataset:
    """The same with room for two hands, the left one never seen."""
    unseen = {"stage": -1}
    both = {
        name: np.stack([np.full_like(a, unseen.get(name, np.nan)), a], axis=1)
        for name, a in (
            (name, getattr(dataset, name)[:, 0])
            for name in ("image", "world", "handedness", "score", "stage")
        )
    }
    return LandmarkDataset(
        **both, time=dataset.time, offsets=dataset.offsets, samples=dataset.samples,
        header=dataset.header,
    )  # fmt: skip


class Spot(FakeDetector):
    """Takes a bright spot for the palm of a right hand."""

    def __init__(self) -> None:
        super().__init__(self._hands)

    def _hands(self, picture: np.ndarray) -> list[Hand]:
        y, x = np.nonzero(picture[..., 1] > 128)
        if not len(x):
            return []
        place = np.array([x.mean(), y.mean(), 0]) / picture.shape[1]
        tremor = np.random.default_rng([len(x), *x[:9], *y[:9]]).normal(0, TREMOR, (21, 3))
        marks = (hand_shape(9) + place + tremor).astype(np.float32)
        return [Hand(marks, marks, 0.9)]


def pictures_of(label: str | None, *, fps: float = 15, seconds: float = 1.0) -> list[np.ndarray]:
    """Frames (96, 96, 3) with a spot that moves; all dark for None."""
    share = np.arange(round(fps * seconds) + 1) / (fps * seconds)
    frames = [np.zeros((96, 96, 3), np.uint8) for _ in share]
    if label is not None:
        for frame, (x, y, _) in zip(frames, path_of(label, share), strict=True):
            cv2.circle(frame, (round(96 * (x + 0.5)), round(96 * (y + 0.5))), 5, (255,) * 3, -1)
    return frames


def write_video(path: Path, frames: Iterable[np.ndarray], fps: float = 15) -> Path:
    frames = list(frames)
    size = frames[0].shape[1::-1]
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, size)
    for frame in frames:
        video.write(frame)
    video.release()
    return path


def write_frames(folder: Path, frames: Iterable[np.ndarray]) -> Path:
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"frame_{number}.png"), frame)
    return folder


SMALL = {"n_kernel_features": 300, "n_augmented": 1, "epochs": 60}
NEEDS_TORCH = {"tcn"}

every_estimator = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.skipif(
            name in NEEDS_TORCH and find_spec("torch") is None, reason="needs the extra temporal"))
        for name, estimator in ESTIMATORS.entries().items()
        if estimator.kind == "sequence"
    ],
)  # fmt: skip


def small(name: str, **params: Any) -> HandEstimator:
    """An unfitted estimator that learns fast, and not too well."""
    estimator = ESTIMATORS[name]()
    known = estimator.get_params()
    return estimator.set_params(**{k: v for k, v in SMALL.items() if k in known} | params)


class Nearest(MovementEstimator):
    """The nearest mean movement: the least that a subclass without context has to define."""

    name = "nearest"
    summary = "for tests"

    def _fit(self, X: np.ndarray, codes: np.ndarray, groups: np.ndarray | None) -> None:
        assert groups is None or groups.shape == codes.shape
        self.given_shape_ = X.shape[1:]
        self.means_ = np.array([X[codes == k].mean(axis=0).ravel() for k in np.unique(codes)])

    def _predict_proba(self, X: np.ndarray) -> np.ndarray:
        return GraphRunner(self._to_onnx())(X)

    def _to_onnx(self) -> Any:
        graph, mean = Graph(), self.means_.astype(np.float32)
        rows = graph.op("Flatten", INPUT)
        scores = graph.op("MatMul", rows, graph.constant(mean.T / 100))
        offset = graph.constant(-(mean * mean).sum(axis=1) / 200)
        result = graph.op("Softmax", graph.op("Add", scores, offset), axis=1)
        return graph.model(self.given_shape_, result, (len(mean),))
