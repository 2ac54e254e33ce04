"""A session without a window: its state in one line of a terminal."""

import shutil
import sys
from collections.abc import Sequence
from typing import TextIO

from handlore.landmarks.hands import Hand, Pixels

from ..keyboard.keys import HELP
from .status import Status, line_of


class StatusLine:
    """Writes one line over and over, and lines above it that stay.

    Parameters
    ----------
    stream
        Default: stderr. Where it is no terminal, only the lines that stay are written.
    quiet
        Whether the bell is not rung.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._shows = self._stream.isatty()
        self._quiet = quiet
        self._last = ""
        self._help = False

    def show(self, pixels: Pixels | None, hands: Sequence[Hand], status: Status) -> None:
        """Write the line, if it has changed."""
        if status.help != self._help:
            self._help = status.help
            self.say("keys: " + ", ".join(f"{keys}: {what}" for keys, what in HELP))
        line = line_of(status, shutil.get_terminal_size().columns - 1)
        if self._shows and line != self._last:
            self._last = line
            self._write(f"\r\x1b[K{line}")

    def say(self, text: str) -> None:
        """Write a line that stays."""
        self._write(f"\r\x1b[K{text}\n{self._last}" if self._shows else f"{text}\n")

    def cue(self, what: str) -> None:
        """Ring the terminal's bell."""
        if self._shows and not self._quiet:
            self._write("\a")

    def close(self) -> None:
        """Leave the line to whatever comes next."""
        if self._shows:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
