"""Running models at the ticks of the clock, before anything is decided.

The outputs do not depend on thresholds, so :mod:`.calibration` runs the models once and decides
many times.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.files import each
from handlore.landmarks.hands import FloatArray, majority_side

from ..encoders import Encoder, MovementEncoder, PoseEncoder
from ..files import load_model
from .frames import MAX_HAND_LOSS, TICK_RATE, Tick
from .settings import RecogniserSettings

_MIN_WINDOW, _MAX_WINDOW = 0.25, 20.0
"""Limits of the window lengths in seconds, whatever clips a model was trained on."""
_MIN_LENGTHS, _MAX_RATIO = 3, 1.3
"""Number of window lengths, and largest ratio of one to the one before it."""
_POSE_INTERVAL = 2
"""Poses are classified at every second tick: 15 times a second."""
_STEP_SHARE, _MIN_STEP = 0.15, 0.3
"""Windows of one length end this share of a typical clip apart, at least these seconds."""
_MIN_SEEN_SHARE = 0.5
"""A hand must have been visible for this share of the shortest window."""


@runtime_checkable
class StreamModel(Protocol):
    """A classifier of poses or movements, such as a model file holds."""

    @property
    def encoder(self) -> Encoder:
        """What turns landmarks into its input."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of each probability."""

    @property
    def seconds(self) -> tuple[float, ...]:
        """Lengths of short, typical and long training clips; empty for poses."""

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Minimum probabilities of labels that have one of their own."""

    @property
    def patience(self) -> Mapping[str, float]:
        """Seconds that movements wait, of labels that have a patience of their own."""

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Return the probabilities (n, n_labels) of encoded samples."""

    def predict_known(self, X: FloatArray, max_novelty: float) -> FloatArray:
        """Return the same (n, n_labels), lowered for samples with a higher novelty score."""


Models = Sequence[StreamModel | str | Path] | StreamModel | str | Path
"""One model or several; or files and names, as :func:`~..files.load_model` takes them."""


def stream_models(models: Models) -> tuple[StreamModel, ...]:
    """Return models, those given as files or names loaded."""
    return tuple(one if isinstance(one, StreamModel) else load_model(one) for one in each(models))


@dataclass(frozen=True, eq=False)
class ModelOutput:
    """Probabilities for a moment (poses) or a window (movements)."""

    start: float
    """Seconds; equal to ``end`` for a moment."""
    end: float
    """A window ends where a hand was last seen."""
    probabilities: FloatArray | None
    """(n_labels,); None where no hand is visible."""
    hand: str | None
    """``left`` or ``right``, by majority."""
    time: float
    """The tick at which the model was run."""
    window: int = 0
    """Index of the window length."""


def make_inference(
    model: StreamModel, settings: RecogniserSettings
) -> "_PoseInference | _WindowInference":
    """Return what runs a model, by the kind of its encoder."""
    if isinstance(model.encoder, PoseEncoder):
        return _PoseInference(model, model.encoder, settings.max_novelty)
    if isinstance(model.encoder, MovementEncoder):
        return _WindowInference(model, model.encoder)
    raise InvalidDataError(f"streams cannot be recognised with a {type(model.encoder).__name__}")


class _PoseInference:
    """Classifies the hand of a tick, 15 times a second."""

    def __init__(self, model: StreamModel, encoder: PoseEncoder, max_novelty: float) -> None:
        self._model, self._max_novelty = model, max_novelty
        self._encoder = encoder

    def tick(self, tick: Tick) -> list[ModelOutput]:
        """Return the output at this tick, or nothing at a tick in between."""
        if tick.number % _POSE_INTERVAL:
            return []
        if not tick.seen.any():
            return [ModelOutput(tick.time, tick.time, None, None, tick.time)]
        row = self._encoder.encode(tick.image[None], tick.world[None], tick.handedness[None])
        probabilities = self._model.predict_known(row, self._max_novelty)[0]
        side = majority_side(tick.handedness)
        return [ModelOutput(tick.time, tick.time, probabilities, side, tick.time)]


class _WindowInference:
    """Classifies sliding windows as long as training clips.

    The lengths take turns, which spreads the work evenly. A window never reaches back beyond the
    moment at which the hand came into view.
    """

    def __init__(self, model: StreamModel, encoder: MovementEncoder) -> None:
        self._model = model
        self._encoder = encoder
        self._lengths, self._step = _window_lengths(model.seconds)
        self._history = _TickBuffer(self._lengths[-1] + 1, encoder.n_hands)
        # Ticks at which the visible hand came into view, and at which it was last seen.
        self._first = self._last = -1
        self._away = False

    def tick(self, tick: Tick) -> list[ModelOutput]:
        """Return the outputs for windows that end at this tick."""
        self._history.add(tick)
        if tick.seen.any():
            if (tick.number - self._last) > MAX_HAND_LOSS * TICK_RATE or self._last < 0:
                self._first = tick.number
            self._last = tick.number
        gone = tick.number - self._last
        was_away = self._away
        self._away = self._last < 0 or gone > MAX_HAND_LOSS * TICK_RATE
        if self._away:
            # Also at once: with long steps the hand may be back before the next window is due.
            due = not was_away or self._due(0, tick)
            return [ModelOutput(tick.time, tick.time, None, None, tick.time)] if due else []
        return [
            self._classify(window, tick)
            for window in range(len(self._lengths))
            if self._due(window, tick) and gone < self._step and self._shows_enough(window)
        ]

    def _due(self, window: int, tick: Tick) -> bool:
        return tick.number % self._step == window * self._step // len(self._lengths)

    def _shows_enough(self, window: int) -> bool:
        """Return whether the hand has been visible long enough for this length.

        Where a shorter window reaches back to the arrival of the hand, a longer one would be equal.
        """
        visible = self._last - self._first
        least = self._lengths[window - 1] if window else _MIN_SEEN_SHARE * self._lengths[0]
        return visible >= least

    def _classify(self, window: int, tick: Tick) -> ModelOutput:
        first = max(tick.number - self._lengths[window], self._first)
        image, handedness, time = self._history.since(first, tick.number)
        block = self._encoder.encode(image, handedness, time)
        probabilities = self._model.predict_proba(block[None])[0]
        start, end = first / TICK_RATE, self._last / TICK_RATE
        return ModelOutput(start, end, probabilities, majority_side(handedness), tick.time, window)


def _window_lengths(seconds: tuple[float, ...]) -> tuple[list[int], int]:
    """Return the different window lengths and the step between windows, in ticks.

    The lengths rise evenly from those of short to those of long clips.
    """
    shortest, typical, longest = (
        min(max(float(length), _MIN_WINDOW), _MAX_WINDOW)
        for length in (min(seconds), np.median(seconds), max(seconds))
    )
    n = max(_MIN_LENGTHS, 1 + math.ceil(math.log(longest / shortest) / math.log(_MAX_RATIO)))
    lengths = sorted({round(TICK_RATE * one) for one in np.geomspace(shortest, longest, n)})
    return lengths, round(TICK_RATE * max(_STEP_SHARE * typical, _MIN_STEP))


class _TickBuffer:
    """The last n ticks as contiguous arrays of fixed size."""

    def __init__(self, n: int, n_hands: int) -> None:
        self._n = n
        self._image = np.full((2 * n, n_hands, 21, 3), np.nan, np.float32)
        self._handedness = np.full((2 * n, n_hands), np.nan, np.float32)
        self._time = np.zeros(2 * n)
        self._end = 0

    def add(self, tick: Tick) -> None:
        if self._end == 2 * self._n:
            for array in (self._image, self._handedness, self._time):
                array[: self._n] = array[self._n :]
            self._end = self._n
        at = self._end
        self._image[at], self._handedness[at] = tick.image, tick.handedness
        self._time[at] = tick.time
        self._end = at + 1

    def since(self, first: int, last: int) -> tuple[FloatArray, FloatArray, NDArray[np.float64]]:
        """Return image landmarks, handedness and time from tick ``first`` to ``last``."""
        frames = slice(max(self._end - 1 - (last - first), 0), self._end)
        return self._image[frames], self._handedness[frames], self._time[frames]
