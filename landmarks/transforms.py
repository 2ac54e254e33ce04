"""Pictures made from a picture, in which its hand is easier to find, and the way back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from .hands import Hand, Pixels

SMALLEST, LARGEST = 256, 640
"""The long side, in pixels, to which a picture is scaled before it is padded."""

SMALLEST_TILED = 300
"""Pictures with a shorter long side, in pixels, show no hand that is small and far away."""

TILE_OVERLAP = 0.25
"""By how much of its side a tile reaches over its share of the picture."""

SKIN = (1.15, 0.9, 0.75)
"""Red, green and blue of a skin, in shares of its grey value."""

LARGEST_BRIGHTENED = 1280
"""The longest side, in pixels, of a picture that is brightened."""

BRIGHTENING = 0.7
"""The exponent of the brightness; smaller is brighter."""

Matrix = NDArray[np.float64]
Views = Callable[[Pixels], "Iterator[PictureTransform]"]
"""What a stage looks at. Made of functions that go to other processes, so no closures."""


@dataclass(frozen=True)
class PictureTransform:
    """A picture made from another one, and the way back."""

    pixels: Pixels
    """(height, width, 3) RGB."""

    to_original: Matrix
    """(2, 3) affine matrix from pixels of this view to pixels of the original: a similarity."""

    def mapped_back(self, hand: Hand, width: int) -> Hand:
        """Return a hand found in this view, in the frames of reference of the original picture.

        Parameters
        ----------
        hand
            Image landmarks in widths of this view, world landmarks turned as it is.
        width
            Of the original picture, in pixels.
        """
        pixels = hand.image.astype(np.float64) * self.pixels.shape[1]
        matrix = self.to_original
        scale = np.hypot(*matrix[:, 0])
        image, world = np.empty_like(hand.image), hand.world.copy()
        image[:, :2] = (pixels[:, :2] @ matrix[:, :2].T + matrix[:, 2]) / width
        image[:, 2] = pixels[:, 2] * scale / width
        world[:, :2] = hand.world[:, :2] @ (matrix[:, :2] / scale).T
        return replace(hand, image=image, world=world)


def as_it_is(picture: Pixels) -> Iterator[PictureTransform]:
    """Give the picture itself."""
    yield PictureTransform(picture, np.eye(2, 3))


def padded(share: float) -> Views:
    """Return views scaled to a middling size, with their borders repeated outwards.

    Enlarged linearly: what a cubic sharpens looks less like a hand (of 28x28 pictures 10 % fewer
    are found).

    Parameters
    ----------
    share
        Width of the added border on each side, as a share of the side.
    """
    return partial(_padded_views, share)


def reddened(share: float) -> Views:
    """Return padded views with the brightness of the picture and the colour of skin."""
    return partial(_reddened_views, share)


def brightened(views: Views) -> Views:
    """Return the same views of the picture with its contrast stretched and its noise smoothed."""
    return partial(_brightened_views, views)


def turned(share: float, degrees: tuple[int, ...]) -> Views:
    """Return padded views turned by each of the angles, in degrees, clockwise positive.

    Palms are found best in hands that point up.
    """
    return partial(_turned_views, share, degrees)


def tiles(per_side: int, padding: float = 0.0) -> Views:
    """Return overlapping parts of a picture, for hands that are small and far away.

    Parameters
    ----------
    per_side
        How many tiles would cover a side if they did not overlap.
    padding
        Width of the border added to each tile, as a share of its side.
    """
    return partial(_tile_views, per_side, padding)


def _padded_views(share: float, picture: Pixels) -> Iterator[PictureTransform]:
    yield _padded(picture, share)


def _reddened_views(share: float, picture: Pixels) -> Iterator[PictureTransform]:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    skin = np.clip(grey[..., None] * np.array(SKIN, np.float32), 0, 255).astype(np.uint8)
    yield _padded(skin, share)


def _brightened_views(views: Views, picture: Pixels) -> Iterator[PictureTransform]:
    # Smoothing a photo of twelve megapixels takes seconds, and shows no more of the hand.
    longest = max(picture.shape[:2])
    small = _resized(picture, min(1.0, LARGEST_BRIGHTENED / longest))
    low, high = np.percentile(small, [1, 99])
    stretched = np.clip((small.astype(np.float32) - low) / max(high - low, 1), 0, 1)
    bright = (255 * stretched**BRIGHTENING).astype(np.uint8)
    across = picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0]
    for view in views(np.asarray(cv2.bilateralFilter(bright, 9, 40, 5), np.uint8)):
        yield PictureTransform(view.pixels, view.to_original * np.array([[across[0]], [across[1]]]))


def _turned_views(
    share: float, degrees: tuple[int, ...], picture: Pixels
) -> Iterator[PictureTransform]:
    upright = _padded(picture, share)
    for angle in degrees:
        yield turn(upright, angle)


def _tile_views(per_side: int, padding: float, picture: Pixels) -> Iterator[PictureTransform]:
    height, width = picture.shape[:2]
    if max(height, width) < SMALLEST_TILED:
        return
    for y, h in _strips(height, per_side):
        for x, w in _strips(width, per_side):
            tile = np.ascontiguousarray(picture[y : y + h, x : x + w])
            view = _padded(tile, padding) if padding else PictureTransform(tile, np.eye(2, 3))
            back = view.to_original + np.array([[0, 0, x], [0, 0, y]])
            yield PictureTransform(view.pixels, back)


def _strips(length: int, per_side: int) -> list[tuple[int, int]]:
    """Return the start and the length of each tile along a side, in pixels."""
    size = round(length / per_side * (1 + TILE_OVERLAP))
    starts = np.rint(np.linspace(0, length - size, per_side + 1)).astype(int)
    return [(int(start), size) for start in starts]


def _padded(picture: Pixels, share: float) -> PictureTransform:
    height, width = picture.shape[:2]
    longest = max(height, width)
    scale = min(max(longest, SMALLEST), LARGEST) / longest
    scaled = _resized(picture, scale)
    size = scaled.shape[1], scaled.shape[0]
    x, y = round(size[0] * share), round(size[1] * share)
    pixels = cv2.copyMakeBorder(scaled, y, y, x, x, cv2.BORDER_REPLICATE)
    back = np.array(
        [[width / size[0], 0, -x * width / size[0]], [0, height / size[1], -y * height / size[1]]]
    )
    return PictureTransform(np.asarray(pixels, np.uint8), back)


def _resized(picture: Pixels, scale: float) -> Pixels:
    if scale == 1:
        return picture
    height, width = picture.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=method), np.uint8)


def turn(view: PictureTransform, degrees: float) -> PictureTransform:
    """Turn a view about its centre, clockwise, within its own size."""
    height, width = view.pixels.shape[:2]
    # OpenCV counts anticlockwise.
    there = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    pixels = cv2.warpAffine(view.pixels, there, (width, height), borderMode=cv2.BORDER_REPLICATE)
    back = view.to_original @ _square(cv2.invertAffineTransform(there))
    return PictureTransform(np.asarray(pixels, np.uint8), back)


def _square(matrix: Matrix) -> Matrix:
    return np.vstack([matrix, [0, 0, 1]])
