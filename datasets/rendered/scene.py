"""The scene of a hand: viewpoint, place in the picture, light, background, camera."""

from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from .gestures import Keyframe, Pose
from .hand import Floats

Side = Literal["right", "left"]
_Background = Literal["plain", "gradient", "noise", "room"]
BACKGROUNDS: tuple[_Background, ...] = get_args(_Background)


@dataclass(frozen=True)
class Scene:
    """Everything about a picture that is neither the pose nor the person."""

    hand: Side = "right"
    """A left hand is the mirror image of the right one, about its own place."""
    yaw: float = 0.0
    """Degrees about the picture's vertical, like `pitch` (its horizontal) and `roll` (clockwise in
    the picture); zero shows the palm with the fingers up."""
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.5
    """Centre of the hand, as a share of the picture's width; `y` of its height."""
    y: float = 0.52
    size: float = 0.27
    """Palm length as a share of the picture's shorter side, seen straight on."""
    distance: float = 0.6
    """Metres from the camera to the hand; near cameras show more perspective."""
    light: tuple[float, float, float] = (-0.35, -0.55, -0.75)
    """Direction to the lamp: x right, y down, z away from the camera."""
    brightness: float = 1.0
    background: _Background = "gradient"
    blur: float = 0.5
    """Standard deviation of the blur in pixels of a picture 320 wide."""
    noise: float = 3.0
    """Standard deviation of the sensor noise in grey levels of 255."""
    looseness: float = 0.0
    """Standard deviation by which the joints stray from the pose, degrees."""
    tempo: float = 1.0
    """Speed of movements against the usual one."""
    reach: float = 1.0
    """Length of the path of movements against the usual one."""
    seed: int = 0
    """Seeds the background, the noise and the joints' straying."""

    @classmethod
    def random(
        cls, rng: np.random.Generator, *, hand: Side | None = None, back: bool = False
    ) -> "Scene":
        """Draw a scene of the kind a webcam sees, and which hand it is, if it is not given.

        With ``back`` it shows the back of the hand, not the palm. Detectors then distinguish left
        from right, and find curled fingers, less well.
        """
        lamp = rng.normal((0.0, -0.5, -0.9), (0.45, 0.25, 0.15))
        sides: tuple[Side, Side] = ("right", "left")
        return cls(
            hand=hand or sides[int(rng.integers(2))],
            yaw=float(rng.uniform(-30, 30)) + 180.0 * back,
            pitch=float(rng.uniform(-20, 20)),
            roll=float(rng.uniform(-30, 30)),
            x=float(rng.uniform(0.46, 0.54)),
            y=float(rng.uniform(0.49, 0.55)),
            size=float(rng.uniform(0.20, 0.26)),
            distance=float(rng.uniform(0.45, 0.9)),
            light=(float(lamp[0]), float(lamp[1]), float(lamp[2])),
            brightness=float(rng.uniform(0.8, 1.1)),
            background=BACKGROUNDS[int(rng.integers(len(BACKGROUNDS)))],
            blur=float(rng.uniform(0.3, 0.9)),
            noise=float(rng.uniform(1.0, 5.0)),
            looseness=4.0,
            tempo=float(rng.uniform(0.85, 1.2)),
            reach=float(rng.uniform(0.85, 1.1)),
            seed=int(rng.integers(2**31)),
        )


# From the hand's frame to the camera's, and on to the picture.


def _rotation(yaw: float, pitch: float, roll: float) -> Floats:
    """Return the (3, 3) matrix of a turn by degrees, yaw first, roll last."""
    a, b, c = np.radians((yaw, pitch, roll))
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y)


@dataclass(frozen=True)
class _PinholeCamera:
    """A pinhole camera at the origin that looks along z."""

    width: int
    height: int
    focal: float
    """Pixels."""

    def project(self, points: Floats) -> Floats:
        """Project points (n, 3), in metres, x right, y down, z away from the camera.

        Returns (n, 3): column, row, and pixels per metre at the point's distance.
        """
        scale = self.focal / points[:, 2]
        return np.column_stack(
            [
                points[:, 0] * scale + 0.5 * self.width,
                points[:, 1] * scale + 0.5 * self.height,
                scale,
            ]
        )

    def image_landmarks(self, joints: Floats) -> NDArray[np.float32]:
        """Project 21 joints, (21, 3) metres before the camera, to image widths.

        z has the scale of x at the wrist's distance and is relative to the wrist.
        """
        pixels = self.project(joints)
        pixels[:, 2] = (joints[:, 2] - joints[0, 2]) * pixels[0, 2]
        return (pixels / self.width).astype(np.float32)


@dataclass(frozen=True)
class HandPlacement:
    """Where a hand is before a camera."""

    camera: _PinholeCamera
    turn: Floats
    """(3, 3): directions of a right hand's frame to the camera's; it mirrors for a left hand."""
    centre: Floats
    """(3,) metres in the hand's frame: the point that is at `position`."""
    position: Floats
    """(3,) metres in the camera's frame."""

    @classmethod
    def build(
        cls, scene: Scene, palm: float, size: tuple[int, int], pose: Pose, moment: Keyframe
    ) -> "HandPlacement":
        """Set the stage for a palm length in metres and a picture of size (width, height)."""
        width, height = size
        pixels_per_metre = scene.size * min(size) / palm
        camera = _PinholeCamera(width, height, pixels_per_metre * scene.distance)
        corner = np.array([(scene.x - 0.5) * width, (scene.y - 0.5) * height, 0.0])
        way = np.array(moment.shift) * palm * scene.reach
        mirror = np.diag([-1.0 if scene.hand == "left" else 1.0, 1.0, 1.0])
        shown = _rotation(scene.yaw, scene.pitch, scene.roll) @ _rotation(*pose.turn)
        return cls(
            camera=camera,
            turn=_rotation(0.0, 0.0, moment.roll) @ mirror @ shown,
            centre=np.array([0.0, -0.8 * palm, 0.0]),
            position=corner / pixels_per_metre + (0.0, 0.0, scene.distance) + way,
        )

    def place(self, points: Floats) -> Floats:
        """Bring points, (n, 3) metres in the hand's frame, to the camera's frame."""
        return np.asarray((points - self.centre) @ self.turn.T + self.position)

    def point(self, directions: Floats) -> Floats:
        """Bring directions, (n, 3) in the hand's frame, to the camera's frame."""
        return np.asarray(directions @ self.turn.T)


# What is behind the hand.

_SMALL = 12


def make_backdrop(
    kind: _Background, rng: np.random.Generator, size: tuple[int, int]
) -> NDArray[np.float32]:
    """Make a background of size (width, height): (height, width, 3), RGB, 0 to 255."""
    width, height = size
    base = _quiet_colour(rng)
    if kind == "plain":
        return np.broadcast_to(base, (height, width, 3)).copy()
    if kind == "gradient":
        corners = np.stack([base, _quiet_colour(rng), base * 0.8, _quiet_colour(rng)])
        return _grow(corners.reshape(2, 2, 3), size)
    if kind == "noise":
        return _grow(base + _clouds(rng), size)
    return _room(base, rng, size)


def _clouds(rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.normal(0, 14, (_SMALL, _SMALL, 1)) + rng.normal(0, 4, (_SMALL, _SMALL, 3))


def _quiet_colour(rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a colour with little red in it, unlike skin."""
    grey, cold = rng.uniform(45, 215), rng.uniform(0, 30, 3)
    return np.asarray(grey + cold * (-1.0, 0.3, 1.0), np.float32)


def _grow(small: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float32]:
    grown = cv2.resize(small.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(grown, 0, 255), np.float32)


def _room(
    base: NDArray[np.float32], rng: np.random.Generator, size: tuple[int, int]
) -> NDArray[np.float32]:
    width, height = size
    picture = np.broadcast_to(base, (height, width, 3)).copy()
    for _ in range(int(rng.integers(4, 9))):
        corner = rng.uniform((-0.2, -0.2), (0.9, 0.9)) * size
        extent = rng.uniform((0.1, 0.1), (0.6, 0.6)) * size
        start, end = corner.astype(int), (corner + extent).astype(int)
        colour = [float(c) for c in _quiet_colour(rng)]
        cv2.rectangle(picture, start.tolist(), end.tolist(), colour, -1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.01 * width), np.float32)
