"""Models tested on reviewed triggers, which they would emit again or not, and better thresholds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from handlore.datasets.dataset import NONE_LABEL
from handlore.datasets.triggers import Trigger
from handlore.models.stream.events import Event
from handlore.models.stream.inference import ModelOutput, StreamModel
from handlore.models.stream.recogniser import events_from_outputs, model_outputs
from handlore.models.stream.settings import RecogniserSettings

PRICE = 2
"""How many missed gestures a false activation costs."""
_RAISES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
"""By how much a threshold may be raised."""
_MOST = 0.95
"""The highest of them."""
_SETTINGS = RecogniserSettings()
_LATER = 0.5
"""Seconds after a trigger in which another model may recognise the pose that is still held."""


@dataclass(frozen=True)
class TriggerScores:
    """Events that a model emits for reviewed triggers, counted."""

    n: int = 0
    n_false: int = 0
    """False activations: events with a label that the recording does not show."""
    n_missed: int = 0
    """Gestures for which no event was emitted."""

    @property
    def cost(self) -> int:
        """Both together; a false activation costs as much as two missed gestures."""
        return PRICE * self.n_false + self.n_missed

    def __add__(self, other: "TriggerScores") -> "TriggerScores":
        n_false, n_missed = self.n_false + other.n_false, self.n_missed + other.n_missed
        return TriggerScores(self.n + other.n, n_false, n_missed)

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        return {"n": self.n, "n_false": self.n_false, "n_missed": self.n_missed}


@dataclass(frozen=True, eq=False)
class Answer:
    """The outputs of a model for a trigger that it was not trained on."""

    model: StreamModel
    outputs: Sequence[ModelOutput]
    trigger: Trigger
    part: int = 0
    """Of the session."""

    @classmethod
    def of(cls, model: StreamModel, trigger: Trigger, part: int = 0) -> Self:
        """Run a model on the recording of a trigger, as a stream."""
        return cls(model, tuple(model_outputs(model, trigger.recording, _SETTINGS)), trigger, part)

    def score(self, raises: Mapping[str, float]) -> TriggerScores:
        """Count what is wrong about the event if thresholds were higher.

        What happens in the recording before and after it is not looked at: nobody has said what it
        shows.
        """
        levels = raised_thresholds(self.model, raises)
        events = events_from_outputs(self.model, self.outputs, levels, _SETTINGS)
        return _scored(events, self.trigger)


Raises = Mapping[str, float]
"""By how much the thresholds of labels are higher."""


def score_answers(answers: Iterable[Answer], raises: Raises | None = None) -> TriggerScores:
    """Count what is wrong about triggers, with thresholds that are higher by so much."""
    return sum((one.score(raises or {}) for one in answers), TriggerScores())


def score_triggers(model: StreamModel, triggers: Iterable[Trigger]) -> TriggerScores:
    """Count what is wrong about triggers that a model was not trained on."""
    return score_answers(Answer.of(model, one) for one in triggers)


def raised_thresholds(model: StreamModel, raises: Raises) -> dict[str, float]:
    """Return the thresholds of a model, some of them higher."""
    usual = _SETTINGS.default_threshold(model.encoder.kind)
    own = dict(model.thresholds)
    for label, amount in raises.items():
        least = own.get(label, usual)
        own[label] = round(max(min(least + amount, _MOST), least), 2)
    return own


def choose_raises(answers: Sequence[Answer]) -> dict[str, float]:
    """Return by how much the threshold of each label is to be higher, where that costs the least.

    Only labels of which there are false activations get another one. Each in turn gets the best,
    given those of the others.
    """
    raises: dict[str, float] = {}
    suspects = sorted({one.trigger.recognised for one in answers if not one.trigger.is_right})
    for label in [*suspects, *suspects] if len(suspects) > 1 else suspects:
        costs = [score_answers(answers, raises | {label: amount}).cost for amount in _RAISES]
        raises[label] = _RAISES[costs.index(min(costs))]
    return {label: amount for label, amount in raises.items() if amount}


def cross_fitted(answers: Sequence[Answer]) -> TriggerScores:
    """Return the scores with raised thresholds; those of each part are chosen on the others."""
    total = TriggerScores()
    for part in sorted({one.part for one in answers}):
        others = [one for one in answers if one.part != part]
        raises = choose_raises(others)
        total += score_answers([one for one in answers if one.part == part], raises)
    return total


def _scored(emitted: Sequence[Event], trigger: Trigger) -> TriggerScores:
    events = [one for one in emitted if _is_about(one, trigger)]
    false = [one for one in events if one.label != trigger.label]
    missed = trigger.label != NONE_LABEL and len(false) == len(events)
    return TriggerScores(1, len(false), int(missed))


def _is_about(event: Event, trigger: Trigger) -> bool:
    return event.start <= trigger.end + _LATER and event.end >= trigger.start
