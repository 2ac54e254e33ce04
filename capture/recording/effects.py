"""Effects: what a session asks the loop around it to do."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from handlore.datasets.dataset import Kind


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
