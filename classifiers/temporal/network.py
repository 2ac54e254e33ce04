"""The network: convolutions over time that treat the five fingers alike.

Fingers move by the same rules, so one set of kernels looks at all of them; each finger's result
is then normalised by itself, for a thumb is no little finger. What they and the palm say is put
together by residual blocks. A few such members are trained side by side on the same movements
and their probabilities averaged: that was worth more than one network of twice the width.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from handlore.landmarks.topology import N_FINGERS

from ..movements import N_CHANNELS
from .series import FINGER, N_SERIES, Series

N_MEMBERS = 4
_FINGER_WIDTH, _FINGER_OUT, _PALM_WIDTH, _EARLY, _LATE = 24, 12, 24, 44, 56
_DROPPED, _DROPPED_AT_END = 0.1, 0.3
_LIMIT = 6.0
_SOFT = 0.05


class MovementNetwork(nn.Module):  # type: ignore[misc]
    """From blocks (n, n_hands * 64, n_timepoints) to scores (n, N_MEMBERS, n_classes).

    The scores are logits. Each series is standardised by what :meth:`standardise` has seen.
    """

    def __init__(self, n_hands: int, n_classes: int) -> None:
        super().__init__()
        self.series = Series()
        self.register_buffer("mean", torch.zeros(1, N_SERIES, 1))
        self.register_buffer("scale", torch.ones(1, N_SERIES, 1))
        members = [_Member(n_hands, n_classes) for _ in range(N_MEMBERS)]
        # This layout makes training on a processor a quarter faster.
        self.members = nn.ModuleList(members).to(memory_format=torch.channels_last)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def standardise(self, blocks: Tensor) -> None:
        """Take mean and deviation of the series from some movements."""
        series = self.series(_hands(blocks))
        self.mean.copy_(series.mean((0, 2))[None, :, None])
        deviation = series.std((0, 2))[None, :, None]
        self.scale.copy_(1 / (deviation + _SOFT))

    def forward(self, blocks: Tensor) -> Tensor:
        """Compute the scores."""
        with torch.no_grad():
            series = (self.series(_hands(blocks)) - self.mean) * self.scale
            series = series.clamp(-_LIMIT, _LIMIT)
        return torch.stack([member(series) for member in self.members], 1)


class Probabilities(nn.Module):  # type: ignore[misc]
    """From blocks to probabilities (n, n_classes): the mean of the members."""

    def __init__(self, network: MovementNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, blocks: Tensor) -> Tensor:
        """Compute the probabilities."""
        return self.network(blocks).softmax(-1).mean(1)


class _Member(nn.Module):  # type: ignore[misc]
    """From standardised series (n * n_hands, N_SERIES, n_timepoints) to scores (n, n_classes)."""

    def __init__(self, n_hands: int, n_classes: int) -> None:
        super().__init__()
        out = _FINGER_OUT // n_hands
        self.n_hands = n_hands
        self.fingers = nn.Sequential(
            _Shared(FINGER, _FINGER_WIDTH, n_hands),
            _Shared(_FINGER_WIDTH, _FINGER_WIDTH, n_hands, width=5, stride=2),
            _Shared(_FINGER_WIDTH, out, n_hands, width=3),
        )
        self.palm = nn.Sequential(
            _convolution(N_SERIES - N_FINGERS * FINGER, _PALM_WIDTH), nn.BatchNorm2d(_PALM_WIDTH),
            nn.ReLU(), _Block(_PALM_WIDTH, _PALM_WIDTH, width=5, stride=2, gate=False),
        )  # fmt: skip
        self.body = nn.Sequential(
            _Block(n_hands * (N_FINGERS * out + _PALM_WIDTH), _EARLY),
            _Block(_EARLY, _EARLY, dropped=_DROPPED),
            _Block(_EARLY, _LATE, stride=2, dropped=_DROPPED),
            _Block(_LATE, _LATE, dropped=_DROPPED),
            _Block(_LATE, _LATE, dilation=2, dropped=_DROPPED),
        )
        self.answer = nn.Sequential(nn.Dropout(_DROPPED_AT_END), nn.Linear(2 * _LATE, n_classes))

    def forward(self, series: Tensor) -> Tensor:
        """Compute the scores."""
        split = N_FINGERS * FINGER
        fingers = series[:, :split].reshape(-1, FINGER, 1, series.shape[-1])
        fingers = self.fingers(_channels_last(fingers))
        palm = self.palm(_channels_last(series[:, split:, None]))
        _, n_out, _, n_timepoints = fingers.shape
        joined = [
            fingers.reshape(-1, self.n_hands * N_FINGERS * n_out, 1, n_timepoints),
            palm.reshape(-1, self.n_hands * _PALM_WIDTH, 1, n_timepoints),
        ]
        seen = self.body(_channels_last(torch.cat(joined, 1)))
        return self.answer(torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], 1))


class _Shared(nn.Module):  # type: ignore[misc]
    """One convolution for all fingers (n * n_fingers, n_in, 1, t), each normalised by itself."""

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
    """A convolution, normalised; where the shape allows it, added to what came in."""

    def __init__(
        self, n_in: int, n_out: int, *, width: int = 3, stride: int = 1, dilation: int = 1,
        gate: bool = True, dropped: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.changed = nn.Sequential(
            _convolution(n_in, n_out, width, stride, dilation), nn.BatchNorm2d(n_out),
            _Gate(n_out) if gate else nn.Identity(), nn.Dropout2d(dropped),
        )  # fmt: skip
        self.added = stride == 1 and n_in == n_out

    def forward(self, values: Tensor) -> Tensor:
        changed = self.changed(values)
        return functional.relu(values + changed if self.added else changed)


class _Gate(nn.Module):  # type: ignore[misc]
    """Weighs channels by what all of them say about the whole clip (squeeze and excitation)."""

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
        n_in, n_out, (1, width), stride=(1, stride), padding=(0, dilation * (width // 2)),
        dilation=(1, dilation), bias=False,
    )  # fmt: skip


def _hands(blocks: Tensor) -> Tensor:
    return blocks.reshape(-1, N_CHANNELS, blocks.shape[-1])


def _channels_last(values: Tensor) -> Tensor:
    return values.contiguous(memory_format=torch.channels_last)
