"""MiniRocket: random convolutions over time. Trains in seconds, needs no tuning and no GPU."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from handlore.datasets.dataset import NONE_LABEL, StrArray
from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import FloatArray
from handlore.models.movement_encoder import N_CHANNELS

from ..augmentation import Augmentation, mirror_blocks, mirror_codes, parse_label_pairs
from ..base import MovementEstimator
from ..discriminant import ClassMoments, LinearDiscriminant
from ..movement_features import N_FEATURES, movement_features
from ..onnx_graph import Graph, GraphRunner
from . import ESTIMATORS

FEATURE_SETS = (
    ("shape", "distances", "orientation", "presence"),
    ("long_motion",),
    ("short_motion",),
    ("path", "path_motion"),
    ("shape", "path", "long_motion"),
)
"""Groups of features that are convolved together; each set has its own kernels."""

_SUMMARISED = ("shape", "distances", "orientation", "path")
"""Groups of features whose level and range are used too: kernels respond to changes only."""

_DILATIONS = (1, 2, 3)
_N_SEGMENTS = 4

PATTERNS = np.full((84, 9), -1, np.float32)
"""The kernels of MiniRocket: 9 taps, three of them 2 and the others -1, in all 84 ways."""
for _row, _taps in enumerate(combinations(range(9), 3)):
    PATTERNS[_row, list(_taps)] = 2

_MAX_MIXED = 9
_RANGES = {
    "n_kernel_features": (1, 20_000),
    "n_augmented": (0, 1000),
    "random_state": (0, 2**32 - 1),
}
"""A matrix of features by features must fit into memory."""

NONE_CLUSTERS, MIN_CLUSTER_SIZE = 12, 60
"""Maximum number of clusters of ``none``, and minimum number of samples in each."""

_N_PROJECTED = 40

_N_FOR_THRESHOLDS = 128
_N_PARTS = 3


_Build = Callable[[Graph, dict[str, str]], str]


@dataclass(frozen=True)
class _Bank:
    """The 84 kernels at one dilation, each on a few features of one set."""

    groups: tuple[str, ...]
    dilation: int
    mixing: FloatArray
    """(84, n_features) weight of each feature in each kernel."""
    offset: FloatArray
    """(84,)"""
    thresholds: FloatArray
    """(84, n_thresholds)"""


@ESTIMATORS.register
class _RocketClassifier(MovementEstimator):
    """MiniRocket on features of hands, with a linear discriminant.

    A. Dempster, D. Schmidt, G. Webb, "MiniRocket: a very fast (almost) deterministic transform
    for time series classification", KDD 2021: time series are convolved with fixed small kernels at
    several dilations; the output is the share of the time in which the result is above a threshold
    drawn from the training data. Here each kernel is applied to the sum of a few random features of
    a hand, and levels and ranges of the features are used too.

    Parameters
    ----------
    n_kernel_features
        Approximate number of outputs of the kernels.
    n_augmented
        Number of augmented copies of each movement, see :mod:`..augmentation`.
    mirror_labels
        Pairs of labels that mirroring swaps, such as ``left=right,in=out``; mirrored movements are
        then used for training too. Other labels stay the same.
    random_state
        Seed.
    """

    name = "rocket"
    summary = "random convolutions: movements, trains in seconds on any machine"

    def __init__(
        self,
        n_kernel_features: int = 2500,
        n_augmented: int = 4,
        mirror_labels: str = "",
        random_state: int = 0,
    ) -> None:
        self.n_kernel_features = n_kernel_features
        self.n_augmented = n_augmented
        self.mirror_labels = mirror_labels
        self.random_state = random_state

    def _fit(self, X: FloatArray, codes: NDArray[np.int64], groups: StrArray | None) -> None:
        for param, (least, most) in _RANGES.items():
            if not least <= getattr(self, param) <= most:
                raise InvalidDataError(
                    f"parameter {param} is {getattr(self, param)}, expected {least} to {most}"
                )
        pairs = parse_label_pairs(self.mirror_labels)
        rng = np.random.default_rng(self.random_state)
        self.banks_ = self._banks(X, rng)
        transform = GraphRunner(self._outputs_graph())
        plain = transform(X)
        self.mean_, self.deviation_ = plain.mean(axis=0), plain.std(axis=0) + np.float32(0.02)
        plain = (plain - self.mean_) / self.deviation_
        part_of = _parts(codes, groups, rng)
        clusters, self.class_of_ = _clusters(plain, codes, [str(name) for name in self.classes_])
        parts = [
            (ClassMoments(len(self.class_of_), plain.shape[1]), plain[own], clusters[own])
            for own in (part_of == number for number in range(part_of.max() + 1))
        ]
        for moments, features, own in parts:
            moments.add(features, own)
        for blocks, labels in self._augmented(X, clusters, pairs, rng):
            features = (transform(blocks) - self.mean_) / self.deviation_
            for number, (moments, _, _) in enumerate(parts):
                own = (part_of == number) & (labels >= 0)
                moments.add(features[own], labels[own])
        self.discriminant_ = _on_raw_features(
            LinearDiscriminant.fit(parts, self.class_of_), self.mean_, self.deviation_
        )
        self._runner = GraphRunner(self._to_onnx())

    def _augmented(
        self,
        X: FloatArray,
        clusters: NDArray[np.int64],
        pairs: dict[str, str] | None,
        rng: np.random.Generator,
    ) -> Iterator[tuple[FloatArray, NDArray[np.int64]]]:
        """Yield augmented copies of all movements, and of their mirror images if required."""
        n_hands = X.shape[1] // N_CHANNELS
        augment = Augmentation()
        images = [(X, clusters)]
        if pairs is not None:
            # A cluster of none is not mirrored.
            classes = np.where(clusters < len(self.classes_), clusters, 0)
            swapped = mirror_codes(classes, self.classes_, pairs)
            swapped = np.where(clusters < len(self.classes_), swapped, clusters)
            images.append((mirror_blocks(X, n_hands), swapped))
            yield images[1]
        for blocks, labels in images:
            for _ in range(self.n_augmented):
                yield augment(blocks, rng), labels

    def _banks(self, X: FloatArray, rng: np.random.Generator) -> list[_Bank]:
        n_hands = X.shape[1] // N_CHANNELS
        sample = X[rng.choice(len(X), min(len(X), _N_FOR_THRESHOLDS), replace=False)]
        per_kernel = self.n_kernel_features / (len(FEATURE_SETS) * len(_DILATIONS) * len(PATTERNS))
        n_thresholds = max(1, round(per_kernel))
        banks = []
        for groups in FEATURE_SETS:
            joined = partial(_joined, groups=groups)
            values = self._computed(joined, _width(groups, n_hands), sample)
            mean, deviation = values.mean(axis=(0, 2)), values.std(axis=(0, 2)) + np.float32(1e-6)
            for dilation in _DILATIONS:
                mixing = _random_mixing(len(mean), rng) / deviation
                bank = _Bank(groups, dilation, mixing, -(mixing @ mean), mixing[:, :0])
                responses = self._computed(partial(_responses, banks=[bank]), 84, sample)
                banks.append(replace(bank, thresholds=_quantiles(responses, n_thresholds, rng)))
        return sorted(banks, key=lambda bank: bank.dilation)

    def _computed(self, build: _Build, n_rows: int, X: FloatArray) -> FloatArray:
        """Return what ``build`` adds to the features (n, n_rows, n_timepoints), for blocks X."""
        return GraphRunner(self._graph_of(build, (n_rows, X.shape[2])))(X)

    def _graph_of(self, build: _Build, shape: tuple[int, ...]) -> Any:
        """Return the model that ``build`` adds to the features."""
        graph = Graph()
        features = movement_features(
            graph, self.n_features_in_ // N_CHANNELS, self.n_timepoints_in_
        )
        return graph.model(self._n_channels, self.n_timepoints_in_, build(graph, features), shape)

    def _outputs_graph(self) -> Any:
        return self._graph_of(self._outputs, (self._n_outputs(),))

    def _n_outputs(self) -> int:
        n_hands = self.n_features_in_ // N_CHANNELS
        counted = sum(bank.thresholds.size for bank in self.banks_)
        return counted + (4 + _N_SEGMENTS) * _width(_SUMMARISED, n_hands)

    def _outputs(self, graph: Graph, features: dict[str, str]) -> str:
        responses = _responses(graph, features, self.banks_)
        shares = _shares(graph, responses, np.concatenate([b.thresholds for b in self.banks_]))
        levels = _summary(graph, _joined(graph, features, _SUMMARISED), self.n_timepoints_in_)
        return graph.op("Concat", shares, *levels, axis=1)

    def _classified(self, graph: Graph, features: dict[str, str]) -> str:
        outputs = self._outputs(graph, features)
        weights, bias = self.discriminant_.weights, self.discriminant_.bias
        scores = graph.op("Gemm", outputs, graph.constant(weights), graph.constant(bias))
        likely = graph.op("Softmax", scores, axis=1)
        if len(self.class_of_) == len(self.classes_):
            return likely
        members = np.eye(len(self.classes_), dtype=np.float32)[self.class_of_]
        return graph.op("MatMul", likely, graph.constant(members))

    def _predict_proba(self, X: FloatArray) -> FloatArray:
        return self._runner(X)

    def _to_onnx(self) -> Any:
        """Return features, convolutions, thresholds and discriminant as one graph."""
        return self._graph_of(self._classified, (len(self.classes_),))


def _width(groups: tuple[str, ...], n_hands: int) -> int:
    return n_hands * sum(N_FEATURES[group] for group in groups)


def _joined(graph: Graph, features: dict[str, str], groups: tuple[str, ...]) -> str:
    return graph.op("Concat", *(features[group] for group in groups), axis=1)


def _responses(graph: Graph, features: dict[str, str], banks: list[_Bank]) -> str:
    """Add the convolutions (n, 84 * n_banks, n_timepoints) of banks that are sorted by dilation.

    For a single clip the number of operations matters: all kernels of a feature set are mixed at
    once, and all kernels of a dilation are convolved at once.
    """
    mixed: dict[int, list[str]] = {bank.dilation: [] for bank in banks}
    for groups in dict.fromkeys(bank.groups for bank in banks):
        own = [bank for bank in banks if bank.groups == groups]
        mixing = graph.constant(np.concatenate([bank.mixing for bank in own]))
        offset = graph.constant(np.concatenate([bank.offset for bank in own])[:, None])
        rows = graph.op("Add", graph.op("MatMul", mixing, _joined(graph, features, groups)), offset)
        for number, bank in enumerate(own):
            first = number * len(PATTERNS)
            mixed[bank.dilation].append(graph.part(rows, first, first + len(PATTERNS), 1))
    # As images one pixel high, for which onnxruntime is several times faster.
    row = graph.constant([2])
    convolved = []
    for dilation, parts in mixed.items():
        rows = graph.op("Unsqueeze", graph.op("Concat", *parts, axis=1), row)
        kernels = graph.constant(np.tile(PATTERNS[:, None, None], (len(parts), 1, 1, 1)))
        reach = 4 * dilation
        convolved.append(
            graph.op(
                "Conv",
                rows,
                kernels,
                group=len(parts) * len(PATTERNS),
                dilations=[1, dilation],
                pads=[0, reach, 0, reach],
            )
        )
    return graph.op("Squeeze", graph.op("Concat", *convolved, axis=1), row)


def _shares(graph: Graph, responses: str, thresholds: FloatArray) -> str:
    """Add the share of the time in which each response is above each of its thresholds."""
    rows = graph.op("Unsqueeze", responses, graph.constant([2]))
    above = graph.op("Greater", rows, graph.constant(thresholds[..., None]))
    share = graph.op("ReduceMean", graph.op("Cast", above, to=1), axes=[3], keepdims=0)
    return graph.reshape(share, -1, thresholds.size)


def _summary(graph: Graph, values: str, n_timepoints: int) -> list[str]:
    """Add mean, deviation, least and largest value and the mean of each quarter of the time."""
    mean = graph.op("ReduceMean", values, axes=[2], keepdims=1)
    off = graph.op("ReduceL2", graph.op("Sub", values, mean), axes=[2], keepdims=0)
    deviation = graph.op("Mul", off, graph.constant([n_timepoints**-0.5]))
    least = graph.op("ReduceMin", values, axes=[2], keepdims=0)
    largest = graph.op("ReduceMax", values, axes=[2], keepdims=0)
    bounds = np.linspace(0, n_timepoints, _N_SEGMENTS + 1).round().astype(int)
    segments = [
        graph.op("ReduceMean", graph.part(values, start, end, 2), axes=[2], keepdims=0)
        for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    ]
    return [graph.op("Flatten", mean), deviation, least, largest, *segments]


def _random_mixing(n_features: int, rng: np.random.Generator) -> FloatArray:
    """Draw the features of each kernel: one more often than two, two more often than four."""
    mixing = np.zeros((len(PATTERNS), n_features), np.float32)
    most = min(n_features, _MAX_MIXED)
    for row in mixing:
        n = int(2 ** rng.uniform(0, np.log2(most + 1)))
        row[rng.choice(n_features, n, replace=False)] = n**-0.5
    return mixing


def _quantiles(responses: FloatArray, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw n thresholds for each kernel, evenly over the quantiles of its responses."""
    shares = (np.arange(n) + rng.uniform(0, 1, (len(PATTERNS), n))) / n
    kernels = np.moveaxis(responses, 1, 0).reshape(len(PATTERNS), -1)
    drawn = [np.quantile(row, share) for row, share in zip(kernels, shares, strict=True)]
    return np.array(drawn, np.float32)


def _parts(
    codes: NDArray[np.int64], groups: StrArray | None, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Assign samples to parts that are left out in turn; groups are not divided."""
    if groups is not None and len(np.unique(groups)) >= _N_PARTS:
        names, group_of = np.unique(groups, return_inverse=True)
        return np.asarray(rng.permutation(len(names))[group_of] % _N_PARTS, np.int64)
    if (np.bincount(codes) > 1).sum() < 2:
        return np.zeros(len(codes), np.int64)
    order = rng.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    part = np.empty(len(codes), np.int64)
    part[order] = np.arange(len(codes)) % _N_PARTS
    return part


def _clusters(
    features: FloatArray, codes: NDArray[np.int64], classes: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide the samples of ``none`` into clusters.

    Returns the cluster index (n_samples,), for other classes the class index, and the class index
    of each cluster (n_clusters,).
    """
    class_of = np.arange(len(classes))
    none = classes.index(NONE_LABEL) if NONE_LABEL in classes else -1
    own = np.flatnonzero(codes == none)
    n = min(NONE_CLUSTERS, len(own) // MIN_CLUSTER_SIZE)
    if n < 2:
        return codes, class_of
    # A random projection keeps distances approximately, and makes k-means faster.
    rng = np.random.default_rng(0)
    few = rng.normal(size=(features.shape[1], _N_PROJECTED)).astype(np.float32)
    found = KMeans(n, n_init=3, random_state=0).fit_predict(features[own] @ few)
    clusters = codes.copy()
    clusters[own] = np.where(found == 0, none, len(classes) - 1 + found)
    return clusters, np.concatenate([class_of, np.full(n - 1, none)])


def _on_raw_features(
    fitted: LinearDiscriminant, mean: FloatArray, deviation: FloatArray
) -> LinearDiscriminant:
    """Return the same discriminant for features that are not standardised."""
    weights = fitted.weights / deviation[:, None]
    return LinearDiscriminant(weights, fitted.bias - mean @ weights)
