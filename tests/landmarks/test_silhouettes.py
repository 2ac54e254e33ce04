"""Silhouettes: detected among photos, shaded like skin, checked against the landmarks."""

import cv2
import numpy as np
import pytest

from handlore.datasets.pictures import read_picture
from handlore.datasets.rendered import POSES, Person, Scene, render_pose
from handlore.landmarks.geometry import palm_length
from handlore.landmarks.search import augmented_hands, search
from handlore.landmarks.silhouettes import (
    _curvature,
    _explained,
    _figure_of,
    _may_be_hand,
    find_in_silhouette,
    is_silhouette,
    relit,
)
from handlore.landmarks.stages import SILHOUETTE_STAGE


@pytest.mark.parametrize("turned_round", [False, True], ids=["white on black", "black on white"])
def test_a_hand_is_found_in_a_mask_of_either_polarity(detector, mask_of_hand, turned_round):
    apart = []
    for pose in ("open_palm", "victory", "point"):
        mask, truth = mask_of_hand(pose)
        (hand,) = search(detector, 255 - mask if turned_round else mask)
        assert hand.stage == SILHOUETTE_STAGE
        distance = np.linalg.norm((hand.image - truth)[:, :2], axis=1)
        apart.append(np.median(distance) / palm_length(truth))
    assert np.median(apart) < 0.2


def test_a_mask_shows_no_side_in_views_either(detector, mask_of_hand):
    mask, _ = mask_of_hand("open_palm")
    hands = search(detector, mask)
    assert hands[0].side is None
    views = augmented_hands(detector, mask, hands, 3)
    assert views
    assert all(hand.side is None for _, (hand,) in views)


@pytest.mark.parametrize("degrees", [90, 180])
def test_a_turned_mask_is_found_where_it_is(detector, mask_of_hand, degrees):
    mask, truth = mask_of_hand("open_palm")
    (hand,) = search(detector, np.ascontiguousarray(np.rot90(mask, degrees // 90)))
    x, y = truth[:, 0], truth[:, 1]
    side = mask.shape[0] / mask.shape[1]
    there = {90: np.stack([y, 1 - x], 1), 180: np.stack([1 - x, side - y], 1)}[degrees]
    distance = np.linalg.norm(hand.image[:, :2] - there, axis=1)
    assert np.median(distance) < 0.25 * palm_length(truth)


def figures():
    triangle = np.zeros((120, 120), np.uint8)
    cv2.fillPoly(triangle, [np.array([(10, 100), (110, 100), (60, 15)])], 255)
    ellipse = cv2.ellipse(np.zeros((120, 120), np.uint8), (60, 60), (50, 30), 20, 0, 360, 255, -1)
    square = cv2.rectangle(np.zeros((120, 120), np.uint8), (30, 30), (90, 90), 255, -1)
    lines = cv2.line(np.zeros((120, 120), np.uint8), (5, 5), (115, 100), 255, 3)
    return {"triangle": triangle, "ellipse": ellipse, "square": square, "line": lines}


@pytest.mark.parametrize("name", figures())
def test_a_simple_figure_is_no_hand(detector, name):
    picture = np.repeat(figures()[name][..., None], 3, axis=2)
    assert is_silhouette(picture)
    assert find_in_silhouette(detector, picture) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (3, 900)])
def test_masks_of_strange_shapes_do_no_harm(detector, shape):
    pixels = np.zeros((*shape, 3), np.uint8)
    pixels[: (shape[0] + 1) // 2, : (shape[1] + 1) // 2] = 255
    assert find_in_silhouette(detector, pixels) == []


def test_photos_and_grey_pictures_are_no_silhouettes():
    hand = render_pose("fist", Person(), Scene()).pixels
    grey = np.repeat(cv2.cvtColor(hand, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert not is_silhouette(hand)
    assert not is_silhouette(grey)


def test_relighting_keeps_the_aspect_and_shades_towards_the_outline():
    mask = np.zeros((100, 200, 3), np.uint8)
    cv2.circle(mask, (100, 50), 40, (255, 255, 255), -1)
    lit = relit(mask)
    height, width = lit.shape[:2]
    assert width == 2 * height
    centre, radius = width // 2, 40 * width // 200
    row = lit[height // 2].astype(int).sum(axis=1)
    assert row[centre] > row[centre + radius - 4] > row[5]
    middle = lit[height // 2, centre]
    assert middle[0] > middle[2], "skin is more red than blue"


def test_a_hand_explains_its_own_mask_and_not_another(mask_of_hand):
    mask, truth = mask_of_hand("open_palm")
    points = truth[:, :2] * mask.shape[1]
    assert _explained(mask[..., 0], points) > 0.9
    assert _explained(mask[..., 0], points * 0.3) < 0.5


def rotated(mask, degrees):
    height, width = mask.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 0.8)
    return cv2.warpAffine(mask, matrix, (width, height))


def sized(mask, side):
    size = tuple(max(1, round(length * side / max(mask.shape))) for length in mask.shape[1::-1])
    return np.where(cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 127, 255, 0)


def drawn_figures(random, side):
    """Yield rectangles, ellipses, stars, blots and pieces, drawn anew each time."""
    sure = [
        lambda m: cv2.ellipse(m, point(), axes(0.1, 0.4), random.uniform(0, 180), 0, 360, 255, -1),
        lambda m: cv2.fillPoly(m, [corners(np.full(random.integers(3, 9), 0.4))], 255),
        lambda m: cv2.fillPoly(m, [corners(np.tile((0.42, 0.2), random.integers(3, 8)))], 255),
        lambda m: cv2.fillPoly(m, [corners(random.uniform(0.2, 0.45, random.integers(3, 9)))], 255),
        lambda m: [cv2.circle(m, point(0.1), int(0.08 * side), 255, -1) for _ in range(4)],
    ]

    def point(margin=0.4):
        return (random.uniform(margin, 1 - margin, 2) * side).astype(int).tolist()

    def axes(low, high):
        return (random.uniform(low, high, 2) * side).astype(int).tolist()

    def corners(reach):
        turns = np.arange(len(reach)) * 2 * np.pi / len(reach) + random.uniform(0, 6)
        points = 0.5 + reach[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)
        return np.rint(side * points).astype(np.int32)

    for draw in sure:
        mask = np.zeros((side, side, 3), np.uint8)
        draw(mask)
        yield mask[..., :1].repeat(3, axis=2)


@pytest.mark.parametrize("side", [64, 200, 400])
def test_hardly_any_drawn_figure_may_be_a_hand(side):
    random = np.random.default_rng(side)
    passed = [_may_be_hand(_figure_of(m)) for _ in range(12) for m in drawn_figures(random, side)]
    assert np.mean(passed) <= 0.1


@pytest.mark.parametrize("side", [64, 200, 400])
def test_hands_may_be_hands_however_they_are_turned(mask_of_hand, side):
    passed = []
    for number, pose in enumerate(POSES):
        mask, _ = mask_of_hand(pose, Person.random(number))
        for degrees in (0, 40, 180):
            small = sized(rotated(mask, degrees), side).astype(np.uint8)
            passed += [_may_be_hand(_figure_of(small)), _may_be_hand(_figure_of(255 - small))]
    assert np.mean(passed) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pattern", "n"), [("silhouettes50/*/*", 528), ("hgr1/*.bmp", 574)], ids=["small", "large"]
)
def test_real_hands_may_be_hands(real_data, pattern, n):
    files = sorted(real_data.glob(pattern))
    assert len(files) >= n
    assert np.mean([_may_be_hand(_figure_of(read_picture(file)[0])) for file in files]) >= 0.98


def test_a_circle_is_bent_the_same_everywhere_and_a_notch_is_bent_inwards():
    turns = np.linspace(0, 2 * np.pi, 600, endpoint=False)
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=1) * 100 + 150
    assert np.allclose(_curvature(np.rint(circle).astype(np.int32)), np.sqrt(np.pi), atol=0.25)
    assert np.allclose(
        _curvature(np.rint(circle[::-1]).astype(np.int32)), np.sqrt(np.pi), atol=0.25
    )
    notched = circle * np.where(abs(turns - 3) < 0.2, 0.8, 1.0)[:, None]
    assert _curvature(np.rint(notched).astype(np.int32)).min() < -1


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (3, 900)])
def test_masks_without_an_outline_are_no_hands(shape):
    for value in (0, 255):
        mask = np.zeros((*shape, 3), np.uint8)
        mask[0, 0] = value
        assert not _may_be_hand(_figure_of(mask))
