"""Draw a body: tapered capsules, seen one by one, kept where nearest, then lit together."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .hand import PALM, SLEEVE, THUMB, Body, Capsule, Floats, Person
from .scene import HandPlacement, Scene, make_backdrop

Image = NDArray[np.float32]
_FAR = np.float32(1e6)


@dataclass(frozen=True)
class _Viewport:
    """A body before the camera, in pixels."""

    points: NDArray[np.float64]
    """(n, 3): column, row, depth."""
    radii: NDArray[np.float64]
    """(n,): pixels per palm length at each point."""
    backs: NDArray[np.float64]
    """(5, 3): unit vectors out of the nails."""
    creases: tuple[NDArray[np.float64], ...]
    """Lines of the palm, each (n, 2): column, row; none where the back is seen."""
    unit: float
    """Palm length in pixels."""


@dataclass
class _Layers:
    """What is seen at each pixel."""

    depth: Image
    normal: Image
    """(height, width, 3)."""
    part: NDArray[np.int8]
    """-1 where there is nothing."""
    paint: Image
    """Below 1 in creases, above 1 on nails."""


def _trace(view: _Viewport, capsules: tuple[Capsule, ...], size: tuple[int, int]) -> _Layers:
    """Find the nearest capsule at each pixel of a picture of size (width, height)."""
    width, height = size
    layers = _Layers(
        np.full((height, width), _FAR, np.float32),
        np.zeros((height, width, 3), np.float32),
        np.full((height, width), -1, np.int8),
        np.ones((height, width), np.float32),
    )
    for capsule in (c for c in capsules if c.part <= PALM):
        _trace_one(layers, view, capsule)
    _soften_palm(layers, view.unit)
    _draw_creases(layers, view)
    for capsule in (c for c in capsules if c.part > PALM):
        _trace_one(layers, view, capsule)
    return layers


def _trace_one(layers: _Layers, view: _Viewport, capsule: Capsule) -> None:
    a, b = view.points[capsule.start], view.points[capsule.end]
    ra = capsule.start_radius * view.radii[capsule.start]
    rb = capsule.end_radius * view.radii[capsule.end]
    height, width = layers.depth.shape
    left, top = np.floor(np.minimum(a[:2] - ra, b[:2] - rb)).astype(int).clip(0)
    right, bottom = np.ceil(np.maximum(a[:2] + ra, b[:2] + rb)).astype(int) + 1
    right, bottom = min(right, width), min(bottom, height)
    if right <= left or bottom <= top:
        return
    x = np.arange(left, right, dtype=np.float32)[None, :] + np.float32(0.5 - a[0])
    y = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5 - a[1])
    way = (b - a).astype(np.float32)
    t, lift, radius = _nearest_sphere(x, y, way, float(ra), float(rb))
    depth = np.float32(a[2]) + t * way[2] - lift
    box = (slice(top, bottom), slice(left, right))
    rows, columns = np.nonzero((lift > 0) & (depth < layers.depth[box]))
    if rows.size == 0:
        return
    t, lift, radius = t[rows, columns], lift[rows, columns], radius[rows, columns]
    normal = np.stack([x[0, columns] - t * way[0], y[rows, 0] - t * way[1], -lift], axis=1)
    normal /= radius[:, None]
    rows, columns, depth = rows + top, columns + left, depth[rows, columns]
    layers.depth[rows, columns] = depth
    layers.normal[rows, columns] = normal
    layers.part[rows, columns] = capsule.part
    layers.paint[rows, columns] = _details(view, capsule, t, normal)


def _nearest_sphere(
    x: Image, y: Image, way: Image, ra: float, rb: float
) -> tuple[Image, Image, Image]:
    """Find which of the spheres that a capsule is swept by is nearest to the viewer.

    At the share t of the way, the sphere's surface is at t dz - sqrt(A t^2 + 2 B t + C); the
    derivative's zero, held in [0, 1], is the answer. Returns for each pixel the share of the way,
    the height of the surface over the axis (0 outside), and the sphere's radius.
    """
    growth = np.float32(rb - ra)
    a = min(growth**2 - way[0] ** 2 - way[1] ** 2, np.float32(-1.0))
    b = np.float32(ra) * growth + x * way[0] + y * way[1]
    c = np.float32(ra**2) - x * x - y * y
    slope = np.sqrt(np.maximum(b * b - a * c, 0)) * (way[2] / np.sqrt(way[2] ** 2 - a))
    t = np.clip((slope - b) / a, 0, 1)
    radius = np.float32(ra) + t * growth
    offset_x, offset_y = x - t * way[0], y - t * way[1]
    lift = np.sqrt(np.maximum(radius * radius - offset_x * offset_x - offset_y * offset_y, 0))
    return t, lift, radius


def _details(view: _Viewport, capsule: Capsule, t: Image, normal: Image) -> Image:
    """Paint creases at the joints' inner side, folds at their outer side, and nails."""
    finger = capsule.part - THUMB
    if finger < 0:
        return np.ones_like(t)
    out = normal @ view.backs[finger].astype(np.float32)
    last = capsule.end > 20
    joint = _bump(t / 0.06) if last else _bump(t / 0.06) + _bump((1 - t) / 0.06)
    paint = 1 - 0.28 * joint * np.clip(0.3 - out, 0, 1)
    paint -= 0.16 * (joint + 0.7 * _bump((t - 0.13) / 0.04)) * np.clip(out - 0.3, 0, 1)
    if last:
        edge = np.minimum((out - 0.66) / 0.34, (t - 0.38) / 0.6)
        paint += 0.12 * (edge > 0) - 0.25 * _bump(edge / 0.12)
    return np.asarray(paint, np.float32)


def _bump(x: Image) -> Image:
    return np.asarray(np.exp(-x * x), np.float32)


def _soften_palm(layers: _Layers, unit: float) -> None:
    """Smooth the rods of palm and forearm into one skin."""
    body = (layers.part >= 0).astype(np.float32)
    half = (body.shape[1] // 2, body.shape[0] // 2)
    stack = np.dstack([layers.normal, body])
    small = cv2.resize(stack, half, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 0.5 * 0.075 * unit)
    smooth = cv2.resize(small, body.shape[::-1], interpolation=cv2.INTER_LINEAR)
    weight = smooth[..., 3:]
    # The rim keeps its own normals: the outline of a hand is round, whatever is inside.
    inner = np.clip(weight * 2 - 1, 0, 1) * body[..., None]
    layers.normal += (smooth[..., :3] / (weight + 1e-6) - layers.normal) * inner


def _draw_creases(layers: _Layers, view: _Viewport) -> None:
    lines = [np.round(line * 16).astype(np.int32) for line in view.creases]
    mask = np.zeros(layers.depth.shape, np.uint8)
    cv2.polylines(mask, lines, False, 255, max(1, round(0.016 * view.unit)), cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask, (0, 0), 0.012 * view.unit).astype(np.float32) / 255
    layers.paint *= 1 - 0.30 * soft


# Light what was traced.

Colour = tuple[int, int, int]


def _shade_layers(
    layers: _Layers,
    unit: float,
    lamp: tuple[float, float, float],
    skin: Colour,
    sleeve: Colour | None,
) -> Image:
    """Shade a body: (height, width, 3) RGB, 0 to 255; black where it is not.

    ``unit`` is the palm length in pixels, ``lamp`` the direction to the lamp: x right, y down, z
    away from the camera.
    """
    body = layers.part >= 0
    shade = np.maximum(_hollows(layers, unit) * _outlines(layers, unit), 0.5) * layers.paint
    shade = shade[body] * _lambert(layers.normal[body], lamp)
    shade = np.clip(shade, 0.05, 1.25)[:, None]
    base = np.where(layers.part[body][:, None] == SLEEVE, sleeve or skin, skin)
    # Light that went through flesh comes out red: blue dies first in the shade.
    lit = base * np.hstack([shade * (1.15 - 0.15 * shade), shade, shade * (0.9 + 0.1 * shade)])
    colour = np.zeros((*body.shape, 3), np.float32)
    colour[body] = np.clip(lit, 0, 255)
    return colour


def _lambert(normal: Image, lamp: tuple[float, float, float]) -> Image:
    direction = np.array(lamp, np.float32) / np.float32(np.linalg.norm(lamp))
    wrapped = np.clip((normal @ direction + 0.35) / 1.35, 0, 1)
    return np.asarray(0.38 + 0.50 * wrapped + 0.20 * np.clip(-normal[:, 2], 0, 1), np.float32)


def _hollows(layers: _Layers, unit: float) -> Image:
    """Darken what is deeper than its surroundings: the depth minus its blur."""
    cover = (layers.part >= 0).astype(np.float32)
    stack = np.dstack([np.where(cover > 0, layers.depth, 0), cover])
    half = (cover.shape[1] // 2, cover.shape[0] // 2)
    small = cv2.resize(stack, half, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 0.5 * 0.08 * unit)
    mean, weight = cv2.split(cv2.resize(small, cover.shape[::-1], interpolation=cv2.INTER_LINEAR))
    sunk = np.clip((layers.depth - mean / (weight + 1e-6)) / (0.25 * unit), 0, 1) * cover
    return np.asarray(1 - 0.45 * sunk, np.float32)


def _outlines(layers: _Layers, unit: float) -> Image:
    """Draw the contours where one finger is in front of another or of the palm."""
    kernel = np.ones((3, 3), np.uint8)
    finger = np.maximum(layers.part, PALM).astype(np.uint8)
    border = (cv2.dilate(finger, kernel) != cv2.erode(finger, kernel)).astype(np.float32)
    depth = np.where(layers.part >= 0, layers.depth, layers.depth.min())
    jump = cv2.dilate(depth, kernel) - cv2.erode(depth, kernel)
    between = cv2.erode((layers.part >= THUMB).astype(np.uint8), kernel) * border
    line = np.maximum(np.clip(jump / (0.10 * unit), 0, 1) * border, 0.6 * between)
    line *= cv2.erode((layers.part >= 0).astype(np.uint8), kernel)
    line = cv2.GaussianBlur(line.astype(np.float32), (0, 0), 0.014 * unit)
    return np.asarray(1 - np.clip(0.9 * line, 0, 0.6), np.float32)


# From a body on its stage to the pixels of a picture.

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
    body: Body, stage: HandPlacement, person: Person, scene: Scene, *, grain: int = 0
) -> NDArray[np.uint8]:
    """Draw a hand before its background: (height, width, 3), RGB.

    ``grain`` seeds the noise, which differs from picture to picture of a scene.
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
    """Return a picture (height, width, 3) of scenery in grey levels, blurred and with noise.

    ``blur`` is a standard deviation in pixels, ``noise`` one in grey levels.
    """
    sharp = cv2.GaussianBlur(scenery, (0, 0), max(blur, 0.05))
    grain = rng.standard_normal(sharp.shape, dtype=np.float32)
    grain *= np.float32(noise)
    grain += sharp
    return np.asarray(np.clip(grain, 0, 255, out=grain), np.uint8)


def _find_window(body: Body, stage: HandPlacement, palm: float) -> _Window:
    pixels = stage.camera.project(stage.place(body.points))
    margin = 0.5 * palm * pixels[:, 2:].max()
    size = (stage.camera.width, stage.camera.height)
    start = np.clip(pixels[:, :2].min(axis=0) - margin, 0, size) // _STEP * _STEP
    end = np.clip(-(-(pixels[:, :2].max(axis=0) + margin) // _STEP) * _STEP, 0, size)
    (left, top), (width, height) = start.astype(int), (end - start).astype(int)
    return _Window(int(left), int(top), int(width), int(height))


def _draw(
    body: Body, stage: HandPlacement, person: Person, scene: Scene, window: _Window
) -> tuple[Image, Image]:
    """Return the window's colours, (height, width, 3), and what share of each pixel they cover."""
    view = _view(body, stage, person.palm, window)
    layers = _trace(view, body.capsules, window.drawing)
    colour = _shade_layers(layers, view.unit, scene.light, person.skin, person.sleeve)
    size = (window.width, window.height)
    cover = cv2.resize((layers.part >= 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return cv2.resize(colour, size, interpolation=cv2.INTER_AREA), cover[..., None]


def _view(body: Body, stage: HandPlacement, palm: float, window: _Window) -> _Viewport:
    corner = (window.left, window.top)

    def to_drawing(points: Floats) -> Floats:
        return np.asarray((stage.camera.project(points)[:, :2] - corner) * _SUPERSAMPLING)

    placed = stage.place(body.points)
    radii = stage.camera.project(placed)[:, 2] * palm * _SUPERSAMPLING
    unit = float(radii[9])
    depth = (placed[:, 2] - placed[9, 2]) / palm * unit
    # Seen from the side, the palm's lines would be off the hand.
    front = stage.point(np.array([[0.0, 0.0, -1.0]]))[0, 2] < -0.25
    creases = tuple(to_drawing(stage.place(line)) for line in body.creases if front)
    points = np.column_stack([to_drawing(placed), depth])
    return _Viewport(points, radii, stage.point(body.backs), creases, unit)
