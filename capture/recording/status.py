"""What a person sees of a session at one moment."""

from dataclasses import dataclass

from .session import Session, State


@dataclass(frozen=True)
class Status:
    """Everything that is shown of a session after a frame."""

    state: State
    label: str
    """The label of the recording under way, else of the next one."""

    counts: tuple[tuple[str, int], ...]
    """Recordings kept of each label, in the order of the keys; ``none`` is the last."""

    left: float | None = None
    """Seconds left of countdown or review; None without a limit."""

    recorded: float = 0.0
    """Seconds of the recording under way."""

    progress: float = 0.0
    """Share of its length that is recorded, from 0 to 1; 0 where the length is open."""

    fps: float = 0.0
    share: float | None = None
    """Share of the frames of the last recording in which a hand was detected."""

    hand: bool = False
    """Whether a hand is detected in the last frame."""

    flagged: bool = False
    """Whether a recording waits for a decision."""

    question: str = ""
    """Why it is flagged."""

    message: str = ""
    """The last message, for some seconds."""

    unsaved: int = 0
    """How many recordings could not be written."""

    next_label: str = ""
    """The label of the next recording, where it differs from :attr:`label`."""

    problem: str | None = None
    """What is wrong with the camera."""

    typed: str | None = None
    """The new label while it is typed; else None."""

    pose: bool = False
    """Whether single frames of a pose are being sampled."""

    burst_left: int = 0
    """Recordings of a burst that are still to come."""

    mirrored: bool = True
    help: bool = False
    advice: str = ""
    """What to record next."""


def progress_of(session: Session, now: float) -> tuple[float, float]:
    """Return the length of the recording under way in seconds, and the share of it that is done."""
    recording, options = session.recording, session.options
    if recording is None:
        return 0.0, 0.0
    recorded = now - recording.began
    if recording.kind == "pose" or recording.is_stream:
        return recorded, 0.0
    if options.frames:
        return recorded, recording.taken / options.frames
    return recorded, min(1.0, recorded / options.seconds) if options.seconds else 0.0
