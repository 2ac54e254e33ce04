"""Hands as numbers, for tables in the layouts that people have."""

import numpy as np

FANS = np.deg2rad([-60, -25, -5, 15, 35])
REACH = np.array([0.35, 0.55, 0.8, 1.0])


def hands(n=12, seed=0, size=0.2):
    """Return (n, 21, 3) upright hands in picture widths, turned and bent a little."""
    rng = np.random.default_rng(seed)
    points = np.zeros((n, 21, 3))
    for number in range(n):
        hand = np.zeros((21, 3))
        turn = rng.uniform(-0.5, 0.5)
        for finger, angle in enumerate(FANS):
            reach = REACH * rng.uniform(0.7, 1.0) * (0.8 if finger == 0 else 1)
            at = angle + turn + rng.normal(0, 0.05)
            rows = slice(1 + 4 * finger, 5 + 4 * finger)
            hand[rows, 0], hand[rows, 1] = reach * np.sin(at), -reach * np.cos(at)
            hand[rows, 2] = -0.1 * reach
        points[number] = hand * size * rng.uniform(0.8, 1.2)
        points[number, :, :2] += rng.uniform(0.45, 0.55, 2)
    return points


def shares(points, aspect=9 / 16):
    """Return hands as MediaPipe gives them: y as a share of the height, H / W of its width."""
    return points / (1, aspect, 1)


def header(style, axes="xyz", start=0):
    """Return names of columns such as ``x{k}``, with k the landmark and a the axis."""
    return [
        style.format(a=axis, A=axis.upper(), k=k) for k in range(start, start + 21) for axis in axes
    ]


def csv_text(rows, names=None, separator=","):
    """Return rows of cells as text."""
    lines = [separator.join(map(str, row)) for row in ([names] if names else []) + list(rows)]
    return "\n".join(lines) + "\n"


def rows_of(points, labels, *, last=False, digits=6):
    """Return rows of cells: the label first or last, then the numbers."""
    flat = [[f"{value:.{digits}g}" for value in one.ravel()] for one in points]
    return [
        [*row, label] if last else [label, *row] for row, label in zip(flat, labels, strict=True)
    ]
