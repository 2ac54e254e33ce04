"""Rocket: random convolutions and peaks over time. It trains in seconds and needs no tuning."""

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from handlore.datasets.dataset import NONE_LABEL, StrArray
from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import FloatArray
from handlore.models.card import INPUT
from handlore.models.encoders import N_CONTEXT

from ..augmentation import Augmentation
from ..base import MovementEstimator, Windows
from ..discriminant import MAX_ROWS, LinearDiscriminant, Rows, clusters_of_none, parts_in_turn
from ..kernels import DILATIONS, PATTERNS, Build, Features, KernelBanks
from ..mirroring import UNKNOWN, classes_in_mirror, mirror_blocks, parse_label_pairs
from ..movement_features import (
    IN_PICTURE,
    N_FEATURES,
    joined,
    movement_features,
    points_of,
    summary,
)
from ..onnx_graph import Graph, GraphRunner, share_equal_parts
from ..peaks import peak_features
from ..pretrained import FEW_CLIPS, PretrainedFeatures
from . import ESTIMATORS

_FEATURE_SETS = (
    ("shape", "distances", "orientation", "presence"),
    ("long_motion",),
    ("short_motion",),
    ("path", "path_motion"),
    ("shape", "path", "long_motion"),
)
"""Groups of features that are convolved together; each set has its own kernels."""

_PICTURE_SETS = (
    ("picture", "picture_long_motion"),
    ("picture_long_motion",),
    ("picture_short_motion",),
)
"""The same as the camera sees it, with half as many thresholds."""

_SUMMARISED = ("shape", "distances", "orientation", "path")
"""Groups of features whose level and range are used too, beside those in the picture: kernels
respond to changes only."""
_N_KERNEL_FEATURES = 2500

_RANGES = {
    "n_kernel_features": (1, 20_000),
    "n_augmented": (0, 1000),
    "random_state": (0, 2**32 - 1),
    "pretrained_below": (0, 1000),
}
"""A matrix of features by features must fit into memory."""

_N_FOR_THRESHOLDS = 128

_STEPS_BEFORE = 2
"""Before the copies of movements: their own outputs, and which labels a mirror swaps."""


@ESTIMATORS.register
class RocketClassifier(MovementEstimator):
    """Random convolutions, peaks and spectra over time, with a linear discriminant.

    Convolutions (see :mod:`..kernels`) see a movement at 32 relative points in time, once in the
    frame of the hand and once as the camera sees it; peaks (see :mod:`..peaks`) see it at 30 points
    a second. Levels and ranges of the features are used too.

    Parameters
    ----------
    n_kernel_features
        Approximate number of outputs of the kernels in the frame of the hand.
    n_augmented
        Number of augmented copies of each movement, see :mod:`..augmentation`; of more than some
        1,700 movements only one.
    mirror_labels
        Pairs of labels that mirroring swaps, such as ``left=right,in=out``; other labels stay the
        same. Without any, the label of a mirrored movement is found in the data: mirrored copies
        are only made of labels where it is clear.
    random_state
        Seed.
    pretrained_below
        With fewer movements a label than this, use the pretrained features (see
        :mod:`..pretrained`) instead of kernels drawn for the data; 0: never.
    """

    name = "rocket"
    summary = "random convolutions and peaks: movements, trains in seconds on any machine"
    n_timepoints = 128
    averaged = False
    context = True
    spots = True

    def __init__(
        self,
        n_kernel_features: int = _N_KERNEL_FEATURES,
        n_augmented: int = 2,
        mirror_labels: str = "",
        random_state: int = 0,
        pretrained_below: int = FEW_CLIPS,
    ) -> None:
        self.n_kernel_features = n_kernel_features
        self.n_augmented = n_augmented
        self.mirror_labels = mirror_labels
        self.random_state = random_state
        self.pretrained_below = pretrained_below

    def _fit(self, X: FloatArray, codes: NDArray[np.int64], groups: StrArray | None) -> None:
        self._check_parameters()
        self.of_clips_: MovementEstimator | None = None
        rng = np.random.default_rng(self.random_state)
        self.uses_pretrained = self._has_few(X)
        self.pretrained_ = PretrainedFeatures.shipped() if self.uses_pretrained else None
        plain = self._prepared(X, rng)
        self._advance(1, _STEPS_BEFORE + 1 + self.n_augmented)
        self.images_ = classes_in_mirror(X, codes, groups, self.classes_, self.mirror_labels)
        self._learn(plain, codes, groups, self._copies(X, rng), rng)

    def _has_few(self, X: FloatArray) -> bool:
        """Return whether there are few movements of each label, and pretrained features fit."""
        found = self._n_hands, self._n_facts, self.n_timepoints_in_, self.n_kernel_features
        fits = found == (1, N_CONTEXT, self.n_timepoints, _N_KERNEL_FEATURES)
        n = self.n_of_whole or len(X)
        return fits and n < self.pretrained_below * len(self.classes_)

    def _prepared(self, X: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Choose kernels and scales of their outputs; return the standardised outputs."""
        known = self.pretrained_
        self.banks_ = known.banks if known else self._draw_banks(X, rng)
        self._transform = GraphRunner(self._graph_of(self._outputs))
        if known:
            self.mean_, self.deviation_ = known.mean, known.deviation
            return self._computed(X)
        plain = self._transform(X)
        self.mean_, self.deviation_ = plain.mean(axis=0), plain.std(axis=0) + np.float32(0.02)
        return (plain - self.mean_) / self.deviation_

    def outputs_of(self, X: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Draw kernels for X; return the outputs of its movements, and of augmented copies."""
        rng = np.random.default_rng(self.random_state)
        self._remember_shape(X)
        self.pretrained_ = None
        plain = self._prepared(X, rng)
        return plain, self._computed(Augmentation()(X, rng))

    def fit_with_windows(
        self,
        X: FloatArray,
        y: StrArray,
        groups: StrArray,
        windows: Windows,
        clips: MovementEstimator | None = None,
    ) -> Self:
        """Return a copy that also knows windows of streams; both have the same features.

        The windows decide whether there is a movement, and ``clips``, by default this estimator,
        which one it is.
        """
        copy: Self = clone(self)
        copy.progress, copy.keeps_best = self.progress, self.keeps_best
        copy.classes_, codes = np.unique(np.concatenate([y, windows[1]]), return_inverse=True)
        copy.n_features_in_, copy.n_timepoints_in_ = self.n_features_in_, self.n_timepoints_in_
        copy.banks_, copy.mean_, copy.deviation_ = self.banks_, self.mean_, self.deviation_
        copy._transform, copy.pretrained_ = self._transform, self.pretrained_
        copy.uses_pretrained = self.uses_pretrained
        copy.of_clips_ = clips or self
        copy.notes_, copy.history_ = copy.of_clips_.notes_, copy.of_clips_.history_
        place = np.searchsorted(copy.classes_, self.classes_)
        copy.images_ = np.full(len(copy.classes_), UNKNOWN)
        copy.images_[place] = np.where(self.images_ == UNKNOWN, UNKNOWN, place[self.images_])
        rng = np.random.default_rng(self.random_state)
        plain = copy._computed(np.concatenate([X, windows[0]]))
        everyone = np.concatenate([groups, windows[2]])
        copy._learn(plain, codes, everyone, copy._copies(X, rng), rng)
        return copy

    def _check_parameters(self) -> None:
        for param, (least, most) in _RANGES.items():
            if not least <= getattr(self, param) <= most:
                raise InvalidDataError(
                    f"parameter {param} is {getattr(self, param)}, expected {least} to {most}"
                )
        parse_label_pairs(self.mirror_labels)

    def _learn(
        self,
        plain: FloatArray,
        codes: NDArray[np.int64],
        groups: StrArray | None,
        copies: Iterator[tuple[FloatArray, bool]],
        rng: np.random.Generator,
    ) -> None:
        """Find the discriminant.

        ``plain`` (n, n_outputs) are computed from movements, the first of them those of which there
        are copies.
        """
        part = parts_in_turn(codes, groups, rng)
        names = [str(name) for name in self.classes_]
        clusters, self.class_of_ = clusters_of_none(plain, codes, names)
        images = self.images_[codes]
        # A cluster of none stays the same in a mirror.
        images = np.where(images == codes, clusters, images)

        def batches() -> Iterator[Rows]:
            yield plain, clusters, part, np.ones(len(plain), bool)
            for number, (blocks, is_mirrored) in enumerate(copies):
                self._advance(_STEPS_BEFORE + number, _STEPS_BEFORE + self._most_copies)
                own = (images if is_mirrored else clusters)[: len(blocks)]
                known = own != UNKNOWN
                if known.any():
                    made = self._computed(blocks[known])
                    yield made, own[known], part[: len(blocks)][known], np.zeros(len(made), bool)

        fitted = LinearDiscriminant.fit_batches(batches(), self.class_of_)
        if self.pretrained_:
            fitted = self.pretrained_.folded(fitted)
        self.discriminant_ = fitted.on_raw_features(self.mean_, self.deviation_)
        self._runner = GraphRunner(self._to_onnx())

    def _computed(self, X: FloatArray) -> FloatArray:
        """Return the standardised outputs (n, n_outputs), and directions if they are known."""
        found = self._transform(X)
        found -= self.mean_
        found /= self.deviation_
        return self.pretrained_.extended(found) if self.pretrained_ else found

    @property
    def _most_copies(self) -> int:
        """How many copies of all movements there are at most, mirrored ones included, and one."""
        mirrored = not (self.images_ == UNKNOWN).all()
        return 1 + self.n_augmented + mirrored * (1 + self.n_augmented // 2)

    def _copies(self, X: FloatArray, rng: np.random.Generator) -> Iterator[tuple[FloatArray, bool]]:
        """Yield augmented copies of all movements, and whether they are mirrored."""
        # Of many movements there are fewer copies, so that all rows can be solved at once.
        n_copies = min(self.n_augmented, max(1, MAX_ROWS // len(X) - 2))
        for _ in range(n_copies):
            yield Augmentation()(X, rng), False
        if (self.images_ == UNKNOWN).all():
            return
        mirrored = mirror_blocks(X, self._n_hands)
        yield mirrored, True
        for _ in range(n_copies // 2):
            yield Augmentation()(mirrored, rng), True

    def _draw_banks(self, X: FloatArray, rng: np.random.Generator) -> KernelBanks:
        sample = X[rng.choice(len(X), min(len(X), _N_FOR_THRESHOLDS), replace=False)]
        per_kernel = self.n_kernel_features / (len(_FEATURE_SETS) * len(DILATIONS) * len(PATTERNS))
        n = max(1, round(per_kernel))
        sets: dict[tuple[str, ...], tuple[int, int]] = {
            groups: (self._n_hands * _width(groups), wanted)
            for kind, wanted in ((_FEATURE_SETS, n), (_PICTURE_SETS, max(1, n // 2)))
            for groups in kind
        }

        def compute(build: Build) -> FloatArray:
            return GraphRunner(self._graph_of(build, ("rows", "points")))(sample)

        return KernelBanks.draw(sets, compute, rng)

    def _graph_of(self, build: Build, shape: tuple[int | str, ...] = ("outputs",)) -> Any:
        """Return the model that ``build`` adds to the features."""
        graph = Graph()
        result = build(graph, self._features(graph))
        return graph.model((self.n_features_in_, self.n_timepoints_in_), result, shape)

    def _features(self, graph: Graph) -> Features:
        """Add features over time at 32 points, each the average of several moments."""
        return movement_features(graph, self.n_features_in_, self.n_timepoints_in_)

    def _outputs(self, graph: Graph, features: Features) -> str:
        """Add everything that the discriminant uses (n, n_outputs)."""
        n_points = points_of(self.n_timepoints_in_)
        levels = [
            level
            for groups in (_SUMMARISED, IN_PICTURE)
            for level in summary(graph, joined(graph, features, groups), n_points)
        ]
        peaks = peak_features(graph, self.n_features_in_, self.n_timepoints_in_)
        parts = [self.banks_.add_to(graph, features), *levels, peaks]
        if self.pretrained_:
            parts.append(self.pretrained_.add_to(graph, peaks))
        return graph.op("Concat", *parts, axis=1)

    def _classified(self, graph: Graph, features: Features) -> str:
        outputs = self._outputs(graph, features)
        likely = self._likely(graph, outputs)
        clips, none = self.of_clips_, self.classes_ == NONE_LABEL
        if clips is None or not none.any():
            return likely
        places = np.eye(len(none), dtype=np.float32)[np.searchsorted(self.classes_, clips.classes_)]
        if isinstance(clips, RocketClassifier):
            shown = clips._likely(graph, outputs)
        else:
            shown = graph.inline(clips.to_onnx(), {INPUT: INPUT})
        known = graph.op("MatMul", shown, graph.constant(places * ~none))
        rest = np.eye(len(none), dtype=np.float32)[none]
        is_none = graph.op("MatMul", likely, graph.constant(rest.T))
        # A label needs both: the windows show a movement, and the clips say that it is this one.
        one = graph.constant([[1.0]])
        shown = graph.op("Mul", known, graph.op("Sub", one, is_none))
        total = graph.op("ReduceL1", shown, axes=[1], keepdims=1)
        is_none = graph.op("Sub", one, total)
        return graph.op("Add", shown, graph.op("MatMul", is_none, graph.constant(rest)))

    def _likely(self, graph: Graph, outputs: str) -> str:
        """Add the probabilities of the discriminant (n, n_classes)."""
        weights, bias = self.discriminant_.weights, self.discriminant_.bias
        # Columns of one scale, so that 16-bit numbers keep the small weights too.
        scale = np.abs(weights).max(axis=0) + np.float32(1e-30)
        products = graph.op("MatMul", outputs, graph.compact(weights / scale))
        products = graph.op("Mul", products, graph.constant(scale))
        likely = graph.op("Softmax", graph.op("Add", products, graph.constant(bias)), axis=1)
        if len(self.class_of_) == len(self.classes_):
            return likely
        members = np.eye(len(self.classes_), dtype=np.float32)[self.class_of_]
        return graph.op("MatMul", likely, graph.constant(members))

    def _predict_proba(self, X: FloatArray) -> FloatArray:
        return self._runner(X)

    def _to_onnx(self) -> Any:
        """Return features, convolutions, peaks and discriminant as one graph."""
        model = self._graph_of(self._classified, (len(self.classes_),))
        # An ensemble that decides about clips may have the same features.
        share_equal_parts(model.graph)
        return model


def _width(groups: tuple[str, ...]) -> int:
    """Return the number of features of one hand."""
    return sum(N_FEATURES[group] for group in groups)
