"""One hand as a detector reports it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan, nan

import numpy as np
from numpy.typing import NDArray

from .topology import N_LANDMARKS

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
            shape = getattr(self, name).shape
            if shape != (N_LANDMARKS, 3):
                raise ValueError(f"{name} has shape {shape}, expected ({N_LANDMARKS}, 3)")

    @property
    def side(self) -> str | None:
        """``left`` or ``right``, None where the detector does not say."""
        if isnan(self.handedness):
            return None
        return "right" if self.handedness >= 0.5 else "left"

    @property
    def clarity(self) -> float:
        """How sure the side is, from 0 (or unknown) to 0.5."""
        return 0.0 if isnan(self.handedness) else abs(self.handedness - 0.5)

    def with_stage(self, stage: int) -> "Hand":
        """Return the same hand, marked as found by another search stage."""
        return replace(self, stage=stage)


def by_slot(hands: Sequence[Hand], n_hands: int) -> list[Hand | None]:
    """Put detected hands into the slots of a dataset.

    With one slot the first hand takes it, whose palm was the clearest. With two, slot 0 is the
    left and slot 1 the right hand; of two hands on the same side the clearer one keeps it.
    """
    if n_hands == 1:
        return [hands[0] if hands else None]
    slots: list[Hand | None] = [None, None]
    for hand in sorted(hands[:2], key=lambda hand: -hand.clarity):
        side = 1 if hand.side == "right" else 0
        slots[side if slots[side] is None else 1 - side] = hand
    return slots
