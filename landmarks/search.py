"""Finding the hand where one plain call misses it.

MediaPipe's palm detector was trained on whole scenes and misses most tight crops: of 2,060
100x100 pictures of digits it finds 79 %. A search tries stages, cheapest first, until one finds
a hand; the stage is stored with the landmarks, so that anybody can filter by it.

Three things make the late stages work. A tight crop becomes a scene by repeating its borders
outwards, and the smaller the picture the wider the border. The threshold of the palm detector
may then be low, as long as the hand network still sees a hand with the usual one. And what a late
stage finds is looked at once more, from where the landmarks say the hand is: a hand is seen
again in the same place, what only looked like one is not.

A stage is one more line in :data:`STAGES`, and earns it by what it finds in pictures with a hand
*and* by what it does not find in pictures without one (``benchmarks/search_stages.py``).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isnan, nan

import numpy as np

from .detector import DEFAULT_CONFIDENCE, HandDetector
from .geometry import palm_length
from .hand_transforms import HandTransform, plan_transforms
from .hands import Hand, Pixels
from .silhouettes import find_in_silhouette, is_silhouette, relit
from .transforms import PictureTransform, as_it_is, brightened, padded, reddened, tiles, turned

SECOND_LOOK = (HandTransform(), HandTransform(turn=10, scale=1.1, flip=True))
"""How a hand that a late stage found is looked at again."""

PRESENCE_EACH, PRESENCE_SUM = 0.5, 1.2
"""What the second look must show: presence in each view and in both together."""


@dataclass(frozen=True)
class Stage:
    """One way to look at a picture."""

    name: str
    views: Callable[[Pixels], Iterator[PictureTransform]]
    min_confidence: float
    """Threshold for the palm; that for the presence of a hand is always the usual one."""

    checked: bool = True
    """Whether what it finds must stand a second look."""

    largest_shift: float = 0.5
    """By how much landmarks may have moved at a second look, in palm lengths (median). Of a hand in
    a large picture they hardly move; of one in 28x28 pixels they do."""


STAGES: tuple[Stage, ...] = (
    Stage("as it is", as_it_is, DEFAULT_CONFIDENCE, checked=False),
    Stage("padded by 25 %", padded(0.25), DEFAULT_CONFIDENCE, checked=False),
    Stage("padded by 50 %", padded(0.5), 0.1),
    Stage("padded by 75 %", padded(0.75), 0.1),
    Stage("padded by 100 %", padded(1.0), 0.1),
    Stage("in skin colour, padded by 75 %", reddened(0.75), 0.1),
    Stage("tiles of a half", tiles(2), 0.1, largest_shift=0.1),
    Stage("tiles of a third", tiles(3), DEFAULT_CONFIDENCE, largest_shift=0.1),
    Stage("turned", turned(0.5, (90, -90, 180, 45, -45)), 0.1),
    Stage(
        "brightened, tiles of a half",
        brightened(tiles(2, padding=0.25)),
        0.25,
        largest_shift=0.1,
    ),
)
"""All stages for pictures, cheapest first; a stage's number is its place here."""

SILHOUETTE_STAGE = len(STAGES)
"""The number of the stage that relights silhouettes, the only one that they go through."""

STAGE_NAMES = (*(stage.name for stage in STAGES), "silhouette, relit")


def search(
    detector: HandDetector,
    picture: Pixels,
    stages: Sequence[Stage] = STAGES,
    *,
    silhouette: bool | None = None,
) -> list[Hand]:
    """Find hands by the first stage that finds any.

    Parameters
    ----------
    detector
        An open detector.
    picture
        (height, width, 3) RGB.
    stages
        What to try, in this order; the number of a stage is its place. With fewer than
        :data:`STAGES`, silhouettes are treated like other pictures.
    silhouette
        Whether the picture is a silhouette; default: look.

    Returns
    -------
    Hands in image widths of ``picture``, each with the stage that found it; empty if none did.
    """
    if len(stages) >= SILHOUETTE_STAGE:
        if silhouette is None:
            silhouette = is_silhouette(picture)
        if silhouette:
            hands = find_in_silhouette(detector, picture)
            return [hand.with_stage(SILHOUETTE_STAGE) for hand in hands]
    for number, stage in enumerate(stages):
        for view in stage.views(picture):
            hands = detector.detect(
                view.pixels, min_confidence=stage.min_confidence, min_presence=DEFAULT_CONFIDENCE
            )
            if stage.checked:
                hands = [
                    hand
                    for hand in hands
                    if stands_second_look(detector, view.pixels, hand, stage.largest_shift)
                ]
            if hands:
                return [
                    view.mapped_back(hand, picture.shape[1]).with_stage(number) for hand in hands
                ]
    return []


def transformed_search(hand: Hand, picture: Pixels) -> Pixels:
    """Return the picture as the stage saw it that found the hand: relit if it is a silhouette."""
    return relit(picture) if hand.stage == SILHOUETTE_STAGE else picture


def augmented_hands(
    detector: HandDetector, picture: Pixels, slots: Sequence[Hand | None], n_views: int
) -> list[tuple[int, list[Hand | None]]]:
    """Look at the hands that were found in a picture in more views, see :func:`plan_transforms`.

    Parameters
    ----------
    detector
        An open detector.
    picture
        (height, width, 3) RGB.
    slots
        The hand in each slot, see :func:`~.hands.by_slot`.
    n_views
        In how many views, beside the plain one in which they were found.

    Returns
    -------
    The number of each view, from 1, and the hand in each slot; views that show none are left out.
    """
    if not n_views or not any(slots):
        return []
    # The first of a plan is plain, and the picture has been seen like that.
    plan = plan_transforms(n_views + 1)[1:]
    looks = [_looks(detector, picture, hand, plan) if hand else [None] * n_views for hand in slots]
    views = [
        [look if look is not None and look.score >= DEFAULT_CONFIDENCE else None for look in view]
        for view in zip(*looks, strict=True)
    ]
    return [(number, view) for number, view in enumerate(views, 1) if any(view)]


def _looks(
    detector: HandDetector, picture: Pixels, hand: Hand, plan: Sequence[HandTransform]
) -> list[Hand | None]:
    looks = detector.look(transformed_search(hand, picture), hand, plan)
    if not isnan(hand.handedness):
        return list(looks)
    # What does not show its side once does not in other views either.
    return [None if look is None else replace(look, handedness=nan) for look in looks]


def stands_second_look(
    detector: HandDetector, picture: Pixels, hand: Hand, largest_shift: float
) -> bool:
    """Say whether a hand is seen again where its landmarks say that it is."""
    looks = detector.look(picture, hand, SECOND_LOOK)
    presence = [look.score for look in looks]
    if min(presence) < PRESENCE_EACH or sum(presence) < PRESENCE_SUM:
        return False
    moved = np.linalg.norm((looks[0].image - hand.image)[:, :2], axis=1)
    return bool(np.median(moved) <= largest_shift * palm_length(looks[0].image))
