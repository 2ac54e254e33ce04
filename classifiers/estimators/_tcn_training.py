"""Training: a fixed schedule with data augmentation and averaged weights.

The result is not the last weights but a running average, which is more stable. With a validation
set it is the average with the lowest loss on it, and training stops early.
"""

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from handlore.landmarks.hands import FloatArray
from handlore.models.encoders import N_CHANNELS

from ..augmentation import Augmentation
from ._tcn_network import N_MEMBERS, MovementNetwork, Probabilities

_IntArray = NDArray[np.int64]
_Labelled = tuple[FloatArray, _IntArray]

_AUGMENTATION = Augmentation(
    turn=15,
    bones=0,
    phalanges=0.08,
    reach=0.1,
    travel=0.2,
    warp=0.25,
    crop=0.1,
    drop=0,
    slow=0.3,
    lost=0.1,
)
"""Stronger than for classifiers that get each movement a few times only."""

_WEIGHT_DECAY = 0.05
_SMOOTHING = 0.1
_MIXING = 0.4
_MIXED_UNTIL = 0.9
_AVERAGING = 0.995
_WARM_UP = 0.1
_SEEN_FOR_SCALE = 400


@dataclass(frozen=True)
class _Epoch:
    """One row of the history; an epoch is one pass over all movements."""

    epoch: int
    """From 1."""
    loss: float
    """Cross-entropy in training, on augmented and mixed movements."""
    accuracy: float
    """Share of correct predictions on them."""
    val_loss: float | None
    """Cross-entropy on the validation set; None without one."""
    val_accuracy: float | None

    learning_rate: float
    """At the end of the epoch."""


@dataclass(frozen=True)
class TrainingSchedule:
    """The hyperparameters of training."""

    epochs: int
    batch_size: int
    learning_rate: float
    """The maximum; it rises in the first tenth and then falls along a cosine to almost 0."""
    augment: bool
    patience: int
    """Epochs without a lower validation loss after which training stops."""
    seed: int


class NetworkTraining:
    """A network in training.

    ``learnt`` are blocks (n, n_channels, n_timepoints) and class indices (n,) of the movements, and
    of their mirror images, one of the two drawn each time. ``peaks_of`` computes the peaks of
    blocks. ``best`` is the averaged network with the best result.
    """

    def __init__(
        self,
        learnt: list[_Labelled],
        tested: _Labelled,
        n_classes: int,
        plan: TrainingSchedule,
        peaks_of: Callable[[FloatArray], FloatArray],
    ) -> None:
        blocks = learnt[0][0]
        self._learnt, self._tested, self._plan = learnt, tested, plan
        self._peaks_of = peaks_of
        self._n_own = blocks.shape[1] // N_CHANNELS * N_CHANNELS
        self._rng = np.random.default_rng(plan.seed)
        self._n, self._per_epoch = len(blocks), len(blocks) // plan.batch_size
        self._step = 0
        sample = blocks[self._rng.permutation(self._n)[:_SEEN_FOR_SCALE]]
        peaks = peaks_of(sample)
        with _seeded(plan.seed):
            self._network = MovementNetwork(blocks.shape[1:], peaks.shape[1], n_classes)
        self._network.standardise(torch.from_numpy(sample), torch.from_numpy(peaks))
        self._optimizer = _optimizer(self._network)
        self._average = copy.deepcopy(self._network).requires_grad_(False).eval()
        self.best = self._average
        self.history: list[_Epoch] = []

    def run(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Train until the last epoch, or until patience runs out.

        It may be interrupted: ``best`` and ``history`` then have the result so far.
        """
        with _seeded(self._plan.seed):
            best_at, lowest = 0, math.inf
            for epoch in range(1, self._plan.epochs + 1):
                loss, accuracy = self._epoch(mixed=epoch <= _MIXED_UNTIL * self._plan.epochs)
                if not math.isfinite(loss):
                    raise ValueError("training diverged; take a smaller learning_rate")
                val_loss, val_accuracy = self._validated()
                self.history.append(
                    _Epoch(epoch, loss, accuracy, val_loss, val_accuracy, self._learning_rate())
                )
                if val_loss is not None and val_loss < lowest:
                    best_at, lowest, self.best = epoch, val_loss, copy.deepcopy(self._average)
                if progress:
                    progress(epoch, self._plan.epochs)
                if val_loss is not None and epoch - best_at >= self._plan.patience:
                    break

    def _epoch(self, mixed: bool) -> tuple[float, float]:
        self._network.train()
        order = self._rng.permutation(self._n)
        size = self._plan.batch_size
        scores = [
            self._learn(order[start : start + size], mixed and self._plan.augment)
            for start in range(0, self._per_epoch * size, size)
        ]
        loss, accuracy = np.mean(scores, axis=0).tolist()
        return loss, accuracy

    def _learn(self, chosen: _IntArray, mixed: bool) -> tuple[float, float]:
        """Make one step; return its loss and accuracy."""
        for options in self._optimizer.param_groups:
            options["lr"] = self._learning_rate()
        blocks, codes = self._batch(chosen)
        share, other = 1.0, torch.arange(len(codes))
        if mixed:
            share = float(self._rng.beta(_MIXING, _MIXING))
            share = max(share, 1 - share)
            other = torch.from_numpy(self._rng.permutation(len(codes)))
            hands = blocks[:, : self._n_own]
            blocks[:, : self._n_own] = hands * share + hands[other] * (1 - share)
        scores = self._network(blocks, torch.from_numpy(self._peaks_of(blocks.numpy())))
        loss = share * _loss(scores, codes) + (1 - share) * _loss(scores, codes[other])
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        self._step += 1
        self._follow()
        right = scores.detach().softmax(-1).mean(1).argmax(1) == codes
        return loss.item(), right.double().mean().item()

    def _batch(self, chosen: _IntArray) -> tuple[Tensor, Tensor]:
        version = self._rng.integers(len(self._learnt), size=len(chosen))
        blocks = np.stack([self._learnt[w][0][i] for w, i in zip(version, chosen, strict=True)])
        codes = np.stack([self._learnt[w][1][i] for w, i in zip(version, chosen, strict=True)])
        if self._plan.augment:
            blocks = _AUGMENTATION(blocks, self._rng)
        return torch.from_numpy(blocks), torch.from_numpy(codes)

    def _learning_rate(self) -> float:
        done = self._step / (self._plan.epochs * self._per_epoch)
        falling = 0.5 * (1 + math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP)))
        return self._plan.learning_rate * (min(done / _WARM_UP, falling) + 1e-3)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _follow(self) -> None:
        """Move the average towards the weights, faster at first."""
        weight = 1 - min(_AVERAGING, (1 + self._step) / (10 + self._step))
        torch._foreach_lerp_(
            list(self._average.parameters()),
            [values.detach() for values in self._network.parameters()],
            weight,
        )
        pairs = zip(self._average.buffers(), self._network.buffers(), strict=True)
        for average, now in pairs:
            if average.dtype.is_floating_point:
                average.lerp_(now, weight)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _validated(self) -> tuple[float, float] | tuple[None, None]:
        blocks, codes = (torch.from_numpy(values) for values in self._tested)
        if not len(blocks):
            return None, None
        model = Probabilities(self._average).eval()
        peaks = torch.from_numpy(self._peaks_of(blocks.numpy()))
        parts = zip(blocks.split(256), peaks.split(256), strict=True)
        found = torch.cat([model(*part) for part in parts])
        loss = -found[torch.arange(len(codes)), codes].clamp_min(1e-9).log().mean()
        return loss.item(), (found.argmax(1) == codes).double().mean().item()


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the random numbers of PyTorch and use one thread; restore both afterwards.

    The layers are small: two threads mostly wait for each other.
    """
    n_threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(n_threads)


def _loss(scores: Tensor, codes: Tensor) -> Tensor:
    """Return the mean cross-entropy of all members, which are trained independently."""
    every = codes.repeat_interleave(N_MEMBERS)
    return cross_entropy(scores.flatten(0, 1), every, label_smoothing=_SMOOTHING)


def _optimizer(network: MovementNetwork) -> torch.optim.Optimizer:
    matrices = [values for values in network.parameters() if values.ndim > 1]
    others = [values for values in network.parameters() if values.ndim <= 1]
    return torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": _WEIGHT_DECAY},
            {"params": others, "weight_decay": 0.0},
        ],
        betas=(0.9, 0.99),
    )
