"""The hand in a binary picture: the mask is lit as if it were skin, then seen like a photo.

The hand network is less sure of such pictures, and a mask of anything may look a little like a
hand, so what is found is held against the mask: the hand that the landmarks describe has to
account for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import nan

import cv2
import numpy as np
from numpy.typing import NDArray

from .detector import HandDetector
from .hands import Hand, Pixels
from .handviews import HandView
from .outlines import may_be_hand
from .pictureviews import PictureView, turn
from .relight import GROUNDS, Figure, figure_of, relight
from .topology import HAND_CONNECTIONS, HandLandmark

Mask = NDArray[np.uint8]

BORDERS = (0.25, 0.6)
"""Widths of the border that are tried, in sides of the picture."""

TURNS = (0, -35, 35, -90, 90, 180)
"""Turns that are tried, in degrees, clockwise positive."""

_LOW_CONFIDENCE, _LOW_PRESENCE = 0.05, 0.02

LOOKS = (
    HandView(),
    HandView(scale=1.1, flip=True),
    HandView(turn=20, scale=0.95),
    HandView(turn=-20, flip=True),
)
"""How a candidate is looked at again on each ground."""

LARGEST_SPREAD, LEAST_PRESENCE, LEAST_SHARE = 0.085, 0.05, 0.3
"""What makes a candidate a hand: all looks agree on where the landmarks are (the median distance
from their median, in palm lengths), none sees nothing, and hand and forearm account for this share
of the mask. Of the three, agreement tells most: a shape that is no hand is read anew each time."""

GOOD_SPREAD = 0.045
"""At this agreement no better candidate is looked for."""


def find_in_silhouette(detector: HandDetector, picture: Pixels) -> list[Hand]:
    """Find the hand in a (nearly) binary picture.

    Returns
    -------
    The best hand, in image widths of ``picture``, if it is good enough; its landmarks are the
    median of all looks, its ``score`` the weakest presence in them.
    """
    figure = figure_of(picture)
    if not may_be_hand(figure):
        return []
    best, least = None, LARGEST_SPREAD
    for scene, candidate in _candidates(detector, figure):
        hand, spread = _steadied(detector, scene, candidate)
        if spread < least and _is_hand(scene.mask, hand):
            best, least = scene.without_border(hand), spread
        if least <= GOOD_SPREAD:
            break
    if best is None:
        return []
    # A mask of a left palm is that of the back of a right hand: what the network says is a guess.
    return [replace(figure.in_picture(best, picture.shape[1]), handedness=nan)]


def _is_hand(mask: Mask, hand: Hand) -> bool:
    points = hand.image[:, :2] * mask.shape[1]
    return hand.score >= LEAST_PRESENCE and explained(mask, points) >= LEAST_SHARE


@dataclass(frozen=True)
class _Scene:
    """A mask with a border, lit on each ground."""

    mask: Mask
    lit: tuple[Pixels, ...]
    border: tuple[int, int]

    def without_border(self, hand: Hand) -> Hand:
        """Return a hand in widths of the mask without its border."""
        x, y = self.border
        padded, width = self.mask.shape[1], self.mask.shape[1] - 2 * x
        image = hand.image * (padded / width) - np.array([x, y, 0]) / width
        return replace(hand, image=image.astype(np.float32))


def _scene(figure: Figure, share: float) -> _Scene:
    mask = figure.mask
    x, y = (round(side * share) for side in mask.shape[::-1])
    wide = np.asarray(cv2.copyMakeBorder(mask, y, y, x, x, cv2.BORDER_REPLICATE), np.float32)
    lit = tuple(relight(wide, ground, figure.smoothing) for ground in GROUNDS)
    return _Scene((wide > 0.5).astype(np.uint8), lit, (x, y))


def _candidates(detector: HandDetector, figure: Figure) -> Iterator[tuple[_Scene, Hand]]:
    """Find palms in all scenes, turned this way and that; the likeliest scenes come first."""
    scenes = [_scene(figure, share) for share in BORDERS]
    for degrees in TURNS:
        for scene in scenes:
            for lit in scene.lit:
                upright = PictureView(lit, np.eye(2, 3))
                view = turn(upright, degrees) if degrees else upright
                hands = detector.detect(
                    view.pixels, min_confidence=_LOW_CONFIDENCE, min_presence=_LOW_PRESENCE
                )
                for hand in hands:
                    yield scene, view.mapped_back(hand, lit.shape[1])


def _steadied(detector: HandDetector, scene: _Scene, hand: Hand) -> tuple[Hand, float]:
    """Look at a candidate on all grounds, and once more from where the looks say that it is.

    Returns
    -------
    The median hand, whose score is the weakest presence, and how far the looks lie apart: the
    median distance of their landmarks from the median hand's, in palm lengths.
    """
    steadied, spread = _seen_again(detector, scene, hand)
    if spread > 4 * LARGEST_SPREAD or steadied.score < LEAST_PRESENCE / 4:
        return steadied, spread
    return min((steadied, spread), _seen_again(detector, scene, steadied), key=lambda one: one[1])


def _seen_again(detector: HandDetector, scene: _Scene, hand: Hand) -> tuple[Hand, float]:
    looks = [look for lit in scene.lit for look in detector.look(lit, hand, LOOKS)]
    images = np.stack([look.image for look in looks])
    image = np.median(images, axis=0).astype(np.float32)
    spread = np.median(np.linalg.norm((images - image)[..., :2], axis=-1))
    seen = replace(
        hand,
        image=image,
        world=np.median([look.world for look in looks], axis=0).astype(np.float32),
        handedness=float(np.mean([look.handedness for look in looks])),
        score=min(look.score for look in looks),
    )
    return seen, float(spread / max(_palm(image), 1e-6))


def _palm(points: NDArray[np.floating]) -> float:
    """Return the size of the palm in the picture, also of one that is seen from its edge."""
    axis = points[HandLandmark.MIDDLE_FINGER_MCP] - points[HandLandmark.WRIST]
    breadth = points[HandLandmark.INDEX_FINGER_MCP] - points[HandLandmark.PINKY_MCP]
    return float(max(np.linalg.norm(axis[:2]), 1.2 * np.linalg.norm(breadth[:2])))


def explained(mask: Mask, points: NDArray[np.floating]) -> float:
    """Return the share of a mask that is hand, or the forearm behind it.

    Parameters
    ----------
    mask
        (height, width), not 0 where the figure is.
    points
        (21, 2) landmarks in pixels of the mask.
    """
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
    # OpenCV's coordinates end at 15 bits; a hand that far out explains nothing anyway.
    pixels = np.clip(np.rint(points), -10_000, 10_000).astype(np.int32)
    for start, end in HAND_CONNECTIONS:
        cv2.line(canvas, pixels[start].tolist(), pixels[end].tolist(), 1, thickness)
    cv2.fillPoly(canvas, [pixels[[0, 1, 5, 9, 13, 17]]], 1)
    return canvas > 0
