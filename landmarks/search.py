"""Finding the hand where a single call of the detector misses it.

MediaPipe's palm detector was trained on whole scenes and misses most tight crops: of 2,060
100x100 pictures of digits it finds 79 %. A search tries stages, cheapest first, until one finds
a hand; the number of the stage is stored with the landmarks, so that it can be filtered by.

Three things make the late stages work. Repeating the borders of a tight crop outwards makes a
scene of it; the smaller the picture, the wider the border. The threshold of the palm detector is
low there, that for the presence of a hand is the usual one. And what a late stage finds is
detected again in the region that its landmarks give: a real hand is found in the same place, a
false one is not.

Landmarks from the region of a palm are not the best ones: MediaPipe turns that region 27 degrees
away from the hand. So a hand that was found is settled: detected again where its landmarks are,
as tracking does from frame to frame. And in a tight crop the palm detector may take a part of the
hand for the whole, so the hand network also sees the whole picture, in four directions; the hand
whose presence is the most probable is returned.

In a dark picture the first stages see a brightened one. Late stages do not: in noise that is
amplified they find hands where there are none.

Small pictures are often enlarged or compressed ones, whose noise the networks see as edges: if
nothing was found, they are searched once more, smoothed. The networks have learnt from photos in
colour: large ones without any are searched once more, tinted, and what is found is looked at as
it is.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from math import isnan, nan

import numpy as np

from .brightness import brightened
from .detector import DEFAULT_CONFIDENCE, HandDetector, checked_detector, checked_picture
from .errors import InvalidArgumentError, require_type
from .geometry import palm_length
from .hands import N_LANDMARKS, Hand, HandLandmark, HandTransform, Pixels
from .silhouettes import find_in_silhouette, is_silhouette, relit
from .stages import (
    MIN_TILED_SIDE,
    SILHOUETTE_STAGE,
    SMOOTHED_STAGE,
    SMOOTHED_STAGES,
    STAGES,
    TINTED_STAGE,
    TINTED_STAGES,
    WHOLE_STAGE,
    Stage,
    is_greyscale,
    smoothed,
    tinted,
)

_CONFIRMING = (HandTransform(), HandTransform(turn=10, scale=1.1, flip=True))
"""How a hand that a late stage found is detected again."""
_PRESENCE_EACH, _PRESENCE_SUM = 0.5, 1.2
"""The presence that confirms a hand: under each of the two transforms, and in sum."""
_PASSES = 2
"""How often a hand is detected again to settle it."""
_DIRECTIONS = [HandTransform(turn=turn) for turn in (0.0, 90.0, -90.0, 180.0)]
"""How a hand that fills the picture may be turned."""
_LEAST_PRESENCE = 0.15
"""The presence from which a hand that fills the picture is looked at again."""
_PRESENCE_UNTINTED = 0.95
"""The presence, in the picture as it is, of a hand that was found in the tinted one. Only palms are
missed for want of colour: hands in grey photos have 0.96 to 0.997, false ones up to 0.92."""
_SAME_HAND = 0.5
"""Two hands are the same if their landmarks are closer than this, in palm lengths (median)."""
_TIGHT = 0.25
"""A palm that is longer than this share of the longer side belongs to a hand that fills it."""
_SURE = 0.98
"""A settled hand of this presence is not compared with one that fills the picture; 83 % of those
in small crops have it."""


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
        :data:`STAGES`, silhouettes are searched like other pictures.
    silhouette
        Whether the picture is a silhouette; default: decided by :func:`is_silhouette`.

    Returns
    -------
    Hands in image widths of ``picture``, each with the stage that found it and the probability of
    its presence as the score; empty if none did.

    Examples
    --------
    >>> pixels, _ = handlore.read_picture("photo.png")
    >>> with handlore.open_detector() as detector:
    ...     (hand,) = handlore.search(detector, pixels)
    >>> hand.image.shape, hand.stage
    ((21, 3), 0)
    """
    checked_detector(detector)
    require_type(picture, np.ndarray, "pixels, as `read_picture(FILE)[0]` returns them")
    if len(stages) < SILHOUETTE_STAGE:
        return _by_stages(detector, picture, stages)
    if is_silhouette(picture) if silhouette is None else silhouette:
        hands = find_in_silhouette(detector, picture)
        return [hand.with_stage(SILHOUETTE_STAGE) for hand in hands]
    found = _by_stages(detector, picture, stages) or _filling_alone(detector, picture)
    return found or _in_smoothed(detector, picture) or _in_tinted(detector, picture)


def _by_stages(detector: HandDetector, picture: Pixels, stages: Sequence[Stage]) -> list[Hand]:
    """Find hands by the first stage that finds any."""
    bright = brightened(checked_picture(picture))
    for number, stage in enumerate(stages):
        seen = bright if stage.brightened else picture
        for made in stage.transforms(seen):
            hands = detector.detect(
                made.pixels, min_confidence=stage.min_confidence, min_presence=DEFAULT_CONFIDENCE
            )
            found = [
                hand
                for hand in hands
                if not stage.confirmed
                or _is_confirmed(detector, made.pixels, hand, stage.max_shift)
            ]
            # Settled, a hand may be found to be on the other side.
            settled = [
                made.mapped_back(hand, picture.shape[1]).with_stage(number)
                for hand in _all_settled(detector, made.pixels, found)
                if detector.wants(hand)
            ]
            if settled:
                alone = len(stages) == 1 or stage.tiled
                return settled if alone else _or_filling(detector, seen, settled)
    return []


def _in_smoothed(detector: HandDetector, picture: Pixels) -> list[Hand]:
    """Find hands in a small picture whose noise and compression hide them."""
    if max(picture.shape[:2]) >= MIN_TILED_SIDE:
        return []
    smooth = brightened(smoothed(picture))
    found = _by_stages(detector, smooth, SMOOTHED_STAGES) or _filling_alone(detector, smooth)
    return [hand.with_stage(SMOOTHED_STAGE) for hand in found]


def _in_tinted(detector: HandDetector, picture: Pixels) -> list[Hand]:
    """Find hands in a large picture without colour."""
    if max(picture.shape[:2]) < MIN_TILED_SIDE or not is_greyscale(picture):
        return []
    hands = _by_stages(detector, tinted(picture), TINTED_STAGES)
    seen = [again for hand in hands for again in detector.detect_again(picture, hand)]
    return [hand.with_stage(TINTED_STAGE) for hand in seen if hand.score >= _PRESENCE_UNTINTED]


def as_searched(hand: Hand, picture: Pixels) -> Pixels:
    """Return the picture as it was when the hand was found: as it is, or changed alike."""
    if hand.stage == SILHOUETTE_STAGE:
        return relit(picture)
    if hand.stage == SMOOTHED_STAGE:
        return brightened(smoothed(picture))
    plain = hand.stage < len(STAGES) and STAGES[hand.stage].brightened
    return brightened(picture) if plain else picture


def augmented_hands(
    detector: HandDetector, picture: Pixels, slots: Sequence[Hand | None], n_transforms: int
) -> list[tuple[int, list[Hand | None]]]:
    """Detect the hand of each slot again, see :func:`_plan_transforms`.

    Each transform has a number, from 1 (0 would change nothing), and a hand in each slot; those
    under which none is detected are left out.
    """
    if not n_transforms or not any(slots):
        return []
    plan = _plan_transforms(n_transforms + 1)[1:]
    by_slot = [
        _detected_again(detector, picture, hand, plan) if hand else [None] * n_transforms
        for hand in slots
    ]
    found = enumerate(zip(*by_slot, strict=True), 1)
    return [(number, list(hands)) for number, hands in found if any(hands)]


def _detected_again(
    detector: HandDetector, picture: Pixels, hand: Hand, plan: Sequence[HandTransform]
) -> list[Hand | None]:
    """Return the hand under each transform; None where it is not detected."""
    found = detector.detect_again(as_searched(hand, picture), hand, plan)
    if isnan(hand.handedness):
        # A side that is unknown remains so under every transform.
        found = [replace(one, handedness=nan) for one in found]
    return [one if one.score >= DEFAULT_CONFIDENCE else None for one in found]


def _all_settled(detector: HandDetector, picture: Pixels, hands: list[Hand]) -> list[Hand]:
    """Return hands settled, unless two of them become the same."""
    settled = [_settled(detector, picture, hand) for hand in hands]
    pairs = combinations(settled, 2)
    same = any(_distance(one, other) < _SAME_HAND * palm_length(one.image) for one, other in pairs)
    return hands if same else settled


def _settled(detector: HandDetector, picture: Pixels, hand: Hand) -> Hand:
    """Return a hand as it is detected in the region that its own landmarks give."""
    for _ in range(_PASSES):
        (again,) = detector.detect_again(picture, hand)
        if not again.score >= DEFAULT_CONFIDENCE:
            break
        hand = again
    return hand


def _or_filling(detector: HandDetector, picture: Pixels, hands: list[Hand]) -> list[Hand]:
    """Return a hand that fills the picture, if it is more probable than the only one found."""
    found = hands[0]
    if len(hands) > 1 or found.score >= _SURE or not _is_tight(picture, found):
        return hands
    filling = _filling(detector, picture)
    if filling is None or filling.score <= found.score or not detector.wants(filling):
        return hands
    return [filling.with_stage(found.stage)]


def _filling_alone(detector: HandDetector, picture: Pixels) -> list[Hand]:
    """Return a hand that fills the picture, if it is confirmed, where no stage found any."""
    hand = _filling(detector, picture)
    if hand is None or not detector.wants(hand) or not _is_confirmed(detector, picture, hand, 0.5):
        return []
    return [hand.with_stage(WHOLE_STAGE)]


def _filling(detector: HandDetector, picture: Pixels) -> Hand | None:
    """Return the hand that the hand network sees in the whole picture, in its best direction."""
    seen = detector.detect_again(picture, _assumed(picture), _DIRECTIONS)
    best = max(seen, key=lambda hand: hand.score)
    return _settled(detector, picture, best) if best.score >= _LEAST_PRESENCE else None


def _assumed(picture: Pixels) -> Hand:
    """Return landmarks around which the region of a hand is the picture, and a little more."""
    height, width = picture.shape[:2]
    reach = 1.15 * max(height, width)
    image = np.zeros((N_LANDMARKS, 3), np.float32)
    image[:, :2] = width / 2, height / 2 - 0.2 * reach
    image[HandLandmark.WRIST, 1] = height / 2 + 0.3 * reach
    return Hand(image / width, np.zeros_like(image), nan, nan)


def _is_tight(picture: Pixels, hand: Hand) -> bool:
    """Say whether a picture shows little more than a hand, as far as can be seen from one in it."""
    longest = max(picture.shape[:2])
    palm = float(palm_length(hand.image)) * picture.shape[1]
    return longest < MIN_TILED_SIDE or hand.stage > 0 or palm > _TIGHT * longest


def _distance(one: Hand, other: Hand) -> float:
    return float(np.median(np.linalg.norm((one.image - other.image)[:, :2], axis=1)))


def _is_confirmed(detector: HandDetector, picture: Pixels, hand: Hand, max_shift: float) -> bool:
    """Say whether a hand is detected again in the region that its landmarks give."""
    found = detector.detect_again(picture, hand, _CONFIRMING)
    presence = [one.score for one in found]
    if min(presence) < _PRESENCE_EACH or sum(presence) < _PRESENCE_SUM:
        return False
    return bool(_distance(found[0], hand) <= max_shift * palm_length(found[0].image))


_MAX_TURN = 30.0
"""In degrees, either way."""

_SCALES = (0.85, 1.2)
"""Range of the side of the region, in sides of the one that tracking would use."""


def _plan_transforms(n_transforms: int, seed: int = 0) -> list[HandTransform]:
    """Return transforms, the same ones for the same arguments.

    The first changes nothing, every second one is mirrored, and the rotations are spread evenly
    over their range, so that even a few transforms differ much.
    """
    if n_transforms != int(n_transforms) or n_transforms < 0:
        raise InvalidArgumentError(
            f"n_transforms is {n_transforms}, expected a whole number, 0 or more"
        )
    if n_transforms < 1:
        return []
    random = np.random.default_rng(seed)
    n_others = n_transforms - 1
    places = (random.permutation(n_others) + random.random(n_others)) / max(n_others, 1)
    scales = random.uniform(*_SCALES, n_others)
    return [HandTransform()] + [
        HandTransform(float(_MAX_TURN * (2 * place - 1)), float(scale), flip=number % 2 == 0)
        for number, (place, scale) in enumerate(zip(places, scales, strict=True))
    ]
