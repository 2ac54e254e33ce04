"""What is asked of models at the ticks of the clock: before anything is decided.

Which answers there are does not depend on thresholds, so that :mod:`..calibration` can ask once
and decide many times.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.hands import FloatArray, majority_side

from ..movement_encoder import MovementEncoder
from ..pose_encoder import Encoder, PoseEncoder
from .frames import MAX_HAND_LOSS, TICK_RATE, Tick

_MIN_WINDOW, _MAX_WINDOW = 0.25, 20.0
"""Windows are so long at least and at most, in seconds, whatever clips a model was trained on."""

_POSE_INTERVAL = 2
"""Poses are asked for at every so many-th tick: 15 times a second."""

_STEP_SHARE, _MIN_STEP = 0.125, 0.25
"""Windows of one length end this share of a usual clip apart, but not less than so many seconds."""

_MIN_SEEN_SHARE = 0.5
"""Of a window as short as short clips the hand is seen for this share at least."""


class StreamModel(Protocol):
    """A classifier of poses or movements, such as a model file holds."""

    encoder: Encoder

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of each probability."""

    @property
    def seconds(self) -> tuple[float, ...]:
        """Lengths of short, usual and long clips; none for poses."""

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Least probabilities of labels that have one of their own."""

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Return (n, n_labels) for what the encoder gives."""

    def predict_known(self, X: FloatArray) -> FloatArray:
        """Return the same, less where the model was taught nothing of the kind."""


@dataclass(frozen=True, eq=False)
class ModelOutput:
    """What a model says of a moment or a window."""

    start: float
    """Seconds; of a moment the same as the end."""

    end: float

    probabilities: FloatArray | None
    """(n_labels,); None where no hand is seen."""

    hand: str | None

    time: float
    """The tick at which the model was asked; a window ends where a hand was seen last."""

    window: int = 0
    """Which of several lengths of windows."""


class PoseInference:
    """Asks a model of poses, 15 times a second."""

    def __init__(self, model: StreamModel, encoder: PoseEncoder) -> None:
        self._model = model
        self._encoder = encoder

    def tick(self, tick: Tick) -> list[ModelOutput]:
        """Return the answer to one tick, or none at a tick between."""
        if tick.number % _POSE_INTERVAL:
            return []
        if not tick.seen.any():
            return [ModelOutput(tick.time, tick.time, None, None, tick.time)]
        row = self._encoder.encode(tick.image[None], tick.world[None], tick.handedness[None])
        probabilities = self._model.predict_known(row)[0]
        side = majority_side(tick.handedness)
        return [ModelOutput(tick.time, tick.time, probabilities, side, tick.time)]


class WindowInference:
    """Asks a model of movements about windows as long as short, usual and long clips.

    Windows of all lengths take turns, so that the work is even. A window does not reach back
    behind a time without a hand.
    """

    def __init__(self, model: StreamModel, encoder: MovementEncoder) -> None:
        self._model = model
        self._encoder = encoder
        self._lengths, self._step = _windows(model.seconds)
        self._past = _Past(self._lengths[-1] + 1, encoder.n_hands)
        self._first = self._last = -1
        """The ticks that show the hand that is seen now, from when it came."""
        self._away = False
        """Whether it is known that no hand is there."""

    @property
    def n_windows(self) -> int:
        """How many lengths of windows there are."""
        return len(self._lengths)

    def tick(self, tick: Tick) -> list[ModelOutput]:
        """Return the answers about windows that end at this tick."""
        self._past.add(tick)
        if tick.seen.any():
            if (tick.number - self._last) > MAX_HAND_LOSS * TICK_RATE or self._last < 0:
                self._first = tick.number
            self._last = tick.number
        gone = tick.number - self._last
        away, self._away = self._away, self._last < 0 or gone > MAX_HAND_LOSS * TICK_RATE
        if self._away:
            # At once too: windows may be so far apart that it is back before the next is due.
            due = not away or self._due(0, tick)
            return [ModelOutput(tick.time, tick.time, None, None, tick.time)] if due else []
        return [
            self._asked(window, tick)
            for window in range(self.n_windows)
            if self._due(window, tick) and gone < self._step and self._shows_enough(window)
        ]

    def _due(self, window: int, tick: Tick) -> bool:
        return tick.number % self._step == window * self._step // self.n_windows

    def _shows_enough(self, window: int) -> bool:
        """Say whether the hand has been there long enough to ask for this length.

        Where a shorter window reaches back to when the hand came, a longer one shows no more.
        """
        there = self._last - self._first
        least = self._lengths[window - 1] if window else _MIN_SEEN_SHARE * self._lengths[0]
        return there >= least

    def _asked(self, window: int, tick: Tick) -> ModelOutput:
        first = max(tick.number - self._lengths[window], self._first)
        image, handedness, time = self._past.since(first, tick.number)
        block = self._encoder.encode(image, handedness, time)
        probabilities = self._model.predict_proba(block[None])[0]
        start, end = first / TICK_RATE, self._last / TICK_RATE
        return ModelOutput(start, end, probabilities, majority_side(handedness), tick.time, window)


def _windows(seconds: tuple[float, ...]) -> tuple[list[int], int]:
    """Return the different lengths of windows and the step between them, in ticks."""
    lengths = sorted(
        {round(TICK_RATE * min(max(one, _MIN_WINDOW), _MAX_WINDOW)) for one in seconds}
    )
    usual = min(max(float(np.median(seconds)), _MIN_WINDOW), _MAX_WINDOW)
    return lengths, round(TICK_RATE * max(_STEP_SHARE * usual, _MIN_STEP))


class _Past:
    """The last ticks, in arrays that never grow."""

    def __init__(self, n: int, n_hands: int) -> None:
        self._n = n
        self._image = np.full((2 * n, n_hands, 21, 3), np.nan, np.float32)
        self._handedness = np.full((2 * n, n_hands), np.nan, np.float32)
        self._time = np.zeros(2 * n)
        self._end = 0
        self._number = -1

    def add(self, tick: Tick) -> None:
        if self._end == 2 * self._n:
            for array in (self._image, self._handedness, self._time):
                array[: self._n] = array[self._n :]
            self._end = self._n
        at = self._end
        self._image[at], self._handedness[at] = tick.image, tick.handedness
        self._time[at] = tick.time
        self._end, self._number = at + 1, tick.number

    def since(self, first: int, last: int) -> tuple[FloatArray, FloatArray, NDArray[np.float64]]:
        """Return what was seen from one tick to another, both included."""
        frames = slice(max(self._end - 1 - (last - first), 0), self._end)
        return self._image[frames], self._handedness[frames], self._time[frames]
