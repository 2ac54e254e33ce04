"""A window: shows a session, and takes its keys."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from handlore.landmarks.hands import Hand, Pixels

from ..screen import TYPING_WAIT, Screen
from .preview import draw_preview
from .sound import Sound
from .status import Status


class Window:
    """A window with sound; like every :class:`.Screen`, for the main thread. Use it with ``with``.

    Parameters
    ----------
    title
        Its name, and the beginning of its title; the rest of the title is the state.
    quiet
        Whether nothing is heard.
    """

    def __init__(self, title: str, *, quiet: bool = False) -> None:
        self._title = title
        self._sound = Sound(quiet=quiet)
        self._screen = Screen(title)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sound.close()
        self._screen.close()

    def show(self, pixels: Pixels | None, hands: Sequence[Hand], status: Status) -> None:
        """Show a moment of the session; where drawing is slow, not every one."""
        wait = 0.0 if status.typed is None else TYPING_WAIT
        if self._screen.draw(lambda: draw_preview(pixels, hands, status), wait):
            self._screen.entitle(f"{self._title} - {status.state.value} {status.label}")

    def picture(self, pixels: Pixels) -> None:
        """Show a picture (height, width, 3) RGB."""
        self._screen.show(pixels)

    def say(self, text: str) -> None:
        """Show a line; the picture carries it."""

    def cue(self, what: str) -> None:
        """Play a tone."""
        self._sound.cue(what)

    def pressed(self) -> list[str]:
        """Return the keys pressed in the window since the last call."""
        return self._screen.pressed()
