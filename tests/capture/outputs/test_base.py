"""The lines of JSON that other programs get."""

import json
from math import nan

import numpy as np
from output_stubs import FIST, hand, state

from handlore.capture.live.loop import LiveState
from handlore.capture.outputs.base import EventMessage, LandmarkMessage
from handlore.landmarks.hands import Hand


def test_landmarks() -> None:
    right = hand()
    line = LandmarkMessage.of(state(1.23456, [right])).line
    assert "\n" not in line
    message = json.loads(line)
    (found,) = message.pop("hands")
    assert message == {"type": "landmarks", "time": 1.235, "width": 640, "height": 480}
    assert (found["hand"], found["handedness"], found["score"]) == ("right", 0.9, 0.8)
    np.testing.assert_allclose(found["image"], right.image, atol=5.1e-6)
    np.testing.assert_allclose(found["world"], right.world, atol=5.1e-5)


def test_what_is_unknown_is_null() -> None:
    unknown = Hand(hand().image, np.full((21, 3), nan, np.float32), nan, nan)
    (found,) = json.loads(LandmarkMessage.of(state(0, [unknown])).line)["hands"]
    assert {name for name, value in found.items() if value is None} == {
        *("hand", "handedness", "score", "world")
    }


def test_no_hand_and_no_picture() -> None:
    assert json.loads(LandmarkMessage.of(state()).line)["hands"] == []
    assert LandmarkMessage.of(LiveState(0.0, None)) is None


def test_event() -> None:
    assert json.loads(EventMessage(FIST).line) == FIST.detailed()
