"""The window, with OpenCV's functions replaced; and whether a window can be shown."""

import os
from contextlib import closing

import cv2
import numpy as np
import pytest

from handlore.capture import window
from handlore.capture import window as module
from handlore.capture.recording.loop import Status
from handlore.capture.recording.session import State
from handlore.capture.views.record import SessionWindow
from handlore.capture.window import MOST_KEYS

PIXELS = np.zeros((480, 640, 3), np.uint8)


class Screen:
    """OpenCV's windows, as far as they are used."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.shown: list = []
        self.titles: list[str] = []
        self.done: list[str] = []
        self.visible: float | None = 1.0
        self.destroyed = False
        self.now = 100.0
        self.drawing = 0.0

    def events(self, _) -> int:
        self.done.append("events")
        return self.codes.pop(0) if self.codes else -1

    def keep(self, _, picture) -> None:
        self.shown.append(picture)
        self.now += self.drawing

    def property(self, *_):
        if self.visible is None:
            raise cv2.error("NULL guiReceiver")
        return self.visible

    def destroy(self) -> None:
        self.destroyed = True


@pytest.fixture
def screen(monkeypatch) -> Screen:
    made = Screen()
    played = {
        "namedWindow": lambda *_: made.done.append("open"),
        "imshow": made.keep,
        "setWindowTitle": lambda _, title: made.titles.append(title),
        "waitKeyEx": made.events,
        "waitKey": lambda _: -1,
        "getWindowProperty": made.property,
        "destroyAllWindows": made.destroy,
    }
    for name, function in played.items():
        monkeypatch.setattr(cv2, name, function)
    monkeypatch.setattr(module.time, "perf_counter", lambda: made.now)
    return made


def status(**changes) -> Status:
    return Status(**{"state": State.IDLE, "label": "wave", "counts": (("wave", 1),)} | changes)


def test_keys_by_name(screen: Screen):
    screen.codes = [ord("r"), 0xFF51, 0xFF0D, -1, ord("q")]
    with closing(SessionWindow(quiet=True)) as window:
        assert window.pressed() == ["r", "enter"]
        assert window.pressed() == ["q"]


def test_key_while_the_window_appears(screen: Screen):
    screen.codes = [ord("u")]
    with closing(SessionWindow(quiet=True)) as window:
        assert screen.codes == []
        assert window.pressed() == ["u"]
        assert window.pressed() == []


def test_held_key(screen: Screen):
    screen.codes = [ord("s")] * 1000
    with closing(SessionWindow(quiet=True)) as window:
        assert window.pressed() == ["s"] * MOST_KEYS


@pytest.mark.parametrize("visible", [0.0, -1.0, None])
def test_closed_window(screen: Screen, visible: float | None):
    with closing(SessionWindow(quiet=True)) as window:
        assert window.pressed() == [], "before it shows anything it cannot be closed"
        window.show(PIXELS, [], status())
        screen.visible = visible
        assert window.pressed() == ["close"]
        window.show(PIXELS, [], status())
    assert len(screen.shown) == 1
    assert not screen.destroyed


def test_title(screen: Screen):
    with closing(SessionWindow(quiet=True)) as window:
        for state in (State.IDLE, State.IDLE, State.RECORDING):
            window.show(PIXELS, [], status(state=state))
            screen.now += 1
    assert screen.titles == ["handlore capture - idle wave", "handlore capture - recording wave"]
    assert screen.destroyed


def test_slow_drawing(screen: Screen):
    screen.drawing = 0.06
    with closing(SessionWindow(quiet=True)) as window:
        for _ in range(100):
            window.show(PIXELS, [], status())
            screen.now += 0.03
    drawn = len(screen.shown)
    assert 10 < drawn < 40
    assert drawn * 0.06 < 0.4 * (screen.now - 100)


def test_bgr(screen: Screen):
    red = np.full((480, 640, 3), (200, 10, 30), np.uint8)
    with closing(SessionWindow(quiet=True)) as window:
        window.show(red, [], status())
    assert screen.shown[0][300, 300].tolist() == [30, 10, 200]


def test_window_appears_early(screen: Screen):
    with closing(SessionWindow(quiet=True)):
        assert screen.done == ["open", "events"], "else it may stay black"


def test_fewer_pictures_while_typing(screen: Screen):
    with closing(SessionWindow(quiet=True)) as window:
        for _ in range(100):
            window.show(PIXELS, [], status(typed="wav"))
            screen.now += 0.01
    assert 5 <= len(screen.shown) <= 10, "enough to see what is typed"


class TestDisplay:
    def test_without_one(self, monkeypatch):
        monkeypatch.setattr(window.sys, "platform", "linux")
        assert "there is no display" in window.why_no_window({"PATH": ""})

    def test_an_opencv_without_windows(self, monkeypatch):
        info = "  GUI:                           NONE\n  GTK+:  NO\n"
        monkeypatch.setattr("cv2.getBuildInformation", lambda: info)
        said = window.why_no_window({"DISPLAY": ":0"})
        assert "pip uninstall -y opencv-python-headless" in said

    def test_unreachable_display(self):
        said = window.why_no_window({**os.environ, "DISPLAY": ":4711"})
        assert "the display :4711 cannot be opened" in said
