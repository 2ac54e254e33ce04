"""The skeleton on real screens: a window, and the page in a browser."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser_stub import PROGRAM, Browser
from capture_desk import wait_for
from marked_pictures import SIZES, marked_picture, tip_errors

from handlore.capture.live.loop import LiveState
from handlore.capture.serve.guard import Address
from handlore.capture.serve.server import Hub, PageServer
from handlore.capture.views.live import LiveWindow, PageView
from handlore.models.stream.recogniser import ModelState

MOST_AWAY = 2.0
"""Pixels of the screen."""
POSES = ModelState("open_palm", ("fist", "open_palm"), np.array([0.05, 0.95], np.float32))
MOVEMENTS = ModelState(None, ("wave", "none"), np.array([0.2, 0.8], np.float32), "sequence")

pytestmark = pytest.mark.slow


@pytest.fixture
def window(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveWindow]:
    monkeypatch.setenv("DISPLAY", xvfb)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    with closing(LiveWindow()) as opened:
        yield opened


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_window(size: tuple[int, int], window: LiveWindow, artefacts: Path) -> None:
    shown = marked_picture(*size)
    state = LiveState(0.0, shown.pixels, [shown.hand], [POSES, MOVEMENTS], 29.0, 0.02)
    for _ in range(5):
        window.show(state)
        window.pressed()
        time.sleep(0.1)
    path = artefacts / f"window-{size[0]}x{size[1]}.png"
    subprocess.run(["import", "-window", "root", str(path)], check=True)
    assert tip_errors(cv2.imread(str(path))[..., ::-1], shown).max() < MOST_AWAY


@pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_page(size: tuple[int, int], tmp_path: Path, artefacts: Path) -> None:
    shown = marked_picture(*size)
    state = LiveState(0.0, shown.pixels, [shown.hand], [POSES, MOVEMENTS], 29.0, 0.02)
    hub = Hub()
    with (
        closing(PageServer(hub, Address("127.0.0.1", 0), None)) as server,
        Browser(tmp_path / "profile") as browser,
    ):
        view = PageView(hub)
        browser.open(server.url)
        width = min(size[0], 960)

        def is_there() -> bool:
            view.show(state)
            return browser.value("document.querySelector('#picture')?.naturalWidth") == width

        wait_for(is_there, "the picture is shown")
        path = artefacts / f"page-{size[0]}x{size[1]}.png"
        browser.screenshot(path)
    assert tip_errors(cv2.imread(str(path))[..., ::-1], shown).max() < MOST_AWAY
