"""Running a model of movements: on a clip, and on a video in which movements come and go."""

from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from handlore.classifiers.movements import MovementEncoder
from handlore.datasets.dataset import NONE_LABEL

from .runtime import FloatArray, Model
from .segments import Segment, apart, side_of

LONGEST_CLIP = 1.5
"""A video up to so many times as long as nearly all training clips is one clip."""

STEP = 0.125
"""A longer one is looked at through windows, that many of their lengths apart."""

LEAST_FRAMES = 5
LEAST_PROBABILITY = 0.5
MOST_OVERLAP = 0.25


class MovementModel(Model):
    """A classifier of clips."""

    encoder: MovementEncoder

    def predict_clip(
        self, image: FloatArray, handedness: FloatArray, time: NDArray[np.float64]
    ) -> FloatArray:
        """Return the probabilities (n_labels,) for a clip, see :meth:`MovementEncoder.encode`."""
        block = self.encoder.encode(image, handedness, time)
        probabilities: FloatArray = self.predict_proba(block[None])[0]
        return probabilities

    def segments(
        self, image: FloatArray, handedness: FloatArray, time: NDArray[np.float64]
    ) -> list[Segment]:
        """Say what moves when.

        A video no longer than the clips of training is one movement. In a longer one windows as
        long as short, usual and long clips are slid over it; of those that overlap the surest
        stays, if it is surer than not. What is ``none`` is left out.

        Parameters
        ----------
        image, handedness
            (n_frames, n_hands, 21, 3) image landmarks and (n_frames, n_hands) probability of a
            right hand, NaN for a missing hand.
        time
            (n_frames,) seconds, rising.
        """
        seen = np.asarray((~np.isnan(image[..., 0, 0])).any(axis=1))
        if not seen.any():
            return []
        start, end = float(time[0]), float(time[-1])
        if end - start <= LONGEST_CLIP * self.card.seconds[-1]:
            windows, least_frames, least = [(start, end)], 1, 0.0
        else:
            windows = [
                window
                for length in self._lengths()
                for window in _windows(start, end, length, time[seen])
            ]
            least_frames, least = LEAST_FRAMES, LEAST_PROBABILITY
        found = []
        for window in windows:
            frames = slice(*np.searchsorted(time, [window[0], window[1] + 1e-9]))
            if seen[frames].sum() >= least_frames:
                found.append(
                    self._segment(*window, image[frames], handedness[frames], time[frames])
                )
        sure = [one for one in found if one.probability >= least]
        return [one for one in apart(sure, MOST_OVERLAP) if one.label != NONE_LABEL]

    def _segment(
        self,
        start: float,
        end: float,
        image: FloatArray,
        handedness: FloatArray,
        time: NDArray[np.float64],
    ) -> Segment:
        probabilities = self.predict_clip(image, handedness, time)
        best = int(probabilities.argmax())
        return Segment(
            start, end, self.card.labels[best], float(probabilities[best]), side_of(handedness)
        )

    def _lengths(self) -> list[float]:
        # Clips of a tenth of a second are no movements, whatever the data say.
        return sorted({max(length, 0.1) for length in self.card.seconds})


def _windows(
    start: float, end: float, length: float, moments: NDArray[np.float64]
) -> list[tuple[float, float]]:
    """Return the windows, of all from start to end, that hold one of the moments."""
    room = max(end - start - length, 0.0)
    count = ceil(room / (STEP * length))
    step = room / count if count else 1.0
    numbers: set[int] = set()
    for moment in (moments - start).tolist():
        first = max(ceil((moment - length) / step), 0)
        numbers.update(range(first, min(floor(moment / step), count) + 1))
    firsts = [start + number * step for number in sorted(numbers)]
    return [(first, min(first + length, end)) for first in firsts]
