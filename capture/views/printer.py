"""Events on stdout, line by line; everything else on stderr."""

import contextlib
import sys
from typing import TextIO

from handlore.models.stream.events import Event

from ..actions.runner import ActionResult
from ..live.loop import seconds
from .live import LiveView

SAME_AGAIN = 60.0
"""A line that says the same as one before is not written again within so many seconds."""

MOST_LINES = 256


class Printer(LiveView):
    """Writes each event at once, so that another program can act on it.

    Parameters
    ----------
    as_json
        Whether events are lines of JSON.
    out, talk
        Default: stdout and stderr; where these were closed, nothing is written.
    """

    def __init__(
        self, *, as_json: bool = False, out: TextIO | None = None, talk: TextIO | None = None
    ) -> None:
        self._as_json = as_json
        self._out: TextIO | None = out or sys.stdout
        # Not sys.stderr as it is now: it changes while native code is kept quiet.
        self._talk = talk
        self._said: dict[str, float] = {}

    def tell(self, event: Event) -> None:
        """Write a line on stdout.

        Raises
        ------
        BrokenPipeError
            If nobody reads it any more.
        """
        if self._out is None:
            return
        self._out.write(f"{event.line() if self._as_json else line_of(event)}\n")
        self._out.flush()

    def tell_outcome(self, outcome: ActionResult) -> None:
        """Write on stderr what became of an action."""
        name, end = outcome.action.name, outcome.event.end
        match outcome.state:
            case "done" | "dry run":
                prefix = "dry run: " if outcome.state == "dry run" else ""
                self._write(f"{end:9.2f}  {name}: {prefix}{outcome.detail}")
            case "failed":
                self._seldom(f"{name} failed: {outcome.detail}")
            case "skipped":
                self._seldom(f"{name} was skipped: {outcome.detail}")

    def say(self, text: str) -> None:
        """Write it on stderr."""
        self._write(text)

    def _seldom(self, line: str) -> None:
        now = seconds()
        if now - self._said.get(line, -SAME_AGAIN) < SAME_AGAIN:
            return
        if len(self._said) >= MOST_LINES:
            self._said.clear()
        self._said[line] = now
        self._write(line)

    def _write(self, line: str) -> None:
        talk: TextIO | None = self._talk or sys.stderr
        if talk is not None:
            # A log that is full, or that nobody reads any more, does not end the recognition.
            with contextlib.suppress(OSError):
                talk.write(f"{line}\n")
                talk.flush()


def line_of(event: Event) -> str:
    """Return an event for people."""
    hand = f"  {event.hand} hand" if event.hand else ""
    return f"{event.end:9.2f}  {event.label}  {100 * event.probability:.0f} %{hand}"
