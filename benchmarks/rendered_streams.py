"""Rendered streams: one hand that makes movements, with meaningless movement in between.

The truth is known to the frame, for the test of recognisers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LabelledInterval
from handlore.datasets.rendered import POSES, Keyframe, Person, Pose, RenderedPicture, Scene
from handlore.datasets.rendered.gestures import get_movement, get_pose
from handlore.datasets.rendered.render import _render_at

_MEANINGLESS = 2.0
"""Seconds of meaningless movement between two movements, about."""

_WRIST = 0.25
"""Standard deviation of where the wrist wanders, in palm lengths."""


@dataclass(frozen=True)
class _StreamKey:
    """Where a hand is at one time; it moves smoothly from one to the next."""

    seconds: float
    angles: NDArray[np.float64]
    """Of the pose, see :meth:`Pose.to_vector`."""
    shift: NDArray[np.float64]
    """Of the moment, (3,) palm lengths."""


@dataclass(frozen=True)
class Play:
    """What a hand does in a stream: keys while it means nothing, and movements in between."""

    keys: tuple[_StreamKey, ...]
    truths: tuple[LabelledInterval, ...]
    tempo: float
    seconds: float

    def at(self, seconds: float) -> tuple[Pose, Keyframe]:
        """Return the pose and the moment at a time."""
        for truth in self.truths:
            if truth.start <= seconds < truth.end:
                return get_movement(truth.label).at((seconds - truth.start) * self.tempo)
        place = int(np.searchsorted([key.seconds for key in self.keys], seconds, side="right"))
        if place in (0, len(self.keys)):
            key = self.keys[min(place, len(self.keys) - 1)]
            return Pose.from_vector(key.angles), _moment(key.shift)
        one, other = self.keys[place - 1], self.keys[place]
        share = (seconds - one.seconds) / max(other.seconds - one.seconds, 1e-9)
        eased = share * share * (3 - 2 * share)
        angles = one.angles + eased * (other.angles - one.angles)
        return Pose.from_vector(angles), _moment(one.shift + eased * (other.shift - one.shift))


def make_play(
    movements: Sequence[str],
    rng: np.random.Generator,
    meaningless: float = _MEANINGLESS,
    before: float = _MEANINGLESS,
) -> Play:
    """Make up a stream of movements.

    Parameters
    ----------
    movements
        Names of ``MOVEMENTS``, in order; none at all for a hand that means nothing.
    rng
        The same numbers make the same stream.
    meaningless
        About how many seconds of meaningless movement come after each.
    before
        How many come before the first.
    """
    tempo = float(rng.uniform(0.85, 1.2))
    keys, truths = [_drawn(0.0, rng)], []
    now = _wander(keys, before, rng)
    for name in movements:
        movement = get_movement(name)
        now += float(rng.uniform(0.3, 0.6))
        end = now + movement.seconds / tempo
        truths.append(LabelledInterval(name, now, end))
        for seconds, share in ((now, 0.0), (end, 1.0)):
            pose, moment = movement.at(share * movement.seconds)
            keys.append(_StreamKey(seconds, pose.to_vector(), np.array(moment.shift)))
        now = end + float(rng.uniform(0.1, 0.4))
        keys.append(_StreamKey(now, keys[-1].angles, keys[-1].shift))
        now = _wander(keys, float(meaningless * rng.uniform(0.6, 1.4)), rng)
    return Play(tuple(keys), tuple(truths), tempo, now)


def render_stream(
    play: Play,
    person: Person,
    scene: Scene,
    *,
    fps: float = 30.0,
    size: tuple[int, int],
    painted: bool = True,
) -> Iterator[tuple[float, RenderedPicture]]:
    """Render a stream frame by frame as (seconds, picture).

    Parameters
    ----------
    painted
        Paint the pictures; else they are black and only the landmarks count.
    """
    for seconds in np.arange(int(play.seconds * fps) + 1) / fps:
        pose, moment = play.at(float(seconds))
        grain = round(seconds * 1e6)
        yield (
            float(seconds),
            _render_at(pose, moment, person, scene, size=size, grain=grain, painted=painted),
        )


def _wander(keys: list[_StreamKey], seconds: float, rng: np.random.Generator) -> float:
    """Add keys for about so long; return when the last one is."""
    now, until = keys[-1].seconds, keys[-1].seconds + seconds
    while now < until:
        now += float(rng.uniform(0.25, 0.9))
        keys.append(_drawn(now, rng))
    return now


def _drawn(seconds: float, rng: np.random.Generator) -> _StreamKey:
    """Draw a hand whose fingers are bent each by itself, near the middle of the scene."""
    names = sorted(POSES)
    angles = get_pose("open_palm").to_vector()
    for finger in range(5):
        other = get_pose(names[int(rng.integers(len(names)))]).to_vector()
        part = slice(0, 5) if finger == 0 else slice(1 + 4 * finger, 5 + 4 * finger)
        share = float(rng.uniform(0, 1))
        angles[part] = angles[part] + share * (other[part] - angles[part])
    return _StreamKey(seconds, angles, rng.normal(0, _WRIST, 3))


def _moment(shift: NDArray[np.float64]) -> Keyframe:
    return Keyframe((float(shift[0]), float(shift[1]), float(shift[2])))
