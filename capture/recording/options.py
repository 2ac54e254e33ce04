"""How a session records, and under which labels."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real

from handlore.datasets.dataset import NONE_LABEL
from handlore.datasets.recorded import UNSORTED, normalized
from handlore.landmarks.errors import HandloreError, OptionError, nearest, require_type
from handlore.landmarks.files import each


@dataclass(frozen=True)
class SessionOptions:
    """Options of a recording session; times are in seconds.

    Raises
    ------
    OptionError
        If an option is out of range, or two of them contradict each other.
    """

    frames: int = 0
    """Length of a recording in frames; 0: any."""
    seconds: float = 0.0
    """Length of a recording; 0: any."""
    hand_gone: bool = False
    """A recording lasts from the first frame with a hand until the hand is gone."""
    countdown: float = 2.0
    """From the key to the first frame."""
    review: float = 2.0
    """Time to discard a recording before it is kept."""
    burst: int = 5
    """Recordings of a burst."""
    pause: float = 1.0
    """Between two recordings of a burst."""
    sample_every: float = 0.1
    """Between two samples of a static pose."""
    most_missing: float = 0.2
    """A recording without a hand in a larger share of its frames is flagged."""
    longest: float = 60.0
    """Longest recording."""
    longest_stream: float = 600.0
    """Longest recording of ``none``."""
    subject: str = ""
    """Who is recorded."""
    session: str = ""
    """Name of the session; default: date and time."""
    note: str = ""
    keep_video: bool = False
    headless: bool = False
    """Use the terminal instead of a window; always so without a display."""
    coach: bool = True
    """Work out what to record next, in a process of its own."""
    quiet: bool = False
    """No sounds."""
    max_hands: int = 1
    landmarker: str = "full"
    detector: str = "auto"
    verbose: bool = False
    """Let native libraries write to stderr."""

    def __post_init__(self) -> None:
        lengths = {
            "--frames": bool(self.frames),
            "--seconds": bool(self.seconds),
            "--until hand-gone": self.hand_gone,
        }
        given = [name for name, is_given in lengths.items() if is_given]
        if len(given) > 1:
            raise OptionError(f"{' and '.join(given)} contradict each other; give one of them")
        for name in ("seconds", "countdown", "review", "pause", "sample_every"):
            value = require_type(getattr(self, name), Real, f"seconds as {name}")
            if not (math.isfinite(value) and value >= 0):
                flag = "--" + name.replace("_", "-")
                raise OptionError(f"{flag} is {value}, expected 0 or more seconds")
        for name in ("frames", "burst"):
            require_type(getattr(self, name), Integral, f"a whole number as {name}")
        if self.frames < 0 or self.burst < 1:
            wrong = f"--frames is {self.frames}" if self.frames < 0 else f"--burst is {self.burst}"
            raise OptionError(f"{wrong}, expected 1 or more")
        if not 0 <= self.most_missing <= 1:
            raise OptionError(f"--missing is {self.most_missing}, expected a share from 0 to 1")
        if self.seconds > self.longest:
            raise OptionError(
                f"--seconds is {self.seconds:g}; a recording is at most {self.longest:g} seconds"
                f" long, a stream of none {self.longest_stream:g}"
            )


_LONGEST = 64
"""Most characters of a label."""


class Labels:
    """The labels of a session in the order of their keys; ``none`` is always the last.

    The first one is current. HandloreError is raised if a label is empty, too long, not printable,
    given twice (also in other case), or :data:`~handlore.datasets.recorded.UNSORTED`.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names: list[str] = [NONE_LABEL]
        for name in each(names):
            if require_type(name, str, "labels as text").strip() != NONE_LABEL:
                self.add(name)
        self._index = 0

    @property
    def current(self) -> str:
        """The label of the next recording."""
        return self.names[self._index]

    def add(self, name: str) -> None:
        """Add a label and make it current, or raise HandloreError."""
        name = checked_label(name)
        if name == UNSORTED:
            raise HandloreError(
                f"{name!r} cannot be recorded: it is the label of what `live --record` keeps until"
                " somebody has said what it shows, and training leaves it out; give another label"
            )
        existing = same_label(name, self.names)
        if existing is not None:
            also = "" if existing == name else f", written {existing}"
            raise HandloreError(f"{name!r} is already a label{also}")
        self.names.insert(-1, name)
        self._index = len(self.names) - 2

    def choose(self, digit: int) -> bool:
        """Choose the label of a digit, 0 for ``none``; return whether it has one."""
        index = len(self.names) - 1 if digit == 0 else digit - 1
        if digit and index >= len(self.names) - 1:
            return False
        self._index = index
        return True

    def select(self, name: str) -> None:
        """Make an existing label current."""
        self._index = self.names.index(name)

    def step(self, by: int) -> None:
        """Go to the next label (1) or the previous one (-1), cyclically."""
        self._index = (self._index + by) % len(self.names)


def checked_label(name: str) -> str:
    """Return a label without surrounding blanks, in Unicode form NFC, or raise HandloreError."""
    name = normalized(name)
    if not name:
        raise HandloreError("the label is empty; expected a word such as swipe_left")
    if len(name) > _LONGEST:
        raise HandloreError(
            f"the label {name[:20]}... has {len(name)} characters; at most {_LONGEST} are allowed"
        )
    if not name.isprintable() or set(name) & set("/\\"):
        raise HandloreError(
            f"{name!r} cannot be a label: it contains a slash or a control character"
        )
    return name


def same_label(name: str, names: Iterable[str]) -> str | None:
    """Return the label among ``names`` that equals this one up to case; None if none does."""
    return next((one for one in names if _folded(one) == _folded(name)), None)


def near_label(name: str, known: Iterable[str]) -> str:
    """Return the known labels, or ``none``, that a new label may be a typing error of."""
    known = {*known, NONE_LABEL}
    return "" if name in known else nearest(name, sorted(known))


def _folded(name: str) -> str:
    return normalized(name).casefold()
