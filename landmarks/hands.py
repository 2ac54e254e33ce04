"""A hand: its 21 landmarks, what a detector reports of it, and hands of many frames as arrays.

The numbering is MediaPipe's, see "Hand landmark model bundle" in its hand landmarker guide.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from math import isnan, nan
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from .errors import InvalidArgumentError

N_LANDMARKS = 21


class HandLandmark(IntEnum):
    """The landmarks in MediaPipe's order; each value is a row of a 21x3 array."""

    WRIST = 0
    THUMB_CMC = 1
    THUMB_MCP = 2
    THUMB_IP = 3
    THUMB_TIP = 4
    INDEX_FINGER_MCP = 5
    INDEX_FINGER_PIP = 6
    INDEX_FINGER_DIP = 7
    INDEX_FINGER_TIP = 8
    MIDDLE_FINGER_MCP = 9
    MIDDLE_FINGER_PIP = 10
    MIDDLE_FINGER_DIP = 11
    MIDDLE_FINGER_TIP = 12
    RING_FINGER_MCP = 13
    RING_FINGER_PIP = 14
    RING_FINGER_DIP = 15
    RING_FINGER_TIP = 16
    PINKY_MCP = 17
    PINKY_PIP = 18
    PINKY_DIP = 19
    PINKY_TIP = 20


FINGERS: dict[str, tuple[int, int, int, int]] = {
    "thumb": (1, 2, 3, 4),
    "index": (5, 6, 7, 8),
    "middle": (9, 10, 11, 12),
    "ring": (13, 14, 15, 16),
    "pinky": (17, 18, 19, 20),
}
"""The four landmarks of each finger, from the palm outwards."""

N_FINGERS = len(FINGERS)

HAND_CONNECTIONS: tuple[tuple[int, int], ...] = (
    *((0, 1), (1, 2), (2, 3), (3, 4)),
    *((0, 5), (5, 6), (6, 7), (7, 8)),
    *((5, 9), (9, 10), (10, 11), (11, 12)),
    *((9, 13), (13, 14), (14, 15), (15, 16)),
    *((13, 17), (17, 18), (18, 19), (19, 20)),
    (0, 17),
)
"""The 21 lines that MediaPipe draws: the fingers and the outline of the palm."""

FloatArray = NDArray[np.float32]
Pixels = NDArray[np.uint8]
"""A picture: (height, width, 3) RGB, 8 bit, not mirrored."""


@dataclass(frozen=True, eq=False)
class Hand:
    """One hand found in one picture."""

    image: FloatArray
    """(21, 3) image landmarks in image widths: x right, y down, z with the scale of x, smaller =
    nearer, 0 at the wrist."""
    world: FloatArray
    """(21, 3) world landmarks in metres: x right, y down, z away, origin at the hand's centre."""
    handedness: float
    """Probability that it is the person's right hand, NaN where the detector does not say."""
    score: float = nan
    """The detector's confidence that this is a hand, NaN where it does not say."""
    stage: int = 0
    """The search stage that found it; 0 is a plain call."""

    def __post_init__(self) -> None:
        for name in ("image", "world"):
            given = getattr(self, name)
            if not isinstance(given, np.ndarray) or given.shape != (N_LANDMARKS, 3):
                came = getattr(given, "shape", type(given).__name__)
                raise InvalidArgumentError(
                    f"{name} has shape {came}, expected an array ({N_LANDMARKS}, 3)"
                )

    @property
    def side(self) -> str | None:
        """``left`` or ``right``, None where the detector does not say."""
        if isnan(self.handedness):
            return None
        return "right" if self.handedness >= 0.5 else "left"

    @property
    def clarity(self) -> float:
        """Distance of the handedness from 0.5, at most 0.5; 0 if it is unknown."""
        return 0.0 if isnan(self.handedness) else abs(self.handedness - 0.5)

    def with_stage(self, stage: int) -> "Hand":
        """Return the same hand, marked as found by another search stage."""
        return replace(self, stage=stage)


def by_slot(hands: Sequence[Hand | None], n_hands: int) -> list[Hand | None]:
    """Put detected hands into the slots of a dataset.

    A single slot takes the first hand, whose palm has the highest score. Of two slots, slot 0 is
    for the left and slot 1 for the right hand; of two hands on the same side the one whose
    handedness is clearer takes it.
    """
    found = [hand for hand in hands if hand is not None]
    if n_hands == 1:
        return [found[0] if found else None]
    slots: list[Hand | None] = [None, None]
    for hand in sorted(found[:2], key=lambda hand: -hand.clarity):
        side = 1 if hand.side == "right" else 0
        slots[side if slots[side] is None else 1 - side] = hand
    return slots


class HandArrays(NamedTuple):
    """Hands of some frames as arrays; NaN where a slot is empty."""

    image: FloatArray
    world: FloatArray
    """(n_frames, n_hands, 21, 3) in image widths, and in metres."""
    handedness: FloatArray
    score: FloatArray
    stage: NDArray[np.int8]
    """(n_frames, n_hands); the stage is -1 where the slot is empty."""

    @classmethod
    def empty(cls, n_frames: int, n_hands: int) -> Self:
        """Return arrays of empty slots, to be filled in."""
        shape = n_frames, n_hands
        image = np.full((*shape, N_LANDMARKS, 3), np.nan, np.float32)
        handedness = np.full(shape, np.nan, np.float32)
        stage = np.full(shape, -1, np.int8)
        return cls(image, image.copy(), handedness, handedness.copy(), stage)


def stack_hands(frames: Sequence[Sequence[Hand | None]]) -> HandArrays:
    """Return as arrays the hand in each slot of each frame, None where the slot is empty.

    There are as many slots as the frame with most has, and at least one.
    """
    arrays = HandArrays.empty(len(frames), max([1, *map(len, frames)]))
    for frame, slots in enumerate(frames):
        for slot, hand in enumerate(slots):
            if hand is not None:
                place = frame, slot
                arrays.image[place], arrays.world[place] = hand.image, hand.world
                arrays.handedness[place], arrays.score[place] = hand.handedness, hand.score
                arrays.stage[place] = hand.stage
    return arrays


def majority_side(handedness: FloatArray) -> str | None:
    """Return the side, ``left`` or ``right``, that most hands have; a tie is ``right``.

    Probabilities of a right hand may have any shape; NaN is not counted, None if all are NaN.
    """
    known = handedness[~np.isnan(handedness)]
    if not known.size:
        return None
    return "right" if 2 * np.count_nonzero(known >= 0.5) >= known.size else "left"


@dataclass(frozen=True)
class HandTransform:
    """How the region around a known hand is changed before the hand network sees it.

    A classifier that is trained on several transforms of each picture, and averages its predictions
    over several (test-time augmentation), is more accurate on people it has not seen. A transform
    costs one pass of the hand network and no palm detection.
    """

    turn: float = 0.0
    """Rotation of the region against the hand, in degrees, clockwise positive."""
    scale: float = 1.0
    """Side of the region, in sides of the region that tracking would use."""
    flip: bool = False
    """Whether the network sees the mirror image."""
