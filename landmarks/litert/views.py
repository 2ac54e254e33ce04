"""Looking again at a hand that is known, through the hand network alone."""

from collections.abc import Sequence
from math import radians

import numpy as np

from ..hands import Hand, Pixels
from ..handviews import HandView
from .hand import look, pixels_of
from .networks import Networks
from .regions import region_from_landmarks


def see_views(
    networks: Networks, picture: Pixels, hand: Hand, views: Sequence[HandView]
) -> list[Hand]:
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
