"""How a hand is shown: viewpoint, place in the picture, light, background, camera."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Hand = Literal["right", "left"]
Background = Literal["plain", "gradient", "noise", "room"]
BACKGROUNDS: tuple[Background, ...] = get_args(Background)


@dataclass(frozen=True)
class Scene:
    """Everything about a picture that is neither the pose nor the person."""

    hand: Hand = "right"
    """A left hand is shown as the mirror image of the right one, about its own place."""
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
    background: Background = "gradient"
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
        cls, rng: np.random.Generator, *, hand: Hand | None = None, back: bool = False
    ) -> "Scene":
        """Draw a scene of the kind a webcam sees.

        Parameters
        ----------
        hand
            None draws that, too.
        back
            Show the back of the hand, not the palm. Detectors then tell left from right, and
            where curled fingers are, less well.
        """
        lamp = rng.normal((0.0, -0.5, -0.9), (0.45, 0.25, 0.15))
        sides: tuple[Hand, Hand] = ("right", "left")
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
