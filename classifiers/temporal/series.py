"""What the network looks at: each finger and the palm as they are, turn and move.

All of it follows from the landmarks without a parameter to learn, and is part of the graph.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from handlore.landmarks.topology import N_FINGERS, N_LANDMARKS, HandLandmark

from ..movements import N_CHANNELS, N_COORDINATES

FINGER = 65
"""Series of a finger: its 4 landmarks from the wrist, the same along the axes of the palm, how
either moves over two points in time, how it moves in the picture, 4 distances, presence."""

PALM = 63
"""Series of a palm: its axes, the paths of wrist, middle finger's base and index fingertip, these
from their means, how they move over 1, 2 and 4 points in time, and how fast."""

N_SERIES = N_FINGERS * FINGER + PALM

_TRACED = [HandLandmark.WRIST, HandLandmark.MIDDLE_FINGER_MCP, HandLandmark.INDEX_FINGER_TIP]
_TINY = 1e-4


class Series(nn.Module):  # type: ignore[misc]
    """From hands (n, 64, n_timepoints), as the encoder gives them, to (n, N_SERIES, n_timepoints).

    The fingers come first, from thumb to little finger, then the palm. Lengths are palm lengths.
    """

    def forward(self, hands: Tensor) -> Tensor:
        """Compute the series."""
        n_timepoints = hands.shape[-1]
        marks = hands[:, :N_COORDINATES].reshape(-1, N_LANDMARKS, 3, n_timepoints)
        presence = hands[:, N_CHANNELS - 1 :, None].expand(-1, N_FINGERS, -1, -1)
        from_wrist = marks[:, 1:] - marks[:, :1]
        axes = _palm_axes(from_wrist)
        in_palm = (from_wrist[:, :, None] * axes[:, None]).sum(3)
        motions = (
            4 * _change(from_wrist, 2), 4 * _change(in_palm, 2), 8 * _change(marks[:, 1:], 1),
        )  # fmt: skip
        fingers = [_by_finger(part) for part in (from_wrist, in_palm, *motions)]
        fingers += [_distances(from_wrist, in_palm), presence]
        palm = [axes, *_traces(marks[:, _TRACED])]
        parts = [torch.cat(fingers, 2), *palm]
        return torch.cat([part.reshape(-1, _width(part), n_timepoints) for part in parts], 1)


def _width(part: Tensor) -> int:
    width = 1
    for size in part.shape[1:-1]:
        width *= int(size)
    return width


def _by_finger(joints: Tensor) -> Tensor:
    """From (n, 20, 3, t) to (n, 5, 12, t)."""
    return joints.reshape(-1, N_FINGERS, 12, joints.shape[-1])


def _palm_axes(from_wrist: Tensor) -> Tensor:
    """Return three directions (n, 3, 3, t): along the palm, out of it and across it."""
    index, middle, little = (from_wrist[:, landmark - 1] for landmark in (5, 9, 17))
    along = _unit(middle)
    out = _unit(torch.linalg.cross(index, little, dim=1))
    return torch.stack([along, out, torch.linalg.cross(out, along, dim=1)], 1)


def _distances(from_wrist: Tensor, in_palm: Tensor) -> Tensor:
    """Return from each fingertip to the next one, the thumb's, the wrist and the finger's base."""
    shape = (-1, N_FINGERS, 4, 3, from_wrist.shape[-1])
    joints = in_palm.reshape(shape)
    tips, bases = joints[:, :, 3], joints[:, :, 0]
    ways = (
        torch.cat([tips[:, 1:], tips[:, :1]], 1) - tips, tips - tips[:, :1],
        from_wrist.reshape(shape)[:, :, 3], tips - bases,
    )  # fmt: skip
    return torch.stack([_length(way, 2) for way in ways], 2)


def _traces(points: Tensor) -> list[Tensor]:
    """Return where points (n, 3, 3, t) are, where within their path, how they move, how fast."""
    moves = torch.stack([_change(points, step) * (8 / step) for step in (1, 2, 4)], 1)
    return [points, points - points.mean(-1, keepdim=True), moves, _length(moves, 3)]


def _change(values: Tensor, step: int) -> Tensor:
    """Return what is added over so many points in time; nothing at the end."""
    return functional.pad(values[..., step:] - values[..., :-step], (0, step))


def _length(values: Tensor, axis: int) -> Tensor:
    return torch.sqrt((values * values).sum(axis) + _TINY)


def _unit(values: Tensor) -> Tensor:
    return values / _length(values, 1)[:, None]
