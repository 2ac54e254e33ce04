"""Running a model of movements on a clip."""

import numpy as np
from numpy.typing import NDArray

from handlore.classifiers.movements import MovementEncoder

from .runtime import FloatArray, Model


class MovementModel(Model):
    """A classifier of clips."""

    encoder: MovementEncoder

    def predict_clip(
        self, image: FloatArray, handedness: FloatArray, time: NDArray[np.float64]
    ) -> FloatArray:
        """Return the probabilities (n_labels,) for a clip that shows a movement and no more.

        Parameters are those of :meth:`MovementEncoder.encode`.
        """
        block = self.encoder.encode(image, handedness, time, whole=True)
        probabilities: FloatArray = self.predict_proba(block[None])[0]
        return probabilities
