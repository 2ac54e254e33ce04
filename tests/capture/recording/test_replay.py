"""A recording that is played while it may be discarded."""

import numpy as np
import pytest

from handlore.capture.recording.replay import _MOST, Replay


def filled(n: int, fps: float = 10.0) -> Replay:
    replay = Replay()
    for number in range(n):
        replay.add(np.full((48, 64, 3), number % 256, np.uint8), [], 100.0 + number / fps)
    return replay


def shown(replay: Replay, now: float) -> int:
    moment = replay.at(now)
    assert moment is not None
    return int(moment.pixels[0, 0, 0])


def test_it_is_played_in_a_loop() -> None:
    replay = filled(10)
    replay.start(2, 8, 50.0)
    assert [shown(replay, 50.0 + 0.1 * k) for k in range(6)] == [2, 3, 4, 5, 6, 7]
    assert shown(replay, 50.8) == 7, "it rests at its end"
    assert shown(replay, 50.95) == 2


def test_a_long_one_is_played_in_steps() -> None:
    replay = filled(1000, fps=30.0)
    replay.start(0, 1000, 0.0)
    assert len(replay._frames) <= _MOST
    for seconds in (0.0, 4.0, 8.0):
        assert shown(replay, seconds) == pytest.approx(round(30 * seconds) % 256, abs=8)


def test_large_pictures_are_kept_small() -> None:
    replay = Replay()
    replay.add(np.zeros((1920, 1080, 3), np.uint8), [], 0.0)
    replay.start(0, 1, 0.0)
    moment = replay.at(9.0)
    assert moment is not None
    assert moment.pixels.shape == (320, 180, 3)
    assert Replay().at(0.0) is None
