"""Random convolutions over time: trains in seconds, needs no tuning and no GPU."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import NONE_LABEL, StrArray
from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import FloatArray
from handlore.models.movement_encoder import N_CHANNELS

from ..augmentation import Augmentation, mirror_blocks, mirror_codes, parse_label_pairs
from ..base import MovementEstimator
from ..discriminant import ClassMoments, LinearDiscriminant, fit_discriminant
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
"""Kinds of channels that are seen together; each view has kernels of its own."""

_SUMMARISED = ("shape", "distances", "orientation", "path")
"""Kinds of channels of which level and range count too: kernels see only how they change."""

_DILATIONS = (1, 2, 3)
_N_SEGMENTS = 4

PATTERNS = np.full((84, 9), -1, np.float32)
"""The kernels of MiniRocket: 9 taps, three of them 2 and the others -1, in all 84 ways."""
for _row, _taps in enumerate(combinations(range(9), 3)):
    PATTERNS[_row, list(_taps)] = 2

_MOST_CHANNELS = 9
_RANGES = {
    "n_kernel_features": (1, 20_000),
    "n_augmented": (0, 1000),
    "random_state": (0, 2**32 - 1),
}
"""Features by features is what has to fit into memory."""

NONE_CLUSTERS, MIN_CLUSTER_SIZE = 12, 60
"""``none`` is so many kinds of things, if there are so many samples of each; a movement is one."""

_N_PROJECTED = 40

_SEEN_FOR_THRESHOLDS = 128
_N_PARTS = 3


@dataclass(frozen=True)
class _Bank:
    """The 84 kernels at one dilation, each on a few channels of one view."""

    view: tuple[str, ...]
    dilation: int
    mixing: FloatArray
    """(84, n_channels) what each kernel takes of each channel."""
    offset: FloatArray
    """(84,)"""
    thresholds: FloatArray
    """(84, n_thresholds)"""


@ESTIMATORS.register
class RocketClassifier(MovementEstimator):
    """MiniRocket on hand channels, and a linear discriminant on what it counts.

    A. Dempster, D. Schmidt, G. Webb, "MiniRocket: a very fast (almost) deterministic transform
    for time series classification", KDD 2021: series are convolved with fixed small kernels at
    several dilations, and a feature is the share of the time in which the result is above a
    threshold drawn from the training data. Here each kernel sees the sum of a few random channels
    of a hand, and levels and ranges of the channels are features too.

    Parameters
    ----------
    n_kernel_features
        About how many shares of time are counted.
    n_augmented
        How many changed copies of each movement are learnt too, see :mod:`..augmentation`.
    mirror_labels
        Pairs of labels that a mirror swaps, such as ``left=right,in=out``; mirrored movements are
        then learnt too. Labels that are not named stay what they are.
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
        transform = GraphRunner(self._features_graph())
        plain = transform(X)
        self.mean_, self.deviation_ = plain.mean(axis=0), plain.std(axis=0) + np.float32(0.02)
        plain = (plain - self.mean_) / self.deviation_
        part_of = _parts(codes, groups, rng)
        clouds, self.class_of_ = _clouds(plain, codes, [str(name) for name in self.classes_])
        parts = [
            (ClassMoments(len(self.class_of_), plain.shape[1]), plain[own], clouds[own])
            for own in (part_of == number for number in range(part_of.max() + 1))
        ]
        for moments, features, own in parts:
            moments.add(features, own)
        for blocks, labels in self._changed(X, clouds, pairs, rng):
            features = (transform(blocks) - self.mean_) / self.deviation_
            for number, (moments, _, _) in enumerate(parts):
                own = (part_of == number) & (labels >= 0)
                moments.add(features[own], labels[own])
        self.discriminant_ = _on_raw_features(
            fit_discriminant(parts, self.class_of_), self.mean_, self.deviation_
        )
        self._runner = GraphRunner(self._to_onnx())

    def _changed(
        self,
        X: FloatArray,
        clouds: NDArray[np.int64],
        pairs: dict[str, str] | None,
        rng: np.random.Generator,
    ) -> Iterator[tuple[FloatArray, NDArray[np.int64]]]:
        """Give changed copies of all movements, and of their mirror images if that is asked for."""
        n_hands = X.shape[1] // N_CHANNELS
        change = Augmentation()
        images = [(X, clouds)]
        if pairs is not None:
            # In a mirror a cloud of none stays what it is.
            classes = np.where(clouds < len(self.classes_), clouds, 0)
            swapped = mirror_codes(classes, self.classes_, pairs)
            swapped = np.where(clouds < len(self.classes_), swapped, clouds)
            images.append((mirror_blocks(X, n_hands), swapped))
            yield images[1]
        for blocks, labels in images:
            for _ in range(self.n_augmented):
                yield change(blocks, rng), labels

    def _banks(self, X: FloatArray, rng: np.random.Generator) -> list[_Bank]:
        n_hands = X.shape[1] // N_CHANNELS
        sample = X[rng.choice(len(X), min(len(X), _SEEN_FOR_THRESHOLDS), replace=False)]
        per_kernel = self.n_kernel_features / (len(FEATURE_SETS) * len(_DILATIONS) * len(PATTERNS))
        n_thresholds = max(1, round(per_kernel))
        banks = []
        for view in FEATURE_SETS:
            series = GraphRunner(
                self._graph_of(
                    lambda graph, kinds, view=view: _joined(graph, kinds, view),
                    (_width(view, n_hands), X.shape[2]),
                )
            )(sample)
            mean, deviation = series.mean(axis=(0, 2)), series.std(axis=(0, 2)) + np.float32(1e-6)
            for dilation in _DILATIONS:
                mixing = _drawn_mixing(len(mean), rng) / deviation
                bank = _Bank(view, dilation, mixing, -(mixing @ mean), mixing[:, :0])
                responses = GraphRunner(
                    self._graph_of(
                        lambda graph, kinds, bank=bank: _responses(graph, kinds, [bank]),
                        (84, X.shape[2]),
                    )
                )(sample)
                banks.append(replace(bank, thresholds=_quantiles(responses, n_thresholds, rng)))
        return sorted(banks, key=lambda bank: bank.dilation)

    def _graph_of(self, build: Any, shape: tuple[int, ...]) -> Any:
        """Return the model of what ``build`` makes of the channels."""
        graph = Graph()
        kinds = movement_features(graph, self.n_features_in_ // N_CHANNELS, self.n_timepoints_in_)
        return graph.model(self._n_channels, self.n_timepoints_in_, build(graph, kinds), shape)

    def _features_graph(self) -> Any:
        return self._graph_of(self._features, (self._n_features(),))

    def _n_features(self) -> int:
        n_hands = self.n_features_in_ // N_CHANNELS
        counted = sum(bank.thresholds.size for bank in self.banks_)
        return counted + (4 + _N_SEGMENTS) * _width(_SUMMARISED, n_hands)

    def _features(self, graph: Graph, kinds: dict[str, str]) -> str:
        responses = _responses(graph, kinds, self.banks_)
        shares = _shares(graph, responses, np.concatenate([b.thresholds for b in self.banks_]))
        levels = _summary(graph, _joined(graph, kinds, _SUMMARISED), self.n_timepoints_in_)
        return graph.op("Concat", shares, *levels, axis=1)

    def _classified(self, graph: Graph, kinds: dict[str, str]) -> str:
        features = self._features(graph, kinds)
        weights, bias = self.discriminant_.weights, self.discriminant_.bias
        scores = graph.op("Gemm", features, graph.constant(weights), graph.constant(bias))
        likely = graph.op("Softmax", scores, axis=1)
        if len(self.class_of_) == len(self.classes_):
            return likely
        members = np.eye(len(self.classes_), dtype=np.float32)[self.class_of_]
        return graph.op("MatMul", likely, graph.constant(members))

    def _predict_proba(self, X: FloatArray) -> FloatArray:
        return self._runner(X)

    def _to_onnx(self) -> Any:
        """Return channels, convolutions, counting and discriminant as one graph."""
        return self._graph_of(self._classified, (len(self.classes_),))


def _width(view: tuple[str, ...], n_hands: int) -> int:
    return n_hands * sum(N_FEATURES[kind] for kind in view)


def _joined(graph: Graph, kinds: dict[str, str], view: tuple[str, ...]) -> str:
    return graph.op("Concat", *(kinds[kind] for kind in view), axis=1)


def _responses(graph: Graph, kinds: dict[str, str], banks: list[_Bank]) -> str:
    """Add the convolutions (n, 84 * n_banks, n_timepoints) of banks that are sorted by dilation.

    In use, one clip at a time, each operation costs: all kernels of a view are mixed at once, and
    all of a dilation convolved at once.
    """
    mixed: dict[int, list[str]] = {bank.dilation: [] for bank in banks}
    for view in dict.fromkeys(bank.view for bank in banks):
        own = [bank for bank in banks if bank.view == view]
        mixing = graph.constant(np.concatenate([bank.mixing for bank in own]))
        offset = graph.constant(np.concatenate([bank.offset for bank in own])[:, None])
        rows = graph.op("Add", graph.op("MatMul", mixing, _joined(graph, kinds, view)), offset)
        for number, bank in enumerate(own):
            first = number * len(PATTERNS)
            mixed[bank.dilation].append(graph.part(rows, first, first + len(PATTERNS), 1))
    # As pictures one pixel high: onnxruntime is several times faster on these.
    row = graph.constant([2])
    convolved = []
    for dilation, parts in mixed.items():
        series = graph.op("Unsqueeze", graph.op("Concat", *parts, axis=1), row)
        kernels = graph.constant(np.tile(PATTERNS[:, None, None], (len(parts), 1, 1, 1)))
        reach = 4 * dilation
        convolved.append(
            graph.op(
                "Conv",
                series,
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


def _summary(graph: Graph, series: str, n_timepoints: int) -> list[str]:
    """Add mean, deviation, least and largest value and the mean of each quarter of the time."""
    mean = graph.op("ReduceMean", series, axes=[2], keepdims=1)
    off = graph.op("ReduceL2", graph.op("Sub", series, mean), axes=[2], keepdims=0)
    deviation = graph.op("Mul", off, graph.constant([n_timepoints**-0.5]))
    least = graph.op("ReduceMin", series, axes=[2], keepdims=0)
    largest = graph.op("ReduceMax", series, axes=[2], keepdims=0)
    bounds = np.linspace(0, n_timepoints, _N_SEGMENTS + 1).round().astype(int)
    segments = [
        graph.op("ReduceMean", graph.part(series, start, end, 2), axes=[2], keepdims=0)
        for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    ]
    return [graph.op("Flatten", mean), deviation, least, largest, *segments]


def _drawn_mixing(n_channels: int, rng: np.random.Generator) -> FloatArray:
    """Draw the channels that each kernel sees: one more often than two, two than four."""
    mixing = np.zeros((len(PATTERNS), n_channels), np.float32)
    most = min(n_channels, _MOST_CHANNELS)
    for row in mixing:
        n = int(2 ** rng.uniform(0, np.log2(most + 1)))
        row[rng.choice(n_channels, n, replace=False)] = n**-0.5
    return mixing


def _quantiles(responses: FloatArray, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw n thresholds for each kernel, evenly over what its responses are."""
    shares = (np.arange(n) + rng.uniform(0, 1, (len(PATTERNS), n))) / n
    kernels = np.moveaxis(responses, 1, 0).reshape(len(PATTERNS), -1)
    drawn = [np.quantile(row, share) for row, share in zip(kernels, shares, strict=True)]
    return np.array(drawn, np.float32)


def _parts(
    codes: NDArray[np.int64], groups: StrArray | None, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Deal samples into parts that are left out in turn; those of a group stay together."""
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


def _clouds(
    features: FloatArray, codes: NDArray[np.int64], classes: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tell apart what ``none`` consists of.

    Returns
    -------
    clouds
        (n_samples,) the cloud of each sample; those of other classes have the class's own number.
    class_of
        (n_clouds,) the class of each cloud.
    """
    class_of = np.arange(len(classes))
    none = classes.index(NONE_LABEL) if NONE_LABEL in classes else -1
    own = np.flatnonzero(codes == none)
    n = min(NONE_CLUSTERS, len(own) // MIN_CLUSTER_SIZE)
    if n < 2:
        return codes, class_of
    from sklearn.cluster import KMeans

    # Distances survive a random projection, which k-means then has less to do with.
    rng = np.random.default_rng(0)
    few = rng.normal(size=(features.shape[1], _N_PROJECTED)).astype(np.float32)
    found = KMeans(n, n_init=3, random_state=0).fit_predict(features[own] @ few)
    clouds = codes.copy()
    clouds[own] = np.where(found == 0, none, len(classes) - 1 + found)
    return clouds, np.concatenate([class_of, np.full(n - 1, none)])


def _on_raw_features(
    fitted: LinearDiscriminant, mean: FloatArray, deviation: FloatArray
) -> LinearDiscriminant:
    """Return the same discriminant for features that are not standardised."""
    weights = fitted.weights / deviation[:, None]
    return LinearDiscriminant(weights, fitted.bias - mean @ weights)
