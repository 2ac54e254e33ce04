"""What a session asks the loop around it to do."""

from dataclasses import dataclass
from typing import Literal

from handlore.datasets.dataset import Kind


@dataclass(frozen=True)
class Begin:
    """Begin a recording; what was recorded before is settled."""

    label: str
    kind: Kind
    """``sequence``: a movement, or a stream of ``none``. ``pose``: single frames of a pose."""


@dataclass(frozen=True)
class AddFrame:
    """The frame just shown belongs to the recording."""


@dataclass(frozen=True)
class End:
    """No more frames: the recording is up for review."""

    first: int
    """Of the frames taken, the first one that stays."""

    last: int
    """Of the frames taken, the one behind the last that stays."""

    share: float
    """Share of its frames in which a hand was seen."""

    flags: tuple[str, ...]
    """What is wrong with it, in words; then a person decides."""


@dataclass(frozen=True)
class Keep:
    """Write the recording to the disk."""


@dataclass(frozen=True)
class Discard:
    """Forget the recording."""


@dataclass(frozen=True)
class Undo:
    """Take the last recording that was kept out again."""


@dataclass(frozen=True)
class Retry:
    """Write again what could not be written."""


@dataclass(frozen=True)
class Cue:
    """Something to hear."""

    what: Literal["count", "go", "end", "flag"]


@dataclass(frozen=True)
class Announce:
    """Something to read."""

    text: str


@dataclass(frozen=True)
class Quit:
    """The session has ended."""


Effect = Begin | AddFrame | End | Keep | Discard | Undo | Retry | Cue | Announce | Quit
