"""Masks lit as if they were skin: bright in the middle, darker towards the outline.

No network has learnt from masks; relighting gives them the shade of something round.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .hands import Hand, Pixels

SIDE = 320
"""To which the long side of the figure, with a margin, is scaled before it is lit, in pixels."""

LARGEST_RELIT = 1024
"""The longest side of a whole picture that is lit, in pixels."""

MARGIN = 0.15
"""What is left around the figure, in its long sides."""

GROUNDS = ((90, 100, 110), (20, 20, 20))
"""Colours of the ground that may be put behind the figure."""

_SKIN = (224, 172, 138)
_DEPTH = 8


def is_silhouette(picture: Pixels) -> bool:
    """Say whether a picture is (nearly) binary: two grey levels, apart from the outline."""
    if not picture.size:
        return False
    step = max(1, max(picture.shape[:2]) // 64)
    pixels = picture[::step, ::step].astype(np.int16)
    if np.percentile(np.ptp(pixels, axis=-1), 95) > 24:
        return False
    grey = pixels.mean(axis=-1)
    low, high = np.percentile(grey, [1, 99])
    if high - low < 60 and len(np.unique(grey)) != 2:
        return False
    near = np.minimum(abs(grey - low), abs(grey - high)) <= max(8, 0.15 * (high - low))
    share = float((grey > (low + high) / 2).mean())
    return bool(near.mean() >= 0.9 and 0.02 <= share <= 0.98)


def mask_of(picture: Pixels) -> NDArray[np.float32]:
    """Return how much each pixel (height, width) belongs to the figure, from 0 to 1.

    The ground is what lies along most of the border.
    """
    grey = picture.astype(np.float32).mean(axis=-1)
    low, high = float(grey.min()), float(grey.max())
    figure = (grey - low) / max(high - low, 1)
    edge = np.concatenate([figure[0], figure[-1], figure[:, 0], figure[:, -1]])
    return np.asarray(1 - figure if (edge > 0.5).mean() > 0.5 else figure, np.float32)


def relight(
    mask: NDArray[np.float32], ground: tuple[int, int, int], smoothing: float = 1.0
) -> Pixels:
    """Shade a mask like skin.

    Parameters
    ----------
    mask
        (height, width) from 0 to 1.
    ground
        RGB of what is not the figure.
    smoothing
        Of the outline, in pixels.

    Returns
    -------
    (height, width, 3) RGB, of the same size.
    """
    smooth = cv2.GaussianBlur(mask, (0, 0), smoothing)
    depth = cv2.distanceTransform((smooth > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    shade = 0.6 + 0.4 * np.minimum(1, depth / (_DEPTH * smoothing)) ** 0.7
    lit = shade[..., None] * np.array(_SKIN, np.float32)
    share = np.clip((smooth - 0.5) * 4 + 0.5, 0, 1)[..., None]
    picture = share * lit + (1 - share) * np.array(ground, np.float32)
    soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
    return np.asarray(np.clip(soft, 0, 255), np.uint8)


@dataclass(frozen=True)
class Figure:
    """The part of a mask in which something is, scaled."""

    mask: NDArray[np.float32]
    """(height, width) from 0 to 1."""

    scale: float
    """Pixels of it in one of the picture."""

    corner: tuple[int, int]
    """Its upper left corner, x and y in pixels of the picture."""

    @property
    def smoothing(self) -> float:
        """How much its outline is smoothed: the steps of enlarged pixels have to go."""
        return min(max(0.4 * self.scale, 1.0), 2.5)

    def in_picture(self, hand: Hand, width: int) -> Hand:
        """Return a hand in widths of this part, in widths of the picture."""
        own = self.mask.shape[1] / self.scale
        image = (hand.image * own + np.array([*self.corner, 0])) / width
        return replace(hand, image=image.astype(np.float32))


def figure_of(picture: Pixels) -> Figure:
    """Cut the figure out of a (nearly) binary picture."""
    mask = mask_of(picture)
    (x, y), (right, bottom) = _box(mask)
    part = mask[y:bottom, x:right]
    scale = SIDE / max(part.shape)
    size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = np.asarray(cv2.resize(part, size, interpolation=method), np.float32)
    return Figure(scaled, scale, (x, y))


def _box(mask: NDArray[np.float32]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the upper left and the lower right corner, x and y, of the figure with its margin."""
    rows, columns = np.nonzero(mask > 0.5)
    height, width = mask.shape
    if not len(rows):
        return (0, 0), (width, height)
    (top, bottom), (left, right) = ((int(v.min()), int(v.max()) + 1) for v in (rows, columns))
    margin = int(MARGIN * max(bottom - top, right - left))
    low = max(0, left - margin), max(0, top - margin)
    return low, (min(width, right + margin), min(height, bottom + margin))


def relit(picture: Pixels) -> Pixels:
    """Return a (nearly) binary picture lit like skin, with the aspect of the picture."""
    figure, (height, width) = figure_of(picture), picture.shape[:2]
    scale = min(figure.scale, LARGEST_RELIT / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    mask = np.asarray(cv2.resize(mask_of(picture), size, interpolation=method), np.float32)
    return relight(mask, GROUNDS[0], figure.smoothing)
