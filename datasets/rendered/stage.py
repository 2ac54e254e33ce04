"""From the hand's frame to the camera's, and on to the picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .anatomy import Floats
from .movements import Moment
from .poses import Pose
from .scene import Scene


def rotation(yaw: float, pitch: float, roll: float) -> Floats:
    """Return the (3, 3) matrix of a turn by degrees, yaw first, roll last."""
    a, b, c = np.radians((yaw, pitch, roll))
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y)


@dataclass(frozen=True)
class Camera:
    """A pinhole camera at the origin that looks along z."""

    width: int
    height: int
    focal: float
    """Pixels."""

    def project(self, points: Floats) -> Floats:
        """Project points to pixels.

        Parameters
        ----------
        points
            (n, 3) metres, x right, y down, z away from the camera.

        Returns
        -------
        ndarray of shape (n, 3)
            Column, row, and pixels per metre at the point's distance.
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
class Stage:
    """Where a hand stands before a camera."""

    camera: Camera
    turn: Floats
    """(3, 3): directions of a right hand's frame to the camera's; it mirrors for a left hand."""
    centre: Floats
    """(3,) metres in the hand's frame: the point that comes to stand at `position`."""
    position: Floats
    """(3,) metres in the camera's frame."""

    @classmethod
    def build(
        cls, scene: Scene, palm: float, size: tuple[int, int], pose: Pose, moment: Moment
    ) -> "Stage":
        """Set the stage for a palm length in metres and a picture of size (width, height)."""
        width, height = size
        pixels_per_metre = scene.size * min(size) / palm
        camera = Camera(width, height, pixels_per_metre * scene.distance)
        corner = np.array([(scene.x - 0.5) * width, (scene.y - 0.5) * height, 0.0])
        way = np.array(moment.shift) * palm * scene.reach
        mirror = np.diag([-1.0 if scene.hand == "left" else 1.0, 1.0, 1.0])
        shown = rotation(scene.yaw, scene.pitch, scene.roll) @ rotation(*pose.turn)
        return cls(
            camera=camera,
            turn=rotation(0.0, 0.0, moment.roll) @ mirror @ shown,
            centre=np.array([0.0, -0.8 * palm, 0.0]),
            position=corner / pixels_per_metre + (0.0, 0.0, scene.distance) + way,
        )

    def place(self, points: Floats) -> Floats:
        """Bring points, (n, 3) metres in the hand's frame, to the camera's frame."""
        return np.asarray((points - self.centre) @ self.turn.T + self.position)

    def point(self, directions: Floats) -> Floats:
        """Bring directions, (n, 3) in the hand's frame, to the camera's frame."""
        return np.asarray(directions @ self.turn.T)
