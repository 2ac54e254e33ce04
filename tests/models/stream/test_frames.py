"""Frames are resampled and smoothed independently of their rate."""

import numpy as np
import pytest
from stream_stubs import Swipes, frame

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.geometry import palm_length
from handlore.models.stream.frames import (
    MAX_HAND_LOSS,
    TICK_RATE,
    OneEuroFilter,
    StreamFrame,
    _FrameResampler,
)
from handlore.models.stream.recogniser import Recogniser


@pytest.mark.parametrize("fps", [7, 10, 29.97, 30, 60, 144])
def test_resampler_interpolates(fps: float) -> None:
    clock, ticks = _FrameResampler(), []
    for now in np.arange(int(3 * fps)) / fps:
        image = frame(now, 1.0)
        ticks += clock.feed(StreamFrame(float(now), image, image, np.ones(1, np.float32)))
    assert [tick.number for tick in ticks] == list(range(len(ticks)))
    assert len(ticks) >= 3 * TICK_RATE - 1 - TICK_RATE / fps
    for tick in ticks:
        np.testing.assert_allclose(tick.image, frame(tick.time, 1.0), atol=1e-5)


def test_resampler_leaves_gaps_empty() -> None:
    clock = _FrameResampler()
    hand = frame(0, 1.0)
    list(clock.feed(StreamFrame(0.0, hand, hand, np.ones(1, np.float32))))
    ticks = list(clock.feed(StreamFrame(0.5, hand, hand, np.ones(1, np.float32))))
    assert [bool(tick.seen[0]) for tick in ticks] == [False] * (len(ticks) - 1) + [True]


def test_resampler_after_long_gap() -> None:
    clock = _FrameResampler()
    hand = frame(0, 1.0)
    list(clock.feed(StreamFrame(0.0, hand, hand, np.ones(1, np.float32))))
    ticks = list(clock.feed(StreamFrame(3e5, hand, hand, np.ones(1, np.float32))))
    assert MAX_HAND_LOSS * TICK_RATE < len(ticks) < 100
    assert ticks[-1].seen[0]


@pytest.mark.parametrize("time", [1.0, 0.5, float("nan"), float("inf")])
def test_times_must_rise(time: float) -> None:
    recogniser = Recogniser([Swipes()])
    hand, side = frame(0, 1.0), np.ones(1, np.float32)
    recogniser.feed(1.0, hand, hand, side)
    with pytest.raises(InvalidDataError, match=r"times must rise|expected seconds"):
        recogniser.feed(time, hand, hand, side)


def test_one_euro_filter() -> None:
    rng = np.random.default_rng(1)
    smooth, hand = OneEuroFilter(0.1, 1 / TICK_RATE), frame(0, 1.0)[0]
    noisy = [hand + rng.normal(0, 0.002, hand.shape).astype(np.float32) for _ in range(90)]
    calm = np.array([smooth(one, palm_length(one)) for one in noisy])[30:]
    assert calm.std(axis=0).mean() < 0.75 * np.std(noisy[30:], axis=0).mean()
    shifted = [smooth(hand + np.float32(0.26), palm_length(hand)) for _ in range(6)]
    assert np.abs(shifted[-1] - hand - 0.26).max() < 0.026
    off = OneEuroFilter(0.0, 1 / TICK_RATE)
    assert all((off(one, palm_length(one)) == one).all() for one in noisy)
