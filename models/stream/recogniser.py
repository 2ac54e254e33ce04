"""The recogniser: frames with timestamps in, events out.

It holds no camera, no clock and no thread, so a stream gives the same events live, from a
recording and from a video.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.kinds import Kind
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import (
    HandloreError,
    InvalidArgumentError,
    InvalidDataError,
    counted,
    require_type,
)
from handlore.landmarks.hands import FloatArray, Hand, by_slot, stack_hands

from .decisions import make_decider
from .events import DEFAULT_ASPECT, Event, HeldHand
from .frames import MAX_HAND_LOSS, HandSmoother, StreamFrame, Tick
from .inference import ModelOutput, Models, StreamModel, make_inference, stream_models
from .settings import LabelSettings, RecogniserSettings

_MOST_PIXELS = 1 << 20
"""More is no width or height."""


@dataclass(frozen=True, eq=False)
class ModelState:
    """The current state of one model, for a display."""

    label: str | None
    """The pose that is held, or the movement whose event is pending."""
    labels: tuple[str, ...]
    """The label of each probability."""
    probabilities: FloatArray | None
    """(n_labels,), None without a hand."""
    kind: Kind = "pose"
    """``pose`` or ``sequence``, a movement."""
    slots: range = range(1)
    """The hands of a frame that the model sees, see :func:`~handlore.landmarks.hands.by_slot`."""


class Recogniser:
    """Recognises gestures in one stream with any number of models.

    Models that take one hand are run on each hand of the frame separately. Memory use does not
    grow with the length of the stream.

    Parameters
    ----------
    models
        Of poses or movements, all for the same number of hands; one or several, or their files or
        names.
    settings
        Thresholds and times.
    max_hands
        How many hands a frame has room for; default: as many as the models take.

    Raises
    ------
    InvalidDataError
        If there is no model, or they take different numbers of hands.
    HandloreError
        If the models take more hands than ``max_hands``.

    Examples
    --------
    >>> stream = handlore.load_dataset("stream.npz")
    >>> recogniser = handlore.Recogniser([handlore.load_model("moves.onnx")])
    >>> for time, image, world, side in zip(
    ...     stream.time, stream.image, stream.world, stream.handedness
    ... ):
    ...     for event in recogniser.feed(time, image, world, side):
    ...         print(event.label)
    swipe_left
    """

    def __init__(
        self,
        models: Models,
        settings: RecogniserSettings | None = None,
        *,
        max_hands: int | None = None,
    ) -> None:
        self._models, self._settings = stream_models(models), settings or RecogniserSettings()
        require_type(self._settings, RecogniserSettings, "settings such as RecogniserSettings()")
        counts = sorted({model.encoder.n_hands for model in self._models})
        if len(counts) != 1:
            found = "models for 1 and for 2 hands" if counts else "no models"
            raise InvalidDataError(
                f"{found} for one stream; expected one or more models for the same number of hands"
            )
        self._hands_per_model = counts[0]
        if max_hands not in (None, 1, 2):
            raise InvalidArgumentError(f"max_hands is {max_hands}, expected 1, 2 or None")
        self.n_hands = max_hands or counts[0]
        self.aspect = DEFAULT_ASPECT
        """Height of the picture in image widths, for the height of a held hand."""
        if counts[0] > self.n_hands:
            raise HandloreError(f"the models take {counts[0]} hands; give --max-hands {counts[0]}")
        self.reset()

    def reset(self) -> None:
        """Forget the stream so far, for example after a gap; pending events are dropped."""
        n = self._hands_per_model
        self._trackers = [
            _Tracker(self._models, self._settings, slice(first, first + n))
            for first in range(0, self.n_hands, n)
        ]

    def feed(
        self, time: float, image: FloatArray, world: FloatArray, handedness: FloatArray
    ) -> list[Event]:
        """Process the next frame.

        Parameters
        ----------
        time
            Seconds, later than the frame before.
        image, world
            (n_hands, 21, 3) image landmarks in image widths and world landmarks in metres, NaN
            for a missing hand.
        handedness
            (n_hands,) probability of a right hand.

        Returns
        -------
        The events that this frame causes.

        Raises
        ------
        InvalidDataError
            If the time does not rise, or the arrays have other shapes; or if landmarks are not
            finite. The stream then goes on as if there had been no such frame.
        """
        frame = StreamFrame(time, *map(_copied, (image, world, handedness)))
        frame.require_hands(self.n_hands)
        return [event for one in self._trackers for event in one.feed(frame, self.aspect)]

    def feed_hands(self, time: float, hands: Sequence[Hand | None]) -> list[Event]:
        """Process the hands that a detector found in the next frame, see :meth:`feed`."""
        arrays = stack_hands([by_slot(hands, self.n_hands)])
        return self.feed(time, arrays.image[0], arrays.world[0], arrays.handedness[0])

    def finish(self) -> list[Event]:
        """Return the pending events at the end of the stream."""
        return [event for tracker in self._trackers for event in tracker.finish()]

    @property
    def states(self) -> list[ModelState]:
        """The current state of each model for each hand; those that see a gesture come first."""
        states = [state for tracker in self._trackers for state in tracker.states]
        return sorted(states, key=lambda state: (state.label is None, state.probabilities is None))


def _copied(numbers: FloatArray) -> FloatArray:
    """Return numbers as an array that its giver will not change."""
    try:
        return np.array(numbers, np.float32)
    except (TypeError, ValueError) as error:
        raise InvalidDataError(f"a frame needs arrays of numbers: {error}") from error


def recognise(
    models: Models,
    video: LandmarkDataset | str | Path,
    settings: RecogniserSettings | None = None,
) -> Iterator[Event]:
    """Yield the events of a recording or a video, the same as live.

    Parameters
    ----------
    models, settings
        As in :class:`Recogniser`.
    video
        Its frames are one stream with rising times; a dataset or its file.

    Raises
    ------
    InvalidDataError
        If the models take more hands than the video has room for, or times do not rise.

    Examples
    --------
    >>> moves = handlore.load_model("moves.onnx")
    >>> [event.label for event in handlore.recognise([moves], handlore.load_dataset("stream.npz"))]
    ['swipe_left']
    """
    models, video = stream_models(models), load_dataset(video)
    n = models[0].encoder.n_hands if models else 1
    if video.n_hands % n:
        raise InvalidDataError(
            f"it has room for {counted(video.n_hands, 'hand')} a frame, the model takes {n};"
            f" record or convert it with --max-hands {n}"
        )
    _require_one_stream(video)
    recogniser = Recogniser(models, settings, max_hands=video.n_hands)
    recogniser.aspect = _aspect_of(video)
    for frame in _stream_frames(video):
        yield from recogniser.feed(frame.time, frame.image, frame.world, frame.handedness)
    yield from recogniser.finish()


def _require_one_stream(video: LandmarkDataset) -> None:
    """Refuse samples that each begin at their own time 0; parts of one video have rising times."""
    if video.n_samples > 1 and not (np.ptp(video.time) and (np.diff(video.time) >= 0).all()):
        raise InvalidDataError(
            f"the dataset holds {video.n_samples} clips, and a stream is one: give one of them, as"
            " `dataset.select([0])`, or replay the file of all with `handlore.replay(MODELS, FILE)`"
        )


def _aspect_of(video: LandmarkDataset) -> float:
    """Return the height of the pictures in image widths, as the header says, or the usual one."""
    size = video.header.options.get("size")
    if not isinstance(size, list | tuple) or len(size) != 2:
        return DEFAULT_ASPECT
    if not all(isinstance(one, int) and 0 < one < _MOST_PIXELS for one in size):
        return DEFAULT_ASPECT
    return float(size[1] / size[0])


def _stream_frames(video: LandmarkDataset) -> Iterator[StreamFrame]:
    """Yield the frames of a dataset in order; of two frames at one time, the first."""
    before = [*([None] * 2), *video.time]
    for at, time in enumerate(video.time):
        if time == before[at + 1] and time != before[at]:
            # Some videos repeat a time. More than two at one time are no video, and are refused.
            continue
        yield StreamFrame(float(time), video.image[at], video.world[at], video.handedness[at])


def model_outputs(
    model: StreamModel, video: LandmarkDataset, settings: RecogniserSettings
) -> Iterator[ModelOutput]:
    """Yield the outputs of a model for a recording, before anything is decided."""
    smoother = HandSmoother(model.encoder.n_hands, settings.smoothing)
    inference = make_inference(model, settings)
    for frame in _stream_frames(video):
        for tick in smoother.feed(frame):
            yield from inference.tick(tick)


def events_from_outputs(
    model: StreamModel,
    outputs: Iterable[ModelOutput],
    thresholds: Mapping[str, float],
    settings: RecogniserSettings,
    patience: Mapping[str, float] | None = None,
) -> list[Event]:
    """Return the events that the outputs would cause if the model had these thresholds.

    ``patience`` replaces that of the model.
    """
    levels = _levels(model, thresholds, settings, patience)
    decider = make_decider(model.encoder.kind, levels, settings)
    events = [event for output in outputs for event in decider.update(output)]
    return [*events, *decider.finish()]


def _levels(
    model: StreamModel,
    thresholds: Mapping[str, float],
    settings: RecogniserSettings,
    patience: Mapping[str, float] | None = None,
) -> LabelSettings:
    default = settings.default_threshold(model.encoder.kind)
    own = model.patience if patience is None else patience
    waits = {label: settings.patience_of(label, own) for label in model.labels}
    return LabelSettings(model.labels, thresholds, default, settings.release, waits)


class _Tracker:
    """All models on the hands in some slots of the stream."""

    def __init__(
        self, models: Sequence[StreamModel], settings: RecogniserSettings, slots: slice
    ) -> None:
        self._slots = slots
        self._holds = settings.hold_interval is not None
        self._follows = settings.follow_hands
        self._last_seen: float | None = None
        self._smoother = HandSmoother(slots.stop - slots.start, settings.smoothing)
        self._parts = []
        for model in models:
            kind = model.encoder.kind
            own = settings.thresholds(kind, model.thresholds)
            levels = _levels(model, own, settings)
            decider = make_decider(kind, levels, settings)
            self._parts.append((model, make_inference(model, settings), decider))

    def feed(self, frame: StreamFrame, aspect: float) -> list[Event]:
        ticks = self._smoother.feed(frame.hands(self._slots))
        if not self._holds and not self._follows:
            return self._placed(event for tick in ticks for event in self._tick(tick))
        return [event for tick in ticks for event in self._detailed(tick, aspect)]

    def _placed(self, events: Iterable[Event]) -> list[Event]:
        """Return events with the slot of their hand."""
        slot = self._slots.start
        return [replace(event, slot=slot) if slot else event for event in events]

    def _tick(self, tick: Tick) -> Iterator[Event]:
        for _, inference, decider in self._parts:
            for output in inference.tick(tick):
                yield from decider.update(output)
            if self._holds:
                yield from decider.hold(tick.time)

    def _detailed(self, tick: Tick, aspect: float) -> Iterator[Event]:
        """Yield the events at a tick with the hand that they are about."""
        seen = np.flatnonzero(tick.seen)
        hand = None
        if seen.size:
            hand = HeldHand(tick.image[seen[0]], aspect, tick.world[seen[0]])
        for event in self._tick(tick):
            held = hand if event.type in ("start", "hold") else None
            yield replace(event, slot=self._slots.start, held=held)
        if self._follows:
            yield from self._follow(tick.time, hand)

    def _follow(self, time: float, hand: HeldHand | None) -> Iterator[Event]:
        """Yield where the hand is, or once that it has gone."""
        event = Event("", time, time, 1.0, None, "hand", False, self._slots.start, hand)
        if hand is not None:
            self._last_seen = time
            yield event
        elif self._last_seen is not None and time - self._last_seen > MAX_HAND_LOSS:
            self._last_seen = None
            yield event

    def finish(self) -> list[Event]:
        return self._placed(event for _, _, decider in self._parts for event in decider.finish())

    @property
    def states(self) -> list[ModelState]:
        slots = range(self._slots.start, self._slots.stop)
        return [
            ModelState(
                decider.label, model.labels, decider.probabilities, model.encoder.kind, slots
            )
            for model, _, decider in self._parts
        ]
