"""What the tests of this room share: rendered hands as masks."""

import itertools

import cv2
import numpy as np
import pytest

from handlore.datasets.rendered import Person, Scene, render_pose
from handlore.landmarks.geometry import palm_length


@pytest.fixture
def mask_of_hand():
    """Return what draws a rendered hand as a mask."""
    return _mask_of_hand


def _mask_of_hand(pose, person=None):
    """Return a rendered hand as a white mask on black, with its true landmarks in widths."""
    picture = render_pose(pose, person or Person(), Scene(size=0.3))
    width = picture.pixels.shape[1]
    canvas = np.zeros(picture.pixels.shape[:2], np.uint8)
    marks = picture.image[:, :2] * width
    palm = palm_length(picture.image) * width
    for chain in (
        (0, 1, 2, 3, 4),
        (5, 6, 7, 8),
        (9, 10, 11, 12),
        (13, 14, 15, 16),
        (17, 18, 19, 20),
    ):
        for start, end in itertools.pairwise(chain):
            line = [tuple(int(v) for v in marks[k]) for k in (start, end)]
            cv2.line(canvas, *line, 255, max(3, int(0.2 * palm)))
    around = marks[[0, 1, 5, 9, 13, 17]].astype(np.int32)
    cv2.fillPoly(canvas, [around], 255)
    cv2.polylines(canvas, [around], True, 255, max(3, int(0.25 * palm)))
    return np.repeat(canvas[..., None], 3, axis=2), picture.image
