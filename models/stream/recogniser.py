"""The one recogniser: frames with timestamps in, events out.

It holds no camera, no clock and no thread, so what it tells of a stream is the same live, from a
recording and from a video.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.hands import FloatArray, Hand, by_slot, stack_hands

from ..movement_encoder import MovementEncoder
from ..pose_encoder import PoseEncoder
from .decisions import HoldDetector, WindowSelector
from .events import Event
from .frames import HandSmoother, StreamFrame, Tick, stream_frames
from .inference import ModelOutput, PoseInference, StreamModel, WindowInference
from .settings import RecogniserSettings, Thresholds


@dataclass(frozen=True, eq=False)
class ModelState:
    """What one model sees at the moment, for a display."""

    label: str | None
    """The pose that is held, or the movement that is about to be told."""

    labels: tuple[str, ...]
    """The label of each probability."""

    probabilities: FloatArray | None
    """(n_labels,), None without a hand."""


class Recogniser:
    """Follows one stream with any number of models.

    Its memory does not grow, however long the stream.

    Parameters
    ----------
    models
        Of poses or movements, all for as many hands.
    settings
        How sure, how long and how soon.

    Raises
    ------
    InvalidDataError
        If there is no model, or they take different numbers of hands.
    """

    def __init__(
        self, models: Sequence[StreamModel], settings: RecogniserSettings | None = None
    ) -> None:
        settings = settings or RecogniserSettings()
        counts = sorted({model.encoder.n_hands for model in models})
        if len(counts) != 1:
            told = "models for 1 and for 2 hands" if counts else "no models at all"
            raise InvalidDataError(f"{told} cannot follow one stream")
        self.n_hands = counts[0]
        self._follower = HandSmoother(self.n_hands, settings.smoothing)
        self._tracks = [_Track(model, settings) for model in models]

    def feed(
        self,
        time: float,
        image: FloatArray,
        world: FloatArray,
        handedness: FloatArray,
        score: FloatArray | None = None,
    ) -> list[Event]:
        """Take up the next frame.

        Parameters
        ----------
        time
            Seconds, later than the frame before.
        image, world
            (n_hands, 21, 3) image and world landmarks, NaN for a missing hand.
        handedness
            (n_hands,) probability of a right hand.
        score
            (n_hands,) confidence of the detector; not used so far.

        Returns
        -------
        The events that are told now.

        Raises
        ------
        InvalidDataError
            If the time does not rise, or the arrays have other shapes.
        """
        ticks = self._follower.feed(StreamFrame(time, image, world, handedness))
        return [event for tick in ticks for track in self._tracks for event in track.tick(tick)]

    def finish(self) -> list[Event]:
        """Return what is left to tell when no more frames come."""
        return [event for track in self._tracks for event in track.decisions.finish()]

    @property
    def shown(self) -> list[ModelState]:
        """What each model sees at the moment."""
        return [track.shown for track in self._tracks]


def recognise(
    models: Sequence[StreamModel],
    video: LandmarkDataset,
    settings: RecogniserSettings | None = None,
) -> Iterator[Event]:
    """Yield the events of a recording or a video, as they would have been told live.

    Parameters
    ----------
    models, settings
        As in :class:`Recogniser`.
    video
        Its frames are taken as one stream, so their times rise. Where it has two hands and the
        models know one, each hand is followed by itself.

    Raises
    ------
    InvalidDataError
        If the models take more hands than it has room for, or its times do not rise.
    """
    first = Recogniser(models, settings)
    n = first.n_hands
    if video.n_hands % n:
        raise InvalidDataError(
            f"it has room for {video.n_hands} hand(s) a frame, the model takes {n}; record or"
            f" convert it with --max-hands {n}"
        )
    recognisers = [first, *(Recogniser(models, settings) for _ in range(video.n_hands // n - 1))]
    for frame in stream_frames(video):
        for number, recogniser in enumerate(recognisers):
            mine = slice(number * n, (number + 1) * n)
            yield from recogniser.feed(
                frame.time, frame.image[mine], frame.world[mine], frame.handedness[mine]
            )
    for recogniser in recognisers:
        yield from recogniser.finish()


def model_outputs(
    model: StreamModel, video: LandmarkDataset, settings: RecogniserSettings
) -> Iterator[ModelOutput]:
    """Yield what a model says of a recording, before anything is decided."""
    follower = HandSmoother(model.encoder.n_hands, settings.smoothing)
    questions = _inference_for(model)
    for frame in stream_frames(video):
        for tick in follower.feed(frame):
            yield from questions.tick(tick)


def events_from_outputs(
    model: StreamModel,
    answers: Iterable[ModelOutput],
    thresholds: Mapping[str, float],
    settings: RecogniserSettings,
) -> list[Event]:
    """Return what would be told of answers if the model had these thresholds."""
    decisions = _decider_for(model, thresholds, settings)
    told = [event for answer in answers for event in decisions.hear(answer)]
    return [*told, *decisions.finish()]


class Inference(Protocol):
    """What asks a model."""

    def tick(self, tick: Tick) -> list[ModelOutput]:
        """Return the model's answers at this tick."""


class EventDecider(Protocol):
    """What decides which answers are told."""

    @property
    def label(self) -> str | None:
        """What is shown at the moment."""

    @property
    def probabilities(self) -> FloatArray | None:
        """Of all labels (n_labels,); None without a hand."""

    def hear(self, answer: ModelOutput) -> list[Event]:
        """Take up the next answer; return what is told."""

    def finish(self) -> list[Event]:
        """Return what is left to tell when nothing more comes."""


def _inference_for(model: StreamModel) -> Inference:
    """Return what asks a model, by its kind."""
    if isinstance(model.encoder, PoseEncoder):
        return PoseInference(model, model.encoder)
    if isinstance(model.encoder, MovementEncoder):
        return WindowInference(model, model.encoder)
    raise InvalidDataError(f"no recogniser follows a {type(model.encoder).__name__}")


def _decider_for(
    model: StreamModel, thresholds: Mapping[str, float], settings: RecogniserSettings
) -> EventDecider:
    """Return what decides on the answers of a model, by its kind."""
    default = default_threshold(model, settings)
    judge = Thresholds(model.labels, thresholds, default, settings.release)
    return (
        HoldDetector(judge, settings)
        if model.encoder.kind == "pose"
        else WindowSelector(judge, settings)
    )


def default_threshold(model: StreamModel, settings: RecogniserSettings) -> float:
    """Return the least probability of labels that have no threshold of their own."""
    poses = model.encoder.kind == "pose"
    return settings.threshold if poses else settings.movement_threshold


class _Track:
    """One model: what it is asked, and what is decided of its answers."""

    def __init__(self, model: StreamModel, settings: RecogniserSettings) -> None:
        self._labels = model.labels
        self._questions = _inference_for(model)
        self.decisions = _decider_for(model, model.thresholds, settings)

    def tick(self, tick: Tick) -> list[Event]:
        answers = self._questions.tick(tick)
        return [event for answer in answers for event in self.decisions.hear(answer)]

    @property
    def shown(self) -> ModelState:
        return ModelState(self.decisions.label, self._labels, self.decisions.probabilities)


# From the hands of a frame to what the models make of them.


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
