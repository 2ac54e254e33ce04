import re

import pytest

from handlore.landmarks.hands import BONES, FINGERS, HAND_CONNECTIONS, N_LANDMARKS, HandLandmark

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


def test_bones_are_a_tree_that_reaches_every_landmark_from_the_wrist():
    reached = {HandLandmark.WRIST}
    for parent, child in BONES:
        assert parent in reached, "a parent comes before its children"
        assert child not in reached
        reached.add(child)
    assert reached == set(HandLandmark)
