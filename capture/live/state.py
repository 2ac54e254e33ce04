"""What live recognition reports after each frame, and the interface of those who show it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from handlore.landmarks.hands import Hand, Pixels
from handlore.models.stream.events import Event
from handlore.models.stream.recogniser import ModelState

from ..actions.runner import ActionResult
from ..keys import Keys

_MOST_BARS = 5


@dataclass(frozen=True, eq=False)
class LiveState:
    """The state of live recognition after a frame."""

    seconds: float
    """Time in the stream."""

    pixels: Pixels | None
    """(height, width, 3) RGB, not to be changed; None while the camera gives no picture."""

    hands: Sequence[Hand] = ()
    models: Sequence[ModelState] = ()
    """What each model predicts, the one with the most to report first."""

    fps: float = 0.0
    latency: float = 0.0
    """Seconds from the picture to the decision."""

    problem: str | None = None
    """What is wrong with the camera."""

    armed: bool | None = None
    """Whether actions are run; None where the actions file names no arming gesture."""

    @property
    def label(self) -> str | None:
        """The recognised label, if any."""
        return next((one.label for one in self.models if one.label is not None), None)

    def bars(self) -> list[tuple[str, float]]:
        """Return the most probable labels of all models, with their probabilities."""
        predicted = [
            (label, float(probability))
            for one in self.models
            if one.probabilities is not None
            for label, probability in zip(one.labels, one.probabilities, strict=True)
        ]
        return sorted(predicted, key=lambda bar: -bar[1])[:_MOST_BARS]


class LiveView:
    """Takes part in a live run; this one ignores everything. All calls come from one thread."""

    def show(self, state: LiveState) -> None:
        """Show the state after a frame."""

    def on_event(self, event: Event) -> None:
        """Report an event."""

    def on_action(self, result: ActionResult) -> None:
        """Report the result of an action."""

    def say(self, text: str) -> None:
        """Show a message."""

    def restart(self) -> None:
        """Forget what came before: there is a gap in the stream."""

    def pressed(self) -> list[str]:
        """Return the keys pressed since the last call, see :mod:`..keys`."""
        return []

    def on_key(self, key: str) -> None:
        """React to a key that was pressed in any view."""

    def close(self) -> None:
        """Close it."""


class EventCallback(LiveView):
    """Calls a function with each event."""

    def __init__(self, function: Callable[[Event], object]) -> None:
        self._function = function

    def on_event(self, event: Event) -> None:
        """Call the function."""
        self._function(event)


class TerminalKeys(LiveView):
    """Gives the keys of a terminal; shows nothing."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def pressed(self) -> list[str]:
        """Return the keys pressed since the last call."""
        return self._keys.pressed()
