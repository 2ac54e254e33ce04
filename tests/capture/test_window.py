"""A window of SDL without a screen, with events in its queue; whether a window can be shown."""

import sys
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from handlore.capture import window as module
from handlore.capture.recording.loop import Status
from handlore.capture.recording.session import State
from handlore.capture.views.record import SessionWindow
from handlore.capture.window import Drawn, Screen, Target, why_no_window

pygame = pytest.importorskip("pygame")

PIXELS = np.zeros((480, 640, 3), np.uint8)


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(module.time, "perf_counter", made)
    return made


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch, time: Time) -> Iterator[Screen]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with closing(Screen("a window")) as opened:
        yield opened


def status(**changes) -> Status:
    return Status(**{"state": State.IDLE, "label": "wave", "counts": (("wave", 1),)} | changes)


def type_text(text: str, mod: int = 0) -> None:
    for character in text:
        pygame.event.post(pygame.Event(pygame.KEYDOWN, key=ord(character) & 0x7F, mod=mod))
        pygame.event.post(pygame.Event(pygame.TEXTINPUT, text=character))


def press(key: int, mod: int = 0) -> None:
    pygame.event.post(pygame.Event(pygame.KEYDOWN, key=key, mod=mod))


def blank(size: tuple[int, int]) -> Drawn:
    return Drawn(np.zeros((size[1], size[0], 3), np.uint8))


def test_every_key_that_waits(screen: Screen) -> None:
    text = "thumbs_up Größe жест 手 +7"
    type_text(text)
    press(pygame.K_RETURN)
    assert screen.pressed() == [*text, "enter"]
    assert screen.pressed() == []


def test_special_keys(screen: Screen) -> None:
    for key in (pygame.K_ESCAPE, pygame.K_BACKSPACE, pygame.K_KP_ENTER, pygame.K_F11):
        press(key)
    for key in (pygame.K_LEFT, pygame.K_LSHIFT, pygame.K_F1, pygame.K_TAB, pygame.K_DELETE):
        press(key)
    assert screen.pressed() == ["esc", "backspace", "enter", "f11"]


@pytest.mark.parametrize(
    ("mod", "letters"),
    [
        ("KMOD_LSHIFT", "Q"),
        ("KMOD_CAPS", "Q"),
        ("KMOD_NUM", "Q"),
        ("KMOD_RALT", "Q"),
        ("KMOD_LCTRL", ""),
        ("KMOD_LGUI", ""),
        ("KMOD_LALT", ""),
    ],
)
def test_shortcuts_are_no_letters(screen: Screen, monkeypatch, mod: str, letters: str) -> None:
    monkeypatch.setattr(module.sys, "platform", "linux")
    type_text("Q", getattr(pygame, mod))
    assert screen.pressed() == list(letters)


def test_several_characters_of_an_input_method(screen: Screen) -> None:
    pygame.event.post(pygame.Event(pygame.TEXTINPUT, text="手势"))
    assert screen.pressed() == ["手", "势"]


def test_closed_window(screen: Screen) -> None:
    screen.draw(blank, (400, 300))
    for event in (pygame.WINDOWCLOSE, pygame.QUIT):
        pygame.event.post(pygame.Event(event))
    type_text("q")
    assert screen.pressed() == ["close"]
    assert screen.pressed() == ["close"]
    assert not screen.draw(blank, (400, 300))


def test_click(screen: Screen) -> None:
    targets = (Target(10, 10, 50, 30, "choose wave"), Target(10, 30, 50, 50, "choose stop"))
    screen.draw(lambda size: Drawn(blank(size).pixels, targets), (400, 300))
    screen.pressed()
    for place, button in (((20, 29), 1), ((20, 30), 1), ((60, 20), 1), ((20, 20), 3)):
        pygame.event.post(pygame.Event(pygame.MOUSEBUTTONDOWN, pos=place, button=button))
    assert screen.pressed() == ["choose wave", "choose stop"]


def test_picture(screen: Screen) -> None:
    red = np.full((300, 400, 3), (200, 10, 30), np.uint8)
    sizes = []

    def paint(size: tuple[int, int]) -> Drawn:
        sizes.append(size)
        return Drawn(red)

    assert screen.draw(paint, (400, 300))
    assert sizes == [(400, 300)]
    assert screen._window.get_surface().get_at((200, 100))[:3] == (200, 10, 30)


def test_size_of_a_new_window(screen: Screen, monkeypatch) -> None:
    monkeypatch.setattr(pygame.display, "get_desktop_sizes", lambda: [(800, 480)])
    sizes = []
    screen.draw(lambda size: sizes.append(size) or blank(size), (1100, 600))
    ((width, height),) = sizes
    assert width <= 800
    assert height <= 480
    assert width / height == pytest.approx(1100 / 600, abs=0.02)


def test_full_screen(screen: Screen, time: Time) -> None:
    sizes = []
    for full in (False, True, True, False):
        time.now += 1
        screen.draw(lambda size: sizes.append(size) or blank(size), (400, 300), full_screen=full)
    desktop = pygame.display.get_desktop_sizes()[0]
    assert sizes == [(400, 300), desktop, desktop, (400, 300)]


def test_title_and_pictures_of_a_session(monkeypatch, time: Time) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    titles = []
    with closing(SessionWindow(quiet=True)) as window:
        for state in (State.IDLE, State.IDLE, State.RECORDING):
            window.show(PIXELS, [], status(state=state))
            titles.append(window._window.title)
            time.now += 1
    assert titles == ["handlore capture - idle wave"] * 2 + ["handlore capture - recording wave"]


def test_slow_drawing(screen: Screen, time: Time) -> None:
    drawn = 0

    def paint(size: tuple[int, int]) -> Drawn:
        time.now += 0.06
        return blank(size)

    for _ in range(100):
        drawn += screen.draw(paint, (400, 300))
        time.now += 0.03
    assert 10 < drawn < 40
    assert drawn * 0.06 < 0.4 * (time.now - 100)


class TestDisplay:
    def test_without_one(self, monkeypatch) -> None:
        monkeypatch.setattr(module.sys, "platform", "linux")
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
            monkeypatch.delenv(name, raising=False)
        assert "there is no display" in why_no_window()

    def test_without_sdl(self, monkeypatch) -> None:
        monkeypatch.setenv("DISPLAY", ":1")
        monkeypatch.setitem(sys.modules, "pygame", None)
        assert "pip install pygame-ce" in why_no_window()

    def test_unreachable_display(self, monkeypatch) -> None:
        monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        monkeypatch.setenv("DISPLAY", ":4711")
        assert "the display :4711 cannot be opened" in why_no_window()
