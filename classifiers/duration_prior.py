"""Duration prior: how long movements of each class last, which resampled blocks do not show.

A tap is shorter than a swipe of the same shape. Where a clip shows one movement from start to end,
the probabilities of classes with a similar duration are raised a little. A window of a stream may
show part of a movement, so its probabilities stay as they are.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.hands import FloatArray

from .onnx_graph import Graph

_WEIGHT = 0.25
"""Weight of the duration relative to the shape of the movement: people differ in pace."""
_PRIOR_CLIPS = 10
"""Strength of the prior that a class is like all others, as a number of clips."""
_MIN_SPREAD = 0.2
"""Minimum standard deviation of log seconds: recordings cut to one length carry no information."""
_MAX_GAIN = 1.0
"""Limit of the change of a log probability: durations far from all clips are no evidence."""
_MIN_SECONDS = 1e-3
"""Shorter durations count as unknown."""
_LEAST_PROBABILITY = 1e-6


@dataclass(frozen=True)
class DurationPrior:
    """Weights probabilities by the duration of a movement.

    Log durations are modelled as normal, in each class and in all.
    """

    mean: FloatArray
    """(n_classes,) of log seconds."""
    spread: FloatArray
    """(n_classes,) standard deviation of log seconds."""
    overall_mean: float
    """Of log seconds of all clips."""
    overall_spread: float

    @classmethod
    def fit(cls, seconds: FloatArray, codes: NDArray[np.int64], n_classes: int) -> Self:
        """Estimate the durations of each class; classes without any get the overall distribution.

        ``seconds`` (n_samples,) are 0 if unknown.
        """
        known = seconds > _MIN_SECONDS
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
        """Return probabilities (n, n_classes) weighted by durations (n,); 0 = unknown."""
        known = seconds > _MIN_SECONDS
        off = (np.log(np.where(known, seconds, 1)) - self.overall_mean)[:, None]
        square, slope, constant = self._gain
        gain = np.clip(off * off * square + off * slope + constant, -_MAX_GAIN, _MAX_GAIN)
        gain = np.where(known[:, None], gain, 0)
        weighted = np.maximum(probabilities, _LEAST_PROBABILITY) * np.exp(gain)
        result: FloatArray = (weighted / weighted.sum(axis=1, keepdims=True)).astype(np.float32)
        return result

    def add_to(self, graph: Graph, given: str, seconds: str) -> str:
        """Add the prior to a graph; return the name of the weighted probabilities.

        ``given`` are the probabilities (n, n_classes), ``seconds`` the durations (n, 1).
        """
        shortest = graph.constant([_MIN_SECONDS])
        known = graph.op("Greater", seconds, shortest)
        log = graph.op("Log", graph.op("Max", seconds, shortest))
        off = graph.op("Sub", log, graph.constant([self.overall_mean]))
        square, slope, constant = (graph.constant(part[None]) for part in self._gain)
        gain = graph.op("Mul", graph.op("Mul", off, off), square)
        gain = graph.op("Add", gain, graph.op("Mul", off, slope))
        gain = graph.op("Max", graph.op("Add", gain, constant), graph.constant([-_MAX_GAIN]))
        gain = graph.op("Min", gain, graph.constant([_MAX_GAIN]))
        gain = graph.op("Where", known, gain, graph.constant([0.0]))
        likely = graph.op("Log", graph.op("Max", given, graph.constant([_LEAST_PROBABILITY])))
        return graph.op("Softmax", graph.op("Add", likely, gain), axis=1)

    @property
    def _gain(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """What a duration adds to the log probability of each class.

        It is the log ratio of the densities of the class and of all clips: square, slope and
        constant of a parabola over log seconds minus the overall mean.
        """
        apart = (self.mean - self.overall_mean) / self.spread
        square = 0.5 * (self.overall_spread**-2.0 - self.spread**-2.0)
        constant = -0.5 * apart * apart - np.log(self.spread / self.overall_spread)
        return _WEIGHT * square, _WEIGHT * apart / self.spread, _WEIGHT * constant
