"""Bones and people: from joint angles to the points of a hand in space.

The hand's frame is that of a right hand with its palm to the camera: x right (the
thumb's side), y down (the fingers point to -y), z away (out of the back), origin at the wrist.
"""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.hands import FINGERS, HandLandmark

from .gestures import Pose

Floats = NDArray[np.float64]

# Fitted so that MediaPipe finds its landmarks where the skeleton has them; palm lengths.
_KNUCKLES = np.array(
    [[0.24, -0.24, -0.10], [0.25, -0.97, -0.01], [0.0, -1.0, 0.0], [-0.22, -0.93, -0.01],
     [-0.41, -0.80, -0.04]]
)  # fmt: skip
_PHALANGES = (
    (0.35, 0.32, 0.26),
    (0.37, 0.24, 0.22),
    (0.42, 0.28, 0.23),
    (0.385, 0.265, 0.225),
    (0.29, 0.20, 0.20),
)
_SKINS = (
    (241, 205, 178), (232, 190, 160), (224, 172, 138), (203, 150, 113), (182, 126, 90),
    (150, 100, 68), (122, 80, 56),
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """What distinguishes one person's hands from another's."""

    palm: float = 0.092
    """Wrist to middle knuckle, metres."""
    breadth: float = 1.0
    """Width of the palm against the usual one."""
    bones: tuple[tuple[float, float, float], ...] = field(default=_PHALANGES)
    """Per finger, thumb first: its three bones from the palm outwards, in palm lengths."""
    skin: tuple[int, int, int] = (224, 172, 138)
    """Colour of the skin in full light, RGB."""
    sleeve: tuple[int, int, int] | None = None
    """Colour of the sleeve, RGB; None is a bare arm."""

    @classmethod
    def random(cls, seed: int) -> "Person":
        """Make up a person; the same seed is the same person."""
        rng = np.random.default_rng([seed, 0x9E50])
        fingers = rng.normal(1.0, 0.04) * rng.normal(1.0, 0.025, (5, 1))
        bones = np.clip(fingers * rng.normal(1.0, 0.015, (5, 3)), 0.88, 1.12) * _PHALANGES
        dark, light = sorted(rng.choice(len(_SKINS), 2))
        share = rng.uniform()
        skin = share * np.array(_SKINS[dark]) + (1 - share) * np.array(_SKINS[light])
        sleeve = np.clip(rng.uniform(30, 215) + rng.normal(0, 18, 3), 10, 235)
        palm, breadth = rng.uniform(0.080, 0.104), np.clip(rng.normal(1.0, 0.04), 0.92, 1.08)
        rng.normal()  # unused: without it, every seed would be another person
        return cls(
            palm=float(palm),
            breadth=float(breadth),
            bones=tuple((float(a), float(b), float(c)) for a, b, c in bones),
            skin=(int(skin[0]), int(skin[1]), int(skin[2])),
            sleeve=(int(sleeve[0]), int(sleeve[1]), int(sleeve[2])) if rng.random() < 0.5 else None,
        )


def _pose_hand(pose: Pose, person: Person) -> tuple[Floats, Floats]:
    """Return the landmarks (21, 3) of a posed right hand, in metres in the hand's frame.

    And for each finger (5, 3), thumb first, the unit vector out of the nail.
    """
    knuckles = _KNUCKLES * (person.breadth, 1.0, 1.0)
    joints = np.zeros((21, 3))
    backs = np.zeros((5, 3))
    for k in range(5):
        along, front, bends = _thumb_plane(pose) if k == 0 else _finger_plane(pose, k)
        angles = np.radians(np.cumsum(bends))[:, None]
        bones = np.asarray(person.bones[k])[:, None] * (
            np.cos(angles) * along + np.sin(angles) * front
        )
        joints[1 + 4 * k] = knuckles[k]
        joints[2 + 4 * k : 5 + 4 * k] = knuckles[k] + np.cumsum(bones, axis=0)
        backs[k] = np.sin(angles[-1]) * along - np.cos(angles[-1]) * front
    return joints * person.palm, backs


def _forearm_direction(pose: Pose) -> Floats:
    """Return the unit vector of shape (3,) from the wrist to the elbow in the hand's frame."""
    front, side = np.radians(pose.wrist)
    return np.array([np.sin(side) * np.cos(front), np.cos(side) * np.cos(front), -np.sin(front)])


def _finger_plane(pose: Pose, k: int) -> tuple[Floats, Floats, list[float]]:
    root, middle, last, spread = pose.fingers[k - 1]
    side = np.radians(spread)
    along = np.array([np.sin(side), -np.cos(side), 0.0])
    return along, np.array([0.0, 0.0, -1.0]), [root, middle, last]


def _thumb_plane(pose: Pose) -> tuple[Floats, Floats, list[float]]:
    away, front, middle, last, twist = pose.thumb
    a, f, t = np.radians((away, front, twist))
    along = np.array([np.sin(a) * np.cos(f), -np.cos(a) * np.cos(f), -np.sin(f)])
    across = np.array([-np.cos(a), -np.sin(a), 0.0])
    forward = np.cross(across, along)
    forward *= -np.sign(forward[2])
    return along, np.cos(t) * across + np.sin(t) * forward, [0.0, middle, last]


# What is around the bones: a hand's body as tapered capsules.

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

    @classmethod
    def build(cls, pose: Pose, person: Person) -> "Body":
        """Pose a person's right hand and put flesh on it."""
        joints, backs = _pose_hand(pose, person)
        points = np.vstack([joints, _auxiliary(joints, pose, person)])
        creases = tuple(line * person.palm * (person.breadth, 1.0, 1.0) for line in _CREASES)
        return cls(points, backs, creases, _CAPSULES if person.sleeve is None else _DRESSED)


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


def _auxiliary(joints: Floats, pose: Pose, person: Person) -> Floats:
    wide = person.palm * person.breadth
    elbow = _forearm_direction(pose) * 3.2 * person.palm
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
