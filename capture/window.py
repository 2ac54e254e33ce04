"""A window on a screen: shows pictures, gives keys and clicks, can be resized and fill the screen.

It is one of SDL (:mod:`pygame`), which queues every key, gives the characters that the keyboard's
layout and input method make of them, and has wheels for all platforms.
"""

import importlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from handlore.landmarks.drawing import BLACK, GROUND, TEAL, draw_outline
from handlore.landmarks.hands import Pixels

from .keys import key_of_character

if TYPE_CHECKING:
    import pygame

_HINTS = {
    "SDL_NO_SIGNAL_HANDLERS": "1",
    "SDL_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR": "0",
    # A click on a window that is behind others counts.
    "SDL_MOUSE_FOCUS_CLICKTHROUGH": "1",
}
"""Settings of SDL that a user may override: it takes no signals and affects no other windows."""
_LEAST_SIZE = (320, 240)
"""Width and height in pixels; smaller, nothing can be read."""
_SHARE_OF_SCREEN = 0.9
"""A new window is at most so large."""
_UNSEEN = "offscreen"
"""What SDL opens if it can open nothing else."""
_SPECIAL = {
    "return": "enter",
    "enter": "enter",
    "escape": "esc",
    "backspace": "backspace",
    "f11": "f11",
}
"""Keys without a character: from the names of SDL to ours; enter is the one of the number pad."""
_OPEN_HAND = (
    *((34, 58), (24, 51), (17, 42), (11, 36), (6, 31)),
    *((23, 31), (19, 21), (17, 15), (15, 10)),
    *((31, 29), (30, 18), (29, 11), (29, 5)),
    *((38, 30), (40, 20), (41, 13), (41, 8)),
    *((45, 34), (49, 26), (51, 21), (53, 16)),
)
"""Landmarks of the icon."""
Size = tuple[int, int]
"""Width and height in pixels."""


class Target(NamedTuple):
    """A part of a picture that can be clicked, and the key that the click presses."""

    left: int
    top: int
    right: int
    bottom: int
    """In pixels of the picture; right and bottom are the first outside."""
    key: str


class Drawn(NamedTuple):
    """A picture for a window."""

    pixels: Pixels
    """(height, width, 3) RGB, as large as the window."""
    targets: Sequence[Target] = ()


Paint = Callable[[Size], Drawn]
"""Paints a picture of a size."""


class Screen:
    """A window. Make it, use it and close it in the main thread.

    Between two drawn pictures pass at least ``least_wait`` seconds. It appears with the first
    picture.
    """

    def __init__(self, title: str, least_wait: float = 0.0) -> None:
        _start_sdl()
        self._title = title
        self._least_wait = least_wait
        self._window: pygame.Window | None = None
        self.is_gone = self._is_full = False
        self._modifiers = 0
        self._targets: Sequence[Target] = ()
        self._drawn_at, self._drawing = 0.0, 0.0

    def draw(
        self, paint: Paint, usual_size: Size, least_wait: float = 0.0, *, full_screen: bool = False
    ) -> bool:
        """Paint and show a picture, if one is due; return whether it was.

        At most a third of the time is spent on drawing, so that a small computer still processes
        every frame. ``usual_size`` is the width and height of a new window, ``least_wait`` the
        least time since the previous picture in seconds.
        """
        began = time.perf_counter()
        least_wait = max(least_wait, self._least_wait)
        wait = max(2 * self._drawing, least_wait - self._drawing)
        if self.is_gone or (self._window is not None and began - self._drawn_at < wait):
            return False
        window = self._window = self._window or self._opened(usual_size)
        self._fill_screen(window, full_screen)
        self._put(window, paint(window.size))
        self._drawn_at = time.perf_counter()
        self._drawing = self._drawn_at - began
        return True

    def set_title(self, title: str) -> None:
        """Change the title."""
        if title != self._title and self._window is not None:
            self._title = self._window.title = title

    def pressed(self) -> list[str]:
        """Return the keys pressed since the last call; ``close`` if the window was closed."""
        if self.is_gone:
            return ["close"]
        keys = [key for event in pygame.event.get() for key in self._keys_of(event)]
        self.is_gone = "close" in keys
        return keys[: keys.index("close") + 1] if self.is_gone else keys

    def close(self) -> None:
        """Close it."""
        self.is_gone = True
        if self._window is not None:
            self._window.destroy()
            self._window = None
        pygame.display.quit()

    def _opened(self, usual_size: Size) -> "pygame.Window":
        window = pygame.Window(self._title, _fitting(usual_size), resizable=True)
        window.minimum_size = _LEAST_SIZE
        window.set_icon(_icon())
        pygame.key.start_text_input()
        return window

    def _fill_screen(self, window: "pygame.Window", full_screen: bool) -> None:
        if full_screen != self._is_full:
            self._is_full = full_screen
            if full_screen:
                window.set_fullscreen(desktop=True)
            else:
                window.set_windowed()

    def _put(self, window: "pygame.Window", drawn: Drawn) -> None:
        height, width = drawn.pixels.shape[:2]
        picture = pygame.image.frombuffer(drawn.pixels.data, (width, height), "RGB")
        window.get_surface().blit(picture, (0, 0))
        window.flip()
        self._targets = drawn.targets

    def _keys_of(self, event: Any) -> list[str]:
        match event.type:
            case pygame.QUIT | pygame.WINDOWCLOSE:
                return ["close"]
            case pygame.KEYDOWN:
                self._modifiers = event.mod
                name = pygame.key.name(event.key)
                return [_SPECIAL[name]] if name in _SPECIAL else []
            case pygame.TEXTINPUT if not _is_shortcut(self._modifiers):
                # An input method gives several characters at once.
                return [key for c in event.text if (key := key_of_character(c)) is not None]
            case pygame.MOUSEBUTTONDOWN if event.button == pygame.BUTTON_LEFT:
                return self._clicked(*event.pos)
        return []

    def _clicked(self, x: int, y: int) -> list[str]:
        here = (t for t in self._targets if t.left <= x < t.right and t.top <= y < t.bottom)
        return [target.key for target in here][:1]


def _icon() -> "pygame.Surface":
    pixels = np.full((64, 64, 3), GROUND, np.uint8)
    draw_outline(pixels, np.array(_OPEN_HAND, np.float64), TEAL, BLACK, 3)
    return pygame.image.frombuffer(pixels.tobytes(), (64, 64), "RGB")


def _has_sdl() -> bool:
    """Import SDL, if it is installed; what runs without a window does not wait for that."""
    try:
        with redirect_stdout(StringIO()):  # it greets
            globals()["pygame"] = importlib.import_module("pygame")
    except ImportError:  # a platform without wheels
        return False
    return True


def _start_sdl() -> None:
    _has_sdl()
    for name, value in _HINTS.items():
        os.environ.setdefault(name, value)
    # pygame has put the name of the script there.
    os.environ["SDL_VIDEO_X11_WMCLASS"] = os.environ["SDL_VIDEO_WAYLAND_WMCLASS"] = "handlore"
    pygame.display.init()
    if pygame.display.get_driver() == "x11":
        # OpenGL would make the window twice, and is slow over a network.
        os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")


def _is_shortcut(modifiers: int) -> bool:
    """Say whether keys are held down that make a shortcut of a letter; AltGr makes letters."""
    if modifiers & (pygame.KMOD_RALT | pygame.KMOD_MODE):
        return False
    # On macOS Option makes letters.
    alt = 0 if sys.platform == "darwin" else pygame.KMOD_LALT
    return bool(modifiers & (pygame.KMOD_CTRL | pygame.KMOD_META | alt))


def _fitting(size: Size) -> Size:
    """Return a size with the same shape that leaves room on the screen."""
    width, height = pygame.display.get_desktop_sizes()[0]
    share = min(1.0, _SHARE_OF_SCREEN * width / size[0], _SHARE_OF_SCREEN * height / size[1])
    return round(size[0] * share), round(size[1] * share)


def why_no_window() -> str | None:
    """Return why no window can be shown, and what to do; None if one can."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in names):
        return (
            "there is no display (DISPLAY is not set): over SSH use `ssh -X`, on a Raspberry Pi a"
            " desktop or VNC"
        )
    if not _has_sdl():
        return "pygame-ce is not installed: `pip install pygame-ce`"
    was_open = pygame.display.get_init()
    try:
        _start_sdl()
        driver = pygame.display.get_driver()
    except pygame.error:
        driver = _UNSEEN
    if not was_open:
        pygame.display.quit()
    if driver == _UNSEEN:
        return f"the display {os.environ.get('DISPLAY', '')} cannot be opened; check DISPLAY"
    return None
