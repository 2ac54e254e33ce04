"""Silhouettes: told from photos, lit like skin, and held against what the landmarks say."""

import cv2
import numpy as np
import pytest

from handlore.datasets.rendered import Person, Scene, render_pose
from handlore.landmarks.geometry import palm_length
from handlore.landmarks.search import SILHOUETTE_STAGE, augmented_hands, search
from handlore.landmarks.silhouettes import explained, find_in_silhouette, is_silhouette, relit


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
    assert explained(mask[..., 0], points) > 0.9
    assert explained(mask[..., 0], points * 0.3) < 0.5
