"""A window: shows a session, and takes its keys."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import cv2

from handlore.landmarks.hands import Hand, Pixels

from .keys import key_of_code
from .preview import draw_preview
from .sound import Sound
from .status import Status

MOST_KEYS = 16
"""So many keys are taken at a time, so that one that is held does not stop the picture."""


class Window:
    """The window of OpenCV. Use it in the main thread, and with ``with``.

    Parameters
    ----------
    title
        Its name, and the beginning of its title; the rest of the title is the state.
    quiet
        Whether nothing is heard.
    """

    def __init__(self, title: str, *, quiet: bool = False) -> None:
        self._title, self._shown_title = title, title
        self._sound = Sound(quiet=quiet)
        self._shown = self._is_gone = False
        self._drawn_at, self._drawing = 0.0, 0.0
        """When something was drawn last, and how long it took; at most a third of the time goes
        into drawing, so that a small computer still records every frame."""
        cv2.namedWindow(title, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sound.close()
        if self._closed():
            return
        cv2.destroyAllWindows()
        cv2.waitKey(1)  # the system closes it when it is asked for events

    def show(self, pixels: Pixels | None, hands: Sequence[Hand], status: Status) -> None:
        """Show a moment of the session; where drawing is slow, not every one."""
        began = time.perf_counter()
        if self._is_gone or began - self._drawn_at < 2 * self._drawing:
            return
        self.picture(draw_preview(pixels, hands, status))
        title = f"{self._title} - {status.state.value} {status.label}"
        if title != self._shown_title:
            self._shown_title = title
            cv2.setWindowTitle(self._title, title)
        self._drawn_at = time.perf_counter()
        self._drawing = self._drawn_at - began

    def picture(self, pixels: Pixels) -> None:
        """Show a picture (height, width, 3) RGB."""
        cv2.imshow(self._title, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        self._shown = True

    def say(self, text: str) -> None:
        """Show a line; the picture carries it."""

    def cue(self, what: str) -> None:
        """Play a tone."""
        self._sound.cue(what)

    def pressed(self) -> list[str]:
        """Return the keys pressed in the window since the last call."""
        keys = []
        for _ in range(MOST_KEYS):
            code = cv2.waitKeyEx(1)
            if code == -1:
                break
            key = key_of_code(code)
            keys += [key] if key else []
        self._is_gone = self._closed()
        return [*keys, "close"] if self._is_gone else keys

    def _closed(self) -> bool:
        if not self._shown:
            return False
        try:
            return bool(cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1)
        except cv2.error:  # Qt has ended with its last window
            return True
