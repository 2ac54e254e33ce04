"""What a recogniser told, beside what was shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from handlore.datasets.streams import Truth

from .events import Event

EARLY = 1.0
"""An event may begin up to so many seconds before what it tells."""


@dataclass(frozen=True)
class Outcome:
    """Events and gestures of one stream, or of many."""

    found: tuple[tuple[Truth, Event], ...] = ()
    missed: tuple[Truth, ...] = ()
    false: tuple[Event, ...] = ()
    """Told outside any gesture, with a wrong label, or once more."""

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.found + other.found, self.missed + other.missed, self.false + other.false
        )

    @property
    def n(self) -> int:
        """How many gestures were made."""
        return len(self.found) + len(self.missed)


def scored(events: Sequence[Event], truths: Sequence[Truth]) -> Outcome:
    """Compare what was told of a stream with what was shown.

    A gesture is found by an event with its label that begins while it is shown or up to
    :data:`EARLY` seconds before, and ends after its start. Each finds one gesture at most, each
    gesture counts once.
    """
    left, found, false = list(truths), [], []
    for event in events:
        own = next((truth for truth in left if _finds(event, truth)), None)
        if own is None:
            false.append(event)
        else:
            left.remove(own)
            found.append((own, event))
    return Outcome(tuple(found), tuple(left), tuple(false))


def _finds(event: Event, truth: Truth) -> bool:
    begins = truth.start - EARLY <= event.start <= truth.end
    return event.label == truth.label and begins and event.end > truth.start
