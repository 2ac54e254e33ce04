"""What a person sees of a session, and the line that says it in a terminal."""

from collections import deque
from dataclasses import dataclass

from .session import Session, State


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
    message: str = ""
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
        left = "" if self.left is None else f" {self.left:.1f} s"
        match self.state:
            case State.COUNTDOWN:
                return f"{self.label} in{left}"
            case State.RECORDING:
                what = "sampling" if self.pose else "recording"
                return f"{what} {self.label} {self.recorded:.1f} s"
            case State.REVIEW if self.flagged:
                return f"{self.label}: k keep, u discard"
            case State.REVIEW:
                return f"{self.label} kept in{left}, u discards"
        return f"ready: {self.label}"


def line_of(status: Status) -> str:
    """Return the status in one line."""
    if status.typed is not None:
        return f"new label: {status.typed}_   (Enter adds it, Esc does not)"
    if status.trouble:
        return f"NO CAMERA  {status.trouble}"
    counts = " ".join(f"{label} {count}" for label, count in status.counts)
    parts = [
        f"[{status.sentence}]",
        counts,
        f"{status.fps:.0f} fps",
        "hand" if status.hand else "no hand",
        "" if status.share is None else f"last: hand in {100 * status.share:.0f} %",
        "h help",
    ]
    return "  ".join(part for part in parts if part)


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
