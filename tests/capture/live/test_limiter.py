"""Frame rates, heat, and searching less often while nothing moves, with a made-up clock."""

from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeDetector, hand_of

from handlore.capture.live.limiter import LEAST_SHARE, RateLimiter, ThrottledDetector, thermometer
from handlore.landmarks.hands import Pixels
from handlore.landmarks.opening import _ChosenHandDetector


def frames_per_second(
    limiter: RateLimiter, work: float, camera: float = inf, seconds: float = 20.0
) -> float:
    """Run a loop that works so long on each frame of a camera of that rate."""
    now, n, last = 0.0, 0, -1
    while now < seconds:
        newest = int(now * camera) if camera < inf else last + 1
        if newest == last:
            now = (last + 1) / camera + 1e-9
            newest = last + 1
        last, begun = newest, now
        now += work
        now += limiter.rest(begun, now)
        n += 1
    return n / seconds


@pytest.mark.parametrize("work", [0.001, 0.02, 0.049])
@pytest.mark.parametrize("camera", [30.0, 60.0, inf])
def test_max_fps(work: float, camera: float) -> None:
    assert frames_per_second(RateLimiter(20.0), work, camera) == pytest.approx(20.0, rel=0.03)


def test_slow_machine() -> None:
    assert frames_per_second(RateLimiter(20.0), 0.1, 30.0) == pytest.approx(10.0, rel=0.03)


@pytest.mark.parametrize("camera", [0.0, 0.033])
def test_no_limits(camera: float) -> None:
    limiter, now = RateLimiter(), 0.0
    for number in range(100):
        work = 0.001 if number % 5 else 0.05
        assert limiter.rest(now, now + work) == 0.0
        now += max(work, camera)


def test_waiting_counts_as_rest() -> None:
    limiter = RateLimiter(share=0.9)
    assert all(limiter.rest(n / 30, n / 30 + 0.02) < 0.0023 for n in range(100))


@pytest.mark.parametrize("work", [0.005, 0.08])
def test_share_of_the_time(work: float) -> None:
    rate = frames_per_second(RateLimiter(share=0.5), work)
    assert rate * work == pytest.approx(0.5, rel=0.03)


def test_late_frame() -> None:
    limiter = RateLimiter(10.0)
    limiter.rest(0.0, 0.01)
    limiter.rest(3.0, 3.01)  # the camera was away
    assert limiter.rest(3.1, 3.11) == pytest.approx(0.09)


def test_hot_machine() -> None:
    room: list[float | None] = [30.0]
    limiter = RateLimiter(share=1.0, thermometer=lambda: room[0])
    assert frames_per_second(limiter, 0.05) == pytest.approx(20.0, rel=0.03)
    limiter = RateLimiter(share=1.0, thermometer=lambda: room[0])
    room[0] = -3.0
    assert frames_per_second(limiter, 0.05, seconds=60.0) < 20.0 * (LEAST_SHARE + 0.1)
    assert limiter.share == pytest.approx(LEAST_SHARE, abs=0.01)
    room[0] = 25.0
    for step in range(20):
        limiter.rest(100.0 + 3 * step, 100.01 + 3 * step)
    assert limiter.share == pytest.approx(1.0, abs=0.01)


def zone(folder: Path, number: int, temperature: str, **trips: str) -> None:
    place = folder / f"thermal_zone{number}"
    place.mkdir()
    (place / "temp").write_text(temperature)
    for n, (kind, degrees) in enumerate(trips.items()):
        (place / f"trip_point_{n}_type").write_text(f"{kind}\n")
        (place / f"trip_point_{n}_temp").write_text(f"{degrees}\n")


def test_thermometer(tmp_path: Path) -> None:
    assert thermometer(tmp_path / "no")() is None
    zone(tmp_path, 0, "61500\n", critical="110000")
    assert thermometer(tmp_path)() == pytest.approx(18.5)
    zone(tmp_path, 1, "93000\n", passive="99000", critical="110000")
    zone(tmp_path, 2, "-274000\n")
    zone(tmp_path, 3, "no number")
    zone(tmp_path, 4, "64000\n", passive="0")
    assert thermometer(tmp_path)() == pytest.approx(6.0)


def throttled() -> tuple[ThrottledDetector, FakeDetector]:
    inner = FakeDetector(lambda picture: [hand_of(0)] if picture.max() > 200 else [])
    return ThrottledDetector(inner), inner


def picture(grey: int) -> Pixels:
    return np.full((120, 160, 3), grey, np.uint8)


def test_throttled_in_an_empty_room() -> None:
    detector, inner = throttled()
    for frame in range(300):
        assert detector.track(picture(50), frame / 30) == []
    assert 3.5 < len([t for t in inner.times if t > 2.0]) / 8.0 < 4.5


def test_every_frame_while_something_moves() -> None:
    detector, inner = throttled()
    for frame in range(300):
        detector.track(picture(50), frame / 30)
    for frame in range(300, 330):
        detector.track(picture(60 + frame % 2 * 20), frame / 30)
    assert len([t for t in inner.times if t >= 10.0 - 1e-9]) == 30


def test_every_frame_with_a_hand() -> None:
    detector, inner = throttled()
    for frame in range(300):
        detector.track(picture(50), frame / 30)
    assert [len(detector.track(picture(250), frame / 30)) for frame in range(300, 390)] == [1] * 90
    assert len([t for t in inner.times if t >= 10.0 - 1e-9]) == 90


def test_a_throttled_detector_looks_for_the_same_hands() -> None:
    inner = FakeDetector(lambda picture: [hand_of(0)])
    chosen = _ChosenHandDetector(inner, "left")
    hands = [replace(hand_of(0), handedness=side) for side in (0.1, 0.9)]
    assert [ThrottledDetector(chosen).wants(hand) for hand in hands] == [
        chosen.wants(hand) for hand in hands
    ]
    assert [chosen.wants(hand) for hand in hands] == [True, False]
