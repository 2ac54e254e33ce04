"""From a pose, a person and a scene to a picture with its ground truth."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..dataset import LabelledInterval
from .gestures import POSES, Keyframe, Pose, get_movement, get_pose
from .hand import Person, build_body
from .raster import paint, photograph
from .scene import BACKGROUNDS, HandPlacement, Scene, make_backdrop

SIZE = (320, 320)

# By how much each of a pose's angles may stray, against a scene's looseness: a finger has less
# play sideways than in its bend, and the turn belongs to the scene.
_PLAY = np.array([1.0] * 5 + [1.0, 1.0, 1.0, 0.4] * 4 + [1.0] * 2 + [0.0] * 3)


@dataclass(frozen=True)
class RenderedPicture:
    """A picture of one hand and where its landmarks are."""

    pixels: NDArray[np.uint8]
    """(height, width, 3), RGB."""
    image: NDArray[np.float32]
    """(21, 3) image landmarks in image widths: x right, y down, z with the scale of x, smaller is
    nearer, relative to the wrist."""
    world: NDArray[np.float32]
    """(21, 3) metres, origin at the mean of the landmarks, x right, y down, z away."""
    handedness: float
    """1 for a right hand, 0 for a left one."""


def render_pose(
    pose: str, person: Person, scene: Scene, *, size: tuple[int, int] = SIZE
) -> RenderedPicture:
    """Render a static pose.

    Parameters
    ----------
    size
        Width and height in pixels.

    Raises
    ------
    HandloreError
        If there is no such pose; the message lists the names.
    """
    return _render_at(get_pose(pose), Keyframe(), person, scene, size=size)


def render_movement(
    movement: str,
    person: Person,
    scene: Scene,
    *,
    fps: float = 30.0,
    size: tuple[int, int] = SIZE,
) -> Iterator[tuple[float, RenderedPicture]]:
    """Render a movement frame by frame as (seconds, picture).

    What is seen depends on the time alone; `fps` only says when it is looked at.

    Raises
    ------
    HandloreError
        If there is no such movement; the message lists the names.
    """
    moves = get_movement(movement)
    frames = int(moves.seconds / scene.tempo * fps + 1e-9) + 1
    for seconds in (k / fps for k in range(frames)):
        pose, moment = moves.at(seconds * scene.tempo)
        grain = round(seconds * 1e6)
        yield seconds, _render_at(pose, moment, person, scene, size=size, grain=grain)


def render_background(seed: int, *, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """Render a picture without a hand: (height, width, 3), RGB."""
    rng = np.random.default_rng([seed, 0xBAC])
    kind = BACKGROUNDS[int(rng.integers(len(BACKGROUNDS)))]
    return photograph(make_backdrop(kind, rng, size), 0.6, float(rng.uniform(1.0, 5.0)), rng)


def _render_at(
    pose: Pose,
    moment: Keyframe,
    person: Person,
    scene: Scene,
    *,
    size: tuple[int, int],
    grain: int = 0,
    painted: bool = True,
) -> RenderedPicture:
    """Render a hand at one moment of a movement; not painted, the picture stays black."""
    body = build_body(_loosen(pose, scene), person)
    stage = HandPlacement.build(scene, person.palm, size, pose, moment)
    joints = stage.place(body.points[:21])
    return RenderedPicture(
        pixels=paint(body, stage, person, scene, grain=grain) if painted else _black(size),
        image=stage.camera.image_landmarks(joints),
        world=(joints - joints.mean(axis=0)).astype(np.float32),
        handedness=float(scene.hand == "right"),
    )


def _black(size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.zeros((size[1], size[0], 3), np.uint8)


def _loosen(pose: Pose, scene: Scene) -> Pose:
    stray = np.random.default_rng([scene.seed, 0x10]).normal(0, 1, len(_PLAY)).clip(-2, 2)
    return Pose.from_vector(pose.to_vector() + stray * _PLAY * scene.looseness)


# Streams: one hand that makes movements, and rests, wanders and moves its fingers in between. The
# truth is known to the frame, for the test of recognisers.


_MEANINGLESS = 2.0
"""Seconds of meaningless movement between two movements, about."""

_WRIST = 0.25
"""Standard deviation of where the wrist wanders, in palm lengths."""


@dataclass(frozen=True)
class _StreamKey:
    """Where a hand is at one time; it moves smoothly from one to the next."""

    seconds: float
    angles: NDArray[np.float64]
    """Of the pose, see :meth:`.Pose.to_vector`."""
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
        Names of :data:`.MOVEMENTS`, in order; none at all for a hand that means nothing.
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
    size: tuple[int, int] = SIZE,
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
