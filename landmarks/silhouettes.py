"""Finding the hand in a silhouette, which no network has been trained on.

1. The mask is shaded like skin: bright in the middle, darker towards the outline (:func:`relit`).
2. Its outline must be that of a hand (:func:`_may_be_hand`), before anything is detected. A hand is
   one piece with many soft corners: round finger tips, valleys between them, and an arm that may be
   cut off at the border of the picture. Blots, polygons and shapes made of ellipses are bent too
   little, too much, or too evenly. The limits accept 528 of 528 silhouettes, 565 of the masks of
   574 photos, and most hands as small as 28 pixels (``docs/decisions/silhouettes.md``).
3. What the detector finds is checked against the mask (:func:`find_in_silhouette`): the presence
   scores of shaded masks are low, and the mask of anything may resemble a hand, so hand and
   forearm have to account for the mask.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .detector import HandDetector
from .hands import HAND_CONNECTIONS, FloatArray, Hand, HandLandmark, HandTransform, Pixels
from .stages import PictureTransform, resized

_FIGURE_SIDE = 320
"""The long side of the figure, with its margin, when it is shaded, in pixels."""
_MAX_RELIT_SIDE = 1024
"""The longest side of a whole picture that is shaded, in pixels."""
_MARGIN = 0.15
"""The margin around the figure, as a share of its long side."""
_GROUNDS = ((90, 100, 110), (20, 20, 20))
"""RGB of the backgrounds that are tried behind the figure."""
_SKIN = (224, 172, 138)
_DEPTH = 8

_MIN_LARGEST_PIECE = 0.7
"""Smallest share of the figure that its largest piece may be."""
_MAX_CUT_OFF = 0.27
"""Largest share of the outline that may be on the border of the picture."""
_MIN_CORNERS, _MIN_SHARP_CORNERS = 13, 11
"""Fewest corners of a polygon that follows the smoothed outline to 0.4 % of its length; and of one
that follows the sharper outline to that, but at least to three quarters of a pixel of the picture,
because the steps of pixels are not corners."""
_LOWER_BEND, _MEDIAN_BEND, _UPPER_BEND = (-2.05, 0.25), 1.55, 4.0
"""Limits of the quartiles of the curvature, in radians per square root of the area, outwards
positive; a circle has 1.77 everywhere. A quarter of the outline of a hand is straight or gently
bent inwards, half of it is hardly bent outwards, and most of it not sharply."""
_STRAIGHT, _SHARE_STRAIGHT = 0.4, (0.07, 0.4)
"""The largest curvature, either way, that counts as straight, and limits of the share of the
outline that is straight: that of a polygon is larger, that of ellipses and blots smaller."""
_TOLERANCE, _PIXEL_TOLERANCE, _SMOOTHING = 0.004, 0.75, 0.08

_BORDERS = (0.25, 0.6)
"""Widths of the border that are tried, as shares of the side."""
_TURNS = (0, -35, 35, -90, 90, 180)
"""Rotations that are tried, in degrees, clockwise positive."""
_LOW_CONFIDENCE, _LOW_PRESENCE = 0.05, 0.02

_TRANSFORMS = (
    HandTransform(),
    HandTransform(scale=1.1, flip=True),
    HandTransform(turn=20, scale=0.95),
    HandTransform(turn=-20, flip=True),
)
"""How a candidate is detected again on each background."""

_MAX_SPREAD, _MIN_PRESENCE, _MIN_EXPLAINED = 0.085, 0.05, 0.3
"""What makes a candidate a hand: all detections agree on the landmarks (median distance from their
median, in palm lengths), each has this presence, and hand and forearm account for this share of the
mask. Agreement separates best: a shape that is not a hand gives other landmarks each time."""
_GOOD_SPREAD = 0.045
"""At this agreement the search ends."""


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


def _mask_of(picture: Pixels) -> FloatArray:
    """Return from 0 to 1 how much each pixel is figure; most of the border is background."""
    grey = picture.astype(np.float32).mean(axis=-1)
    low, high = float(grey.min()), float(grey.max())
    figure = (grey - low) / max(high - low, 1)
    edge = np.concatenate([figure[0], figure[-1], figure[:, 0], figure[:, -1]])
    return np.asarray(1 - figure if (edge > 0.5).mean() > 0.5 else figure, np.float32)


def _relight(mask: FloatArray, ground: tuple[int, int, int], smoothing: float) -> Pixels:
    """Shade a mask like skin on a background; the outline is blurred by sigma ``smoothing``."""
    smooth = cv2.GaussianBlur(mask, (0, 0), smoothing)
    depth = cv2.distanceTransform((smooth > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    shade = 0.6 + 0.4 * np.minimum(1, depth / (_DEPTH * smoothing)) ** 0.7
    lit = shade[..., None] * np.array(_SKIN, np.float32)
    share = np.clip((smooth - 0.5) * 4 + 0.5, 0, 1)[..., None]
    picture = share * lit + (1 - share) * np.array(ground, np.float32)
    soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
    return np.asarray(np.clip(soft, 0, 255), np.uint8)


@dataclass(frozen=True)
class _Figure:
    """The part of a mask that is not background, with a margin, scaled."""

    mask: FloatArray
    """(height, width) from 0 to 1."""
    scale: float
    """Pixels of the figure per pixel of the picture."""
    corner: tuple[int, int]
    """x and y of its upper left corner, in pixels of the picture."""

    @property
    def smoothing(self) -> float:
        """Sigma of the blur of its outline, in pixels: it removes the steps of enlarged pixels."""
        return min(max(0.4 * self.scale, 1.0), 2.5)

    def in_picture(self, hand: Hand, width: int) -> Hand:
        """Convert a hand from widths of the figure to widths of the picture."""
        own = self.mask.shape[1] / self.scale
        image = (hand.image * own + np.array([*self.corner, 0])) / width
        return replace(hand, image=image.astype(np.float32))


def _figure_of(picture: Pixels) -> _Figure:
    mask = _mask_of(picture)
    (x, y), (right, bottom) = _box(mask)
    part = mask[y:bottom, x:right]
    scale = _FIGURE_SIDE / max(part.shape)
    return _Figure(resized(part, scale), scale, (x, y))


def _box(mask: FloatArray) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the upper left and the lower right corner, x and y, of the figure with its margin."""
    rows, columns = np.nonzero(mask > 0.5)
    height, width = mask.shape
    if not len(rows):
        return (0, 0), (width, height)
    (top, bottom), (left, right) = ((int(v.min()), int(v.max()) + 1) for v in (rows, columns))
    margin = int(_MARGIN * max(bottom - top, right - left))
    low = max(0, left - margin), max(0, top - margin)
    return low, (min(width, right + margin), min(height, bottom + margin))


def relit(picture: Pixels) -> Pixels:
    """Return a (nearly) binary picture shaded like skin, with the aspect of the picture."""
    figure = _figure_of(picture)
    scale = min(figure.scale, _MAX_RELIT_SIDE / max(picture.shape[:2]))
    return _relight(resized(_mask_of(picture), scale), _GROUNDS[0], figure.smoothing)


def _may_be_hand(figure: _Figure) -> bool:
    pieces = _outlines(figure, max(3.0, 0.7 * figure.scale))
    areas = [cv2.contourArea(piece) for piece in pieces]
    if not areas or max(areas) <= 0 or max(areas) < _MIN_LARGEST_PIECE * sum(areas):
        return False
    outline = pieces[int(np.argmax(areas))]
    if _n_corners(outline, 0.0) < _MIN_CORNERS:
        return False
    height, width = figure.mask.shape
    x, y = outline.T
    cut_off = (np.minimum(x, width - 1 - x) <= 1) | (np.minimum(y, height - 1 - y) <= 1)
    if cut_off.mean() > _MAX_CUT_OFF:
        return False
    sharp = max(_outlines(figure, max(1.5, 0.35 * figure.scale)), key=cv2.contourArea)
    if _n_corners(sharp, _PIXEL_TOLERANCE * figure.scale) < _MIN_SHARP_CORNERS:
        return False
    bend = _curvature(outline)[~cut_off]
    lower, middle, upper = np.quantile(bend, (0.25, 0.5, 0.75))
    straight = (abs(bend) < _STRAIGHT).mean()
    return bool(
        _LOWER_BEND[0] <= lower <= _LOWER_BEND[1]
        and middle <= _MEDIAN_BEND
        and upper <= _UPPER_BEND
        and _SHARE_STRAIGHT[0] <= straight <= _SHARE_STRAIGHT[1]
    )


def _curvature(outline: NDArray[Any]) -> NDArray[np.float64]:
    """Return the curvature (n,) of a closed outline (n, 2) of neighbouring pixels.

    In radians per square root of the area, outwards positive, after smoothing over 0.08 of that
    length.
    """
    points = outline[:, 0] + 1j * outline[:, 1]
    closed = np.append(points, points[0])
    along = np.append(0.0, np.cumsum(abs(np.diff(closed))))
    even = np.interp(np.linspace(0, along[-1], len(points), endpoint=False), along, closed)
    unit = np.sqrt(cv2.contourArea(outline))
    waves = np.fft.fftfreq(len(even), along[-1] / len(even) / unit)
    smooth = np.fft.ifft(np.fft.fft(even) * np.exp(-2 * (np.pi * waves * _SMOOTHING) ** 2))
    steps = np.roll(smooth, -1) - smooth
    turns = np.angle(steps / np.roll(steps, 1)) / (along[-1] / len(even) / unit)
    return np.asarray(turns * np.sign(turns.sum()), np.float64)


def _outlines(figure: _Figure, smoothing: float) -> list[NDArray[np.int32]]:
    """Return the outlines (n, 2) of the pieces of a figure that is blurred by ``smoothing``."""
    mask = cv2.GaussianBlur(figure.mask, (0, 0), smoothing, borderType=cv2.BORDER_REPLICATE)
    pieces, _ = cv2.findContours(
        (mask > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    return [np.asarray(piece[:, 0], np.int32) for piece in pieces]


def _n_corners(outline: NDArray[np.int32], min_tolerance: float) -> int:
    tolerance = max(_TOLERANCE * cv2.arcLength(outline, True), min_tolerance)
    return len(cv2.approxPolyDP(outline, tolerance, True))


def find_in_silhouette(detector: HandDetector, picture: Pixels) -> list[Hand]:
    """Find the best hand in a (nearly) binary picture, in image widths of it.

    Its landmarks are the median of all detections, its ``score`` their lowest presence.
    """
    figure = _figure_of(picture)
    if not _may_be_hand(figure):
        return []
    best, least = None, _MAX_SPREAD
    for scene, candidate in _candidates(detector, figure):
        hand, spread = _consensus_twice(detector, scene, candidate)
        if spread < least and _is_hand(scene.mask, hand):
            best, least = scene.without_border(hand), spread
        if least <= _GOOD_SPREAD:
            break
    if best is None:
        return []
    # A left palm and the back of a right hand have the same mask: the handedness is a guess.
    return [replace(figure.in_picture(best, picture.shape[1]), handedness=nan)]


def _is_hand(mask: NDArray[np.uint8], hand: Hand) -> bool:
    points = hand.image[:, :2] * mask.shape[1]
    return hand.score >= _MIN_PRESENCE and _explained(mask, points) >= _MIN_EXPLAINED


@dataclass(frozen=True)
class _Scene:
    """A mask with a border, shaded on each background."""

    mask: NDArray[np.uint8]
    lit: tuple[Pixels, ...]
    border: tuple[int, int]

    def without_border(self, hand: Hand) -> Hand:
        """Convert a hand from widths of the scene to widths of the mask without its border."""
        x, y = self.border
        padded, width = self.mask.shape[1], self.mask.shape[1] - 2 * x
        image = hand.image * (padded / width) - np.array([x, y, 0]) / width
        return replace(hand, image=image.astype(np.float32))


def _scene(figure: _Figure, share: float) -> _Scene:
    mask = figure.mask
    x, y = (round(side * share) for side in mask.shape[::-1])
    wide = np.asarray(cv2.copyMakeBorder(mask, y, y, x, x, cv2.BORDER_REPLICATE), np.float32)
    lit = tuple(_relight(wide, ground, figure.smoothing) for ground in _GROUNDS)
    return _Scene((wide > 0.5).astype(np.uint8), lit, (x, y))


def _candidates(detector: HandDetector, figure: _Figure) -> Iterator[tuple[_Scene, Hand]]:
    """Find palms in all scenes and rotations; the most likely ones come first."""
    scenes = [_scene(figure, share) for share in _BORDERS]
    for degrees in _TURNS:
        for scene in scenes:
            for lit in scene.lit:
                upright = PictureTransform(lit, np.eye(2, 3))
                made = upright.turned(degrees) if degrees else upright
                hands = detector.detect(
                    made.pixels, min_confidence=_LOW_CONFIDENCE, min_presence=_LOW_PRESENCE
                )
                for hand in hands:
                    yield scene, made.mapped_back(hand, lit.shape[1])


def _consensus_twice(detector: HandDetector, scene: _Scene, hand: Hand) -> tuple[Hand, float]:
    """Return the better of the consensus and the consensus about that hand."""
    first = _consensus(detector, scene, hand)
    if first[1] > 4 * _MAX_SPREAD or first[0].score < _MIN_PRESENCE / 4:
        return first
    return min(first, _consensus(detector, scene, first[0]), key=lambda one: one[1])


def _consensus(detector: HandDetector, scene: _Scene, hand: Hand) -> tuple[Hand, float]:
    """Detect a candidate again on all backgrounds and under all transforms.

    Returns the median hand, whose score is the lowest presence, and the spread: the median distance
    of all landmarks from the median hand's, in palm lengths.
    """
    found = [one for lit in scene.lit for one in detector.detect_again(lit, hand, _TRANSFORMS)]
    images = np.stack([one.image for one in found])
    image = np.median(images, axis=0).astype(np.float32)
    spread = np.median(np.linalg.norm((images - image)[..., :2], axis=-1))
    consensus = replace(
        hand,
        image=image,
        world=np.median([one.world for one in found], axis=0).astype(np.float32),
        handedness=float(np.mean([one.handedness for one in found])),
        score=min(one.score for one in found),
    )
    return consensus, float(spread / max(_palm(image), 1e-6))


def _palm(points: NDArray[np.floating]) -> float:
    """Return the size of the palm in the picture, also if it is seen from its edge."""
    axis = points[HandLandmark.MIDDLE_FINGER_MCP] - points[HandLandmark.WRIST]
    breadth = points[HandLandmark.INDEX_FINGER_MCP] - points[HandLandmark.PINKY_MCP]
    return float(max(np.linalg.norm(axis[:2]), 1.2 * np.linalg.norm(breadth[:2])))


def _explained(mask: NDArray[np.uint8], points: NDArray[np.floating]) -> float:
    """Return the share of a mask that the hand (21, 2), or the forearm behind it, covers."""
    palm = max(_palm(points), 1.0)
    hand = _drawn(mask.shape, points, max(1, int(0.3 * palm)))
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]]
    x, y = columns - points[0, 0], rows - points[0, 1]
    axis = points[HandLandmark.MIDDLE_FINGER_MCP] - points[HandLandmark.WRIST]
    axis = axis / max(float(np.linalg.norm(axis)), 1e-6)
    along, across = (x * axis[0] + y * axis[1]) / palm, (y * axis[0] - x * axis[1]) / palm
    forearm = (along < 0.1) & (abs(across) < 0.6)
    figure = mask > 0
    return float((figure & (hand | forearm)).sum() / max(int(figure.sum()), 1))


def _drawn(
    shape: tuple[int, ...], points: NDArray[np.floating], thickness: int
) -> NDArray[np.bool_]:
    canvas = np.zeros(shape, np.uint8)
    # OpenCV takes 15 bits for a coordinate; a hand that far outside covers nothing anyway.
    pixels = np.clip(np.rint(points), -10_000, 10_000).astype(np.int32)
    for start, end in HAND_CONNECTIONS:
        cv2.line(canvas, pixels[start].tolist(), pixels[end].tolist(), 1, thickness)
    cv2.fillPoly(canvas, [pixels[[0, 1, 5, 9, 13, 17]]], 1)
    return canvas > 0
