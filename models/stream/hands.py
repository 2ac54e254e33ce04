"""From the hands of a frame to what the models make of them."""

from collections.abc import Callable, Sequence
from typing import Protocol

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import FloatArray, Hand, by_slot, stack_hands

from .events import Event
from .recogniser import ModelState


class StreamRecogniser(Protocol):
    """Follows one stream, as :class:`handlore.models.stream.Recogniser` does."""

    @property
    def n_hands(self) -> int:
        """How many hands a frame has room for."""

    @property
    def shown(self) -> Sequence[ModelState]:
        """What each model sees at the moment."""

    def feed(
        self, time: float, image: FloatArray, world: FloatArray, handedness: FloatArray
    ) -> list[Event]:
        """Take up the next frame; return what is told now."""

    def finish(self) -> list[Event]:
        """Return what is left to tell when no more frames come."""


class HandRecogniser:
    """One recogniser for all hands; or, where models know one hand and two are seen, one for each.

    Parameters
    ----------
    make
        Makes a recogniser, at the beginning and after every gap.
    max_hands
        How many hands the detector finds; default: as many as the models take.

    Raises
    ------
    HandloreError
        If the models take more hands than that.
    """

    def __init__(self, make: Callable[[], StreamRecogniser], max_hands: int | None = None) -> None:
        first = make()
        self.max_hands = max_hands or first.n_hands
        if first.n_hands > self.max_hands:
            raise HandloreError(
                f"the models take {first.n_hands} hands; give --max-hands {first.n_hands}"
            )
        self._make = make
        self._each = self.max_hands // first.n_hands
        self._all = [first, *(make() for _ in range(self._each - 1))]

    def feed(self, time: float, hands: Sequence[Hand]) -> list[Event]:
        """Take up the hands of the next frame, in seconds that rise; return what is told now."""
        slots = by_slot(hands, self.max_hands)
        n = self.max_hands // self._each
        events = []
        for number, recogniser in enumerate(self._all):
            mine = slots[number * n : (number + 1) * n]
            events += recogniser.feed(time, *(array[0] for array in stack_hands([mine])[:3]))
        return events

    def finish(self) -> list[Event]:
        """Return what is left to tell when no more frames come."""
        return [event for recogniser in self._all for event in recogniser.finish()]

    def reset(self) -> None:
        """Forget what was seen: it says nothing of what will be seen next."""
        self._all = [self._make() for _ in self._all]

    @property
    def shown(self) -> list[ModelState]:
        """What each model sees at the moment; of two hands that which is seen."""
        shown = [one for recogniser in self._all for one in recogniser.shown]
        return sorted(shown, key=lambda one: (one.label is None, one.probabilities is None))
