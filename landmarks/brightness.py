"""Dark pictures, brightened before hands are detected in them.

The networks were trained on pictures in good light. A picture is dark if even its brightest parts
are: then all of it is scaled up, and smoothed the more, the more its noise is amplified. Other
pictures stay as they are, to the bit.
"""

import cv2
import numpy as np

from .hands import Pixels

_DARK = 128
"""Brightness below which the brightest percent of a dark picture is; of 400 photos of a data set,
between none and 3 % are."""
_BRIGHT = 235
"""The brightness to which this percent is scaled."""
_BLACK = 12
"""A picture whose brightest percent is darker shows nothing but noise, and stays as it is."""
_SMOOTHING = 0.4
"""Standard deviation of the smoothing in pixels, for each doubling of the brightness."""
_SAMPLES = 40
"""About so many pixels along each side are looked at."""


def brightened(picture: Pixels) -> Pixels:
    """Return a picture (height, width, 3), RGB of 8 bits; brighter if it is dark."""
    step_y, step_x = (max(1, side // _SAMPLES) for side in picture.shape[:2])
    brightest = float(np.percentile(picture[::step_y, ::step_x].max(axis=2), 99))
    if not _BLACK <= brightest < _DARK:
        return picture
    gain = _BRIGHT / brightest
    table = np.clip(np.arange(256) * gain, 0, 255).astype(np.uint8)
    smooth = cv2.GaussianBlur(picture, (0, 0), _SMOOTHING * np.log2(gain))
    return np.asarray(cv2.LUT(smooth, table), np.uint8)
