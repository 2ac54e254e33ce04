"""Models are run on moments and on sliding windows."""

from itertools import pairwise

import numpy as np
import pytest
from stream_stubs import Swipes, events_of, stream

from handlore.models.encoders import MovementEncoder
from handlore.models.stream.frames import TICK_RATE
from handlore.models.stream.inference import _window_lengths
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


def test_window_of_a_stream_has_context() -> None:
    class Informed(Swipes):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = MovementEncoder(1, 16, context=True)
            self.seen: list[np.ndarray] = []

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            self.seen.append(X[0, -3:, 0])
            return super().predict_proba(X)

    model = Informed()
    parts = [("rest", 1.0), ("left", 1.0), ("rest", 1.0)]
    outputs = list(model_outputs(model, stream(parts), RecogniserSettings()))
    windows = [one for one in outputs if one.probabilities is not None]
    seconds, whole, side = np.array(model.seen).T
    # Of the ticks in the window, of which the first and the last are half outside.
    lengths = [one.end - one.start for one in windows]
    np.testing.assert_allclose(seconds, lengths, atol=1.5 / TICK_RATE)
    assert (whole == 0).all()
    assert (side == 1).all()


@pytest.mark.parametrize(
    "seconds", [(0.5, 1.0, 1.5), (0.3, 1.0, 6.0), (0.9, 1.0, 1.1), (0.1, 2.0, 300.0), (0.8, 3.0, 3)]
)
def test_window_lengths(seconds: tuple[float, ...]) -> None:
    lengths, step = _window_lengths(seconds)
    assert len(lengths) >= 3
    assert lengths == sorted(set(lengths))
    assert lengths[0] == round(TICK_RATE * max(seconds[0], 0.25))
    assert lengths[-1] == round(TICK_RATE * min(seconds[-1], 20))
    # One tick is lost by rounding on either side.
    assert all(b - 1 <= 1.65 * (a + 1) for a, b in pairwise(lengths))
    assert step == pytest.approx(TICK_RATE * max(0.15 * seconds[1], 0.3), abs=0.51)


def test_equal_lengths_are_one() -> None:
    assert _window_lengths((2.0, 2.0, 2.0))[0] == [2 * TICK_RATE]
    assert _window_lengths((0.01, 0.02, 0.03))[0] == [round(TICK_RATE * 0.25)]
