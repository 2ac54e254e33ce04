"""Random convolutions over time (MiniRocket), as operators of a graph.

A. Dempster, D. Schmidt, G. Webb, "MiniRocket: a very fast (almost) deterministic transform for time
series classification", KDD 2021: time series are convolved with fixed small kernels at several
dilations; the output is the share of the time in which the result is above a threshold drawn from
the training data. Here each kernel is applied to the sum of a few random features of a hand.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, groupby
from typing import Self

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.hands import FloatArray

from .movement_features import joined
from .onnx_graph import Graph

Features = dict[str, str]
"""Features over time by group: names of results (n, n_features, n_timepoints) in a graph."""
Build = Callable[[Graph, Features], str]
"""Adds something that is computed from features to a graph."""
Compute = Callable[[Build], FloatArray]
"""Computes what is built, (n, n_rows, n_timepoints), for a sample of the training data."""
DILATIONS = (1, 2, 3)

PATTERNS = np.full((84, 9), -1, np.float32)
"""The kernels of MiniRocket: 9 taps, three of them 2 and the others -1, in all 84 ways."""
for _row, _taps in enumerate(combinations(range(9), 3)):
    PATTERNS[_row, list(_taps)] = 2

_MAX_MIXED = 9


@dataclass(frozen=True)
class Bank:
    """The 84 kernels at one dilation, each on a few features of one set."""

    groups: tuple[str, ...]
    dilation: int
    mixing: FloatArray
    """(84, n_features) weight of each feature in each kernel."""
    offset: FloatArray
    """(84,)"""
    thresholds: FloatArray
    """(84, n_thresholds)"""


@dataclass(frozen=True)
class KernelBanks:
    """Kernels with their features and thresholds, drawn once for a training set."""

    banks: tuple[Bank, ...]

    @classmethod
    def draw(
        cls,
        sets: Mapping[tuple[str, ...], tuple[int, int]],
        compute: Compute,
        rng: np.random.Generator,
    ) -> Self:
        """Draw banks for sets of groups of features.

        Each set has its number of features, and of thresholds a kernel. Everything is computed in
        two graphs: to make a graph ready takes longer than to run it.
        """
        values = compute(partial(_joined_sets, sets=tuple(sets)))
        ends = np.cumsum([n_features for n_features, _ in sets.values()])
        drawn = []
        for (groups, (_, n_thresholds)), own in zip(
            sets.items(), np.split(values, ends[:-1], axis=1), strict=True
        ):
            mean, deviation = own.mean(axis=(0, 2)), own.std(axis=(0, 2)) + np.float32(1e-3)
            for dilation in DILATIONS:
                mixing = _half(_random_mixing(len(mean), rng) / deviation)
                bank = Bank(groups, dilation, mixing, _half(-(mixing @ mean)), mixing[:, :0])
                drawn.append((bank, _random_shares(n_thresholds, rng)))
        drawn.sort(key=lambda pair: (pair[1].shape[1], pair[0].dilation))
        by_dilation = sorted((bank for bank, _ in drawn), key=lambda bank: bank.dilation)
        responses = compute(partial(_responses, banks=tuple(by_dilation)))
        place = {id(bank): number * len(PATTERNS) for number, bank in enumerate(by_dilation)}
        banks = []
        for bank, shares in drawn:
            first = place[id(bank)]
            thresholds = _quantiles(responses[:, first : first + len(PATTERNS)], shares)
            banks.append(replace(bank, thresholds=_half(thresholds)))
        return cls(tuple(banks))

    def add_to(self, graph: Graph, features: Features) -> str:
        """Add the outputs (n, n_outputs): shares of the time above each threshold."""
        parts = []
        for _, own in groupby(self.banks, key=lambda bank: bank.thresholds.shape[1]):
            banks = tuple(own)
            rows = graph.op("Unsqueeze", _responses(graph, features, banks), graph.constant([2]))
            thresholds = np.concatenate([bank.thresholds for bank in banks])
            above = graph.op("Greater", rows, graph.compact(thresholds[..., None]))
            share = graph.op("ReduceMean", graph.op("Cast", above, to=1), axes=[3], keepdims=0)
            parts.append(graph.reshape(share, -1, thresholds.size))
        return graph.op("Concat", *parts, axis=1)


def _joined_sets(graph: Graph, features: Features, sets: tuple[tuple[str, ...], ...]) -> str:
    return graph.op("Concat", *(joined(graph, features, groups) for groups in sets), axis=1)


def _responses(graph: Graph, features: Features, banks: tuple[Bank, ...]) -> str:
    """Add the convolutions (n, 84 * n_banks, n_timepoints) of banks that are sorted by dilation.

    For a single clip the number of operations matters: all kernels of a feature set are mixed at
    once, and all kernels of a dilation are convolved at once.
    """
    mixed: dict[int, list[str]] = {bank.dilation: [] for bank in banks}
    for groups in dict.fromkeys(bank.groups for bank in banks):
        own = [bank for bank in banks if bank.groups == groups]
        mixing = graph.compact(np.concatenate([bank.mixing for bank in own]))
        offset = graph.compact(np.concatenate([bank.offset for bank in own])[:, None])
        rows = graph.op("Add", graph.op("MatMul", mixing, joined(graph, features, groups)), offset)
        for number, bank in enumerate(own):
            first = number * len(PATTERNS)
            mixed[bank.dilation].append(graph.part(rows, first, first + len(PATTERNS), 1))
    # As images one pixel high, for which onnxruntime is several times faster.
    row = graph.constant([2])
    patterns = graph.constant(PATTERNS[:, None, None])
    convolved = []
    for dilation, parts in mixed.items():
        rows = graph.op("Unsqueeze", graph.op("Concat", *parts, axis=1), row)
        kernels = graph.op("Tile", patterns, graph.constant([len(parts), 1, 1, 1]))
        reach = 4 * dilation
        convolved.append(
            graph.op(
                "Conv",
                rows,
                kernels,
                group=len(parts) * len(PATTERNS),
                dilations=[1, dilation],
                pads=[0, reach, 0, reach],
                kernel_shape=[1, PATTERNS.shape[1]],
            )
        )
    return graph.op("Squeeze", graph.op("Concat", *convolved, axis=1), row)


def _half(values: NDArray[np.floating]) -> FloatArray:
    """Round to what a file keeps."""
    return values.astype(np.float16).astype(np.float32)


def _random_mixing(n_features: int, rng: np.random.Generator) -> FloatArray:
    """Draw the features of each kernel: one more often than two, two more often than four."""
    mixing = np.zeros((len(PATTERNS), n_features), np.float32)
    most = min(n_features, _MAX_MIXED)
    for row in mixing:
        n = int(2 ** rng.uniform(0, np.log2(most + 1)))
        row[rng.choice(n_features, n, replace=False)] = n**-0.5
    return mixing


def _random_shares(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw n shares for each kernel, evenly from 0 to 1."""
    shares: NDArray[np.float64] = (np.arange(n) + rng.uniform(0, 1, (len(PATTERNS), n))) / n
    return shares


def _quantiles(responses: FloatArray, shares: NDArray[np.float64]) -> FloatArray:
    """Return the quantiles of the responses of each kernel, as thresholds."""
    rising = np.sort(np.moveaxis(responses, 1, 0).reshape(len(PATTERNS), -1), axis=1)
    place = shares * (rising.shape[1] - 1)
    below = place.astype(np.int64)
    low, high = (
        np.take_along_axis(rising, np.minimum(index, rising.shape[1] - 1), axis=1)
        for index in (below, below + 1)
    )
    return np.asarray(low + (place - below) * (high - low), np.float32)
