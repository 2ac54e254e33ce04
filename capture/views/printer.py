"""Events on stdout, line by line; everything else on stderr."""

import contextlib
import sys
from typing import TextIO

from handlore.landmarks.untrusted import printable_lines
from handlore.models.stream.events import Event

from ..actions.runner import ActionResult
from ..live.loop import LiveView, boottime

_REPEAT_AFTER = 60.0
"""The same line is not written again within this time; seconds."""
MOST_LINES = 256


class Printer(LiveView):
    """Writes each event at once, so that another program can react to it.

    By default to stdout, and messages to stderr; if these are closed, nothing is written.
    """

    def __init__(
        self, *, as_json: bool = False, out: TextIO | None = None, log: TextIO | None = None
    ) -> None:
        self._as_json = as_json
        self._out: TextIO | None = out or sys.stdout
        # Not sys.stderr as it is now: it changes while native code is kept quiet.
        self._log = log
        self._written: dict[str, float] = {}

    def on_event(self, event: Event) -> None:
        """Write a line on stdout, or raise BrokenPipeError if nobody reads it any more."""
        if self._out is None:
            return
        self._out.write(f"{event.line() if self._as_json else _line_of(event)}\n")
        self._out.flush()

    def on_action(self, result: ActionResult) -> None:
        """Write the result of an action on stderr."""
        name, end = result.action.name, result.event.end
        match result.state:
            case "done" | "dry run":
                prefix = "dry run: " if result.state == "dry run" else ""
                self.say(f"{end:9.2f}  {name}: {prefix}{result.detail}")
            case "failed":
                self._write_seldom(f"{name} failed: {result.detail}")
            case "skipped":
                self._write_seldom(f"{name} was skipped: {result.detail}")

    def say(self, text: str) -> None:
        """Write a message on stderr."""
        log: TextIO | None = self._log or sys.stderr
        if log is not None:
            # A full disk, or a closed pipe, does not end the recognition.
            with contextlib.suppress(OSError):
                log.write(f"{printable_lines(text)}\n")
                log.flush()

    def _write_seldom(self, line: str) -> None:
        now = boottime()
        if now - self._written.get(line, -_REPEAT_AFTER) < _REPEAT_AFTER:
            return
        if len(self._written) >= MOST_LINES:
            self._written.clear()
        self._written[line] = now
        self.say(line)


def _line_of(event: Event) -> str:
    hand = f"  {event.hand} hand" if event.hand else ""
    return f"{event.end:9.2f}  {event.label}  {100 * event.probability:.0f} %{hand}"
