"""Static poses, as joint angles in degrees written down by hand, and movements between them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import unknown_name

_Finger = tuple[float, float, float, float]
_Thumb = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class Pose:
    """The joint angles of a hand; all zero is a flat hand with the fingers parallel."""

    thumb: _Thumb
    """Metacarpal: away from the index side, towards the palm's front; bend of the second and the
    last joint; twist of the plane they bend in, from the palm's plane towards its front."""
    fingers: tuple[_Finger, _Finger, _Finger, _Finger]
    """Index to pinky: bend of the three joints from the palm outwards, then spread to the thumb's
    side."""
    wrist: tuple[float, float] = (0.0, 0.0)
    """The forearm's bend towards the palm's front and towards the thumb's side."""
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Yaw, pitch and roll of the pose as people usually show it; zero is the palm to the camera."""

    def to_vector(self) -> NDArray[np.float64]:
        """Return the 26 angles as one array, for blending and jitter."""
        return np.array(
            [*self.thumb, *(a for finger in self.fingers for a in finger), *self.wrist, *self.turn]
        )

    @classmethod
    def from_vector(cls, angles: NDArray[np.float64]) -> "Pose":
        """Make a pose of 26 angles in the order of `to_vector`."""
        a = [float(angle) for angle in angles]
        index, middle, ring, pinky = ((*a[k : k + 4],) for k in (5, 9, 13, 17))
        return cls(
            (a[0], a[1], a[2], a[3], a[4]),
            (_finger(*index), _finger(*middle), _finger(*ring), _finger(*pinky)),
            (a[21], a[22]),
            (a[23], a[24], a[25]),
        )


def _finger(root: float, middle: float, last: float, spread: float) -> _Finger:
    return (root, middle, last, spread)


def _straight(spread: float) -> _Finger:
    return (4.0, 5.0, 4.0, spread)


def _curled(spread: float) -> _Finger:
    return (78.0, 98.0, 62.0, spread)


_OPEN = (_straight(9), _straight(1), _straight(-7), _straight(-17))
_FIST = (_curled(4), _curled(1), _curled(-3), _curled(-7))

_THUMB_OUT: _Thumb = (44, 16, 6, 4, 20)
_THUMB_FAR: _Thumb = (58, 8, -4, -6, 20)
_THUMB_ACROSS: _Thumb = (18, 34, 42, 46, 8)
# Bent as in "four", the hand is mistaken for the other one: three fingers are nearly symmetric.
_THUMB_TO_PINKY: _Thumb = (16, 40, 25, 20, 0)
_THUMB_OVER: _Thumb = (22, 44, 30, 50, 22)

POSES: Mapping[str, Pose] = MappingProxyType(
    {
        "call": Pose(_THUMB_FAR, (_FIST[0], _FIST[1], _FIST[2], _straight(-20))),
        "fist": Pose(_THUMB_OVER, _FIST),
        "four": Pose(_THUMB_ACROSS, (_straight(8), _straight(1), _straight(-6), _straight(-14))),
        "gun": Pose(_THUMB_FAR, (_straight(3), _FIST[1], _FIST[2], _FIST[3])),
        "love": Pose(_THUMB_FAR, (_straight(8), _FIST[1], _FIST[2], _straight(-16))),
        "ok": Pose(
            (34, 36, 18, 30, 30), ((58, 52, 34, 4), _straight(2), _straight(-8), _straight(-20))
        ),
        "open_palm": Pose(_THUMB_OUT, _OPEN),
        "point": Pose(_THUMB_OVER, (_straight(3), _FIST[1], _FIST[2], _FIST[3])),
        "rock": Pose(_THUMB_OVER, (_straight(8), _FIST[1], _FIST[2], _straight(-16))),
        "three": Pose(
            _THUMB_TO_PINKY, (_straight(12), _straight(1), _straight(-11), (82, 99, 60, -8))
        ),
        "thumbs_up": Pose(_THUMB_FAR, _FIST, turn=(0, 0, -90)),
        "victory": Pose(_THUMB_OVER, (_straight(11), _straight(-6), _FIST[2], _FIST[3])),
    }
)
"""The named poses. A new one must differ from the others and be found by the detector."""


def get_pose(name: str) -> Pose:
    """Return a pose by its name."""
    if name not in POSES:
        raise unknown_name("rendered pose", name, sorted(POSES))
    return POSES[name]


# The movements: pose, path and turn of the hand as functions of the time in seconds.


@dataclass(frozen=True)
class Keyframe:
    """Where the hand of a movement is, against its place in the scene."""

    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Palm lengths: x right in the picture, y down, z away from the camera."""
    roll: float = 0.0
    """Degrees, clockwise in the picture."""


@dataclass(frozen=True)
class _Movement:
    """A movement as a function of time; directions are those of the unmirrored picture."""

    seconds: float
    poses: tuple[tuple[float, str], ...]
    """Shares of the duration and the names of the poses held there, in order."""
    path: Callable[[float], Keyframe]
    """From the share of the movement that is done, 0 to 1, to the moment."""

    def at(self, seconds: float) -> tuple[Pose, Keyframe]:
        """Return the pose and the moment at a time; before and after it the hand rests."""
        share = min(max(seconds / self.seconds, 0.0), 1.0)
        return self._pose(share), self.path(_ease(share, 0.12, 0.88))

    def _pose(self, share: float) -> Pose:
        turned = [get_pose(name).to_vector() for _, name in self.poses]
        result = turned[0]
        for k in range(1, len(turned)):
            done = _ease(share, self.poses[k - 1][0], self.poses[k][0])
            result = result + done * (turned[k] - turned[k - 1])
        return Pose.from_vector(result)


def _ease(share: float, start: float, end: float) -> float:
    """Go from 0 at `start` to 1 at `end`, at rest at both."""
    t = min(max((share - start) / (end - start), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


def _line(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Callable[[float], Keyframe]:
    """Go straight from minus the given point to plus it."""
    return lambda s: Keyframe((x * (2 * s - 1), y * (2 * s - 1), z * (2 * s - 1)))


def _wave(s: float) -> Keyframe:
    swing = float(np.sin(2 * np.pi * 2.5 * s))
    return Keyframe((0.25 * swing, 0.0, 0.0), 22.0 * swing)


def _dip(s: float) -> Keyframe:
    return Keyframe((0.0, 0.15 * float(np.sin(np.pi * s)), 0.0))


def _circle(s: float) -> Keyframe:
    angle = 2 * np.pi * s
    return Keyframe((0.8 * float(np.sin(angle)), -0.8 * float(np.cos(angle)), 0.0))


_OPEN_PALM = ((0.0, "open_palm"),)
_POINT = ((0.0, "point"),)

MOVEMENTS: Mapping[str, _Movement] = MappingProxyType(
    {
        "circle": _Movement(1.6, _POINT, _circle),
        "grab": _Movement(1.2, ((0.2, "open_palm"), (0.75, "fist")), lambda _: Keyframe()),
        "push": _Movement(1.2, _OPEN_PALM, _line(z=-1.4)),
        "release": _Movement(1.2, ((0.2, "fist"), (0.75, "open_palm")), lambda _: Keyframe()),
        "swipe_down": _Movement(1.0, _OPEN_PALM, _line(y=0.7)),
        "swipe_left": _Movement(1.0, _OPEN_PALM, _line(x=-1.0)),
        "swipe_right": _Movement(1.0, _OPEN_PALM, _line(x=1.0)),
        "swipe_up": _Movement(1.0, _OPEN_PALM, _line(y=-0.7)),
        "tap": _Movement(0.9, ((0.25, "point"), (0.5, "fist"), (0.75, "point")), _dip),
        "wave": _Movement(1.8, _OPEN_PALM, _wave),
    }
)
"""The named movements, in palm lengths and seconds."""


def get_movement(name: str) -> _Movement:
    """Return a movement by its name."""
    if name not in MOVEMENTS:
        raise unknown_name("rendered movement", name, sorted(MOVEMENTS))
    return MOVEMENTS[name]
