import numpy as np
import pytest
from fakes import FakeDetector

from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.geometry import palm_length
from handlore.landmarks.hands import Hand
from handlore.landmarks.opening import CHOICES, _choose_hand, _ChosenHandDetector

SHAPE = np.random.default_rng(0).random((21, 3)).astype(np.float32) * 0.2


def hand(size, x, right, score, real=0.1):
    image = (SHAPE * size + (x, 0.3, 0)).astype(np.float32)
    world = (SHAPE * real / palm_length(SHAPE)).astype(np.float32)
    return Hand(image, world, right, score)


LEFT = hand(1.0, 0.1, 0.1, 0.6, real=0.10)
RIGHT = hand(0.8, 0.6, 0.9, 0.9, real=0.07)
"""A smaller hand, that is nearer."""


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [("left", LEFT), ("right", RIGHT), ("largest", LEFT), ("nearest", RIGHT),
     ("most-confident", RIGHT)],
)  # fmt: skip
def test_one_of_two_hands_is_chosen(choice, chosen):
    assert _choose_hand([LEFT, RIGHT], choice) == [chosen]
    assert _choose_hand([RIGHT, LEFT], choice) == [chosen]
    assert _choose_hand([], choice) == []
    detector = _ChosenHandDetector(FakeDetector(lambda picture: [LEFT, RIGHT]), choice)
    assert detector.detect(np.zeros((9, 9, 3), np.uint8)) == [chosen]


def test_a_side_that_is_not_there_is_not_replaced_by_the_other():
    assert _choose_hand([RIGHT], "left") == []


def test_a_chosen_hand_is_followed_while_it_is_seen():
    frames = [
        [hand(1.0, 0.1, 0.1, 0.9), hand(0.9, 0.6, 0.9, 0.9)],
        [hand(1.0, 0.12, 0.1, 0.9), hand(1.3, 0.6, 0.9, 0.9)],
        [hand(1.3, 0.6, 0.9, 0.9)],
        [hand(1.0, 0.12, 0.1, 0.9), hand(1.2, 0.6, 0.9, 0.9)],
    ]
    inner = FakeDetector(lambda picture: frames[int(picture[0, 0, 0])])
    detector = _ChosenHandDetector(inner, "largest")
    pictures = [np.full((9, 9, 3), k, np.uint8) for k in range(4)]
    sides = [detector.track(picture, k / 30)[0].side for k, picture in enumerate(pictures)]
    assert sides == ["left", "left", "right", "right"]
    detector.reset()
    assert detector.track(pictures[0], 1.0)[0].side == "left"


def test_wrong_choices_are_refused():
    with pytest.raises(HandloreError, match=f"Known: {', '.join(CHOICES)}"):
        _ChosenHandDetector(FakeDetector(lambda picture: []), "biggest")
    with pytest.raises(HandloreError, match="two hands are asked for"):
        DetectorOptions(max_hands=2, hand="left")
