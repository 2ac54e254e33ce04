"""How a session records."""

import math
from dataclasses import dataclass

from handlore.landmarks.errors import HandloreError


@dataclass(frozen=True)
class SessionOptions:
    """Times are in seconds.

    Raises
    ------
    HandloreError
        If an option is out of range, or two of them contradict each other.
    """

    labels: tuple[str, ...] = ()
    """The labels to begin with; ``none`` is always one."""

    frames: int = 0
    """A recording is so many frames long; 0 = any number."""

    seconds: float = 0.0
    """A recording is so long; 0 = any time."""

    hand_gone: bool = False
    """A recording lasts from the first sight of a hand until it is gone."""

    countdown: float = 2.0
    """From the key to the first frame."""

    review: float = 2.0
    """So long a recording may be refused before it is kept by itself."""

    burst: int = 5
    """How many recordings a burst is."""

    pause: float = 1.0
    """Between two recordings of a burst."""

    sample_every: float = 0.1
    """Between two samples of a static pose."""

    most_missing: float = 0.2
    """A recording with no hand in more than this share of its frames is asked about."""

    longest: float = 60.0
    """A recording ends by itself after this."""

    longest_stream: float = 600.0
    """A recording of ``none`` ends by itself after this."""

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
