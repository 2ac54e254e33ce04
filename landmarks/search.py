"""Finding the hand where one plain call misses it.

MediaPipe's palm detector was trained on whole scenes and misses most tight crops: of 2,060
100x100 pictures of digits it finds 79 %. A search tries stages, cheapest first, until one finds
a hand; the stage is stored with the landmarks, so that anybody can filter by it. A later stage is
one more line in :data:`STAGES`, and earns it by what it finds in pictures with a hand *and* by
what it does not find in pictures without one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .detector import DEFAULT_CONFIDENCE, HandDetector
from .hands import Hand, Pixels

LOW_CONFIDENCE = 0.1
SMALLEST, LARGEST = 256, 640
"""The long side, in pixels, to which a picture is scaled before it is padded."""


@dataclass(frozen=True)
class View:
    """A picture made from another one, and the way back."""

    pixels: Pixels
    """(height, width, 3) RGB."""

    to_original: NDArray[np.float64]
    """(2, 3) affine matrix from pixels of this view to pixels of the original: a similarity."""


@dataclass(frozen=True)
class Stage:
    """One way to look at a picture."""

    name: str
    view: Callable[[Pixels], View]
    min_confidence: float


def as_it_is(picture: Pixels) -> View:
    """Return the picture itself."""
    return View(picture, np.eye(2, 3))


def padded(share: float) -> Callable[[Pixels], View]:
    """Return a view scaled to a middling size, with its borders repeated outwards.

    Parameters
    ----------
    share
        Width of the added border on each side, as a share of the side.
    """

    def view(picture: Pixels) -> View:
        height, width = picture.shape[:2]
        longest = max(height, width)
        scale = min(max(longest, SMALLEST), LARGEST) / longest
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        scaled = cv2.resize(picture, size, interpolation=method) if scale != 1 else picture
        x, y = round(size[0] * share), round(size[1] * share)
        pixels = cv2.copyMakeBorder(scaled, y, y, x, x, cv2.BORDER_REPLICATE)
        # It will not change any more, so a detector may keep what it has worked out about it.
        pixels.flags.writeable = False
        back = np.array(
            [
                [width / size[0], 0, -x * width / size[0]],
                [0, height / size[1], -y * height / size[1]],
            ]
        )
        return View(pixels, back)

    return view


_PADDED_25 = padded(0.25)

STAGES: tuple[Stage, ...] = (
    Stage("as it is", as_it_is, DEFAULT_CONFIDENCE),
    Stage("padded by 25 %", _PADDED_25, DEFAULT_CONFIDENCE),
    Stage("padded by 25 %, low thresholds", _PADDED_25, LOW_CONFIDENCE),
    Stage("padded by 50 %, low thresholds", padded(0.5), LOW_CONFIDENCE),
)
"""All stages, cheapest first; a stage's number is its place here."""


def search(detector: HandDetector, picture: Pixels, stages: Sequence[Stage] = STAGES) -> list[Hand]:
    """Find hands by the first stage that finds any.

    Parameters
    ----------
    detector
        An open detector.
    picture
        (height, width, 3) RGB.
    stages
        What to try, in this order; the number of a stage is its place.

    Returns
    -------
    Hands in image widths of ``picture``, each with the stage that found it; empty if none did.
    """
    views: dict[Callable[[Pixels], View], View] = {}
    for number, stage in enumerate(stages):
        if stage.view not in views:
            views = {stage.view: stage.view(picture)}
        view = views[stage.view]
        hands = detector.detect(view.pixels, min_confidence=stage.min_confidence)
        if hands:
            return [mapped_back(hand, view, picture).with_stage(number) for hand in hands]
    return []


def mapped_back(hand: Hand, view: View, picture: Pixels) -> Hand:
    """Return a hand found in a view, in image widths of the original picture."""
    view_width, width = view.pixels.shape[1], picture.shape[1]
    pixels = hand.image.astype(np.float64) * view_width
    matrix = view.to_original
    image = np.empty_like(hand.image)
    image[:, :2] = (pixels[:, :2] @ matrix[:, :2].T + matrix[:, 2]) / width
    image[:, 2] = pixels[:, 2] * np.hypot(*matrix[:, 0]) / width
    return replace(hand, image=image)
