"""Bones and people: from joint angles to the points of a hand in space.

The hand's frame is that of a right hand that stands with its palm to the camera: x right (the
thumb's side), y down (the fingers point to -y), z away (out of the back), origin at the wrist.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .poses import Pose

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
    thickness: float = 1.0
    """Thickness of fingers and palm against the usual one."""
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
        return cls(
            palm=float(rng.uniform(0.080, 0.104)),
            breadth=float(np.clip(rng.normal(1.0, 0.04), 0.92, 1.08)),
            thickness=float(np.clip(rng.normal(1.0, 0.06), 0.88, 1.14)),
            bones=tuple((float(a), float(b), float(c)) for a, b, c in bones),
            skin=(int(skin[0]), int(skin[1]), int(skin[2])),
            sleeve=(int(sleeve[0]), int(sleeve[1]), int(sleeve[2])) if rng.random() < 0.5 else None,
        )


def pose_hand(pose: Pose, person: Person) -> tuple[Floats, Floats]:
    """Compute where the landmarks of a posed right hand are.

    Returns
    -------
    joints : ndarray of shape (21, 3)
        Landmarks in metres in the hand's frame.
    backs : ndarray of shape (5, 3)
        Per finger, thumb first, the unit vector out of the nail.
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


def forearm_direction(pose: Pose) -> Floats:
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
