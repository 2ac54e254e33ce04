"""Which label a model is sure enough of."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import NONE_LABEL

FloatArray = NDArray[np.float32]

_NEVER = 2.0


class Judge:
    """Knows how probable each label has to be; what means nothing is never told."""

    def __init__(
        self,
        labels: Sequence[str],
        thresholds: Mapping[str, float],
        default: float,
        release: float,
    ) -> None:
        self.labels = tuple(labels)
        self._least = np.array(
            [_NEVER if label == NONE_LABEL else thresholds.get(label, default) for label in labels]
        )
        self._kept = self._least * release

    def sure_of(self, probabilities: FloatArray) -> int | None:
        """Return the number of the most probable label, if that is enough to tell it."""
        best = int(probabilities.argmax())
        return best if probabilities[best] >= self._least[best] else None

    def keeps(self, probabilities: FloatArray, code: int) -> bool:
        """Say whether a label that was told is still there."""
        return bool(probabilities[code] >= self._kept[code])
