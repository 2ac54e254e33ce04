"""A window that shows live recognition, and takes its keys."""

from time import perf_counter

import cv2

from handlore.classifiers.stream.events import Event

from .keys import key_of_code
from .livepreview import draw_live
from .views import Moment, View

TITLE = "handlore live"
MOST_KEYS = 16
"""So many keys are taken at a time, so that one that is held does not stop the picture."""

TOLD_SECONDS = 4.0
"""So long the last event is shown."""

LEAST_WAIT = 1 / 25
"""Seconds between two pictures: people see no more, and drawing costs as much as tracking."""


class LiveWindow(View):
    """The window of OpenCV. Make it, use it and close it in the main thread."""

    def __init__(self) -> None:
        self._shown = False
        self._mirrored = True
        self._told, self._told_at = "", 0.0
        self._drawn_at, self._drawing = 0.0, 0.0
        cv2.namedWindow(TITLE, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)

    def show(self, moment: Moment) -> None:
        """Show a moment; at most a third of the time goes into drawing, or frames would be lost."""
        began = perf_counter()
        if began - self._drawn_at < max(2 * self._drawing, LEAST_WAIT - self._drawing):
            return
        told = self._told if began - self._told_at < TOLD_SECONDS else ""
        drawn = draw_live(moment, told, mirrored=self._mirrored)
        cv2.imshow(TITLE, cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
        cv2.waitKey(1)
        self._shown = True
        self._drawn_at = perf_counter()
        self._drawing = self._drawn_at - began

    def tell(self, event: Event) -> None:
        """Show what was recognised for a while."""
        self._told = f"{event.label}  {100 * event.probability:.0f} %"
        self._told_at = perf_counter()

    def pressed(self) -> list[str]:
        """Return the keys pressed in the window since the last call."""
        codes = iter(cv2.pollKey, -1)
        keys = [key_of_code(code) for code, _ in zip(codes, range(MOST_KEYS), strict=False)]
        pressed = [key for key in keys if key]
        return [*pressed, "close"] if self._closed() else pressed

    def key(self, key: str) -> None:
        """Mirror the picture with ``m``."""
        if key == "m":
            self._mirrored = not self._mirrored

    def close(self) -> None:
        """Close it."""
        cv2.destroyAllWindows()
        cv2.waitKey(1)  # the system closes it when it is asked for events

    def _closed(self) -> bool:
        return self._shown and cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1
