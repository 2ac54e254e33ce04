"""One look of the hand network at a region, in the frames of reference of the rest of handlore."""

from math import cos, sin

import numpy as np

from ..hands import FloatArray, Hand, Pixels
from .networks import HAND_SIZE, HandOutput, Networks
from .regions import Points, Region
from .warp import Matrix

Z_SCALE = 0.4
"""The network's z is divided by this times the side of its input:
mediapipe/tasks/cc/vision/hand_landmarker/hand_landmarks_detector_graph.cc."""


def look(networks: Networks, picture: Pixels, region: Region, *, flip: bool = False) -> Hand:
    """Return the hand in a region, whether there is one or not: ``score`` is its presence.

    Parameters
    ----------
    networks
        Open networks.
    picture
        (height, width, 3) RGB.
    region
        Where to look.
    flip
        Show the network the mirror image; the answer is mirrored back.
    """
    matrix = region.to_picture(HAND_SIZE, flip=flip)
    seen = networks.hand(picture, matrix)
    return Hand(
        image=_image(seen, matrix, region, picture.shape[1]),
        world=_world(seen, region, flip),
        handedness=1 - seen.right if flip else seen.right,
        score=seen.presence,
    )


def pixels_of(hand: Hand, picture: Pixels) -> Points:
    """Return the landmarks (21, 2) of a hand in pixels of its picture."""
    points: Points = hand.image[:, :2].astype(np.float64) * picture.shape[1]
    return points


def _image(seen: HandOutput, matrix: Matrix, region: Region, width: int) -> FloatArray:
    """mediapipe/calculators/util/landmark_projection_calculator.cc, in image widths."""
    (xx, xy, x), (yx, yy, y) = matrix.tolist()
    z = region.side / (HAND_SIZE * Z_SCALE)
    axes = np.array([[xx, yx, 0], [xy, yy, 0], [0, 0, z], [x, y, 0]]) / width
    image: FloatArray = (seen.image @ axes[:3] + axes[3]).astype(np.float32)
    return image


def _world(seen: HandOutput, region: Region, flip: bool) -> FloatArray:
    """mediapipe/calculators/util/world_landmark_projection_calculator.cc."""
    c, s = cos(region.rotation), sin(region.rotation)
    sign = -1.0 if flip else 1.0
    axes = np.array([[sign * c, -s, 0], [sign * s, c, 0], [0, 0, 1]], np.float32)
    world: FloatArray = seen.world @ axes.T
    return world
