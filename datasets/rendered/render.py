"""From a pose, a person and a scene to a picture with its ground truth."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .gestures import Keyframe, Pose, get_movement, get_pose
from .hand import Body, Person
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
    """Render a static pose of :data:`~.gestures.POSES`; ``size`` is width and height in pixels."""
    return render_at(get_pose(pose), Keyframe(), person, scene, size=size)


def render_movement(
    movement: str,
    person: Person,
    scene: Scene,
    *,
    fps: float = 30.0,
    size: tuple[int, int] = SIZE,
    painted: bool = True,
) -> Iterator[tuple[float, RenderedPicture]]:
    """Render a movement frame by frame as (seconds, picture).

    What is seen depends on the time alone; `fps` only says when it is looked at. Not painted, the
    pictures stay black.
    """
    moves = get_movement(movement)
    frames = int(moves.seconds / scene.tempo * fps + 1e-9) + 1
    for seconds in (k / fps for k in range(frames)):
        pose, moment = moves.at(seconds * scene.tempo)
        shown = render_at(
            pose, moment, person, scene, size=size, grain=round(seconds * 1e6), painted=painted
        )
        yield seconds, shown


def render_background(seed: int, *, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """Render a picture without a hand: (height, width, 3), RGB."""
    rng = np.random.default_rng([seed, 0xBAC])
    kind = BACKGROUNDS[int(rng.integers(len(BACKGROUNDS)))]
    return photograph(make_backdrop(kind, rng, size), 0.6, float(rng.uniform(1.0, 5.0)), rng)


def render_at(
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
    body = Body.build(_loosen(pose, scene), person)
    stage = HandPlacement.build(scene, person.palm, size, pose, moment)
    joints = stage.place(body.points[:21])
    black = np.zeros((size[1], size[0], 3), np.uint8)
    return RenderedPicture(
        pixels=paint(body, stage, person, scene, grain=grain) if painted else black,
        image=stage.camera.image_landmarks(joints),
        world=(joints - joints.mean(axis=0)).astype(np.float32),
        handedness=float(scene.hand == "right"),
    )


def _loosen(pose: Pose, scene: Scene) -> Pose:
    stray = np.random.default_rng([scene.seed, 0x10]).normal(0, 1, len(_PLAY)).clip(-2, 2)
    return Pose.from_vector(pose.to_vector() + stray * _PLAY * scene.looseness)
