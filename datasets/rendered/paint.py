"""From a body on its stage to the pixels of a picture."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .anatomy import Floats, Person
from .backdrop import make_backdrop
from .draw import Image, View, trace
from .flesh import Body
from .light import shine
from .scene import Scene
from .stage import Stage

_SUPERSAMPLING = 1.5
_STEP = 2  # Pixels of the picture that are a whole number of the drawing's.


@dataclass(frozen=True)
class _Window:
    """The part of the picture that the body is in, in pixels of the picture."""

    left: int
    top: int
    width: int
    height: int

    @property
    def box(self) -> tuple[slice, slice]:
        return (
            slice(self.top, self.top + self.height),
            slice(self.left, self.left + self.width),
        )

    @property
    def drawing(self) -> tuple[int, int]:
        return round(self.width * _SUPERSAMPLING), round(self.height * _SUPERSAMPLING)


def paint(
    body: Body, stage: Stage, person: Person, scene: Scene, *, grain: int = 0
) -> NDArray[np.uint8]:
    """Draw a hand before its background: (height, width, 3), RGB.

    Parameters
    ----------
    grain
        Tells the noise of one picture of a scene from that of the next.
    """
    size = (stage.camera.width, stage.camera.height)
    backdrop = make_backdrop(scene.background, np.random.default_rng([scene.seed, 0xBAC]), size)
    window = _find_window(body, stage, person.palm)
    if window.width > 0 and window.height > 0:
        colour, cover = _draw(body, stage, person, scene, window)
        backdrop[window.box] = backdrop[window.box] * (1 - cover) + colour
    backdrop *= np.float32(scene.brightness)
    rng = np.random.default_rng([scene.seed, grain, 0x5E])
    return photograph(backdrop, scene.blur * size[0] / 320, scene.noise, rng)


def photograph(
    scenery: NDArray[np.float32], blur: float, noise: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Blur by a standard deviation in pixels and add noise of one in grey levels."""
    sharp = cv2.GaussianBlur(scenery, (0, 0), max(blur, 0.05))
    grain = rng.standard_normal(sharp.shape, dtype=np.float32)
    grain *= np.float32(noise)
    grain += sharp
    return np.asarray(np.clip(grain, 0, 255, out=grain), np.uint8)


def _find_window(body: Body, stage: Stage, palm: float) -> _Window:
    pixels = stage.camera.project(stage.place(body.points))
    margin = 0.5 * palm * pixels[:, 2:].max()
    size = (stage.camera.width, stage.camera.height)
    start = np.clip(pixels[:, :2].min(axis=0) - margin, 0, size) // _STEP * _STEP
    end = np.clip(-(-(pixels[:, :2].max(axis=0) + margin) // _STEP) * _STEP, 0, size)
    (left, top), (width, height) = start.astype(int), (end - start).astype(int)
    return _Window(int(left), int(top), int(width), int(height))


def _draw(
    body: Body, stage: Stage, person: Person, scene: Scene, window: _Window
) -> tuple[Image, Image]:
    """Return the window's colours, (height, width, 3), and what share of each pixel they cover."""
    view = _view(body, stage, person.palm, window)
    layers = trace(view, body.capsules, window.drawing)
    colour = shine(layers, view.unit, scene.light, person.skin, person.sleeve)
    size = (window.width, window.height)
    cover = cv2.resize((layers.part >= 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return cv2.resize(colour, size, interpolation=cv2.INTER_AREA), cover[..., None]


def _view(body: Body, stage: Stage, palm: float, window: _Window) -> View:
    corner = (window.left, window.top)

    def to_drawing(points: Floats) -> Floats:
        return np.asarray((stage.camera.project(points)[:, :2] - corner) * _SUPERSAMPLING)

    placed = stage.place(body.points)
    radii = stage.camera.project(placed)[:, 2] * palm * _SUPERSAMPLING
    unit = float(radii[9])
    depth = (placed[:, 2] - placed[9, 2]) / palm * unit
    # Seen from the side, the palm's lines would stand in the air.
    front = stage.point(np.array([[0.0, 0.0, -1.0]]))[0, 2] < -0.25
    creases = tuple(to_drawing(stage.place(line)) for line in body.creases if front)
    points = np.column_stack([to_drawing(placed), depth])
    return View(points, radii, stage.point(body.backs), creases, unit)
