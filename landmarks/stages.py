"""The stages of a search: pictures made from a picture in which a hand is easier to detect.

A stage is one line in :data:`STAGES`. A new one has to find hands in pictures with a hand *and*
none in pictures without one (``benchmarks/search_stages.py``).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .detector import DEFAULT_CONFIDENCE
from .hands import Hand, Pixels

_MIN_SIDE, _MAX_SIDE = 256, 640
"""The long side, in pixels, to which a picture is scaled before it is padded."""
MIN_TILED_SIDE = 300
"""Pictures whose long side is shorter, in pixels, are not cut into tiles."""
_TILE_OVERLAP = 0.25
"""By which share of its side a tile reaches into its neighbours."""
_SKIN = (1.15, 0.9, 0.75)
"""Red, green and blue of skin, as multiples of its grey value."""
_WARM = (1.3, 0.9, 0.6)
"""The same for greyscale photos: more colour than skin has finds more hands in them."""
_MAX_BRIGHTENED_SIDE = 1280
"""The longest side, in pixels, of a picture whose contrast is stretched."""
_GAMMA = 0.7
"""The exponent of the brightness; smaller is brighter."""
_SMOOTHING = 0.7
"""Standard deviation in pixels: more finds no more hands."""
_Transforms = Callable[[Pixels], "Iterator[PictureTransform]"]
"""Makes pictures from a picture. Partial functions, not closures: they are sent to workers."""


@dataclass(frozen=True)
class PictureTransform:
    """A picture made from another one, and the way back."""

    pixels: Pixels
    """(height, width, 3) RGB."""
    to_original: NDArray[np.float64]
    """(2, 3) affine matrix from these pixels to those of the original: a similarity transform."""

    def mapped_back(self, hand: Hand, width: int) -> Hand:
        """Return a hand that was found here, in the frames of reference of the original picture.

        Its image landmarks are in widths of these pixels, its world landmarks rotated like them;
        ``width`` is that of the original picture, in pixels.
        """
        pixels = hand.image.astype(np.float64) * self.pixels.shape[1]
        matrix = self.to_original
        scale = np.hypot(*matrix[:, 0])
        image, world = np.empty_like(hand.image), hand.world.copy()
        image[:, :2] = (pixels[:, :2] @ matrix[:, :2].T + matrix[:, 2]) / width
        image[:, 2] = pixels[:, 2] * scale / width
        world[:, :2] = hand.world[:, :2] @ (matrix[:, :2] / scale).T
        return replace(hand, image=image, world=world)

    def turned(self, degrees: float) -> "PictureTransform":
        """Rotate the picture about its centre, clockwise, within its own size."""
        height, width = self.pixels.shape[:2]
        # OpenCV counts anticlockwise.
        there = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
        size, border = (width, height), cv2.BORDER_REPLICATE
        pixels = cv2.warpAffine(self.pixels, there, size, borderMode=border)
        back = self.to_original @ np.vstack([cv2.invertAffineTransform(there), [0, 0, 1]])
        return PictureTransform(np.asarray(pixels, np.uint8), back)


@dataclass(frozen=True)
class Stage:
    """One way to search a picture."""

    name: str
    transforms: _Transforms
    min_confidence: float
    """Threshold for the palm; that for the presence of a hand is always the default."""
    confirmed: bool = True
    """Whether what it finds must be found again."""
    max_shift: float = 0.5
    """How far landmarks may move when the hand is found again, in palm lengths (median). In large
    pictures they hardly move, in 28x28 pixels they do."""
    tiled: bool = False
    """Whether it looks at parts of the picture, so that what it finds is small."""
    brightened: bool = False
    """Whether a dark picture is brightened first."""


def resized(picture: NDArray[Any], scale: float) -> NDArray[Any]:
    """Scale a picture or mask (height, width, ...); no side becomes shorter than a pixel."""
    if scale == 1:
        return picture
    height, width = picture.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=method), picture.dtype)


def smoothed(picture: Pixels) -> Pixels:
    """Return a picture with less noise."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), _SMOOTHING), np.uint8)


def is_greyscale(picture: Pixels) -> bool:
    """Say whether a picture has no colour at all."""
    return bool((picture == picture[..., :1]).all())


def tinted(picture: Pixels) -> Pixels:
    """Return a greyscale picture in a warm colour: the networks have learnt from colour photos."""
    return np.asarray(np.clip(picture * np.array(_WARM, np.float32), 0, 255), np.uint8)


def _unchanged(picture: Pixels) -> Iterator[PictureTransform]:
    yield PictureTransform(picture, np.eye(2, 3))


def _padded(share: float, picture: Pixels) -> Iterator[PictureTransform]:
    yield _with_border(picture, share)


def _reddened(share: float, picture: Pixels) -> Iterator[PictureTransform]:
    """Give every pixel the colour of skin with its own brightness, and pad."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    skin = np.clip(grey[..., None] * np.array(_SKIN, np.float32), 0, 255).astype(np.uint8)
    yield _with_border(skin, share)


def _stretched(transforms: _Transforms, picture: Pixels) -> Iterator[PictureTransform]:
    """Stretch the contrast and smooth the noise, then apply other transforms."""
    # Smoothing twelve megapixels takes seconds and does not show more of the hand.
    longest = max(picture.shape[:2])
    small = resized(picture, min(1.0, _MAX_BRIGHTENED_SIDE / longest))
    low, high = np.percentile(small, [1, 99])
    stretched = np.clip((small.astype(np.float32) - low) / max(high - low, 1), 0, 1)
    bright = (255 * stretched**_GAMMA).astype(np.uint8)
    across = picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0]
    for one in transforms(np.asarray(cv2.bilateralFilter(bright, 9, 40, 5), np.uint8)):
        yield PictureTransform(one.pixels, one.to_original * np.array([[across[0]], [across[1]]]))


def _turned(share: float, degrees: tuple[int, ...], picture: Pixels) -> Iterator[PictureTransform]:
    """Pad and rotate: palms are detected best in hands that point up."""
    upright = _with_border(picture, share)
    for angle in degrees:
        yield upright.turned(angle)


def _tiles(per_side: int, padding: float, picture: Pixels) -> Iterator[PictureTransform]:
    """Cut into overlapping tiles, for hands that are small and far away.

    Without overlap, ``per_side`` tiles would cover a side.
    """
    height, width = picture.shape[:2]
    if max(height, width) < MIN_TILED_SIDE:
        return
    for y, h in _strips(height, per_side):
        for x, w in _strips(width, per_side):
            tile = np.ascontiguousarray(picture[y : y + h, x : x + w])
            made = _with_border(tile, padding) if padding else PictureTransform(tile, np.eye(2, 3))
            back = made.to_original + np.array([[0, 0, x], [0, 0, y]])
            yield PictureTransform(made.pixels, back)


def _strips(length: int, per_side: int) -> list[tuple[int, int]]:
    """Return the start and the length of each tile along a side, in pixels."""
    size = max(1, round(length / per_side * (1 + _TILE_OVERLAP)))
    starts = np.rint(np.linspace(0, length - size, per_side + 1)).astype(int)
    return [(int(start), size) for start in starts]


def _with_border(picture: Pixels, share: float) -> PictureTransform:
    """Scale to a medium size and repeat the borders outwards by a share of each side.

    Interpolation is linear: with cubic interpolation, which sharpens, 10 % fewer hands are found
    in pictures of 28x28 pixels.
    """
    height, width = picture.shape[:2]
    longest = max(height, width)
    scale = min(max(longest, _MIN_SIDE), _MAX_SIDE) / longest
    scaled = resized(picture, scale)
    size = scaled.shape[1], scaled.shape[0]
    x, y = round(size[0] * share), round(size[1] * share)
    pixels = cv2.copyMakeBorder(scaled, y, y, x, x, cv2.BORDER_REPLICATE)
    back = np.array(
        [[width / size[0], 0, -x * width / size[0]], [0, height / size[1], -y * height / size[1]]]
    )
    return PictureTransform(np.asarray(pixels, np.uint8), back)


_PLAIN_STAGES = (
    Stage("as it is", _unchanged, DEFAULT_CONFIDENCE, confirmed=False, brightened=True),
    Stage(
        "padded by 25 %",
        partial(_padded, 0.25),
        DEFAULT_CONFIDENCE,
        confirmed=False,
        brightened=True,
    ),
    Stage("padded by 50 %", partial(_padded, 0.5), 0.1, brightened=True),
    Stage("padded by 75 %", partial(_padded, 0.75), 0.1, brightened=True),
    Stage("padded by 100 %", partial(_padded, 1.0), 0.1, brightened=True),
)
STAGES: tuple[Stage, ...] = (
    *_PLAIN_STAGES,
    Stage("in skin colour, padded by 75 %", partial(_reddened, 0.75), 0.1),
    Stage("tiles of a half", partial(_tiles, 2, 0.0), 0.1, max_shift=0.1, tiled=True),
    Stage(
        "tiles of a third", partial(_tiles, 3, 0.0), DEFAULT_CONFIDENCE, max_shift=0.1, tiled=True
    ),
    Stage("turned", partial(_turned, 0.5, (90, -90, 180, 45, -45)), 0.1),
    Stage(
        "contrast stretched, tiles of a half",
        partial(_stretched, partial(_tiles, 2, 0.25)),
        0.25,
        max_shift=0.1,
        tiled=True,
    ),
)
"""All stages for pictures, cheapest first; a stage's number is its place here."""

SILHOUETTE_STAGE = len(STAGES)
"""The number of the stage that relights silhouettes, the only one that is tried for them."""
WHOLE_STAGE = SILHOUETTE_STAGE + 1
"""The number of the stage in which the hand network sees the whole picture, and no palm is
detected."""
SMOOTHED_STAGE = WHOLE_STAGE + 1
"""The number of the last resort: a small picture is smoothed, and searched again."""
SMOOTHED_STAGES = tuple(replace(stage, confirmed=True) for stage in _PLAIN_STAGES)
"""What is tried with the smoothed picture."""
TINTED_STAGE = SMOOTHED_STAGE + 1
"""The number of the last resort for large pictures: one without colour is tinted, and searched
again."""
TINTED_STAGES = tuple(replace(stage, confirmed=True) for stage in STAGES)
"""What is tried with the tinted picture."""
_LAST_STAGES = ("silhouette, relit", "the whole picture", "smoothed", "tinted")
STAGE_NAMES = (*(stage.name for stage in STAGES), *_LAST_STAGES)


def stage_words(stage: str) -> str:
    """Return the number of a search stage with its name."""
    known = stage.isdigit() and int(stage) < len(STAGE_NAMES)
    return f"{stage} ({STAGE_NAMES[int(stage)]})" if known else stage
