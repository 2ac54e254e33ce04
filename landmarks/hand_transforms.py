"""Test-time augmentation of a known hand: the picture turned, scaled and mirrored around it.

A classifier that learns from several transforms of a picture, and averages its predictions over
them, is better on people it has not met. A transform needs no palm detection, only a warp through
the hand network.
"""

from dataclasses import dataclass

import numpy as np

LARGEST_TURN = 30.0
"""In degrees, either way."""

SCALES = (0.85, 1.2)
"""The side of the region, in sides of the one that tracking would use: smaller is nearer."""


@dataclass(frozen=True)
class HandTransform:
    """How a known hand is shown to the network."""

    turn: float = 0.0
    """By how much the region is turned against the hand, in degrees, clockwise positive."""

    scale: float = 1.0
    """Side of the region, in sides of the region that tracking would use."""

    flip: bool = False
    """Whether the network sees the mirror image."""


def plan_transforms(n_views: int, seed: int = 0) -> list[HandTransform]:
    """Return the same views for the same arguments.

    The first is the plain one, every second is mirrored, and the turns are spread evenly over
    their range, so that few views differ much. More views begin with the same random numbers but
    are spread afresh.

    Parameters
    ----------
    n_views
        How many.
    seed
        Another one gives other views.
    """
    if n_views != int(n_views) or n_views < 0:
        raise ValueError(f"n_views is {n_views}, expected a whole number, 0 or more")
    if n_views < 1:
        return []
    random = np.random.default_rng(seed)
    n_others = n_views - 1
    places = (random.permutation(n_others) + random.random(n_others)) / max(n_others, 1)
    scales = random.uniform(*SCALES, n_others)
    return [HandTransform()] + [
        HandTransform(float(LARGEST_TURN * (2 * place - 1)), float(scale), flip=number % 2 == 0)
        for number, (place, scale) in enumerate(zip(places, scales, strict=True))
    ]
