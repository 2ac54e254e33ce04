"""Hands in binary pictures: a mask is lit as if it were skin, then seen like a photo.

No network has learnt from masks. Relighting gives them the shade of something round: bright in
the middle, darker towards the outline. The hand network is less sure of such pictures, and a mask
of anything may look a little like a hand, so what is found is held against the mask: the hand
that the landmarks describe has to account for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .detector import HandDetector
from .hands import Hand, Pixels
from .handviews import HandView
from .topology import HAND_CONNECTIONS, HandLandmark

Mask = NDArray[np.uint8]

SIDE = 320
"""To which the long side of the figure, with a margin, is scaled before it is lit, in pixels."""

LARGEST_RELIT = 1024
"""The longest side of a whole picture that is lit, in pixels."""

MARGIN = 0.15
"""What is left around the figure, in its long sides."""

GROUNDS = ((90, 100, 110), (20, 20, 20))
"""Colours of the ground that are tried."""

BORDERS = (0.25, 0.6)
"""Widths of the border that are tried, in sides of the picture."""

TURNS = (0, 35, -35, 90, -90, 180)
"""Turns that are tried, in degrees."""

_SKIN = (224, 172, 138)
_DEPTH = 8
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

FEWEST_CORNERS = 7
"""The outline of a hand, a fist's too, bends at least this often by more than a hundredth of its
length; triangles and squares do not."""

GOOD_SPREAD = 0.045
"""At this agreement no better candidate is looked for."""


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
class _Figure:
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


def _figure(picture: Pixels) -> _Figure:
    mask = mask_of(picture)
    (x, y), (right, bottom) = _box(mask)
    part = mask[y:bottom, x:right]
    scale = SIDE / max(part.shape)
    size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = np.asarray(cv2.resize(part, size, interpolation=method), np.float32)
    return _Figure(scaled, scale, (x, y))


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
    figure, (height, width) = _figure(picture), picture.shape[:2]
    scale = min(figure.scale, LARGEST_RELIT / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    mask = np.asarray(cv2.resize(mask_of(picture), size, interpolation=method), np.float32)
    return relight(mask, GROUNDS[0], figure.smoothing)


def find_in_silhouette(detector: HandDetector, picture: Pixels) -> list[Hand]:
    """Find the hand in a (nearly) binary picture.

    Returns
    -------
    The best hand, in image widths of ``picture``, if it is good enough; its landmarks are the
    median of all looks, its ``score`` the weakest presence in them.
    """
    figure = _figure(picture)
    if _corners(figure.mask) < FEWEST_CORNERS:
        return []
    best, least = None, LARGEST_SPREAD
    for scene, candidate in _candidates(detector, figure):
        hand, spread = _steadied(detector, scene, candidate)
        if spread < least and _is_hand(scene.mask, hand):
            best, least = scene.without_border(hand), spread
        if least <= GOOD_SPREAD:
            break
    return [] if best is None else [figure.in_picture(best, picture.shape[1])]


def _corners(mask: NDArray[np.float32]) -> int:
    """Return in how many corners the outline of the largest piece may be drawn."""
    figure = (mask > 0.5).astype(np.uint8)
    outlines, _ = cv2.findContours(figure, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return 0
    outline = max(outlines, key=cv2.contourArea)
    return len(cv2.approxPolyDP(outline, 0.01 * cv2.arcLength(outline, True), True))


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


def _scene(figure: _Figure, share: float) -> _Scene:
    mask = figure.mask
    x, y = (round(side * share) for side in mask.shape[::-1])
    wide = np.asarray(cv2.copyMakeBorder(mask, y, y, x, x, cv2.BORDER_REPLICATE), np.float32)
    lit = tuple(relight(wide, ground, figure.smoothing) for ground in GROUNDS)
    return _Scene((wide > 0.5).astype(np.uint8), lit, (x, y))


def _candidates(detector: HandDetector, figure: _Figure) -> Iterator[tuple[_Scene, Hand]]:
    """Find palms in all scenes, turned this way and that; the likeliest scenes come first."""
    scenes = [_scene(figure, share) for share in BORDERS]
    for turn in TURNS:
        for scene in scenes:
            height, width = scene.mask.shape
            there = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0)
            back = cv2.invertAffineTransform(there)
            for lit in scene.lit:
                view = lit
                if turn:
                    view = cv2.warpAffine(
                        lit, there, (width, height), borderMode=cv2.BORDER_REPLICATE
                    )
                hands = detector.detect(
                    np.asarray(view, np.uint8),
                    min_confidence=_LOW_CONFIDENCE,
                    min_presence=_LOW_PRESENCE,
                )
                for hand in hands:
                    image = hand.image.copy()
                    points = image[:, :2] * width
                    image[:, :2] = (points @ back[:, :2].T + back[:, 2]) / width
                    yield scene, replace(hand, image=image)


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
