"""Renderings of a picture whose hand is known: turned, scaled, mirrored, each seen afresh.

A classifier that learns from several views of a picture, and averages its answers over them, is
better on people it has not met. A view needs no palm detection, only a warp through the hand
network.
"""

from dataclasses import dataclass
from math import radians

import numpy as np

from ..hands import Hand, Pixels
from .hand import look, pixels_of
from .networks import Networks
from .regions import region_from_landmarks

LARGEST_TURN = 30.0
"""In degrees, either way."""

SCALES = (0.85, 1.2)
"""The side of the region, in sides of the one that tracking would use: smaller is nearer."""


@dataclass(frozen=True)
class View:
    """How a known hand is shown to the network."""

    turn: float = 0.0
    """By how much the region is turned against the hand, in degrees, clockwise positive."""

    scale: float = 1.0
    """Side of the region, in sides of the region that tracking would use."""

    flip: bool = False
    """Whether the network sees the mirror image."""


def plan_views(n_views: int, seed: int = 0) -> list[View]:
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
    return [View()] + [
        View(float(LARGEST_TURN * (2 * place - 1)), float(scale), flip=number % 2 == 0)
        for number, (place, scale) in enumerate(zip(places, scales, strict=True))
    ]


def see_views(networks: Networks, picture: Pixels, hand: Hand, views: list[View]) -> list[Hand]:
    """Look at a known hand again in each view.

    Parameters
    ----------
    networks
        Open networks.
    picture
        (height, width, 3) RGB.
    hand
        The hand in this picture.
    views
        How to look.

    Returns
    -------
    One hand for each view, in the frames of reference of the picture: nothing is left turned,
    scaled or mirrored. ``score`` says how sure the network is that it saw a hand.
    """
    points = pixels_of(hand, picture)
    if not np.isfinite(points).all():
        raise ValueError("the hand has landmarks that are not numbers: no view can be taken of it")
    region = region_from_landmarks(points)
    return [
        look(
            networks, picture, region.turned(radians(view.turn), view.scale), flip=view.flip
        ).with_stage(hand.stage)
        for view in views
    ]
