from math import cos, pi, radians, sin

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlore.landmarks.detectors.litert.regions import (
    MEDIAPIPE_PALM_ANGLE,
    UPRIGHT_PALM_ANGLE,
    Region,
)

ANGLES = st.floats(-7, 7)
PLACES = st.floats(-500, 500)
SIDES = st.floats(1, 500)
REGIONS = st.builds(Region, PLACES, PLACES, SIDES, ANGLES)


def wrapped(radians):
    """The same angle, as a region has it."""
    return Region(0, 0, 1, 0.0).turned(radians).rotation


def upright_palm(turn=0.0):
    """A palm 40 wide and 60 high about (100, 200), fingers up, turned about its centre."""
    keypoints = np.array(
        [(100, 230), (85, 170), (100, 170), (110, 175), (118, 180), (80, 220), (70, 200)], float
    )
    c, s = cos(turn), sin(turn)
    turned = (keypoints - (100, 200)) @ np.array([[c, s], [-s, c]]) + (100, 200)
    return np.array([(80, 170), (120, 230)], float), turned


@given(REGIONS, st.booleans())
def test_the_middle_and_the_corners_of_a_square_are_where_they_belong(region, flip):
    matrix = region.to_picture(10, flip=flip)
    corners = np.array([(0, 0), (10, 0), (10, 10), (0, 10)]) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(corners.mean(axis=0), (region.x, region.y), atol=1e-6)
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    np.testing.assert_allclose(edges, region.side, rtol=1e-6)
    assert np.sign(np.linalg.det(matrix[:, :2])) == (-1 if flip else 1)


def test_a_rotated_square_contains_the_points_inside_it():
    region, corner = Region(10.0, 20.0, 8.0, pi / 4), 4 * 2**0.5
    inside, outside = corner - 0.1, corner + 0.1
    assert region.contains(np.array([[10, 20], [10 + inside, 20], [10, 20 - inside]]))
    assert not region.contains(np.array([[10, 20], [10 + outside, 20]]))
    assert not region.contains(np.array([[10, 20], [13.9, 23.9]]))


@given(REGIONS, REGIONS)
def test_overlap_is_symmetric_and_of_a_square_with_itself_one(one, other):
    assert one.overlap(one) == pytest.approx(1.0)
    assert 0 <= one.overlap(other) <= 1
    assert one.overlap(other) == pytest.approx(other.overlap(one))


@pytest.mark.parametrize(("x", "shared"), [(0, 1.0), (5, 1 / 3), (10, 0.0), (30, 0.0)])
def test_overlap_of_shifted_squares(x, shared):
    assert Region(0, 0, 10, 0).overlap(Region(x, 0, 10, 1)) == pytest.approx(shared)


def test_a_small_square_inside_a_large_one():
    assert Region(0, 0, 10, 0).overlap(Region(1, 1, 5, 0)) == pytest.approx(0.25)


def test_the_letterbox_is_the_square_about_the_picture():
    assert Region.around(np.zeros((50, 20_000, 3), np.uint8)) == Region(10_000, 25, 20_000, 0)


def test_the_region_of_an_upright_palm():
    region = Region.from_palm(*upright_palm(), UPRIGHT_PALM_ANGLE)
    assert region.rotation == pytest.approx(0)
    assert (region.x, region.y) == pytest.approx((100, 200 - 0.5 * 60))
    assert region.side == pytest.approx(2.6 * 60)


def test_the_angle_of_mediapipe_is_ninety_radians():
    region = Region.from_palm(*upright_palm())
    assert region.rotation == pytest.approx(wrapped(90 - pi / 2))
    assert np.degrees(region.rotation) == pytest.approx(26.62, abs=0.01)
    assert MEDIAPIPE_PALM_ANGLE == 90


@given(st.floats(-3, 3))
def test_the_region_turns_with_the_palm(turn):
    region = Region.from_palm(*upright_palm(turn), UPRIGHT_PALM_ANGLE)
    assert wrapped(region.rotation - turn) == pytest.approx(0, abs=1e-6)
    away = np.array([region.x, region.y]) - (100, 200)
    np.testing.assert_allclose(away, (30 * sin(turn), -30 * cos(turn)), atol=1e-6)


@given(ANGLES, st.floats(0.2, 5), PLACES, PLACES)
def test_the_region_from_landmarks_moves_with_the_hand(turn, scale, x, y):
    random = np.random.default_rng(0)
    points = random.uniform(-1, 1, (21, 2))
    points[[0, 5, 9, 13]] = (0, 1), (-0.2, -1), (0, -1), (0.2, -1)
    c, s = cos(turn), sin(turn)
    moved = scale * points @ np.array([[c, s], [-s, c]]) + (x, y)
    before, after = Region.from_landmarks(points), Region.from_landmarks(moved)
    assert before.rotation == pytest.approx(0)
    assert wrapped(after.rotation - turn) == pytest.approx(0, abs=1e-6)
    assert after.side == pytest.approx(scale * before.side)
    centre = scale * np.array([before.x, before.y]) @ np.array([[c, s], [-s, c]]) + (x, y)
    np.testing.assert_allclose((after.x, after.y), centre, atol=1e-6)


def test_bent_fingers_do_not_change_the_region():
    points = np.random.default_rng(0).uniform(0, 1, (21, 2))
    bent = points.copy()
    bent[[4, 7, 8, 11, 12, 15, 16, 19, 20]] = 7
    assert Region.from_landmarks(points) == Region.from_landmarks(bent)


@given(st.floats(-1000, 1000))
def test_an_angle_is_wrapped_once(angle):
    rotation = wrapped(angle)
    assert -pi <= rotation <= pi
    assert cos(rotation) == pytest.approx(cos(angle), abs=1e-9)
    assert sin(rotation) == pytest.approx(sin(angle), abs=1e-9)


def test_turning_a_region_keeps_its_middle():
    turned = Region(3, 4, 10, 0.0).turned(radians(90), 2.0)
    assert (turned.x, turned.y, turned.side) == (3, 4, 20)
    assert turned.rotation == pytest.approx(pi / 2)
