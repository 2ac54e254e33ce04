"""Telling a key that is held down from one that is pressed twice."""

REPEAT = 0.15
"""Keyboards repeat a key that is held faster than this, and people press it slower; seconds."""

RELEASED = 0.3
"""A held key that has not repeated for so long was let go; seconds."""


class Hold:
    """A key that acts while it is held, or from one press to the next.

    Terminals and windows say only that a key was pressed, over and over while it is held. The
    first repetition comes late and looks like a second press; what follows tells them apart.

    Parameters
    ----------
    now
        Time of the first press in seconds, as all times here.
    """

    def __init__(self, now: float) -> None:
        self._last = now
        self._held = False
        self._second: float | None = None

    def press(self, now: float) -> None:
        """Note that the key was pressed again, by a finger or by the keyboard."""
        if now - self._last < REPEAT:
            self._held = True
        else:
            self._second = now
        self._last = now

    def over(self, now: float) -> bool:
        """Say whether it was let go, or pressed a second time."""
        if self._held:
            return now - self._last > RELEASED
        return self._second is not None and now - self._second >= REPEAT
