"""Does anything move? A cheap look at a frame."""

import cv2
import numpy as np

from ..hands import FloatArray, Pixels


class Motion:
    """Sees that a picture has changed, by small grey thumbnails.

    A frame is compared with that of the last look, not with the one before it, so that slow
    movements add up; each cell is the mean over many pixels, so that the noise of a camera does
    not count as movement.

    Parameters
    ----------
    threshold
        How much one cell must change, in grey levels of 0 to 255.
    """

    SIZE = (20, 15)
    """Cells across and down."""

    def __init__(self, threshold: float = 6.0) -> None:
        self._threshold = threshold
        self._now: FloatArray | None = None
        self._before: FloatArray | None = None

    def seen(self, picture: Pixels) -> bool:
        """Say whether this frame (height, width, 3) differs from the one remembered."""
        self._now = self._thumbnail(picture)
        if self._before is None:
            return True
        return bool(np.abs(self._now - self._before).max() > self._threshold)

    def remember(self) -> None:
        """Compare with the frame seen last from now on."""
        self._before = self._now

    def reset(self) -> None:
        """Forget all frames."""
        self._now = self._before = None

    def _thumbnail(self, picture: Pixels) -> FloatArray:
        # One colour is a third of the work, and of a large picture every n-th pixel will do as
        # long as some 256 make up a cell: the noise of their mean is a sixteenth of a pixel's.
        step = max(1, min(picture.shape[:2]) // (16 * self.SIZE[1]))
        green = np.ascontiguousarray(picture[::step, ::step, 1])
        small = cv2.resize(green, self.SIZE, interpolation=cv2.INTER_AREA)
        thumbnail: FloatArray = small.astype(np.float32)
        return thumbnail
