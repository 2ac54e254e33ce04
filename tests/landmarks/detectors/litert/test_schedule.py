"""When palms are sought, by a clock that the tests turn themselves."""

import numpy as np
import pytest

from handlore.landmarks.detectors.litert import AdaptiveSchedule, EveryFrame
from handlore.landmarks.detectors.litert.schedule import _Motion

STILL = np.full((240, 320, 3), 120, np.uint8)


def looks(schedule, n_frames, fps, frame=lambda _: STILL, tracked=0, wanted=1):
    """Return the times at which palms are sought."""
    times = [k / fps for k in range(n_frames)]
    return [t for t in times if schedule.due(frame(t), t, tracked, wanted)]


def moving(seconds):
    frame = STILL.copy()
    x = int(300 * seconds) % 280
    frame[100:140, x : x + 40] = 200
    return frame


def test_every_frame_is_every_frame():
    assert len(looks(EveryFrame(), 30, 30)) == 30
    assert not EveryFrame().lost(0.0)


@pytest.mark.parametrize("fps", [5, 15, 30, 60, 120])
def test_a_still_scene_is_looked_at_by_time_not_by_frames(fps):
    n = len(looks(AdaptiveSchedule(), 10 * fps, fps))
    assert 18 <= n <= 26, "twice a second, and a little more at first"


@pytest.mark.parametrize("fps", [30, 60, 120])
def test_movement_is_followed_but_not_in_every_frame(fps):
    times = looks(AdaptiveSchedule(), 4 * fps, fps, moving)
    assert 30 <= len(times) <= 42
    assert np.diff(times).max() <= 0.15


@pytest.mark.parametrize("offset", np.arange(0, 0.5, 0.06))
def test_what_moves_is_looked_at_within_150_ms(offset):
    start = 3.0 + offset
    times = looks(AdaptiveSchedule(), 150, 30, lambda t: moving(t) if t >= start else STILL)
    first = next(t for t in times if t >= start)
    assert first - start <= 0.15


def test_a_slow_movement_adds_up():
    def drifting(seconds):
        frame = STILL.copy()
        frame[100:140, 100:140] += np.uint8(40 * seconds)
        return frame

    assert (
        len(looks(AdaptiveSchedule(), 75, 30, drifting))
        > len(looks(AdaptiveSchedule(), 75, 30)) + 5
    )


def test_a_missing_second_hand_is_sought_every_few_hundred_milliseconds():
    times = looks(AdaptiveSchedule(), 300, 30, moving, tracked=1, wanted=2)
    assert 0.45 <= np.diff(times).min() <= np.diff(times).max() <= 0.55


def test_a_loss_means_at_once():
    schedule = AdaptiveSchedule()
    looks(schedule, 60, 30)
    assert schedule.lost(2.0)
    assert not schedule.due(STILL, 2.01, 0, 1), "it has just been done"
    frames = [k for k in range(1, 60) if schedule.due(STILL, 2 + k / 30, 0, 1)]
    assert frames[:15] == list(range(1, 16)), "in every frame for half a second"
    assert len(frames) <= 15 + 4


def test_the_first_frame_is_looked_at_and_a_reset_makes_the_next_one_the_first():
    schedule = AdaptiveSchedule()
    assert schedule.due(STILL, 5.0, 0, 1)
    assert not schedule.due(STILL, 5.01, 0, 1)
    schedule.reset()
    assert schedule.due(STILL, 0.0, 0, 1)


def test_noise_is_no_movement_and_a_hand_is():
    motion, random = _Motion(), np.random.default_rng(0)
    for _ in range(20):
        noisy = np.clip(STILL + random.normal(0, 12, STILL.shape), 0, 255).astype(np.uint8)
        motion.seen(noisy)
        motion.remember()
        noisy = np.clip(STILL + random.normal(0, 12, STILL.shape), 0, 255).astype(np.uint8)
        assert not motion.seen(noisy)
    hand = STILL.copy()
    hand[50:74, 50:74] = 160
    assert motion.seen(hand)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (2000, 3), (31, 39)])
def test_motion_takes_pictures_of_any_size_and_a_change_of_size(shape):
    motion = _Motion()
    motion.seen(STILL)
    motion.remember()
    assert not motion.seen(np.full((*shape, 3), 120, np.uint8))
