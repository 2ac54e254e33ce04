"""Small datasets made of random numbers."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from handlore.datasets.dataset import Header, LandmarkDataset, Samples

MakeDataset = Callable[..., LandmarkDataset]


def make(
    labels: Sequence[str],
    *,
    lengths: Sequence[int] | None = None,
    detected: Sequence[bool] | None = None,
    n_hands: int = 1,
    seed: int = 0,
    header: Header | None = None,
    **columns: Any,
) -> LandmarkDataset:
    """Make a valid dataset; ``source`` numbers the samples unless it is given."""
    rng = np.random.default_rng(seed)
    lengths = [1] * len(labels) if lengths is None else lengths
    n_frames = sum(lengths)
    shape = (n_frames, n_hands)
    found = np.ones(n_frames, bool) if detected is None else np.resize(detected, n_frames)
    stage = np.where(found[:, None], rng.integers(0, 4, shape), -1).astype(np.int8)
    missing = np.where(stage < 0, np.float32(np.nan), np.float32(0))
    marks = rng.normal(0.5, 0.2, (2, *shape, 21, 3)).astype(np.float32)
    columns.setdefault("source", [f"{number}.jpg" for number in range(len(labels))])
    return LandmarkDataset(
        *(marks + missing[..., None, None]),
        rng.random(shape, np.float32) + missing,
        np.full(shape, np.nan, np.float32),
        stage,
        np.concatenate([[], *(np.arange(length) / 30 for length in lengths)]),
        np.cumsum([0, *lengths]).astype(np.int64),
        Samples.make(labels, **columns),
        header or Header(kind="pose" if all(n == 1 for n in lengths) else "sequence"),
    )


def bend_side(landmarks):
    """Return to which side the four fingers bend, in palm lengths: positive = of a right hand.

    ``landmarks`` is (..., 21, 3) with x right, y down, z away. The cross product of the ways from
    the wrist to the index and the pinky MCP points out of a right hand's palm; fingers bend there.
    """
    wrist, index, middle, pinky = (landmarks[..., k, :] for k in (0, 5, 9, 17))
    out = np.cross(index - wrist, pinky - wrist)
    out = out / np.linalg.norm(out, axis=-1, keepdims=True)
    fingers = [landmarks[..., tip, :] - landmarks[..., tip - 3, :] for tip in (8, 12, 16, 20)]
    palm = np.linalg.norm(middle - wrist, axis=-1)
    return np.mean([(finger * out).sum(-1) for finger in fingers], axis=0) / palm


@pytest.fixture(scope="session", name="bend_side")
def bend_side_fixture():
    """Return :func:`bend_side`."""
    return bend_side


@pytest.fixture(scope="session")
def right_fist():
    """Return the world landmarks (21, 3) of a rendered right hand with bent fingers."""
    from handlore.datasets.rendered import Person, Scene, render_pose

    return render_pose("fist", Person.random(0), Scene()).world


@pytest.fixture(scope="session")
def make_dataset() -> MakeDataset:
    """Return a maker of small datasets, see :func:`make`."""
    return make
