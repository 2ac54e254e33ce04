"""Effects: what a session asks the loop around it to do."""

from dataclasses import dataclass
from typing import Literal

from handlore.datasets.dataset import Kind


@dataclass(frozen=True)
class Begin:
    """Start a recording."""

    label: str
    kind: Kind
    """``sequence``: a movement, or a stream of ``none``. ``pose``: single frames of a pose."""


@dataclass(frozen=True)
class AddFrame:
    """Add the current frame to the recording."""


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
class Keep:
    """Write the recording to disk."""


@dataclass(frozen=True)
class Discard:
    """Drop the recording."""


@dataclass(frozen=True)
class Undo:
    """Discard the last recording that was kept."""


@dataclass(frozen=True)
class Retry:
    """Try again to write what could not be written."""


@dataclass(frozen=True)
class Cue:
    """Play a sound."""

    what: Literal["count", "go", "end", "flag"]


@dataclass(frozen=True)
class Announce:
    """Show a message."""

    text: str


@dataclass(frozen=True)
class Quit:
    """End the session."""


Effect = Begin | AddFrame | End | Keep | Discard | Undo | Retry | Cue | Announce | Quit
