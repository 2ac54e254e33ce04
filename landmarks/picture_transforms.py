"""Pictures made from a picture in which a hand is easier to detect, and the mapping back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from .hands import Hand, Pixels

_MIN_SIDE, _MAX_SIDE = 256, 640
"""The long side, in pixels, to which a picture is scaled before it is padded."""

MIN_TILED_SIDE = 300
"""Pictures whose long side is shorter, in pixels, are not cut into tiles."""

_TILE_OVERLAP = 0.25
"""By which share of its side a tile reaches into its neighbours."""

_SKIN = (1.15, 0.9, 0.75)
"""Red, green and blue of skin, as multiples of its grey value."""

_MAX_BRIGHTENED_SIDE = 1280
"""The longest side, in pixels, of a picture that is brightened."""

_GAMMA = 0.7
"""The exponent of the brightness; smaller is brighter."""

Matrix = NDArray[np.float64]
Transforms = Callable[[Pixels], "Iterator[PictureTransform]"]
"""Makes pictures from a picture. Partial functions, not closures: they are sent to workers."""


@dataclass(frozen=True)
class PictureTransform:
    """A picture made from another one, and the way back."""

    pixels: Pixels
    """(height, width, 3) RGB."""

    to_original: Matrix
    """(2, 3) affine matrix from these pixels to those of the original: a similarity transform."""

    def mapped_back(self, hand: Hand, width: int) -> Hand:
        """Return a hand that was found here, in the frames of reference of the original picture.

        Parameters
        ----------
        hand
            Image landmarks in widths of these pixels, world landmarks rotated like them.
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


def unchanged(picture: Pixels) -> Iterator[PictureTransform]:
    """Yield the picture itself."""
    yield PictureTransform(picture, np.eye(2, 3))


def padded(share: float) -> Transforms:
    """Scale to a medium size and repeat the borders outwards.

    Interpolation is linear: with cubic interpolation, which sharpens, 10 % fewer hands are found
    in pictures of 28x28 pixels.

    Parameters
    ----------
    share
        Width of the added border on each side, as a share of the side.
    """
    return partial(_pad, share)


def reddened(share: float) -> Transforms:
    """Pad, and give every pixel the colour of skin with its own brightness."""
    return partial(_redden, share)


def brightened(transforms: Transforms) -> Transforms:
    """Stretch the contrast and smooth the noise, then apply other transforms."""
    return partial(_brightened, transforms)


def turned(share: float, degrees: tuple[int, ...]) -> Transforms:
    """Pad, then rotate by each of the angles, in degrees, clockwise positive.

    Palms are detected best in hands that point up.
    """
    return partial(_turn_by, share, degrees)


def tiles(per_side: int, padding: float = 0.0) -> Transforms:
    """Cut into overlapping tiles, for hands that are small and far away.

    Parameters
    ----------
    per_side
        How many tiles would cover a side without overlap.
    padding
        Width of the border added to each tile, as a share of its side.
    """
    return partial(_tile, per_side, padding)


def _pad(share: float, picture: Pixels) -> Iterator[PictureTransform]:
    yield _padded(picture, share)


def _redden(share: float, picture: Pixels) -> Iterator[PictureTransform]:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    skin = np.clip(grey[..., None] * np.array(_SKIN, np.float32), 0, 255).astype(np.uint8)
    yield _padded(skin, share)


def _brightened(transforms: Transforms, picture: Pixels) -> Iterator[PictureTransform]:
    # Smoothing twelve megapixels takes seconds and does not show more of the hand.
    longest = max(picture.shape[:2])
    small = _resized(picture, min(1.0, _MAX_BRIGHTENED_SIDE / longest))
    low, high = np.percentile(small, [1, 99])
    stretched = np.clip((small.astype(np.float32) - low) / max(high - low, 1), 0, 1)
    bright = (255 * stretched**_GAMMA).astype(np.uint8)
    across = picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0]
    for one in transforms(np.asarray(cv2.bilateralFilter(bright, 9, 40, 5), np.uint8)):
        yield PictureTransform(one.pixels, one.to_original * np.array([[across[0]], [across[1]]]))


def _turn_by(share: float, degrees: tuple[int, ...], picture: Pixels) -> Iterator[PictureTransform]:
    upright = _padded(picture, share)
    for angle in degrees:
        yield turn(upright, angle)


def _tile(per_side: int, padding: float, picture: Pixels) -> Iterator[PictureTransform]:
    height, width = picture.shape[:2]
    if max(height, width) < MIN_TILED_SIDE:
        return
    for y, h in _strips(height, per_side):
        for x, w in _strips(width, per_side):
            tile = np.ascontiguousarray(picture[y : y + h, x : x + w])
            made = _padded(tile, padding) if padding else PictureTransform(tile, np.eye(2, 3))
            back = made.to_original + np.array([[0, 0, x], [0, 0, y]])
            yield PictureTransform(made.pixels, back)


def _strips(length: int, per_side: int) -> list[tuple[int, int]]:
    """Return the start and the length of each tile along a side, in pixels."""
    size = round(length / per_side * (1 + _TILE_OVERLAP))
    starts = np.rint(np.linspace(0, length - size, per_side + 1)).astype(int)
    return [(int(start), size) for start in starts]


def _padded(picture: Pixels, share: float) -> PictureTransform:
    height, width = picture.shape[:2]
    longest = max(height, width)
    scale = min(max(longest, _MIN_SIDE), _MAX_SIDE) / longest
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


def turn(upright: PictureTransform, degrees: float) -> PictureTransform:
    """Rotate a picture about its centre, clockwise, within its own size."""
    height, width = upright.pixels.shape[:2]
    # OpenCV counts anticlockwise.
    there = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    pixels = cv2.warpAffine(upright.pixels, there, (width, height), borderMode=cv2.BORDER_REPLICATE)
    back = upright.to_original @ _square(cv2.invertAffineTransform(there))
    return PictureTransform(np.asarray(pixels, np.uint8), back)


def _square(matrix: Matrix) -> Matrix:
    return np.vstack([matrix, [0, 0, 1]])
