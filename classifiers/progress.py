"""Progress of work that consists of several steps, some of which say how far they are."""

from collections.abc import Callable

Report = Callable[[int, int], None]
"""Receives how much is done, and of how much, in any unit."""
_PARTS = 100
"""A step is reported in so many parts."""


class Steps:
    """Adds up the progress of a known number of steps.

    Parameters
    ----------
    n
        How many steps there are, or a little more: the last report is that all is done.
    report
        Receives the progress; None: nobody does.
    """

    def __init__(self, n: int, report: Report | None) -> None:
        self._n, self._done = n, 0
        self._report, self._last = report, 0

    def within(self, steps: float = 1) -> Report | None:
        """Return what receives the progress of the next steps; None if nobody listens."""
        if self._report is None:
            return None
        before = self._done
        return lambda done, total: self._say(before + steps * min(done / max(total, 1), 1.0))

    def finish(self, steps: int = 1) -> None:
        """Report that the next steps are done."""
        self._done = min(self._done + steps, self._n)
        self._say(self._done)

    def close(self) -> None:
        """Report that all is done."""
        self.finish(self._n)

    def _say(self, done: float) -> None:
        # A step may start anew, as for windows of streams; a bar does not go back.
        self._last = max(self._last, min(round(_PARTS * done), _PARTS * self._n))
        if self._report is not None:
            self._report(self._last, _PARTS * self._n)
