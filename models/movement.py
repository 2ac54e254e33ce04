"""Running a model of movements: on a clip, and on a video in which movements come and go."""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from handlore.classifiers.movements import MovementEncoder
from handlore.datasets.dataset import NONE_LABEL

from .runtime import FloatArray, Model
from .segments import Segment, apart, joined, side_of

LONGEST_CLIP = 1.5
"""What lasts up to so many times as long as nearly all training clips is one clip."""

STEP = 0.125
"""What lasts longer is looked at through windows, that many of their lengths apart."""

LONGEST_LOSS = 0.6
"""A hand that is lost for longer than so many seconds has gone; what it did has ended."""

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

        A hand that is seen for no longer than the clips of training makes one movement. Where it
        stays longer, windows as long as short, usual and long clips are slid over that time; of
        those that overlap the surest stays, if it is surer than not. What is ``none`` is left out.

        Parameters
        ----------
        image, handedness
            (n_frames, n_hands, 21, 3) image landmarks and (n_frames, n_hands) probability of a
            right hand, NaN for a missing hand.
        time
            (n_frames,) seconds, rising.
        """
        seen = np.flatnonzero((~np.isnan(image[..., 0, 0])).any(axis=1))
        if not len(seen):
            return []
        stretches = _stretches(time[seen])
        windows = [window for stretch in stretches for window in self._windows(*stretch)]
        least_frames, least = (LEAST_FRAMES, LEAST_PROBABILITY) if len(windows) > 1 else (1, 0.0)
        found = []
        for window in windows:
            frames = slice(*np.searchsorted(time, [window[0], window[1] + 1e-9]))
            # The hand may be lost for as long as a short window lasts.
            if np.ptp(np.searchsorted(seen, [frames.start, frames.stop])) >= least_frames:
                found.append(
                    self._segment(*window, image[frames], handedness[frames], time[frames])
                )
        sure = [one for one in found if one.probability >= least]
        told = joined(apart(sure, MOST_OVERLAP), MOST_OVERLAP)
        return [one for one in told if one.label != NONE_LABEL]

    def _windows(self, start: float, end: float) -> list[tuple[float, float]]:
        """Return the windows in which a stretch with a hand is looked at."""
        if end - start <= LONGEST_CLIP * self.card.seconds[-1]:
            return [(start, end)]
        # Clips of a tenth of a second are no movements, whatever the data say.
        lengths = sorted({max(length, 0.1) for length in self.card.seconds})
        return [window for length in lengths for window in _slid(start, end, length)]

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


def _stretches(moments: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Return from when to when a hand is seen, but for short losses."""
    ends = np.flatnonzero(np.diff(moments) > LONGEST_LOSS)
    firsts, lasts = [0, *(ends + 1)], [*ends, len(moments) - 1]
    return [(float(moments[a]), float(moments[b])) for a, b in zip(firsts, lasts, strict=True)]


def _slid(start: float, end: float, length: float) -> list[tuple[float, float]]:
    room = max(end - start - length, 0.0)
    firsts = np.linspace(start, start + room, ceil(room / (STEP * length)) + 1)
    return [(float(first), float(min(first + length, end))) for first in firsts]
