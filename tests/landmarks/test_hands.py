import re

import numpy as np
import pytest

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import (
    FINGERS,
    HAND_CONNECTIONS,
    N_LANDMARKS,
    Hand,
    HandLandmark,
    HandTransform,
    by_slot,
    majority_side,
)
from handlore.landmarks.search import _plan_transforms

THEIRS = "mediapipe.tasks.python.vision.hand_landmarker"


def test_the_landmarks_are_numbered_and_named_as_mediapipe_does():
    theirs = pytest.importorskip(THEIRS).HandLandmark
    assert {m.name: m.value for m in HandLandmark} == {m.name: m.value for m in theirs}


def test_the_connections_are_those_that_mediapipe_draws():
    theirs = pytest.importorskip(THEIRS).HandLandmarksConnections.HAND_CONNECTIONS
    lines = {frozenset((line.start, line.end)) for line in theirs}
    assert {frozenset(line) for line in HAND_CONNECTIONS} == lines
    assert len(HAND_CONNECTIONS) == len(theirs)


def test_fingers_hold_every_landmark_but_the_wrist_once():
    marks = sorted(mark for finger in FINGERS.values() for mark in finger)
    assert marks == list(range(1, N_LANDMARKS))


@pytest.mark.parametrize("finger", FINGERS)
def test_a_finger_holds_the_landmarks_of_its_name_up_to_the_tip(finger):
    names = [HandLandmark(mark).name.lower() for mark in FINGERS[finger]]
    assert all(re.match(finger, name) for name in names)
    assert names[-1].endswith("_tip")


def hand(handedness):
    return Hand(np.zeros((21, 3), np.float32), np.zeros((21, 3), np.float32), handedness)


@pytest.mark.parametrize(
    ("handedness", "side"), [(0.0, "left"), (0.49, "left"), (0.5, "right"), (np.nan, None)]
)
def test_the_side_is_read_from_the_probability_of_a_right_hand(handedness, side):
    assert hand(handedness).side == side


@pytest.mark.parametrize("shape", [(20, 3), (21, 2), (1, 21, 3)])
def test_landmarks_of_another_shape_are_refused(shape):
    with pytest.raises(HandloreError, match=r"world has shape .*expected an array \(21, 3\)"):
        Hand(np.zeros((21, 3), np.float32), np.zeros(shape, np.float32), 1.0)


def test_one_slot_takes_the_first_hand():
    left, right = hand(0.1), hand(0.9)
    assert by_slot([left, right], 1) == [left]
    assert by_slot([], 1) == [None]


def test_of_two_slots_the_left_hand_takes_the_first_and_the_right_hand_the_second():
    left, right = hand(0.1), hand(0.9)
    assert by_slot([left, right], 2) == by_slot([right, left], 2) == [left, right]
    assert by_slot([right], 2) == [None, right]
    assert by_slot([left], 2) == [left, None]
    assert by_slot([], 2) == [None, None]


@pytest.mark.parametrize(("clear", "unclear", "slot"), [(0.02, 0.3, 0), (0.98, 0.7, 1)])
def test_of_two_hands_on_one_side_the_clearer_keeps_it(clear, unclear, slot):
    a, b = hand(clear), hand(unclear)
    for order in ([a, b], [b, a]):
        slots = by_slot(order, 2)
        assert slots[slot] is a
        assert slots[1 - slot] is b


@pytest.mark.parametrize(("handedness", "slot"), [(0.1, 0), (0.9, 1)])
def test_a_hand_of_unknown_side_does_not_take_the_place_of_a_known_one(handedness, slot):
    known, unknown = hand(handedness), hand(np.nan)
    for order in ([known, unknown], [unknown, known]):
        slots = by_slot(order, 2)
        assert slots[slot] is known
        assert slots[1 - slot] is unknown


def test_majority_side() -> None:
    assert majority_side(np.array([0.9, np.nan, 0.8])) == "right"
    assert majority_side(np.array([0.1])) == "left"
    assert majority_side(np.full((2, 1), np.nan)) is None


def test_the_plan_spreads_turns_and_mirrors_half():
    plan = _plan_transforms(9)
    assert plan[0] == HandTransform()
    turns = sorted(view.turn for view in plan[1:])
    assert turns[0] < -15
    assert turns[-1] > 15
    assert np.diff(turns).max() < 16
    assert sum(view.flip for view in plan) == 4
    assert plan == _plan_transforms(9)


@pytest.mark.parametrize("n", [-1, 1.5])
def test_a_number_of_transforms_that_is_none(n):
    with pytest.raises(HandloreError, match="n_transforms is"):
        _plan_transforms(n)
