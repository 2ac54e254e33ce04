"""A window on a screen: shows pictures, gives keys, detects that it was closed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from itertools import chain, islice

import cv2

from handlore.landmarks.children import python_command
from handlore.landmarks.hands import Pixels

from .keys import WindowKeys

_NO_KEY = -1
MOST_KEYS = 16
"""Most keys taken at a time, so that a held key does not stop the picture."""
_APPEAR_MS = 30

TYPING_WAIT = 0.15
"""Seconds between two pictures while a label is typed, so that keys are polled more often."""


class Screen:
    """A window of OpenCV. Make it, use it and close it in the main thread.

    Between two drawn pictures pass at least ``least_wait`` seconds.
    """

    def __init__(self, title: str, least_wait: float = 0.0) -> None:
        self._name = self._title = title
        self._least_wait = least_wait
        self._shown = self.is_gone = False
        self._keys = WindowKeys()
        self._drawn_at, self._drawing = 0.0, 0.0
        cv2.namedWindow(title, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
        # Let it appear now. If events are polled only when the first picture comes, Qt may miss
        # that the window has become visible, and it stays black.
        self._early = cv2.waitKeyEx(_APPEAR_MS)

    def draw(self, picture: Callable[[], Pixels], least_wait: float = 0.0) -> bool:
        """Draw and show a picture, (height, width, 3) RGB, if one is due; return whether it was.

        At most a third of the time is spent on drawing, so that a small computer still processes
        every frame. ``least_wait`` is the time since the previous picture in seconds, at least.
        """
        began = time.perf_counter()
        least_wait = max(least_wait, self._least_wait)
        wait = max(2 * self._drawing, least_wait - self._drawing)
        if self.is_gone or began - self._drawn_at < wait:
            return False
        self.put(picture())
        self._drawn_at = time.perf_counter()
        self._drawing = self._drawn_at - began
        return True

    def put(self, pixels: Pixels) -> None:
        """Show a picture (height, width, 3) RGB; it appears when keys are polled."""
        cv2.imshow(self._name, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        self._shown = True

    def set_title(self, title: str) -> None:
        """Change the title."""
        if title != self._title:
            self._title = title
            cv2.setWindowTitle(self._name, title)

    def pressed(self) -> list[str]:
        """Return the keys pressed since the last call; ``close`` if the window was closed."""
        early, self._early = self._early, _NO_KEY
        codes = chain([early] if early != _NO_KEY else [], iter(lambda: cv2.waitKeyEx(1), _NO_KEY))
        named = (self._keys.name(code, time.perf_counter()) for code in islice(codes, MOST_KEYS))
        keys = [key for key in named if key]
        self.is_gone = self._closed()
        return [*keys, "close"] if self.is_gone else keys

    def close(self) -> None:
        """Close it, unless it is closed already."""
        if self._closed():
            return
        cv2.destroyAllWindows()
        cv2.waitKey(1)  # the system closes it when events are polled

    def _closed(self) -> bool:
        if not self._shown:
            return False
        try:
            return bool(cv2.getWindowProperty(self._name, cv2.WND_PROP_VISIBLE) < 1)
        except cv2.error:  # Qt has ended with its last window
            return True


_PROBE = "import cv2; cv2.namedWindow('handlore'); cv2.waitKey(1); cv2.destroyAllWindows()"
_PROBE_SECONDS = 20.0
"""A Raspberry Pi takes seconds to import OpenCV."""


def why_no_window(environment: Mapping[str, str] | None = None) -> str | None:
    """Return why no window can be shown, and what to do; None if one can.

    A window is opened for a moment in a separate process: if DISPLAY names a display that does
    not exist, the toolkit behind OpenCV does not raise an error but ends the process.
    """
    environment = os.environ if environment is None else environment
    names = ("DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not any(environment.get(name) for name in names):
        return (
            "there is no display (DISPLAY is not set): over SSH use `ssh -X`, on a Raspberry Pi a"
            " desktop or VNC"
        )
    if not _opencv_has_windows():
        return (
            "this OpenCV was built without windows: `pip uninstall -y opencv-python-headless"
            " opencv-contrib-python-headless && pip install --force-reinstall"
            " opencv-contrib-python`"
        )
    if not _window_opens(environment):
        return (
            f"the display {environment.get('DISPLAY', '')!s} cannot be opened; check DISPLAY, and"
            " on a Wayland desktop that XWayland is installed"
        )
    return None


def _opencv_has_windows() -> bool:
    lines = cv2.getBuildInformation().splitlines()
    return not any(line.split() == ["GUI:", "NONE"] for line in lines)


def _window_opens(environment: Mapping[str, str]) -> bool:
    try:
        done = subprocess.run(
            python_command("-c", _PROBE),
            env=dict(environment),
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
