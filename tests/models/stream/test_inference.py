"""Models are run on moments and on sliding windows."""

import numpy as np
import pytest
from stream_stubs import Swipes, events_of, stream

from handlore.models.movement_encoder import MovementEncoder
from handlore.models.stream.recogniser import model_outputs
from handlore.models.stream.settings import RecogniserSettings


def test_window_has_no_duration() -> None:
    class Timed(Swipes):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = MovementEncoder(1, 16, timed=True)
            self.seen: list[np.ndarray] = []

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            self.seen.append(X[:, -1])
            return super().predict_proba(X)

    model = Timed()
    assert [one.label for one in events_of(model, stream([("rest", 1), ("left", 1), ("rest", 1)]))]
    assert model.seen
    assert not np.any(model.seen)


def test_short_absence_with_long_windows() -> None:
    """Windows of long clips lie further apart than a hand may be lost."""

    class Long(Swipes):
        seconds = (6.0,)

    rest = [("rest", 4.43), ("gone", 0.66), ("rest", 4.0)]
    answers = list(model_outputs(Long(), stream(rest), RecogniserSettings()))
    away = [answer.time for answer in answers if answer.probabilities is None]
    assert away == [pytest.approx(133 / 30 + 0.6)]
