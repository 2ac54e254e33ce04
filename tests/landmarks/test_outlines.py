"""Outlines: what may be a hand, told from what is put together of straight lines and ellipses."""

import cv2
import numpy as np
import pytest

from handlore.datasets.pictures import read_picture
from handlore.datasets.rendered import POSES, Person
from handlore.landmarks.silhouettes import curvature, figure_of, may_be_hand


def turned(mask, degrees):
    height, width = mask.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 0.8)
    return cv2.warpAffine(mask, matrix, (width, height))


def sized(mask, side):
    size = tuple(max(1, round(length * side / max(mask.shape))) for length in mask.shape[1::-1])
    return np.where(cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 127, 255, 0)


def figures(random, side):
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
    passed = [may_be_hand(figure_of(m)) for _ in range(12) for m in figures(random, side)]
    assert np.mean(passed) <= 0.1


@pytest.mark.parametrize("side", [64, 200, 400])
def test_hands_may_be_hands_however_they_are_turned(mask_of_hand, side):
    passed = []
    for number, pose in enumerate(POSES):
        mask, _ = mask_of_hand(pose, Person.random(number))
        for degrees in (0, 40, 180):
            small = sized(turned(mask, degrees), side).astype(np.uint8)
            passed += [may_be_hand(figure_of(small)), may_be_hand(figure_of(255 - small))]
    assert np.mean(passed) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pattern", "n"), [("silhouettes50/*/*", 528), ("hgr1/*.bmp", 574)], ids=["small", "large"]
)
def test_real_hands_may_be_hands(real_data, pattern, n):
    files = sorted(real_data.glob(pattern))
    assert len(files) >= n
    assert np.mean([may_be_hand(figure_of(read_picture(file)[0])) for file in files]) >= 0.98


def test_a_circle_is_bent_the_same_everywhere_and_a_notch_is_bent_inwards():
    turns = np.linspace(0, 2 * np.pi, 600, endpoint=False)
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=1) * 100 + 150
    assert np.allclose(curvature(np.rint(circle).astype(np.int32)), np.sqrt(np.pi), atol=0.25)
    assert np.allclose(curvature(np.rint(circle[::-1]).astype(np.int32)), np.sqrt(np.pi), atol=0.25)
    notched = circle * np.where(abs(turns - 3) < 0.2, 0.8, 1.0)[:, None]
    assert curvature(np.rint(notched).astype(np.int32)).min() < -1


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (3, 900)])
def test_masks_without_an_outline_are_no_hands(shape):
    for value in (0, 255):
        mask = np.zeros((*shape, 3), np.uint8)
        mask[0, 0] = value
        assert not may_be_hand(figure_of(mask))
