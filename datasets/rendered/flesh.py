"""What is around the bones: a hand's body as tapered capsules."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.topology import FINGERS, HandLandmark

from .anatomy import Floats, Person, forearm_direction, pose_hand
from .poses import Pose

SLEEVE, ARM, PALM, THUMB = 0, 1, 2, 3
"""Parts of the body; the fingers are THUMB + 0 ... THUMB + 4."""


@dataclass(frozen=True)
class Capsule:
    """A tapered rod with round ends between two points of a body."""

    start: int
    end: int
    start_radius: float
    """Palm lengths, like `end_radius`."""
    end_radius: float
    part: int


@dataclass(frozen=True)
class Body:
    """A posed hand with its forearm in the hand's frame."""

    points: Floats
    """(n, 3) metres: the 21 landmarks, then the auxiliary points of `_POINTS`."""
    backs: NDArray[np.float64]
    """(5, 3) unit vectors out of the nails."""
    creases: tuple[Floats, ...]
    """Lines on the palm, each (n, 3) metres."""
    capsules: tuple[Capsule, ...]


_POINTS = {
    name: 21 + k
    for k, name in enumerate(
        (
            *("wrist_thumb", "wrist_pinky", "arm_thumb", "arm_pinky", "cuff", "elbow"),
            *("heel_thumb", "heel_pinky", "ball", "web", "edge"),
            *(f"{finger}_end" for finger in FINGERS),
            *("pad_index", "pad_middle", "pad_ring", "pad_pinky"),
            *("knuckle_index", "knuckle_middle", "knuckle_ring", "knuckle_pinky"),
        )
    )
}


def _palm() -> list[Capsule]:
    p = _POINTS
    mcp = [int(finger[0]) for name, finger in FINGERS.items() if name != "thumb"]
    heels = (p["heel_thumb"], 0, 0, p["heel_pinky"])
    rods = [Capsule(h, m, 0.17, 0.125, PALM) for h, m in zip(heels, mcp, strict=True)]
    rods += [
        Capsule(a, b, 0.15, 0.15, PALM)
        for a, b in pairwise(range(p["pad_index"], 1 + p["pad_pinky"]))
    ]
    rods += [Capsule(m, p["knuckle_index"] + k, 0.12, 0.12, PALM) for k, m in enumerate(mcp)]
    return [
        *rods,
        Capsule(p["heel_thumb"], p["ball"], 0.18, 0.19, PALM),
        Capsule(p["ball"], HandLandmark.THUMB_MCP, 0.19, 0.125, PALM),
        Capsule(p["ball"], p["web"], 0.15, 0.09, PALM),
        Capsule(p["web"], HandLandmark.INDEX_FINGER_MCP, 0.09, 0.12, PALM),
        Capsule(p["heel_pinky"], p["edge"], 0.17, 0.14, PALM),
        Capsule(p["edge"], HandLandmark.PINKY_MCP, 0.14, 0.12, PALM),
        Capsule(p["heel_thumb"], p["heel_pinky"], 0.18, 0.17, PALM),
    ]


def _finger(name: str, *radii: float) -> list[Capsule]:
    """Wrap a finger, given the radii at its last joints and at its end."""
    bones = (*FINGERS[name][:3], _POINTS[f"{name}_end"])[-len(radii) :]
    part = THUMB + list(FINGERS).index(name)
    return [
        Capsule(a, b, ra, rb, part) for (a, ra), (b, rb) in pairwise(zip(bones, radii, strict=True))
    ]


_CAPSULES = (
    Capsule(_POINTS["wrist_thumb"], _POINTS["arm_thumb"], 0.19, 0.24, ARM),
    Capsule(0, _POINTS["elbow"], 0.19, 0.27, ARM),
    Capsule(_POINTS["wrist_pinky"], _POINTS["arm_pinky"], 0.19, 0.24, ARM),
    *_palm(),
    *_finger("thumb", 0.125, 0.115, 0.085),
    *_finger("index", 0.118, 0.100, 0.088, 0.074),
    *_finger("middle", 0.120, 0.102, 0.090, 0.076),
    *_finger("ring", 0.115, 0.096, 0.085, 0.072),
    *_finger("pinky", 0.105, 0.085, 0.074, 0.064),
)

_DRESSED = (*_CAPSULES, Capsule(_POINTS["cuff"], _POINTS["elbow"], 0.40, 0.46, SLEEVE))

# The lines of the palm, in palm lengths, on its front side.
_CREASES = tuple(
    np.array([(x, y, -0.15) for x, y in line])
    for line in (
        ((0.33, -0.66), (0.20, -0.66), (0.08, -0.56), (0.02, -0.40), (0.02, -0.22), (0.06, -0.08)),
        ((0.30, -0.68), (0.16, -0.65), (0.0, -0.56), (-0.16, -0.47), (-0.34, -0.42)),
        ((-0.48, -0.56), (-0.32, -0.64), (-0.14, -0.67), (0.0, -0.72), (0.10, -0.82)),
        ((-0.26, 0.10), (-0.10, 0.07), (0.10, 0.07), (0.25, 0.09)),
    )
)


def build_body(pose: Pose, person: Person) -> Body:
    """Pose a person's right hand and put flesh on it."""
    joints, backs = pose_hand(pose, person)
    points = np.vstack([joints, _auxiliary(joints, pose, person)])
    creases = tuple(line * person.palm * (person.breadth, 1.0, 1.0) for line in _CREASES)
    return Body(points, backs, creases, _CAPSULES if person.sleeve is None else _DRESSED)


def _auxiliary(joints: Floats, pose: Pose, person: Person) -> Floats:
    wide = person.palm * person.breadth
    elbow = forearm_direction(pose) * 3.2 * person.palm
    thumb_root, thumb_joint, index, pinky = joints[1], joints[2], joints[5], joints[17]
    side = np.array([wide, 0.0, 0.0])
    down = np.array([0.0, person.palm, 0.0])
    ball = 0.55 * thumb_root + 0.45 * thumb_joint - 0.04 * side
    ends = [joints[4 * k + 4] + 0.12 * (joints[4 * k + 3] - joints[4 * k + 4]) for k in range(5)]
    return np.array(
        [
            0.11 * side + 0.10 * down, -0.11 * side + 0.10 * down,
            0.15 * side + elbow, -0.15 * side + elbow, 0.34 * elbow, elbow,
            0.13 * side - 0.11 * down, -0.17 * side - 0.11 * down,
            ball, 0.5 * ball + 0.3 * index + 0.2 * thumb_joint,
            0.5 * pinky + np.array([-0.17, -0.07, 0.0]) * wide,
            *ends,
            *(joints[[5, 9, 13, 17]] + np.array([0.0, 0.0, -0.03]) * person.palm),
            *(joints[[5, 9, 13, 17]] + np.array([0.0, 0.02, 0.035]) * person.palm),
        ]
    )  # fmt: skip
