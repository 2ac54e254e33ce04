"""A hand drawn over a picture."""

from collections.abc import Sequence

import cv2
import numpy as np

from handlore.landmarks.hands import FloatArray, Hand, Pixels
from handlore.landmarks.topology import HAND_CONNECTIONS

from .paint import Color

LINE: Color = (25, 211, 162)
TIP: Color = (255, 93, 115)
EDGE: Color = (12, 20, 24)
_SHIFT = 4
"""Points are drawn to a sixteenth of a pixel, or they would shake."""

_TIPS = (4, 8, 12, 16, 20)


def draw_hands(picture: Pixels, hands: Sequence[Hand], *, mirrored: bool = False) -> None:
    """Draw hands over a picture, in place.

    Parameters
    ----------
    picture
        (height, width, 3) RGB.
    hands
        With landmarks in image widths of the picture as the camera saw it.
    mirrored
        Whether the picture has been flipped since.
    """
    for hand in hands:
        draw_hand(picture, hand.image, mirrored=mirrored)


def draw_hand(picture: Pixels, image: FloatArray, *, mirrored: bool = False) -> None:
    """Draw the hand of image landmarks (21, 3) in image widths, see :func:`draw_hands`."""
    if not np.isfinite(image[:, :2]).all():
        return
    width = picture.shape[1]
    x = 1 - image[:, 0] if mirrored else image[:, 0]
    points = np.column_stack([x, image[:, 1]]) * width
    # Lines as thick as the hand is large: thin on a far one.
    span = float(np.linalg.norm(points[0] - points[9]))
    thick = int(np.clip(round(span / 28), 1, 5))
    fixed = np.clip(points * 2**_SHIFT, -(2**30), 2**30).round().astype(int)
    for color, more in ((EDGE, 2), (LINE, 0)):
        for a, b in HAND_CONNECTIONS:
            cv2.line(picture, fixed[a].tolist(), fixed[b].tolist(), color, thick + more,
                     cv2.LINE_AA, _SHIFT)  # fmt: skip
    for number, point in enumerate(fixed.tolist()):
        radius = round((thick + (1.5 if number in _TIPS else 0.5)) * 2**_SHIFT)
        cv2.circle(picture, point, radius + 2**_SHIFT, EDGE, -1, cv2.LINE_AA, _SHIFT)
        cv2.circle(picture, point, radius, TIP if number in _TIPS else LINE, -1,
                   cv2.LINE_AA, _SHIFT)  # fmt: skip
