"""The movements: a pose, the hand's way and its turn as functions of the time in seconds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from handlore.landmarks.errors import HandloreError

from .poses import Pose, get_pose


@dataclass(frozen=True)
class Moment:
    """Where the hand of a movement is, against its place in the scene."""

    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Palm lengths: x right in the picture, y down, z away from the camera."""
    roll: float = 0.0
    """Degrees, clockwise in the picture."""


@dataclass(frozen=True)
class Movement:
    """A movement as a function of time; directions are those of the unmirrored picture."""

    seconds: float
    poses: tuple[tuple[float, str], ...]
    """Shares of the duration and the names of the poses held there, in order."""
    path: Callable[[float], Moment]
    """From the share of the movement that is done, 0 to 1, to the moment."""

    def at(self, seconds: float) -> tuple[Pose, Moment]:
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


def _line(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Callable[[float], Moment]:
    """Go straight from minus the given point to plus it."""
    return lambda s: Moment((x * (2 * s - 1), y * (2 * s - 1), z * (2 * s - 1)))


def _wave(s: float) -> Moment:
    swing = float(np.sin(2 * np.pi * 2.5 * s))
    return Moment((0.25 * swing, 0.0, 0.0), 22.0 * swing)


def _dip(s: float) -> Moment:
    return Moment((0.0, 0.15 * float(np.sin(np.pi * s)), 0.0))


def _circle(s: float) -> Moment:
    angle = 2 * np.pi * s
    return Moment((0.8 * float(np.sin(angle)), -0.8 * float(np.cos(angle)), 0.0))


_OPEN = ((0.0, "open_palm"),)
_POINT = ((0.0, "point"),)

MOVEMENTS: Mapping[str, Movement] = MappingProxyType(
    {
        "circle": Movement(1.6, _POINT, _circle),
        "grab": Movement(1.2, ((0.2, "open_palm"), (0.75, "fist")), lambda _: Moment()),
        "push": Movement(1.2, _OPEN, _line(z=-1.4)),
        "release": Movement(1.2, ((0.2, "fist"), (0.75, "open_palm")), lambda _: Moment()),
        "swipe_down": Movement(1.0, _OPEN, _line(y=0.7)),
        "swipe_left": Movement(1.0, _OPEN, _line(x=-1.0)),
        "swipe_right": Movement(1.0, _OPEN, _line(x=1.0)),
        "swipe_up": Movement(1.0, _OPEN, _line(y=-0.7)),
        "tap": Movement(0.9, ((0.25, "point"), (0.5, "fist"), (0.75, "point")), _dip),
        "wave": Movement(1.8, _OPEN, _wave),
    }
)
"""The named movements, in palm lengths and seconds."""


def get_movement(name: str) -> Movement:
    """Return a movement by its name.

    Raises
    ------
    HandloreError
        If there is no such movement; the message lists the names.
    """
    if name not in MOVEMENTS:
        known = ", ".join(sorted(MOVEMENTS))
        raise HandloreError(f"no rendered movement {name!r}; there are {known}")
    return MOVEMENTS[name]
