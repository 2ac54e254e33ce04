"""A live camera that is lost, silent, black or frozen."""

import cv2
import numpy as np
import pytest
from capture_stubs import Stage

from handlore.capture.cameras import CameraError, CameraFrame, LiveFeed, feed
from handlore.capture.cameras.feed import _FaultDetector


@pytest.fixture
def stage(monkeypatch):
    monkeypatch.setattr(feed, "_RETRY_SECONDS", 0.01)
    made = Stage()
    made.feeds = []

    def start() -> LiveFeed:
        made.feeds.append(LiveFeed(made.open, clock=lambda: made.now))
        return made.feeds[-1]

    made.start = start
    yield made
    for one in made.feeds:
        one._closing.set()
        made.give("the test is over")
        one.close()


def grey(frame: CameraFrame) -> int:
    return int(frame.pixels[0, 0, 0])


class TestLive:
    def test_cannot_be_opened(self, stage):
        stage.faults.append("camera 7 cannot be opened: nobody knows why")
        with pytest.raises(CameraError, match="nobody knows why"):
            stage.start()

    def test_slow_reader(self, stage):
        live = stage.start()
        stage.give(20, 30, 40, 50)
        while live.missed < 3:
            pass
        assert grey(live.next(5)) == 50
        assert live.next(0.0) is None, "and never the same one twice"
        stage.give(60)
        assert grey(live.next(5)) == 60

    def test_unplugged(self, stage):
        live = stage.start()
        stage.give(20)
        assert grey(live.next(5)) == 20
        stage.faults.extend(["there is no camera"] * 3)
        stage.give("camera 7 gives no picture; was it unplugged?")
        while stage.opened < 5:
            pass
        assert live.problem == "there is no camera"
        assert stage.closed == 1, "it lets go of what it had"
        stage.give(30)
        assert grey(live.next(5)) == 30
        assert live.problem is None

    @pytest.mark.parametrize("error", [KeyError("SensorTimestamp"), cv2.error("(-215) bad\nsize")])
    def test_driver_error(self, stage, error):
        live = stage.start()
        stage.give(error)
        while stage.opened < 2:
            pass
        words = " ".join(str(error).split())
        assert live.problem == f"camera 7 fails ({type(error).__name__}: {words}); it is reopened"
        stage.faults.append(RuntimeError("the bus is down"))
        stage.give("it was unplugged")
        while stage.opened < 4:
            pass
        assert live.problem == "camera 7 fails (RuntimeError: the bus is down); it is reopened"
        stage.give(30)
        assert grey(live.next(5)) == 30
        assert live.problem is None

    def test_driver_error_at_opening(self, stage):
        stage.faults.append(RuntimeError("the bus is down"))
        with pytest.raises(
            CameraError, match=r"cannot be opened \(RuntimeError: the bus is down\)"
        ):
            stage.start()

    def test_a_camera_that_hangs(self, stage):
        live = stage.start()
        stage.give(20)
        live.next(5)
        assert live.problem is None
        stage.now += 2.5
        assert live.next(0.0) is None
        assert live.problem.startswith("camera 7 has given no picture for 2 s")

    def test_black_pictures(self, stage):
        live = stage.start()
        for number in range(30):
            stage.give(3 + number % 2)
            assert live.next(5) is not None
        assert live.problem == "camera 7 gives black pictures; open its cover, or switch on a light"
        stage.give(90)
        live.next(5)
        assert live.problem is None

    def test_frozen_camera(self, stage):
        live = stage.start()
        stage.give(*[80] * 25)
        while stage.opened < 2:
            pass
        assert stage.closed == 1
        stage.give(81)
        while live.problem is not None:
            pass
        assert grey(live.next(5)) in (80, 81)


def test_still_scene():
    rng = np.random.default_rng(0)
    detector = _FaultDetector("camera 7")
    for number in range(100):
        pixels = (100 + rng.integers(0, 2, (480, 640, 3))).astype(np.uint8)
        assert detector.check(CameraFrame(pixels, number / 10)) is None


def test_short_darkness():
    detector = _FaultDetector("camera 7")
    for number in range(100):
        shade = 90 + number % 2 if number % 30 == 0 else number % 2
        pixels = np.full((480, 640, 3), shade, np.uint8)
        said = detector.check(CameraFrame(pixels, number / 20))
        assert said is None
