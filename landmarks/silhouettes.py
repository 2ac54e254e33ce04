"""Masks lit as if they were skin: bright in the middle, darker towards the outline.

No network has learnt from masks; relighting gives them the shade of something round.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .detector import HandDetector
from .hand_transforms import HandTransform
from .hands import HAND_CONNECTIONS, Hand, HandLandmark, Pixels
from .transforms import PictureTransform, turn

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
class SilhouetteFigure:
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


def figure_of(picture: Pixels) -> SilhouetteFigure:
    """Cut the figure out of a (nearly) binary picture."""
    mask = mask_of(picture)
    (x, y), (right, bottom) = _box(mask)
    part = mask[y:bottom, x:right]
    scale = SIDE / max(part.shape)
    size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = np.asarray(cv2.resize(part, size, interpolation=method), np.float32)
    return SilhouetteFigure(scaled, scale, (x, y))


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


# Whether the outline of a mask may be that of a hand, judged before anything is looked for in it.
#
# A hand is one piece with many soft corners: round finger tips, valleys between them, and an arm
# that may be cut off at the border of the picture. Blots, polygons and what is put together of
# ellipses are bent too little, too much, or too evenly. The limits let pass 528 of 528 silhouettes
# and 565 of the masks of 574 photos, and most hands as small as 28 pixels
# (``docs/decisions/silhouettes.md``).


LEAST_IN_ONE_PIECE = 0.7
"""Share of the figure that its largest piece makes."""

MOST_CUT_OFF = 0.27
"""Share of the outline that lies on the border of the picture."""

FEWEST_CORNERS, FEWEST_SURE_CORNERS = 13, 11
"""In how many corners the outline may be drawn, to 0.4 % of its length, if it is smoothed; and if
besides three quarters of a pixel of the picture are let pass, as the steps of pixels are no
corners."""

LOWER_BEND, MIDDLE_BEND, UPPER_BEND = (-2.05, 0.25), 1.55, 4.0
"""The quartiles of the bend of the outline: a quarter of it is straight or bent inwards, though not
sharply, half of it is hardly bent outwards, and most of it not sharply. A bend is in radians per
square root of the area, outwards positive; a circle has 1.77 everywhere."""

STRAIGHT, SHARE_STRAIGHT = 0.4, (0.07, 0.4)
"""Which bend counts as none, either way, and how much of the outline has none: of a polygon it is
more, of ellipses and blots less."""

_TOLERANCE, _PIXELS_LET_PASS, _SMOOTHED = 0.004, 0.75, 0.08


def may_be_hand(figure: SilhouetteFigure) -> bool:
    """Say whether the largest piece of a figure is shaped like a hand."""
    pieces = _outlines(figure, max(3.0, 0.7 * figure.scale))
    areas = [cv2.contourArea(piece) for piece in pieces]
    if not areas or max(areas) <= 0 or max(areas) < LEAST_IN_ONE_PIECE * sum(areas):
        return False
    outline = pieces[int(np.argmax(areas))]
    if _corners(outline, 0.0) < FEWEST_CORNERS:
        return False
    height, width = figure.mask.shape
    x, y = outline.T
    cut_off = (np.minimum(x, width - 1 - x) <= 1) | (np.minimum(y, height - 1 - y) <= 1)
    if cut_off.mean() > MOST_CUT_OFF:
        return False
    sharp = max(_outlines(figure, max(1.5, 0.35 * figure.scale)), key=cv2.contourArea)
    if _corners(sharp, _PIXELS_LET_PASS * figure.scale) < FEWEST_SURE_CORNERS:
        return False
    bend = bends(outline)[~cut_off]
    lower, middle, upper = np.quantile(bend, (0.25, 0.5, 0.75))
    straight = (abs(bend) < STRAIGHT).mean()
    return bool(
        LOWER_BEND[0] <= lower <= LOWER_BEND[1]
        and middle <= MIDDLE_BEND
        and upper <= UPPER_BEND
        and SHARE_STRAIGHT[0] <= straight <= SHARE_STRAIGHT[1]
    )


def bends(outline: NDArray[Any]) -> NDArray[np.float64]:
    """Return how sharply a closed outline is bent at each of its points.

    Parameters
    ----------
    outline
        (n, 2) x and y of neighbouring pixels.

    Returns
    -------
    (n,) in radians per square root of the area, outwards positive. The outline is smoothed before,
    over 0.08 of that length.
    """
    points = outline[:, 0] + 1j * outline[:, 1]
    closed = np.append(points, points[0])
    along = np.append(0.0, np.cumsum(abs(np.diff(closed))))
    even = np.interp(np.linspace(0, along[-1], len(points), endpoint=False), along, closed)
    unit = np.sqrt(cv2.contourArea(outline))
    waves = np.fft.fftfreq(len(even), along[-1] / len(even) / unit)
    smooth = np.fft.ifft(np.fft.fft(even) * np.exp(-2 * (np.pi * waves * _SMOOTHED) ** 2))
    steps = np.roll(smooth, -1) - smooth
    turns = np.angle(steps / np.roll(steps, 1)) / (along[-1] / len(even) / unit)
    return np.asarray(turns * np.sign(turns.sum()), np.float64)


def _outlines(figure: SilhouetteFigure, smoothing: float) -> list[NDArray[np.int32]]:
    """Return the outlines of the pieces, (n, 2) each, of a figure smoothed by so many pixels."""
    mask = cv2.GaussianBlur(figure.mask, (0, 0), smoothing, borderType=cv2.BORDER_REPLICATE)
    pieces, _ = cv2.findContours(
        (mask > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    return [np.asarray(piece[:, 0], np.int32) for piece in pieces]


def _corners(outline: NDArray[np.int32], least: float) -> int:
    """Return in how many corners an outline may be drawn, so many pixels let pass at least."""
    tolerance = max(_TOLERANCE * cv2.arcLength(outline, True), least)
    return len(cv2.approxPolyDP(outline, tolerance, True))


# The hand in a binary picture: the mask is lit as if it were skin, then seen like a photo.
#
# The hand network is less sure of such pictures, and a mask of anything may look a little like a
# hand, so what is found is held against the mask: the hand that the landmarks describe has to
# account for it.


Mask = NDArray[np.uint8]

BORDERS = (0.25, 0.6)
"""Widths of the border that are tried, in sides of the picture."""

TURNS = (0, -35, 35, -90, 90, 180)
"""Turns that are tried, in degrees, clockwise positive."""

_LOW_CONFIDENCE, _LOW_PRESENCE = 0.05, 0.02

LOOKS = (
    HandTransform(),
    HandTransform(scale=1.1, flip=True),
    HandTransform(turn=20, scale=0.95),
    HandTransform(turn=-20, flip=True),
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


def _scene(figure: SilhouetteFigure, share: float) -> _Scene:
    mask = figure.mask
    x, y = (round(side * share) for side in mask.shape[::-1])
    wide = np.asarray(cv2.copyMakeBorder(mask, y, y, x, x, cv2.BORDER_REPLICATE), np.float32)
    lit = tuple(relight(wide, ground, figure.smoothing) for ground in GROUNDS)
    return _Scene((wide > 0.5).astype(np.uint8), lit, (x, y))


def _candidates(detector: HandDetector, figure: SilhouetteFigure) -> Iterator[tuple[_Scene, Hand]]:
    """Find palms in all scenes, turned this way and that; the likeliest scenes come first."""
    scenes = [_scene(figure, share) for share in BORDERS]
    for degrees in TURNS:
        for scene in scenes:
            for lit in scene.lit:
                upright = PictureTransform(lit, np.eye(2, 3))
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
