"""How a session records."""

import math
from dataclasses import dataclass

from handlore.landmarks.errors import HandloreError


@dataclass(frozen=True)
class SessionOptions:
    """Options of a recording session; times are in seconds.

    Raises
    ------
    HandloreError
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
            raise HandloreError(f"{' and '.join(given)} contradict each other; give one of them")
        for name in ("seconds", "countdown", "review", "pause", "sample_every"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                flag = "--" + name.replace("_", "-")
                raise HandloreError(f"{flag} is {value}, expected 0 or more seconds")
        if self.frames < 0 or self.burst < 1:
            wrong = f"--frames is {self.frames}" if self.frames < 0 else f"--burst is {self.burst}"
            raise HandloreError(f"{wrong}, expected 1 or more")
        if not 0 <= self.most_missing <= 1:
            raise HandloreError(f"--missing is {self.most_missing}, expected a share from 0 to 1")
        if self.seconds > self.longest:
            raise HandloreError(
                f"--seconds is {self.seconds:g}; a recording is at most {self.longest:g} seconds"
                f" long, a stream of none {self.longest_stream:g}"
            )
