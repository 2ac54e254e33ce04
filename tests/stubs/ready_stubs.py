"""Recordings of the gestures that come with handlore, made of its own training examples."""

from functools import cache

import numpy as np

from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.datasets.storage import load_dataset
from handlore.landmarks.hands import FloatArray
from handlore.models.files import load_model
from handlore.models.ready import KNOWN_MODELS
from handlore.models.stream.events import HeldHand
from handlore.models.stream.recogniser import recognise

FPS = 30


@cache
def _sign(label: str) -> tuple[FloatArray, FloatArray, float]:
    """Landmarks of the example of ``everyday`` of which its model is most certain."""
    data, model = load_dataset(KNOWN_MODELS["everyday"].examples), load_model("everyday")
    seen = ~np.isnan(data.image[:, 0, 0, 0])
    at = np.flatnonzero((data.samples.label == label) & seen)
    rows = model.encoder.encode(data.image[at], data.world[at], data.handedness[at])
    best = at[model.predict_proba(rows)[:, model.labels.index(label)].argmax()]
    image, palm = data.image[best, 0], HeldHand(data.image[best, 0]).size
    # As if all were signs of one person in one place.
    placed = (image - image[0]) * np.float32(0.2 / palm) + np.array([0.5, 0.6, 0], np.float32)
    return placed, data.world[best, 0], float(data.handedness[best, 0])


def signs(*parts: tuple[str, float]) -> LandmarkDataset:
    """A recording of signs of ``everyday``, or ``gone``, each with its seconds."""
    gone = np.full((21, 3), np.nan, np.float32)
    shown = [
        (gone, gone, np.nan) if label == "gone" else _sign(label)
        for label, seconds in parts
        for _ in range(round(FPS * seconds))
    ]
    image, world, side = (np.array(one, np.float32)[:, None] for one in zip(*shown, strict=True))
    return _recording(image, world, side, np.arange(len(shown)) / FPS)


@cache
def movement(label: str) -> LandmarkDataset:
    """A recording of an example of ``movements`` that its model recognises, and nothing after."""
    data, model = load_dataset(KNOWN_MODELS["movements"].examples), load_model("movements")
    for clip in np.flatnonzero(data.samples.label == label):
        at = slice(data.offsets[clip], data.offsets[clip + 1])
        made = _recording(
            data.image[at], data.world[at], data.handedness[at], data.time[at] - data.time[at][0]
        )
        if [event.label for event in recognise([model], made)] == [label]:
            return made
    raise AssertionError(f"no example of {label} is recognised")


def _recording(
    image: FloatArray, world: FloatArray, side: FloatArray, time: np.ndarray
) -> LandmarkDataset:
    seen = ~np.isnan(image[..., 0, 0])
    return LandmarkDataset(
        image=image,
        world=world,
        handedness=side,
        score=np.where(seen, 0.9, np.nan).astype(np.float32),
        stage=np.where(seen, 0, -1).astype(np.int8),
        time=np.asarray(time, np.float64),
        offsets=np.array([0, len(time)]),
        samples=Samples.make(["?"]),
        header=Header(kind="sequence"),
    )
