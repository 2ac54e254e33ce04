"""How long movements of each class last: what a block of even points in time cannot tell.

A tap is over sooner than a swipe of the same shape. Where a clip shows one movement from begin to
end, the classes whose movements last about as long become a little likelier. Of a window of a
stream nobody knows how much of a movement it shows: its answer stays what it is.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.hands import FloatArray
from handlore.models.card import INPUT

_WEIGHT = 0.25
"""How much durations count beside the shape of the movement: people differ in their pace."""

_PRIOR_CLIPS = 10
"""A class is taken to be like all others until it has more clips than this."""

_MIN_SPREAD = 0.2
"""Of the logarithm of seconds: nobody is steadier, so recordings cut to one length tell little."""

MAX_GAIN = 1.0
"""No pace adds or takes more than this of the logarithm of a probability: an odd one, far from all
that was seen, proves nothing."""

MIN_SECONDS = 1e-3
"""In so many seconds nobody moves: nobody knows how long a movement lasts that says so."""

_LEAST_PROBABILITY = 1e-6


@dataclass(frozen=True)
class DurationPrior:
    """Weighs probabilities by how long a movement lasts.

    Logarithms of durations are taken to be normally distributed, in each class and in all.
    """

    mean: FloatArray
    """(n_classes,) of the logarithm of seconds."""

    spread: FloatArray
    """(n_classes,) standard deviation of it."""

    usual: float
    """The mean of all clips."""

    usual_spread: float

    @classmethod
    def fit(cls, seconds: FloatArray, codes: NDArray[np.int64], n_classes: int) -> Self:
        """Learn how long movements last.

        Parameters
        ----------
        seconds
            (n_samples,) 0, or up to :data:`MIN_SECONDS`, where nobody knows.
        codes
            (n_samples,) the number of each sample's class.
        n_classes
            Classes of which no duration is known are taken to be like all together.
        """
        known = seconds > MIN_SECONDS
        if not known.any():
            even = np.ones(n_classes, np.float32)
            return cls(0 * even, even, 0.0, 1.0)
        logs, codes = np.log(seconds[known].astype(np.float64)), codes[known]
        usual, n = logs.mean(), np.bincount(codes, minlength=n_classes)
        mean = (np.bincount(codes, logs, n_classes) + _PRIOR_CLIPS * usual) / (n + _PRIOR_CLIPS)
        off = (logs - mean[codes]) ** 2
        within = max(off.mean(), _MIN_SPREAD**2)
        variance = (np.bincount(codes, off, n_classes) + _PRIOR_CLIPS * within) / (n + _PRIOR_CLIPS)
        usual_spread = max(float(logs.std()), _MIN_SPREAD)
        mean[n == 0], variance[n == 0] = usual, usual_spread**2
        spread = np.maximum(np.sqrt(variance), _MIN_SPREAD).astype(np.float32)
        return cls(mean.astype(np.float32), spread, float(usual), usual_spread)

    def __call__(self, probabilities: FloatArray, seconds: FloatArray) -> FloatArray:
        """Return probabilities (n, n_classes) of movements that last so long (n,); 0 = unknown."""
        known = seconds > MIN_SECONDS
        off = (np.log(np.where(known, seconds, 1)) - self.usual)[:, None]
        square, slope, constant = self._gain
        gain = np.clip(off * off * square + off * slope + constant, -MAX_GAIN, MAX_GAIN)
        gain = np.where(known[:, None], gain, 0)
        weighed = np.maximum(probabilities, _LEAST_PROBABILITY) * np.exp(gain)
        answer: FloatArray = (weighed / weighed.sum(axis=1, keepdims=True)).astype(np.float32)
        return answer

    def around(self, model: Any, n_channels: int, n_timepoints: int) -> Any:
        """Return a model that takes one more channel, the seconds, and weighs by them.

        Parameters
        ----------
        model
            An ``onnx.ModelProto`` from blocks (n, n_channels, n_timepoints) to probabilities.
        n_channels, n_timepoints
            Of its blocks; those of the new model have a channel more.
        """
        from .onnx_graph import Graph

        graph = Graph()
        given = graph.inlined(model, graph.part(INPUT, 0, n_channels, 1))
        first, beyond = [n_channels, 0], [n_channels + 1, 1]
        corner = graph.op("Slice", INPUT, *map(graph.constant, (first, beyond, [1, 2])))
        seconds = graph.reshape(corner, -1, 1)
        shortest = graph.constant([MIN_SECONDS])
        known = graph.op("Greater", seconds, shortest)
        log = graph.op("Log", graph.op("Max", seconds, shortest))
        off = graph.op("Sub", log, graph.constant([self.usual]))
        square, slope, constant = (graph.constant(part[None]) for part in self._gain)
        gain = graph.op("Mul", graph.op("Mul", off, off), square)
        gain = graph.op("Add", gain, graph.op("Mul", off, slope))
        gain = graph.op("Max", graph.op("Add", gain, constant), graph.constant([-MAX_GAIN]))
        gain = graph.op("Min", gain, graph.constant([MAX_GAIN]))
        gain = graph.op("Where", known, gain, graph.constant([0.0]))
        likely = graph.op("Log", graph.op("Max", given, graph.constant([_LEAST_PROBABILITY])))
        answer = graph.op("Softmax", graph.op("Add", likely, gain), axis=1)
        shape = (len(self.mean),)
        return graph.model(n_channels + 1, n_timepoints, answer, shape)

    @property
    def _gain(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """What a duration adds to the logarithm of each class's probability.

        It is the logarithm of the density of the class over that of all clips: square, slope and
        constant of a parabola over the logarithm of the duration, less the usual one.
        """
        apart = (self.mean - self.usual) / self.spread
        square = 0.5 * (self.usual_spread**-2.0 - self.spread**-2.0)
        constant = -0.5 * apart * apart - np.log(self.spread / self.usual_spread)
        return _WEIGHT * square, _WEIGHT * apart / self.spread, _WEIGHT * constant
