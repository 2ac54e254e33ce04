"""The values of a held hand, and the pace of what repeats."""

import math
from itertools import pairwise

import numpy as np
import pytest

from handlore.datasets.rendered import Person, Scene, render_pose
from handlore.datasets.storage import load_dataset
from handlore.landmarks.hands import FloatArray
from handlore.models.ready import KNOWN_MODELS
from handlore.models.stream.events import VALUES, HeldHand, Pace


@pytest.fixture(scope="module")
def hands() -> dict[str, list[HeldHand]]:
    """Real hands by what they show: the examples that come with the model ``everyday``."""
    data = load_dataset(KNOWN_MODELS["everyday"].examples)
    found: dict[str, list[HeldHand]] = {}
    for label, image in zip(data.samples.label, data.image[:, 0], strict=True):
        if not np.isnan(image[0, 0]):
            found.setdefault(str(label), []).append(HeldHand(image))
    return found


def median(hands: list[HeldHand], name: str) -> float:
    return float(np.median([getattr(hand, name) for hand in hands]))


def test_pinch_and_openness_of_real_hands(hands: dict[str, list[HeldHand]]) -> None:
    assert median(hands["ok"], "pinch") < 0.1
    assert median(hands["palm"], "pinch") > 0.85
    assert median(hands["one"], "pinch") > 0.6
    assert median(hands["fist"], "openness") < 0.1
    assert median(hands["palm"], "openness") > 0.9
    assert 0.3 < median(hands["peace"], "openness") < 0.7
    assert sum(one.pinch < 0.12 for one in hands["ok"]) > 0.9 * len(hands["ok"])
    assert sum(one.pinch < 0.12 for one in hands["palm"]) == 0


def placed(x: float, y: float, degrees: float = 0.0, size: float = 0.2) -> FloatArray:
    """An open hand whose palm is at x and y, in image widths, turned clockwise in the picture."""
    finger, joint = np.divmod(np.arange(20), 4)
    hand = np.zeros((21, 3))
    hand[1:, 0] = (finger - 2) * 0.3
    hand[1:, 1] = -1.0 - 0.3 * joint
    turn = np.radians(degrees)
    hand[:, :2] = hand[:, :2] @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
    palm = hand[[0, 5, 9, 17]].mean(axis=0)
    return ((hand - palm) * size + [x, y, 0]).astype(np.float32)


def test_position_is_that_of_the_mirrored_picture() -> None:
    left, right = HeldHand(placed(0.9, 0.5)), HeldHand(placed(0.1, 0.5))
    assert (left.side, right.side) == (pytest.approx(0.1), pytest.approx(0.9))
    assert HeldHand(placed(0.5, 0.75)).height == pytest.approx(0)
    assert HeldHand(placed(0.5, 0.0)).height == pytest.approx(1)
    assert HeldHand(placed(0.5, 0.28125), 0.5625).height == pytest.approx(0.5)
    assert (
        HeldHand(placed(-0.2, 0.9)).as_json() | {"side": 1.0, "height": 0.0}
        == HeldHand(placed(-0.2, 0.9)).as_json()
    )


def test_rotation_is_towards_the_persons_right() -> None:
    for degrees in (-150, -90, 0, 45, 120):
        assert HeldHand(placed(0.5, 0.4, degrees)).rotation == pytest.approx(-degrees, abs=0.01)


def test_distance_does_not_matter() -> None:
    near, far = HeldHand(placed(0.5, 0.4, 30, 0.3)), HeldHand(placed(0.5, 0.4, 30, 0.03))
    for name in VALUES:
        assert getattr(near, name) == pytest.approx(getattr(far, name), abs=1e-3)


def test_ranges() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        hand = HeldHand(rng.normal(0.5, 0.5, (21, 3)).astype(np.float32))
        for name, value in hand.as_json().items():
            assert VALUES[name].low <= value <= VALUES[name].high
    flat = HeldHand(np.zeros((21, 3), np.float32))
    assert all(np.isfinite(value) for value in flat.as_json().values())


def test_unknown_depth() -> None:
    """Landmarks of a table in two dimensions are those of a flat hand."""
    flat = placed(0.5, 0.4, 30) * np.array([1, 1, 0], np.float32)
    without = flat + np.array([0, 0, np.nan], np.float32)
    assert HeldHand(without).as_json() == HeldHand(flat).as_json()
    nothing = HeldHand(np.full((21, 3), np.nan, np.float32)).as_json()
    assert all(np.isfinite(value) for value in nothing.values())


def test_rendered_hands() -> None:
    def value(pose: str, name: str) -> float:
        rendered = render_pose(pose, Person.random(1), Scene(seed=1))
        return float(getattr(HeldHand(rendered.image.astype(np.float32)), name))

    assert value("open_palm", "openness") > 0.8 > 0.2 > value("fist", "openness")


@pytest.mark.parametrize(
    ("max_fps", "n"), [(float("inf"), 90), (30, 90), (10, 30), (7, 21), (0.5, 2)]
)
def test_pace(max_fps: float, n: int) -> None:
    pace = Pace(-math.inf, 1 / max_fps)
    sent = [k / 30 for k in range(90) if pace.due(k / 30)]
    assert len(sent) == n
    assert all(b - a > 1 / max_fps - 1 / 30 - 1e-6 for a, b in pairwise(sent))
