"""The recording under way: its length, the frames with a hand, what is wrong with it.

And the effects: what a session asks the loop around it to do.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from handlore.datasets.dataset import NONE_LABEL
from handlore.datasets.kinds import Kind
from handlore.landmarks.errors import counted

from .options import SessionOptions


class Do(Enum):
    """The effects without details."""

    ADD_FRAME = "add the current frame to the recording"
    KEEP = "write the recording to disk"
    DISCARD = "drop the recording"
    UNDO = "discard the last recording that was kept"
    RETRY = "try again to write what could not be written"
    QUIT = "end the session"


@dataclass(frozen=True)
class Begin:
    """Start a recording."""

    label: str
    kind: Kind
    """``sequence``: a movement, or a stream of ``none``. ``pose``: single frames of a pose."""


@dataclass(frozen=True)
class End:
    """Stop recording; the review starts."""

    first: int
    """The first of the added frames to keep."""
    last: int
    """One after the last of the added frames to keep."""
    share: float
    """Share of its frames in which a hand was detected."""
    flags: tuple[str, ...]
    """Why a person has to decide about it; empty if nothing is wrong."""


@dataclass(frozen=True)
class Cue:
    """Play a sound."""

    what: Literal["count", "go", "end", "flag"]


@dataclass(frozen=True)
class Announce:
    """Show a message."""

    text: str


Effect = Do | Begin | End | Cue | Announce

_REPEAT = 0.15
"""Keyboards repeat a held key faster than this, and people press it slower; seconds."""
_RELEASED = 0.3
"""A held key that has not repeated for this time was released; seconds."""


class _KeyHold:
    """Distinguishes a key that is held down from one that is pressed twice; times are seconds.

    Terminals and windows report only presses, repeatedly while a key is held. The first repetition
    comes late and looks like a second press; the following ones show which it was.
    """

    def __init__(self, now: float) -> None:
        self._last = now
        self._held = False
        self._second: float | None = None

    def press(self, now: float) -> None:
        """Process another press, by a finger or repeated by the keyboard."""
        if now - self._last < _REPEAT:
            self._held = True
        else:
            self._second = now
        self._last = now

    def over(self, now: float) -> bool:
        """Return whether it was released, or pressed a second time."""
        if self._held:
            return now - self._last > _RELEASED
        return self._second is not None and now - self._second >= _REPEAT


_FEWEST = 5
"""A movement of fewer frames is flagged."""
_SHORTEST_STREAM = 1.0
"""A shorter stream of ``none`` is not kept where its session ends; seconds."""
_GONE = 0.5
"""A hand that was not detected for this time is gone; seconds."""
TICK = 1e-6
"""Tolerance: times of frames are sums of floating-point numbers; seconds."""


class Recording:
    """The recording under way or under review.

    ``sequence``: a movement, or a stream of ``none``; ``pose``: single frames of a pose. Times are
    seconds on the camera's clock.
    """

    def __init__(self, label: str, kind: Kind, now: float) -> None:
        self.label, self.kind, self.began = label, kind, now
        self.looked = 0
        """Frames examined."""
        self.seen = 0
        """Examined frames with a hand."""
        self.taken = 0
        """Frames added to it."""
        self.flags: tuple[str, ...] = ()
        """Why a person has to decide about it."""
        self._first_seen, self._last_seen = 0, -1
        """The first and the last added frame with a hand."""
        self._last_seen_at = self._next_sample = now
        self._hold = _KeyHold(now) if kind == "pose" else None

    @property
    def is_stream(self) -> bool:
        """Whether it is everyday movement, which needs no hand."""
        return self.label == NONE_LABEL and self.kind == "sequence"

    @property
    def share(self) -> float:
        """Share of the examined frames with a hand."""
        return self.seen / self.looked if self.looked else 0.0

    def press(self, now: float) -> None:
        """Process another press of the key that samples a pose."""
        if self._hold is not None:
            self._hold.press(now)

    def is_over(self, options: SessionOptions, now: float) -> bool:
        """Return whether a frame of this time comes after its end."""
        passed = now - self.began + TICK
        if self._hold is not None:
            return self._hold.over(now) or passed >= options.longest
        if self.is_stream:
            return passed >= options.longest_stream
        if options.hand_gone and self._last_seen >= 0 and now - self._last_seen_at > _GONE + TICK:
            return True
        return passed >= (options.seconds or options.longest)

    def may_end(self, now: float) -> bool:
        """Return whether it is complete if the session ends: a stream that is not too short."""
        long_enough = now - self.began >= _SHORTEST_STREAM - TICK and self.taken >= _FEWEST
        return self.is_stream and long_enough

    def look(self, options: SessionOptions, has_hand: bool, now: float) -> bool:
        """Examine a frame and return whether it belongs to the recording."""
        if self.kind == "pose" and now < self._next_sample - TICK:
            return False
        self._next_sample = now + options.sample_every
        self.looked += 1
        self.seen += has_hand
        if self.kind == "pose" and not has_hand:
            return False
        if has_hand:
            if self._last_seen < 0:
                self._first_seen = self.taken
            self._last_seen, self._last_seen_at = self.taken, now
        self.taken += 1
        return True

    def is_full(self, options: SessionOptions) -> bool:
        """Return whether it has the requested number of frames."""
        counted = self.kind == "sequence" and not self.is_stream
        return counted and self.taken == options.frames

    def cut(self, options: SessionOptions) -> tuple[int, int]:
        """Cut off the frames before the hand came and after it left, if it lasts until then.

        Returns the first of the added frames to keep, and one after the last.
        """
        if not options.hand_gone or self.is_stream or self._last_seen < 0:
            return 0, self.taken
        first, last = self._first_seen, self._last_seen + 1
        if self.kind == "sequence":
            self.looked = last - first
        return first, last

    def problems(self, options: SessionOptions, frames: int) -> list[str]:
        """Return what is wrong with a recording of so many frames."""
        found = []
        if frames < _FEWEST and self.kind == "sequence":
            found.append(f"only {counted(frames, 'frame')}")
        missing = 1 - self.share
        if missing > options.most_missing + TICK and not self.is_stream:
            found.append(f"no hand in {100 * missing:.0f} % of the frames")
        return found
