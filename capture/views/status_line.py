"""A session without a window: its state in one line of a terminal."""

import os
import shutil
import sys
from collections.abc import Sequence
from typing import TextIO

from rich.cells import cell_len, set_cell_size

from handlore.landmarks.hands import Hand, Pixels
from handlore.landmarks.untrusted import printable_lines

from ..recording.loop import Status
from ..recording.session import KEY_BINDINGS, State

_LONGEST_LABEL = 24
"""Most columns of a label."""
_UNLIMITED = 10_000
_LEAST_COUNTS = 10
"""Columns below which the beginning of the numbers of recordings says nothing."""


def terminal_size(stream: TextIO) -> os.terminal_size:
    """Return the size of the terminal that a stream writes to; stdout may be a file."""
    usual = shutil.get_terminal_size()
    try:
        columns, rows = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return usual
    # A serial console does not know its size and says 0.
    return os.terminal_size((columns or usual.columns, rows or usual.lines))


class StatusLine:
    """Rewrites one line of stderr again and again, and writes messages above it.

    Where the stream is no terminal, only messages are written. ``quiet`` silences the bell.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._quiet = quiet
        self._last = ""
        self._help = False

    def show(self, pixels: Pixels | None, hands: Sequence[Hand], status: Status) -> None:
        """Write the line, if it has changed."""
        if status.help != self._help:
            self._help = status.help
            self.say("keys: " + ", ".join(f"{keys}: {action}" for keys, action in KEY_BINDINGS))
        line = _line_of(status, terminal_size(self._stream).columns - 1)
        if self._is_terminal and line != self._last:
            self._last = line
            self._write(f"\r\x1b[K{line}")

    def say(self, text: str) -> None:
        """Write a message that stays; the line follows with the next state.

        The last one may be over, such as the prompt for a label that was refused.
        """
        text, self._last = printable_lines(text), ""
        self._write(f"\r\x1b[K{text}\n" if self._is_terminal else f"{text}\n")

    def cue(self, what: str) -> None:
        """Ring the terminal's bell."""
        if self._is_terminal and not self._quiet:
            self._write("\a")

    def close(self) -> None:
        """Clear the line."""
        if self._is_terminal:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _line_of(status: Status, columns: int = _UNLIMITED) -> str:
    """Return the status in one line; the least important part is the last and is cut first."""
    if status.typed is not None:
        line = typed_line(status.typed, columns)
        return line + cut("   (Enter: save, Esc: cancel)", columns - cell_len(line))
    unsaved = f"{status.unsaved} NOT WRITTEN, k tries again" if status.unsaved else ""
    hand = "hand" if status.hand else "no hand"
    state = _state_text(status, columns - len(f"[]  {hand}"))
    if status.problem:
        shown = "" if status.state is State.IDLE else f"[{state}]"
        return cut(_joined([shown, f"NO CAMERA  {status.problem}", unsaved]), columns)
    line = cut(_joined([f"[{state}]", unsaved]), columns)
    share = "" if status.share is None else f"last: hand in {100 * status.share:.0f} %"
    for part in (hand, f"{status.fps:.0f} fps", share):
        line = _longer(line, part, columns)
    counts = _counts(status.counts, columns - cell_len(line) - 2)
    return _longer(_longer(line, counts, columns), "h help", columns)


def _longer(line: str, part: str, columns: int) -> str:
    """Return a line with another part, if there is room for it."""
    longer = _joined([line, part])
    return longer if cell_len(longer) <= columns else line


def _state_text(status: Status, columns: int) -> str:
    """Return the state with its label, as long as there is room."""
    texts = [_state_with(status, longest) for longest in (_LONGEST_LABEL, 12, 8, 5, 3)]
    return next((text for text in texts if cell_len(text) <= columns), texts[-1])


def _state_with(status: Status, longest: int) -> str:
    label = cut(status.label, longest)
    following = f", next: {cut(status.next_label, longest)}" if status.next_label else ""
    left = "" if status.left is None else f" {status.left:.1f} s"
    match status.state:
        case State.COUNTDOWN:
            return f"{label} in{left}"
        case State.RECORDING:
            action = "sampling" if status.pose else "recording"
            return f"{action} {label} {status.recorded:.1f} s{following}"
        case State.REVIEW if status.flagged:
            return f"{label}: k keep, u discard{following}"
        case State.REVIEW:
            return f"{label} kept in{left}, u discards{following}"
    return f"ready: {label}"


def _joined(parts: Sequence[str]) -> str:
    return "  ".join(part for part in parts if part)


def _counts(counts: Sequence[tuple[str, int]], columns: int) -> str:
    """Return the number of recordings of each label, with names as long as there is room."""
    for longest in (_UNLIMITED, 12, 8, 5, 3):
        text = " ".join(f"{cut(label, longest)} {count}" for label, count in counts)
        if cell_len(text) <= columns:
            return text
    return cut(text, columns) if columns > _LEAST_COUNTS else ""


def typed_line(typed: str, columns: int) -> str:
    """Return a label that is being typed, with its end, if it does not fit."""
    line = f"new label: {typed}_"
    ends = (line, *(f"…{line[first:]}" for first in range(1, len(line))))
    return next((end for end in ends if cell_len(end) <= columns), "")


def cut(text: str, columns: int) -> str:
    """Return the start of a text that fits into so many columns, with an ellipsis if it is cut."""
    if cell_len(text) <= columns:
        return text
    return f"{set_cell_size(text, columns - 1)}…" if columns > 0 else ""
