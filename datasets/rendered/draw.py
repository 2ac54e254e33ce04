"""Draw a body: tapered capsules, seen one by one, kept where nearest, then lit together."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .flesh import PALM, THUMB, Capsule

Image = NDArray[np.float32]
_FAR = np.float32(1e6)


@dataclass(frozen=True)
class View:
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
class Layers:
    """What is seen at each pixel."""

    depth: Image
    normal: Image
    """(height, width, 3)."""
    part: NDArray[np.int8]
    """-1 where there is nothing."""
    paint: Image
    """Below 1 in creases, above 1 on nails."""


def trace(view: View, capsules: tuple[Capsule, ...], size: tuple[int, int]) -> Layers:
    """Find the nearest capsule at each pixel of a picture of size (width, height)."""
    width, height = size
    layers = Layers(
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


def _trace_one(layers: Layers, view: View, capsule: Capsule) -> None:
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
    derivative's zero, held in [0, 1], is the answer.

    Returns
    -------
    t, lift, radius : ndarray of shape (rows, columns)
        Share of the way, height of the surface over the axis (0 outside), the sphere's radius.
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


def _details(view: View, capsule: Capsule, t: Image, normal: Image) -> Image:
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


def _soften_palm(layers: Layers, unit: float) -> None:
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


def _draw_creases(layers: Layers, view: View) -> None:
    lines = [np.round(line * 16).astype(np.int32) for line in view.creases]
    mask = np.zeros(layers.depth.shape, np.uint8)
    cv2.polylines(mask, lines, False, 255, max(1, round(0.016 * view.unit)), cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask, (0, 0), 0.012 * view.unit).astype(np.float32) / 255
    layers.paint *= 1 - 0.30 * soft
