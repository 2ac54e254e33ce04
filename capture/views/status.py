"""What a person sees of a session, and the line that says it in a terminal."""

import shutil
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO
from unicodedata import category, east_asian_width

from handlore.landmarks.hands import Hand, Pixels

from ..keys import HELP
from ..recording.session import Session, State

# How many columns of a terminal a text takes.


_WITHOUT_WIDTH = ("Mn", "Me", "Cf")
"""Categories of characters that stand above, below or inside the one before."""


def columns_of(text: str) -> int:
    """Return how many columns a text takes; Chinese, Japanese and Korean signs take two each."""
    return sum(map(_columns, text))


def cut(text: str, columns: int) -> str:
    """Return as much of a text as fits into so many columns, with an ellipsis where it was cut."""
    if columns_of(text) <= columns:
        return text
    left, kept = columns - 1, ""
    for character in text:
        left -= _columns(character)
        if left < 0:
            break
        kept += character
    return f"{kept}…" if columns > 0 else ""


def _columns(character: str) -> int:
    if category(character) in _WITHOUT_WIDTH:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


LONGEST_LABEL = 24
"""In the line of a terminal a label takes at most so many columns."""

UNLIMITED = 10_000


@dataclass(frozen=True)
class Status:
    """Everything that is shown, at one moment."""

    state: State
    label: str
    """What is being recorded, or will be next."""

    counts: tuple[tuple[str, int], ...]
    """Recordings kept of each label, in the order of the keys; ``none`` is the last."""

    left: float | None = None
    """Seconds left of countdown or review; None where nothing is running out."""

    recorded: float = 0.0
    """Seconds of the recording under way."""

    length: float = 0.0
    """Share of its length that is recorded, from 0 to 1; 0 where the length is open."""

    fps: float = 0.0
    share: float | None = None
    """Share of the frames of the last recording that show a hand."""

    hand: bool = False
    """Whether the last frame shows one."""

    flagged: bool = False
    question: str = ""
    """Why it is flagged."""

    message: str = ""
    """What was said last, for a while."""

    unsaved: int = 0
    """How many recordings could not be written."""

    next_label: str = ""
    """What will be recorded next, where it is not what is being recorded."""

    trouble: str | None = None
    """What is wrong with the camera."""

    typed: str | None = None
    """The new label as far as it is typed."""

    pose: bool = False
    """Whether single frames of a pose are being sampled."""

    burst_left: int = 0
    mirrored: bool = True
    help: bool = False
    advice: str = ""
    """What to record next."""

    @property
    def sentence(self) -> str:
        """The state, in words."""
        label = cut(self.label, LONGEST_LABEL)
        following = f", next: {cut(self.next_label, LONGEST_LABEL)}" if self.next_label else ""
        left = "" if self.left is None else f" {self.left:.1f} s"
        match self.state:
            case State.COUNTDOWN:
                return f"{label} in{left}"
            case State.RECORDING:
                what = "sampling" if self.pose else "recording"
                return f"{what} {label} {self.recorded:.1f} s{following}"
            case State.REVIEW if self.flagged:
                return f"{label}: k keep, u discard{following}"
            case State.REVIEW:
                return f"{label} kept in{left}, u discards{following}"
        return f"ready: {label}"


def line_of(status: Status, columns: int = UNLIMITED) -> str:
    """Return the status in one line; what matters least comes last, and is cut first.

    Parameters
    ----------
    status
        What is to be said.
    columns
        How many columns of a terminal there are.
    """
    if status.typed is not None:
        return cut(f"new label: {status.typed}_   (Enter adds it, Esc does not)", columns)
    unwritten = f"{status.unsaved} NOT WRITTEN, k tries again" if status.unsaved else ""
    if status.trouble:
        state = "" if status.state is State.IDLE else f"[{status.sentence}]"
        parts = [state, f"NO CAMERA  {status.trouble}", unwritten]
        return cut(_joined(parts), columns)
    parts = [
        f"[{status.sentence}]",
        unwritten,
        "hand" if status.hand else "no hand",
        f"{status.fps:.0f} fps",
        "" if status.share is None else f"last: hand in {100 * status.share:.0f} %",
    ]
    line = _joined(parts)
    counts = _counts(status.counts, columns - columns_of(line) - 2)
    return cut(_joined([line, counts, "h help"]), columns)


def _joined(parts: Sequence[str]) -> str:
    return "  ".join(part for part in parts if part)


def _counts(counts: Sequence[tuple[str, int]], columns: int) -> str:
    """Return how many recordings there are of each label, with names as long as there is room."""
    for longest in (UNLIMITED, 12, 8, 5, 3):
        text = " ".join(f"{cut(label, longest)} {count}" for label, count in counts)
        if columns_of(text) <= columns:
            return text
    return cut(text, columns)


class FrameRate:
    """Frames a second over the last few."""

    def __init__(self, over: int = 30) -> None:
        self._times: deque[float] = deque(maxlen=over)

    def add(self, seconds: float) -> None:
        """Note a frame."""
        self._times.append(seconds)

    @property
    def fps(self) -> float:
        """The rate, 0 as long as it is unknown."""
        passed = self._times[-1] - self._times[0] if self._times else 0.0
        return (len(self._times) - 1) / passed if passed > 0 else 0.0


def progress_of(session: Session, now: float) -> tuple[float, float]:
    """Return how long the recording under way is in seconds, and which share of its length."""
    recording = session.recording
    if recording is None:
        return 0.0, 0.0
    recorded = now - recording.began
    if recording.kind == "pose" or recording.is_stream:
        return recorded, 0.0
    if session.options.frames:
        return recorded, recording.taken / session.options.frames
    return recorded, min(
        1.0, recorded / session.options.seconds
    ) if session.options.seconds else 0.0


# A session without a window: its state in one line of a terminal.


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
