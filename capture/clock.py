"""The time that live recognition goes by."""

import time
from dataclasses import dataclass

GAP = 2.0
"""Seconds without a frame after which what was seen before says nothing of what is seen now."""


def seconds() -> float:
    """Return the time of a clock that nobody sets, and that goes on while the computer sleeps.

    Linux halts ``time.monotonic`` in suspend; who relies on it takes the hand of the evening for
    that of the morning.
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


@dataclass
class Timeline:
    """Turns the times of frames into one stream of times that always rises.

    Cameras count from whenever they like, and begin anew when they come back.
    """

    _frame: float | None = None
    _clock: float = 0.0
    _stream: float = 0.0

    def place(self, frame: float, clock: float) -> tuple[float, bool]:
        """Place a frame in the stream.

        Parameters
        ----------
        frame
            Its time on the camera's clock, in seconds.
        clock
            The time now, see :func:`seconds`.

        Returns
        -------
        Its time in the stream in seconds, 0 for the first; and whether there was a gap before it:
        a camera that was lost, a computer that slept, a clock that was set.
        """
        if self._frame is None:
            self._frame, self._clock = frame, clock
            return self._stream, False
        by_frame, by_clock = frame - self._frame, clock - self._clock
        # Frames of a file that is played faster than it was filmed are not late.
        gap = not 0 < by_frame <= GAP or by_clock > GAP
        self._stream += max(by_frame, by_clock, 0.001) if gap else by_frame
        self._frame, self._clock = frame, clock
        return self._stream, gap
