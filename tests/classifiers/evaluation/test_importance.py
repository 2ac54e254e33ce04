"""What a part of the hand is worth, to classifiers that are known to look at one part alone."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from movement_stubs import movements, two_handed

from handlore.classifiers.evaluation.importance import (
    Importance,
    measure_importances,
)
from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.landmarks.geometry import mirror, rotate
from handlore.models.encoders import MovementEncoder, PoseEncoder

SHAPE = np.random.default_rng(0).uniform(-1, 1, (21, 3)).astype(np.float32)
SHAPE[0], SHAPE[9] = (0, 0, 0), (0, -1, 0)
CLASSES = ["bent", "straight"]


def poses(n: int = 60, *, turned: bool = False, left: bool = False) -> LandmarkDataset:
    """Hands whose index fingertip, or else whose rotation, gives the label."""
    straight = np.arange(n) % 2 == 1
    hands = np.repeat(SHAPE[None], n, axis=0)
    if turned:
        hands = rotate(hands, np.where(straight, 90, 0))
    else:
        hands[straight, 8, 1] -= 2
    hands = mirror(hands) if left else hands
    image = (0.1 * hands + 0.5)[:, None].astype(np.float32)
    side = np.full((n, 1), 0.1 if left else 0.9, np.float32)
    samples = Samples.make([CLASSES[int(one)] for one in straight])
    return LandmarkDataset(
        image,
        image,
        side,
        side.copy(),
        np.zeros((n, 1), np.int8),
        np.zeros(n),
        np.arange(n + 1),
        samples,
        Header(),
    )


def looks_at(column: int, middle: float) -> Callable[[np.ndarray], np.ndarray]:
    """A classifier of one column: straight where it is below the middle."""

    def predict(X: np.ndarray) -> np.ndarray:
        straight = X.reshape(len(X), -1)[:, column] < middle
        return np.stack([~straight, straight], axis=1).astype(np.float32)

    return predict


@pytest.mark.parametrize("left", [False, True])
def test_importance_of_fingers(left: bool) -> None:
    encoder = PoseEncoder(("image",))
    column = encoder.names.index("image.index_finger_tip.y")
    middle = float(SHAPE[8, 1]) - 1
    found = measure_importances(looks_at(column, middle), CLASSES, poses(left=left), encoder)
    lost = {one.part: one.lost for one in found}
    assert lost.pop("index") == pytest.approx(0.5, abs=0.15)
    assert set(lost) == {"thumb", "middle", "ring", "pinky", "in-plane rotation"}
    assert set(lost.values()) == {0.0}


def test_importance_of_rotation() -> None:
    encoder = PoseEncoder(("orientation",))
    found = measure_importances(looks_at(1, 0.5), CLASSES, poses(turned=True), encoder)
    lost = {one.part: one.lost for one in found}
    assert lost.pop("in-plane rotation") == pytest.approx(0.5, abs=0.15)
    assert set(lost.values()) == {0.0}


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("made", [movements, lambda **how: two_handed(movements(**how))])
def test_importance_of_wrist_path(made: Callable[..., LandmarkDataset], timed: bool) -> None:
    data = made(n_people=5, each=3, labels=("left", "right"))
    encoder = MovementEncoder(data.n_hands, 16, timed=timed)

    def predict(X: np.ndarray) -> np.ndarray:
        # The last x of the wrist of the last hand.
        ends = X[:, : 64 * data.n_hands].reshape(len(X), data.n_hands, 64, 16)[:, -1, 0, -1]
        return np.stack([ends < 0, ends >= 0], axis=1).astype(np.float32)

    lost = {
        one.part: one.lost for one in measure_importances(predict, ["left", "right"], data, encoder)
    }
    assert lost.pop("path of the wrist") == pytest.approx(0.5, abs=0.2)
    assert set(lost.values()) == {0.0}


def test_pooled_by_samples() -> None:
    found = Importance.pooled([[Importance("thumb", 0.1, 10)], [Importance("thumb", 0.4, 20)], []])
    assert found == [Importance("thumb", pytest.approx(0.3), 30)]
    assert measure_importances(looks_at(0, 0), CLASSES, poses(1), PoseEncoder(("image",))) == []


def test_views_are_left_out() -> None:
    data = poses(20)
    samples = replace(data.samples, view=np.arange(20) % 4)
    encoder = PoseEncoder(("image",))
    found = measure_importances(looks_at(0, 0.0), CLASSES, replace(data, samples=samples), encoder)
    assert {one.n for one in found} == {5}
