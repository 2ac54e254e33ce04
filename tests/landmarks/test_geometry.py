import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from handlore.classifiers.evaluation.leaks import _upright
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.geometry import canonicalize, mirror, palm_length, rotate, rotation_deg

angles = st.floats(-720, 720, width=32)
sides = st.floats(0, 1, width=32)


@st.composite
def hands(draw, *shape):
    """Hands in image widths whose palm is neither a point nor seen end-on."""
    marks = draw(arrays(np.float32, (*shape, 21, 3), elements=st.floats(-1, 1, width=16)))
    towards = np.radians(draw(arrays(np.float32, shape, elements=st.floats(-180, 180, width=16))))
    palm = draw(st.sampled_from([0.05, 0.2, 1.0]))
    marks[..., 9, 0] = marks[..., 0, 0] + palm * np.sin(towards)
    marks[..., 9, 1] = marks[..., 0, 1] - palm * np.cos(towards)
    return marks


def pointing(x, y, z=0.0):
    """One hand whose middle-finger MCP lies at (x, y, z) from its wrist; the wrist is not at 0."""
    hand = np.full((21, 3), 0.5, np.float32)
    hand[9] += [x, y, z]
    return hand


@pytest.mark.parametrize(
    ("x", "y", "degrees"),
    [
        (0, -0.2, 0),
        (0.2, -0.2, 45),
        (0.2, 0, 90),
        (0.2, 0.2, 135),
        (0, 0.2, 180),
        (-0.2, 0.2, -135),
        (-0.2, 0, -90),
    ],
)
def test_rotation_is_clockwise_from_image_up(x, y, degrees):
    assert rotation_deg(pointing(x, y)) == pytest.approx(degrees, abs=1e-4)


def test_a_hand_that_points_down_has_180_degrees_on_either_side_of_zero():
    down = np.zeros((2, 21, 3), np.float32)
    down[:, 9, 1] = 1
    down[:, 9, 0] = [0.0, -0.0]
    np.testing.assert_array_equal(rotation_deg(down), [180, 180])


@given(hands())
def test_rotation_lies_above_minus_180_up_to_180(hand):
    assert -180 < rotation_deg(hand) <= 180


@given(hands(), angles)
def test_turning_a_hand_changes_its_rotation_by_as_much(hand, degrees):
    change = rotation_deg(rotate(hand, degrees)) - rotation_deg(hand) - degrees
    assert abs((change + 180) % 360 - 180) < 0.05


@given(hands(), angles, angles)
def test_turning_twice_is_turning_by_the_sum(hand, a, b):
    np.testing.assert_allclose(rotate(rotate(hand, a), b), rotate(hand, a + b), atol=1e-3)


def test_each_hand_can_be_turned_by_its_own_angle():
    two = np.stack([pointing(0, -0.2), pointing(0, -0.2)])
    np.testing.assert_allclose(rotation_deg(rotate(two, [90, -45])), [90, -45], atol=1e-3)


def test_turning_leaves_depth_alone_and_its_input_unchanged():
    hand = pointing(0.1, -0.2, 0.3)
    before = hand.copy()
    np.testing.assert_array_equal(rotate(hand, 30)[:, 2], hand[:, 2])
    np.testing.assert_array_equal(hand, before)


@given(hands(3))
def test_upright_hands_have_no_rotation(some):
    np.testing.assert_allclose(rotation_deg(_upright(some)), 0, atol=0.05)


@given(hands(2))
def test_mirroring_twice_is_the_identity(some):
    np.testing.assert_array_equal(mirror(mirror(some)), some)


@given(hands())
def test_mirroring_turns_the_rotation_round(hand):
    turn = rotation_deg(hand) + rotation_deg(mirror(hand))
    assert turn == pytest.approx(0, abs=1e-3) or turn == pytest.approx(360, abs=1e-3)


def test_palm_length_is_in_space_or_in_the_plane_where_depth_is_unknown():
    assert palm_length(pointing(0.3, -0.4, 1.2)) == pytest.approx(1.3)
    assert palm_length(pointing(0.3, -0.4, np.nan)) == pytest.approx(0.5)


@given(hands(2), sides)
def test_canonical_hands_have_their_wrist_at_the_origin_and_a_palm_of_length_1(some, side):
    canonical = canonicalize(some, side)
    np.testing.assert_array_equal(canonical[:, 0], 0)
    np.testing.assert_allclose(palm_length(canonical), 1, rtol=1e-5)


@given(hands(), sides, st.floats(0.01, 100), st.tuples(*[st.floats(-5, 5)] * 3))
def test_canonical_form_does_not_change_with_size_and_place(hand, side, scale, shift):
    moved = (hand.astype(np.float64) * scale + np.array(shift)).astype(np.float32)
    tolerance = 1e-5 * (1 + np.abs(moved).max() / float(palm_length(moved)))
    np.testing.assert_allclose(canonicalize(moved, side), canonicalize(hand, side), atol=tolerance)


@given(hands(), sides)
def test_canonical_form_is_the_same_for_a_mirrored_hand_of_the_other_side(hand, side):
    assume(side != 0.5)
    np.testing.assert_allclose(
        canonicalize(mirror(hand), 1 - side), canonicalize(hand, side), atol=1e-6
    )


def test_left_hands_are_mirrored_and_unknown_ones_taken_as_right():
    three = np.stack([pointing(0.2, -0.1)] * 3)
    x = canonicalize(three, [0.1, 0.9, np.nan])[:, 9, 0]
    assert x[0] < 0 < x[1] == x[2]


@given(hands(), sides)
def test_canonical_form_of_canonical_form_is_itself(hand, side):
    once = canonicalize(hand, side)
    np.testing.assert_allclose(canonicalize(once, 1.0), once, atol=1e-5)


def test_missing_hands_stay_missing_and_leave_the_others_alone():
    some = np.stack([pointing(0, -0.2), np.full((21, 3), np.nan, np.float32)])
    for turned in (canonicalize(some, 0.2), mirror(some), _upright(some), rotate(some, 30)):
        assert np.isnan(turned[1]).all()
        assert not np.isnan(turned[0]).any()
    assert np.isnan(rotation_deg(some)[1])
    assert np.isnan(palm_length(some)[1])


def test_unknown_depth_stays_unknown_while_the_plane_is_canonical():
    hand = pointing(0.3, -0.4)
    hand[:, 2] = np.nan
    canonical = canonicalize(hand)
    np.testing.assert_allclose(canonical[9, :2], [0.6, -0.8], rtol=1e-5)
    assert np.isnan(canonical[:, 2]).all()


def test_a_hand_squeezed_into_a_point_is_missing():
    assert np.isnan(canonicalize(np.full((21, 3), 0.5, np.float32))).all()


def test_handedness_of_another_shape():
    with pytest.raises(HandloreError, match=r"handedness has shape \(4,\), expected \(3,\) or one"):
        canonicalize(np.ones((3, 21, 3), np.float32), np.ones(4))
