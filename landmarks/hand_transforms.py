"""Test-time augmentation of a known hand: the picture turned, scaled and mirrored around it.

A classifier that learns from several transforms of a picture, and averages its predictions over
them, is better on people it has not met. A transform needs no palm detection, only a warp through
the hand network.
"""

from dataclasses import dataclass

import numpy as np

_MAX_TURN = 30.0
"""In degrees, either way."""

_SCALES = (0.85, 1.2)
"""Range of the side of the region, in sides of the one that tracking would use."""


@dataclass(frozen=True)
class HandTransform:
    """How the region around a known hand is changed before the network sees it."""

    turn: float = 0.0
    """Rotation of the region against the hand, in degrees, clockwise positive."""

    scale: float = 1.0
    """Side of the region, in sides of the region that tracking would use."""

    flip: bool = False
    """Whether the network sees the mirror image."""


def plan_transforms(n_transforms: int, seed: int = 0) -> list[HandTransform]:
    """Return transforms, the same ones for the same arguments.

    The first changes nothing, every second one is mirrored, and the rotations are spread evenly
    over their range, so that even a few transforms differ much.

    Parameters
    ----------
    n_transforms
        How many.
    seed
        Of the random numbers.
    """
    if n_transforms != int(n_transforms) or n_transforms < 0:
        raise ValueError(f"n_transforms is {n_transforms}, expected a whole number, 0 or more")
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
