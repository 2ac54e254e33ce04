"""Recordings made of numbers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from movement_stubs import LABELS, clip, dataset_of, hand_shape

from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.datasets.recordings import RecordingFolder
from handlore.landmarks.detector import DetectorInfo

DETECTOR = DetectorInfo("litert", "1", "full", "0" * 64)


def movement(
    label: str = "left",
    *,
    like: str | None = None,
    subject: str = "anna",
    session: str = "s1",
    seed: int = 0,
    seconds: float = 1.0,
    lost: int = 0,
    detector: DetectorInfo | None = DETECTOR,
    camera: str = "camera 0",
) -> LandmarkDataset:
    """One recording of a movement, a little unsteady; ``lost`` frames at its end lack the hand."""
    # No two labels share a tremor, by which a classifier would confuse them.
    rng = np.random.default_rng([seed, *(like or label).encode()])
    image, side, time = clip(like or label, seconds=seconds * rng.uniform(0.8, 1.25), fps=15)
    image = image + rng.normal(0, 0.003, image.shape).astype(np.float32)
    if lost:
        image[-lost:], side[-lost:] = np.nan, np.nan
    made = dataset_of([(image, side, time)], [label], group=[subject], session=[session])
    options = {"camera": camera, "size": [640, 480], "frame_rate": 15.0, "mirrored": False}
    return replace(made, header=Header(kind="sequence", detector=detector, options=options))


def live_recording(label: str = "left", *, seed: int = 0) -> LandmarkDataset:
    """A movement that a live run has recognised, nobody has said whether rightly."""
    made = movement(label, seed=seed, session="live-1")
    event = {"label": label, "start": 0.2, "end": 0.7, "slot": 0, "probability": 0.8}
    options = {**made.header.options, "live": True, "event": event}
    return replace(made, header=replace(made.header, options=options))


def held(
    label: str = "fist", *, n: int = 5, session: str = "s1", subject: str = "anna", seed: int = 0
) -> LandmarkDataset:
    """One recording of a static pose: samples of one frame. A fist has bent fingers."""
    rng = np.random.default_rng(seed)
    shape = hand_shape()
    if label == "fist":
        shape[1:, 1] = -0.2 - shape[1:, 1]
    image = (shape + rng.normal(0, 0.002, (n, 1, 21, 3)) + [0.5, 0.6, 0]).astype(np.float32)
    ones = np.ones((n, 1), np.float32)
    return LandmarkDataset(
        image,
        image,
        0.9 * ones,
        0.9 * ones,
        np.zeros((n, 1), np.int8),
        np.arange(n) / 15,
        np.arange(n + 1),
        Samples.make([label] * n, group=[subject] * n, session=[session] * n),
        Header(kind="pose", detector=DETECTOR, options={"camera": "camera 0"}),
    )


def stream(seconds: float = 20.0, *, session: str = "s1", seed: int = 5) -> LandmarkDataset:
    """Everyday movement, labelled ``none``: the hand wanders; it is away in the second quarter."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(15 * seconds)) / 15
    way = np.cumsum(rng.normal(0, 0.01, (len(time), 1, 1, 3)), axis=0) * [1, 1, 0]
    image = (hand_shape() + way + [0.5, 0.6, 0]).astype(np.float32)
    side = np.full((len(time), 1), 0.9, np.float32)
    away = slice(len(time) // 4, len(time) // 2)
    image[away], side[away] = np.nan, np.nan
    made = dataset_of([(image, side, time)], ["none"], group=["anna"], session=[session])
    return replace(made, world=image, header=Header(kind="sequence", detector=DETECTOR))


def filled(root: Path, each: int = 4, labels: tuple[str, ...] = LABELS) -> RecordingFolder:
    """A folder with so many movements of each label, of one person in one session."""
    folder = RecordingFolder.open(root)
    for seed in range(each):
        for label in labels:
            folder.keep(movement(label, seed=seed))
    return folder


def rendered(
    label: str, *, seed: int = 0, subject: str = "anna", session: str = "s1"
) -> LandmarkDataset:
    """A movement of a rendered hand, with its true landmarks; every seed is another scene."""
    from handlore.datasets.rendered.hand import Person
    from handlore.datasets.rendered.render import render_movement
    from handlore.datasets.rendered.scene import Scene

    rng = np.random.default_rng(seed)
    scene = Scene(
        x=rng.uniform(0.4, 0.6),
        y=rng.uniform(0.45, 0.6),
        size=rng.uniform(0.16, 0.24),
        roll=rng.uniform(-12, 12),
        yaw=rng.uniform(-12, 12),
        tempo=rng.uniform(0.8, 1.2),
        looseness=4.0,
        seed=seed,
    )
    who = Person.random(3)
    moments = list(render_movement(label, who, scene, fps=15, size=(32, 24), painted=False))
    pictures = [picture for _, picture in moments]
    n = len(pictures)
    ones = np.ones((n, 1), np.float32)
    return LandmarkDataset(
        np.stack([picture.image for picture in pictures])[:, None],
        np.stack([picture.world for picture in pictures])[:, None],
        ones,
        ones,
        np.zeros((n, 1), np.int8),
        np.array([seconds for seconds, _ in moments]),
        np.array([0, n]),
        Samples.make([label], group=[subject], session=[session]),
        Header(kind="sequence", detector=DETECTOR, options={"camera": "camera 0"}),
    )
