"""A window that shows live recognition, and takes its keys."""

from time import perf_counter

from handlore.classifiers.stream.events import Event

from ..screen import Screen
from .preview import draw_live
from .views import Moment, View

TITLE = "handlore live"

TOLD_SECONDS = 4.0
"""So long the last event is shown."""

LEAST_WAIT = 1 / 25
"""Seconds between two pictures: people see no more, and drawing costs as much as tracking."""


class LiveWindow(View):
    """A window; like every :class:`.Screen`, for the main thread."""

    def __init__(self) -> None:
        self._mirrored = True
        self._told, self._told_at = "", 0.0
        self._screen = Screen(TITLE, LEAST_WAIT)

    def show(self, moment: Moment) -> None:
        """Show a moment, unless the last one was shown just now."""
        told = self._told if perf_counter() - self._told_at < TOLD_SECONDS else ""
        self._screen.draw(lambda: draw_live(moment, told, mirrored=self._mirrored))

    def tell(self, event: Event) -> None:
        """Show what was recognised for a while."""
        self._told = f"{event.label}  {100 * event.probability:.0f} %"
        self._told_at = perf_counter()

    def pressed(self) -> list[str]:
        """Return the keys pressed in the window since the last call."""
        return self._screen.pressed()

    def key(self, key: str) -> None:
        """Mirror the picture with ``m``."""
        if key == "m":
            self._mirrored = not self._mirrored

    def close(self) -> None:
        """Close it."""
        self._screen.close()
