"""The 21 landmarks of a hand: their names, their bones, their fingers.

The numbering is MediaPipe's, see "Hand landmark model bundle" in its hand landmarker guide.
"""

from enum import IntEnum

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

BONES: tuple[tuple[int, int], ...] = tuple(
    (0 if step == 0 else finger[step - 1], finger[step])
    for finger in FINGERS.values()
    for step in range(4)
)
"""The 20 bones (parent, child), finger by finger; the first of each finger starts at the wrist."""

HAND_CONNECTIONS: tuple[tuple[int, int], ...] = (
    *((0, 1), (1, 2), (2, 3), (3, 4)),
    *((0, 5), (5, 6), (6, 7), (7, 8)),
    *((5, 9), (9, 10), (10, 11), (11, 12)),
    *((9, 13), (13, 14), (14, 15), (15, 16)),
    *((13, 17), (17, 18), (18, 19), (19, 20)),
    (0, 17),
)
"""The 21 lines that MediaPipe draws: the fingers and the outline of the palm."""
