"""The network: convolutions over time that share their kernels between the five fingers.

The result of each finger is normalised separately. Residual blocks combine fingers and palm, and
the last layer also sees a few sums of the peaks (see :mod:`..peaks`), which are computed elsewhere.
A few such members are trained side by side on the same movements and their probabilities averaged,
which is more accurate than one network of twice the width.
"""

import io
import warnings

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from handlore.landmarks.hands import N_FINGERS, N_LANDMARKS, HandLandmark
from handlore.models.card import OUTPUT
from handlore.models.encoders import N_CHANNELS, N_CONTEXT, N_COORDINATES

from ..onnx_graph import IR_VERSION, ONNX_OPSET

_N_FINGER_FEATURES = 65
"""Features of a finger: its 4 landmarks relative to the wrist, the same in the axes of the palm,
the motion of both over two points in time, its motion in the image, 4 distances, presence."""
_N_PALM_FEATURES = 135
"""Features of a palm: its axes; the paths of the wrist, the base of the middle finger and the index
fingertip, also relative to their means; their motion over 1, 2 and 4 points in time, and speed; and
the same of four points as the camera sees them, whichever hand it is."""
_N_FEATURES = N_FINGERS * _N_FINGER_FEATURES + _N_PALM_FEATURES

_SEEN = [4, 8, 12, 16], [7, 11, 15, 19], [7]
"""Knuckles, fingertips and index fingertip, without the wrist."""
_TRACED = [HandLandmark.WRIST, HandLandmark.MIDDLE_FINGER_MCP, HandLandmark.INDEX_FINGER_TIP]
_TINY = 1e-4
_N_POINTS = 48
"""Points in time of the features."""


class _HandFeatures(nn.Module):  # type: ignore[misc]
    """From encoded hands (n, 64, n_timepoints) to features (n, n_features, _N_POINTS).

    The fingers come first, from thumb to little finger, then the palm. Lengths are palm lengths.
    ``side`` (n,) is 1 for a right hand and -1 for a left one that was mirrored.
    """

    def __init__(self, n_timepoints: int) -> None:
        super().__init__()
        at = torch.linspace(0, n_timepoints - 1, _N_POINTS)
        off = (torch.arange(n_timepoints)[:, None] - at).abs()
        self.register_buffer("resampling", (1 - off).clamp(min=0))

    def forward(self, hands: Tensor, side: Tensor) -> Tensor:
        """Compute the features."""
        hands = hands @ self.resampling
        n_timepoints = _N_POINTS
        marks = hands[:, :N_COORDINATES].reshape(-1, N_LANDMARKS, 3, n_timepoints)
        presence = hands[:, N_CHANNELS - 1 :, None].expand(-1, N_FINGERS, -1, -1)
        from_wrist = marks[:, 1:] - marks[:, :1]
        axes = _palm_axes(from_wrist)
        in_palm = (from_wrist[:, :, None] * axes[:, None]).sum(3)
        motions = (
            4 * _change(from_wrist, 2),
            4 * _change(in_palm, 2),
            8 * _change(marks[:, 1:], 1),
        )
        fingers = [_by_finger(part) for part in (from_wrist, in_palm, *motions)]
        fingers += [_distances(from_wrist, in_palm), presence]
        palm = [axes, *_traces(marks[:, _TRACED]), *_traces(_in_picture(marks, from_wrist, side))]
        parts = [torch.cat(fingers, 2), *palm]
        return torch.cat([part.reshape(-1, _width(part), n_timepoints) for part in parts], 1)


def _in_picture(marks: Tensor, from_wrist: Tensor, side: Tensor) -> Tensor:
    """Return (n, 4, 3, t): palm, fingertips and index fingertip, and fingertips from the wrist."""
    turn = torch.stack([side, torch.ones_like(side), torch.ones_like(side)], 1)
    shape = from_wrist * turn[:, None, :, None]
    means = [shape[:, chosen].mean(1) for chosen in _SEEN]
    wrist = marks[:, 0]
    # The wrist itself is one of the five landmarks of the palm.
    palm, tips, index = means[0] * 0.8, means[1], means[2]
    return torch.stack([wrist + palm, wrist + tips, wrist + index, tips], 1)


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
    vectors = (
        torch.cat([tips[:, 1:], tips[:, :1]], 1) - tips,
        tips - tips[:, :1],
        from_wrist.reshape(shape)[:, :, 3],
        tips - bases,
    )
    return torch.stack([_length(vector, 2) for vector in vectors], 2)


def _traces(points: Tensor) -> list[Tensor]:
    """Return position, position relative to the mean, motion and speed of points (n, 3, 3, t)."""
    moves = torch.stack([_change(points, step) * (8 / step) for step in (1, 2, 4)], 1)
    return [points, points - points.mean(-1, keepdim=True), moves, _length(moves, 3)]


def _change(values: Tensor, step: int) -> Tensor:
    """Return the change over a number of points in time; 0 at the end."""
    return functional.pad(values[..., step:] - values[..., :-step], (0, step))


def _length(values: Tensor, axis: int) -> Tensor:
    return torch.sqrt((values * values).sum(axis) + _TINY)


def _unit(values: Tensor) -> Tensor:
    return values / _length(values, 1)[:, None]


N_MEMBERS = 4
_FINGER_WIDTH, _FINGER_OUT, _PALM_WIDTH, _EARLY, _LATE = 24, 12, 24, 44, 56
_PEAK_WIDTH = 16
_DROPPED, _DROPPED_AT_END, _DROPPED_PEAKS = 0.1, 0.3, 0.5
_LIMIT = 6.0
_SOFT, _SOFT_PEAKS = 0.05, 0.02


class MovementNetwork(nn.Module):  # type: ignore[misc]
    """From blocks (n, n_channels, n_timepoints) and peaks to scores (n, N_MEMBERS, n_classes).

    ``shape`` is that of a block. The scores are logits. Features are standardised, see
    :meth:`standardise`.
    """

    def __init__(self, shape: tuple[int, int], n_peaks: int, n_classes: int) -> None:
        super().__init__()
        n_channels, n_timepoints = shape
        n_hands = n_channels // N_CHANNELS
        self.n_own = n_hands * N_CHANNELS
        self.has_side = n_channels - self.n_own == N_CONTEXT
        self.series = _HandFeatures(n_timepoints)
        for name, size in (("", (1, _N_FEATURES, 1)), ("_of_peaks", (1, n_peaks))):
            self.register_buffer(f"mean{name}", torch.zeros(size))
            self.register_buffer(f"scale{name}", torch.ones(size))
        members = [_EnsembleMember(n_hands, n_peaks, n_classes) for _ in range(N_MEMBERS)]
        # This layout makes training on a processor a quarter faster.
        self.members = nn.ModuleList(members).to(memory_format=torch.channels_last)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def standardise(self, blocks: Tensor, peaks: Tensor) -> None:
        """Set mean and scale of the features from some movements."""
        series = self._series_of(blocks)
        self.mean.copy_(series.mean((0, 2))[None, :, None])
        self.scale.copy_(1 / (series.std((0, 2))[None, :, None] + _SOFT))
        self.mean_of_peaks.copy_(peaks.mean(0))
        self.scale_of_peaks.copy_(1 / (peaks.std(0) + _SOFT_PEAKS))

    def forward(self, blocks: Tensor, peaks: Tensor) -> Tensor:
        """Compute the scores."""
        with torch.no_grad():
            series = (self._series_of(blocks) - self.mean) * self.scale
            series = series.clamp(-_LIMIT, _LIMIT)
            peaks = ((peaks - self.mean_of_peaks) * self.scale_of_peaks).clamp(-_LIMIT, _LIMIT)
        return torch.stack([member(series, peaks) for member in self.members], 1)

    def _series_of(self, blocks: Tensor) -> Tensor:
        hands = blocks[:, : self.n_own].reshape(-1, N_CHANNELS, blocks.shape[-1])
        side = blocks[:, -1, 0] if self.has_side else torch.ones_like(hands[:, 0, 0])
        return self.series(hands, side)


class Probabilities(nn.Module):  # type: ignore[misc]
    """From blocks and their peaks to probabilities (n, n_classes): the mean of the members."""

    def __init__(self, network: MovementNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, blocks: Tensor, peaks: Tensor) -> Tensor:
        """Compute the probabilities."""
        return self.network(blocks, peaks).softmax(-1).mean(1)

    def to_onnx(self, inputs: dict[str, NDArray[np.float32]]) -> bytes:
        """Return it as a serialised ``onnx.ModelProto``, traced with blocks and peaks by name."""
        stream = io.BytesIO()
        with warnings.catch_warnings():
            # PyTorch's newer exporter needs another package and begins at opset 18. This one warns
            # of its age, and of shapes that it takes as constants, which these are.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                self.eval(),
                tuple(torch.from_numpy(values) for values in inputs.values()),
                stream,
                input_names=list(inputs),
                output_names=[OUTPUT],
                opset_version=ONNX_OPSET[""],
                dynamic_axes={name: {0: "n"} for name in (*inputs, OUTPUT)},
                dynamo=False,
            )
        model = onnx.load_from_string(stream.getvalue())
        model.ir_version = IR_VERSION
        serialised: bytes = model.SerializeToString(deterministic=True)
        return serialised


class _EnsembleMember(nn.Module):  # type: ignore[misc]
    """From features (n * n_hands, n_features, _N_POINTS) and peaks to scores (n, n_classes)."""

    def __init__(self, n_hands: int, n_peaks: int, n_classes: int) -> None:
        super().__init__()
        out, n_sums = _FINGER_OUT // n_hands, _PEAK_WIDTH // n_hands
        self.n_hands = n_hands
        self.fingers = nn.Sequential(
            _Shared(_N_FINGER_FEATURES, _FINGER_WIDTH, n_hands),
            _Shared(_FINGER_WIDTH, _FINGER_WIDTH, n_hands, width=5, stride=2),
            _Shared(_FINGER_WIDTH, out, n_hands, width=3),
        )
        self.palm = nn.Sequential(
            _convolution(_N_FEATURES - N_FINGERS * _N_FINGER_FEATURES, _PALM_WIDTH),
            nn.BatchNorm2d(_PALM_WIDTH),
            nn.ReLU(),
            _Block(_PALM_WIDTH, _PALM_WIDTH, width=5, stride=2, gate=False),
        )
        self.body = nn.Sequential(
            _Block(n_hands * (N_FINGERS * out + _PALM_WIDTH), _EARLY),
            _Block(_EARLY, _EARLY, dropped=_DROPPED),
            _Block(_EARLY, _LATE, stride=2, dropped=_DROPPED),
            _Block(_LATE, _LATE, dropped=_DROPPED),
            _Block(_LATE, _LATE, dilation=2, dropped=_DROPPED),
        )
        self.peaks = nn.Sequential(
            nn.Dropout(_DROPPED_PEAKS),
            nn.Linear(n_peaks, n_sums, bias=False),
            nn.BatchNorm1d(n_sums),
            nn.ReLU(),
        )
        self.answer = nn.Sequential(
            nn.Dropout(_DROPPED_AT_END), nn.Linear(2 * _LATE + n_sums, n_classes)
        )

    def forward(self, series: Tensor, peaks: Tensor) -> Tensor:
        """Compute the scores."""
        split = N_FINGERS * _N_FINGER_FEATURES
        fingers = series[:, :split].reshape(-1, _N_FINGER_FEATURES, 1, series.shape[-1])
        fingers = self.fingers(_channels_last(fingers))
        palm = self.palm(_channels_last(series[:, split:, None]))
        _, n_out, _, n_timepoints = fingers.shape
        joined = [
            fingers.reshape(-1, self.n_hands * N_FINGERS * n_out, 1, n_timepoints),
            palm.reshape(-1, self.n_hands * _PALM_WIDTH, 1, n_timepoints),
        ]
        seen = self.body(_channels_last(torch.cat(joined, 1)))
        over_time = seen.mean((2, 3)), seen.amax((2, 3))
        return self.answer(torch.cat([*over_time, self.peaks(peaks)], 1))


class _Shared(nn.Module):  # type: ignore[misc]
    """One convolution for all fingers (n * n_fingers, n_in, 1, t), each normalised separately."""

    def __init__(self, n_in: int, n_out: int, n_hands: int, **shape: int) -> None:
        super().__init__()
        self.convolution = _convolution(n_in, n_out, **shape)
        self.n_joined = n_hands * N_FINGERS * n_out
        self.normalised = nn.BatchNorm2d(self.n_joined)

    def forward(self, fingers: Tensor) -> Tensor:
        seen = self.convolution(fingers)
        _, n_out, _, n_timepoints = seen.shape
        joined = self.normalised(seen.reshape(-1, self.n_joined, 1, n_timepoints))
        return functional.relu(joined).reshape(-1, n_out, 1, n_timepoints)


class _Block(nn.Module):  # type: ignore[misc]
    """A normalised convolution, with a residual connection where the shape allows it."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        width: int = 3,
        stride: int = 1,
        dilation: int = 1,
        gate: bool = True,
        dropped: float = 0.0,
    ) -> None:
        super().__init__()
        self.changed = nn.Sequential(
            _convolution(n_in, n_out, width, stride, dilation),
            nn.BatchNorm2d(n_out),
            _Gate(n_out) if gate else nn.Identity(),
            nn.Dropout2d(dropped),
        )
        self.added = stride == 1 and n_in == n_out

    def forward(self, values: Tensor) -> Tensor:
        changed = self.changed(values)
        return functional.relu(values + changed if self.added else changed)


class _Gate(nn.Module):  # type: ignore[misc]
    """Weights channels by their means over the clip (squeeze and excitation)."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.weigh = nn.Sequential(
            nn.Linear(n, n // 4), nn.ReLU(), nn.Linear(n // 4, n), nn.Sigmoid()
        )

    def forward(self, values: Tensor) -> Tensor:
        return values * self.weigh(values.mean((2, 3)))[:, :, None, None]


def _convolution(
    n_in: int, n_out: int, width: int = 1, stride: int = 1, dilation: int = 1
) -> nn.Module:
    """Return a convolution over time, of n numbers (n, n_in, 1, n_timepoints)."""
    return nn.Conv2d(
        n_in,
        n_out,
        (1, width),
        stride=(1, stride),
        padding=(0, dilation * (width // 2)),
        dilation=(1, dilation),
        bias=False,
    )


def _channels_last(values: Tensor) -> Tensor:
    return values.contiguous(memory_format=torch.channels_last)
