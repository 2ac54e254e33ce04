"""A small convolutional network over time: the most accurate for movements; needs PyTorch."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import StrArray
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import FloatArray
from handlore.models.card import INPUT

from ..base import MovementEstimator, Windows
from ..mirroring import UNKNOWN, classes_in_mirror, mirror_blocks, parse_label_pairs
from ..onnx_graph import Graph, GraphRunner, compact_constants
from ..peaks import peak_features
from ..pretrained import PEAKS
from . import ESTIMATORS
from .rocket import RocketClassifier

_EPOCHS, _EPOCHS_LARGE = 60, 100
_MIN_STEPS, _MAX_EPOCHS = 600, 300
_FEW_CLIPS = 1000
_MIN_CLIPS_TO_SPLIT, _MIN_GROUPS = 60, 4


@ESTIMATORS.register
class _TemporalClassifier(MovementEstimator):
    """A temporal convolutional network: four small members on fingers, palm and peaks over time.

    By default it is trained on all movements, for a fixed number of epochs and with a learning rate
    that falls to almost 0: with strong augmentation and averaged weights the last epoch is about
    the best one, and a validation set would reduce the training data. ``validation=0.15`` holds out
    that share (whole groups), keeps the epoch with the lowest loss on it and stops early.

    Ctrl-C during ``fit`` ends training and keeps the best result so far if ``progress`` is set;
    otherwise it is raised as usual.

    Parameters
    ----------
    epochs
        Passes over all movements; 0 for 100, or 60 for fewer than 1,000 movements and more for
        fewer than some 300.
    batch_size
        Movements per step; 0 for 64, or 32 for fewer than 1,000 movements.
    learning_rate
        The maximum.
    augment
        Whether to train on augmented and mixed copies instead of the movements themselves.
    mirror_labels
        Pairs of labels that mirroring swaps, such as ``left=right,in=out``; other labels stay the
        same. Without any, the label of a mirrored movement is found in the data. Each movement
        whose label in a mirror is known is mirrored half the time.
    validation
        Share of the movements in the validation set.
    patience
        Epochs without a lower validation loss after which training stops.
    random_state
        Seed.

    Attributes
    ----------
    network_
        The trained :class:`~._tcn_network.MovementNetwork`.
    history_
        For each epoch: epoch, loss, accuracy, val_loss, val_accuracy, learning_rate.
    """

    name = "tcn"
    summary = "convolutional network: movements, most accurate, trains in minutes, needs PyTorch"
    learns_in_epochs = True
    n_timepoints = 128
    averaged = False
    context = True
    spots = True

    def __init__(
        self,
        epochs: int = 0,
        batch_size: int = 0,
        learning_rate: float = 0.003,
        augment: bool = True,
        mirror_labels: str = "",
        validation: float = 0.0,
        patience: int = 15,
        random_state: int = 0,
    ) -> None:
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.augment = augment
        self.mirror_labels = mirror_labels
        self.validation = validation
        self.patience = patience
        self.random_state = random_state

    def require(self) -> None:
        """Raise HandloreError without PyTorch."""
        try:
            import torch  # noqa: F401
        except ImportError as error:
            raise HandloreError(
                "tcn needs PyTorch: pip install 'handlore[temporal]'; without a GPU install"
                " PyTorch's CPU build first (pytorch.org), which is much smaller"
            ) from error

    def _fit(self, X: FloatArray, codes: NDArray[np.int64], groups: StrArray | None) -> None:
        self._check_parameters()
        self.require()
        from ._tcn_network import Probabilities
        from ._tcn_training import NetworkTraining, TrainingSchedule

        held = _validation_mask(
            codes, groups, self.validation, np.random.default_rng(self.random_state)
        )
        n = int((~held).sum())
        batch = _batch_size_for(n, self.batch_size)
        epochs = _epochs_for(n, batch, self.epochs)
        plan = TrainingSchedule(
            epochs, batch, self.learning_rate, self.augment, self.patience, self.random_state
        )
        own = None if groups is None else groups[~held]
        learnt = self._with_mirrored(X[~held], codes[~held], own)
        self._peaks = GraphRunner(self._peaks_graph(), 1)
        tested = X[held], codes[held]
        training = NetworkTraining(learnt, tested, len(self.classes_), plan, self._peaks)
        self.notes_ = ()
        try:
            training.run(self.progress)
        except KeyboardInterrupt:
            done = len(training.history)
            if self.progress is None or not self.keeps_best or not done:
                raise
            self.notes_ = (f"stopped after {done} of {plan.epochs} epochs; kept the best so far",)
        self.network_ = training.best
        self.history_ = [asdict(epoch) for epoch in training.history]
        self._network = Probabilities(self.network_).to_onnx(
            {INPUT: X[:2], PEAKS: self._peaks(X[:2])}
        )
        self._runner = GraphRunner(self._to_onnx())

    def fit_with_windows(
        self,
        X: FloatArray,
        y: StrArray,
        groups: StrArray,
        windows: Windows,
        clips: MovementEstimator | None = None,
    ) -> MovementEstimator:
        """Return a ``rocket`` that finds movements by windows, which the network then recognises.

        It trains in seconds; there are several times as many windows as clips.
        """
        spotter = RocketClassifier(mirror_labels=self.mirror_labels, random_state=self.random_state)
        spotter.progress, spotter.keeps_best = self.progress, self.keeps_best
        spotter.n_of_whole = self.n_of_whole
        return spotter.fit(X, y, groups).fit_with_windows(X, y, groups, windows, clips or self)

    def _with_mirrored(
        self, blocks: FloatArray, codes: NDArray[np.int64], groups: StrArray | None
    ) -> list[tuple[FloatArray, NDArray[np.int64]]]:
        """Return the movements and, where their label there is known, their mirror images."""
        images = classes_in_mirror(blocks, codes, groups, self.classes_, self.mirror_labels)
        seen = images[codes]
        unknown = seen == UNKNOWN
        if unknown.all():
            return [(blocks, codes)]
        mirrored = mirror_blocks(blocks, self._n_hands)
        mirrored[unknown], seen[unknown] = blocks[unknown], codes[unknown]
        return [(blocks, codes), (mirrored, seen)]

    def _peaks_graph(self) -> Any:
        graph = Graph()
        shape = self.n_features_in_, self.n_timepoints_in_
        return graph.model(shape, peak_features(graph, *shape), ("outputs",))

    def _check_parameters(self) -> None:
        parse_label_pairs(self.mirror_labels)
        rules = {
            "epochs": (self.epochs >= 0, "0 or more"),
            "batch_size": (self.batch_size == 0 or self.batch_size > 1, "0, or 2 or more"),
            "learning_rate": (self.learning_rate > 0, "more than 0"),
            "validation": (0 <= self.validation <= 0.5, "0 to 0.5"),
            "patience": (self.patience >= 1, "1 or more"),
            "random_state": (self.random_state >= 0, "0 or more"),
        }
        for name, (kept, expected) in rules.items():
            if not kept:
                raise ValueError(f"{name} is {getattr(self, name)}, expected {expected}")

    def _predict_proba(self, X: FloatArray) -> FloatArray:
        return self._runner(X)

    def _to_onnx(self) -> Any:
        """Return features, standardisation, members and their mean as one graph."""
        import onnx

        graph, shape = Graph(), (self.n_features_in_, self.n_timepoints_in_)
        peaks = peak_features(graph, *shape)
        network = compact_constants(onnx.load_from_string(self._network))
        likely = graph.inline(network, {PEAKS: peaks})
        return graph.model(shape, likely, (len(self.classes_),))


def _batch_size_for(n: int, wanted: int) -> int:
    """Return the batch size for n movements: 64, or 32 for few clips, if none is given."""
    return min(wanted or (64 if n >= _FEW_CLIPS else 32), n)


def _epochs_for(n: int, batch: int, wanted: int) -> int:
    """Return the number of epochs if none is given: 60, 100 for many movements, more for few."""
    usual = _EPOCHS_LARGE if n >= _FEW_CLIPS else _EPOCHS
    return wanted or min(max(usual, -(-_MIN_STEPS // (n // batch))), _MAX_EPOCHS)


def _validation_mask(
    codes: NDArray[np.int64],
    groups: NDArray[np.str_] | None,
    share: float,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Return which movements (n,) are in the validation set, about ``share`` of them.

    They are whole groups if there are enough, else a sample of each class; none if there are too
    few movements. At least one movement of each class remains for training.
    """
    held = np.zeros(len(codes), bool)
    grouped = groups is not None and len(np.unique(groups)) >= _MIN_GROUPS
    if not share or (not grouped and len(codes) < _MIN_CLIPS_TO_SPLIT):
        return held
    wanted = share * len(codes)
    if groups is None or not grouped:
        for code in np.unique(codes):
            own = rng.permutation(np.flatnonzero(codes == code))
            held[own[: int(share * len(own))]] = True
        return held
    for group in rng.permutation(np.unique(groups)):
        more = held | (groups == group)
        if len(np.unique(codes[~more])) == len(np.unique(codes)):
            held = more
        if held.sum() >= wanted:
            break
    return held
