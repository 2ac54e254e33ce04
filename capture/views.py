"""What is seen of live recognition: one moment, and those who show it."""

from collections.abc import Sequence
from dataclasses import dataclass

from handlore.classifiers.stream.events import Event
from handlore.classifiers.stream.recogniser import Shown
from handlore.landmarks.hands import Hand, Pixels

from .actions.runner import Outcome
from .keys import Keys

MOST_BARS = 5


@dataclass(frozen=True, eq=False)
class Moment:
    """What there is to see after a frame."""

    seconds: float
    """The time in the stream."""

    pixels: Pixels | None
    """(height, width, 3) RGB, not to be painted on; None while there is no camera."""

    hands: Sequence[Hand] = ()
    shown: Sequence[Shown] = ()
    """What each model sees, the most telling first."""

    fps: float = 0.0
    latency: float = 0.0
    """Seconds from the picture to the decision."""

    trouble: str | None = None
    """What is wrong with the camera."""

    armed: bool | None = None
    """Whether actions are done; None where there is no arming gesture."""

    @property
    def label(self) -> str | None:
        """What is shown, if anything is."""
        return next((one.label for one in self.shown if one.label is not None), None)

    def bars(self) -> list[tuple[str, float]]:
        """Return the likeliest labels of all models with their probabilities."""
        told = [
            (label, float(probability))
            for one in self.shown
            if one.probabilities is not None
            for label, probability in zip(one.labels, one.probabilities, strict=True)
        ]
        return sorted(told, key=lambda bar: -bar[1])[:MOST_BARS]


class View:
    """Shows what happens; this one shows nothing. All of it is called by one thread."""

    def show(self, moment: Moment) -> None:
        """Show a moment."""

    def tell(self, event: Event) -> None:
        """Tell that something was recognised."""

    def tell_outcome(self, outcome: Outcome) -> None:
        """Tell what became of an action."""

    def say(self, text: str) -> None:
        """Say a line that should not be missed."""

    def restart(self) -> None:
        """Take notice of a gap: what comes has nothing to do with what was."""

    def pressed(self) -> list[str]:
        """Return the keys pressed since the last call, see :mod:`.keys`."""
        return []

    def key(self, key: str) -> None:
        """Take notice of a key that was pressed, wherever that was."""

    def close(self) -> None:
        """End."""


class KeysOnly(View):
    """Keys of a terminal; shows nothing."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def pressed(self) -> list[str]:
        """Return the keys pressed since the last call."""
        return self._keys.pressed()
