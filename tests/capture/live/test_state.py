"""The state of a live run."""

import numpy as np
from live_stubs import LABELS

from handlore.capture.live.state import LiveState
from handlore.models.stream.recogniser import ModelState


def test_bars() -> None:
    one = ModelState(None, LABELS, np.array([0.2, 0.7, 0.1], np.float32))
    other = ModelState("wave", ("wave", "none"), np.array([0.6, 0.4], np.float32))
    moment = LiveState(0.0, None, (), (one, other, ModelState(None, LABELS, None)))
    assert [label for label, _ in moment.bars()] == ["open_palm", "wave", "none", "fist", "none"]
    assert moment.label == "wave"
