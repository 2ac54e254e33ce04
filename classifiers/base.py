"""The contract of every estimator.

The contract is scikit-learn's: ``fit(X, y)``, ``predict``, ``predict_proba``, ``classes_``,
``get_params``. A new estimator is one module in ``estimators/`` that is named like it, or an entry
point of another package in the group ``handlore.estimators``: a class that is marked with
``@ESTIMATORS.register`` and fills in ``_fit``, ``_predict_proba`` and ``_to_onnx``.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_array, check_is_fitted

from handlore.datasets.dataset import StrArray
from handlore.datasets.kinds import Kind
from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.features import DEFAULT_FEATURES
from handlore.landmarks.hands import FloatArray
from handlore.models.card import INPUT
from handlore.models.encoders import (
    MIN_TIMEPOINTS,
    N_CHANNELS,
    N_CONTEXT,
    Encoder,
    MovementEncoder,
    PoseEncoder,
)

from .onnx_graph import Graph

Windows = tuple[FloatArray, StrArray, StrArray]
"""Encoded windows of streams: X, labels, and groups."""

Report = Callable[[int, int], None]
"""Receives how much is done, and of how much, in any unit."""


_MAX_ERROR = 0.01
"""Largest difference from 1 of a sum of probabilities."""


class HandEstimator(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of poses, or of movements (:class:`MovementEstimator`).

    Subclasses name their parameters in ``__init__``, as scikit-learn requires.

    Attributes
    ----------
    classes_
        (n_classes,) the labels, sorted.
    n_features_in_
        Number of columns of the training data.
    """

    name: ClassVar[str]
    """Its name in ``--model``."""
    kind: ClassVar[Kind] = "pose"
    summary: ClassVar[str]
    """What it is good for, in one line."""
    learns_in_epochs: ClassVar[bool] = False
    """Whether ``fit`` trains in epochs, for minutes, and sets ``history_``."""
    spots: ClassVar[bool] = False
    """Whether it learns fast to find movements in streams, see
    :meth:`MovementEstimator.fit_with_windows`."""
    refits_fast: ClassVar[bool] = False
    """Whether poses are learnt so fast that it may be fitted eight times more: its certainty about
    left-out samples then makes the novelty score more accurate."""
    progress: Report | None = None
    """Called during ``fit`` with how much is done, and of how much (epochs, trees). It is not a
    parameter, so clones have none."""
    keeps_best: bool = True
    """Whether Ctrl-C, with ``progress`` and after an epoch, ends ``fit`` with the best result so
    far; else it ends everything."""
    history_: Sequence[Mapping[str, float | None]] = ()
    """Loss and accuracy of the last ``fit`` by epoch."""
    notes_: tuple[str, ...] = ()
    """Messages of the last ``fit`` for the user."""
    uses_pretrained: bool = False
    """Whether the last ``fit`` used features learnt from other people's data, as there is little.
    """
    n_of_whole: int = 0
    """Number of samples of which those of ``fit`` are a part; 0: they are all. It is not a
    parameter: choices by the amount of data are those of the whole."""

    def encoder(self, n_hands: int, features: tuple[str, ...] = DEFAULT_FEATURES) -> Encoder:
        """Return the encoder that turns samples of landmarks into X; ``features`` are for poses."""
        return PoseEncoder(features, n_hands)

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Train on samples.

        Parameters
        ----------
        X
            (n_samples, n_features) finite numbers.
        y
            (n_samples,) labels.
        groups
            (n_samples,) names, such as persons: an estimator that holds out samples for
            validation holds out whole groups.

        Raises
        ------
        InvalidDataError
            If the numbers are not finite, the lengths differ, or there is only one label.
        """
        X, y = self._checked(X), np.asarray(y)
        if y.shape != (len(X),):
            raise InvalidDataError(
                f"y has shape {y.shape}, expected ({len(X)},), one label per row"
            )
        names = None if groups is None else np.asarray(groups, np.str_)
        if names is not None and names.shape != (len(X),):
            raise InvalidDataError(
                f"groups have shape {names.shape}, expected ({len(X)},), one name a row"
            )
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            only = ", ".join(map(str, self.classes_)) or "none"
            raise InvalidDataError(f"a classifier needs at least two labels; there is: {only}")
        self._remember_shape(X)
        try:
            # What scikit-learn warns of (few samples of a class) is said in words elsewhere.
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", module="sklearn")
                self._fit_all(X, codes, names)
        except ValueError as error:
            raise InvalidDataError(f"{self.name}: {str(error).splitlines()[0]}") from error
        return self

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Return the probability (n_samples, n_classes) of each label, in the order of classes_."""
        check_is_fitted(self, "classes_")
        X = self._checked(X)
        self._check_shape(X)
        found = np.asarray(self._predict_all(X), np.float32)
        expected = len(X), len(self.classes_)
        is_sound = found.shape == expected and (found >= -_MAX_ERROR).all()
        if not is_sound or not (abs(found.sum(axis=1) - 1) < _MAX_ERROR).all():
            raise InvalidDataError(
                f"estimator {self.name} returns no probabilities {expected} that add up to 1"
            )
        return found

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable label (n_samples,)."""
        labels: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels

    def to_onnx(self) -> Any:
        """Return the fitted estimator as an ``onnx.ModelProto``.

        Its input ``X`` is float32 (n, n_features_in_), its output ``probabilities`` float32
        (n, n_classes).
        """
        return self._to_onnx()

    @property
    def learns_windows_fast(self) -> bool:
        """Whether it takes seconds to learn windows of streams, once it knows clips."""
        return self.spots or not self.learns_in_epochs

    def require(self) -> None:
        """Raise HandloreError if a package that ``fit`` needs is missing."""

    def for_part(self, n_of_whole: int) -> "HandEstimator":
        """Return a copy to fit to a part of so many samples, as certain as if fitted to all."""
        copy: HandEstimator = clone(self)
        copy.n_of_whole = n_of_whole
        return copy

    def n_tilted(self, n_samples: int, n_labels: int) -> int:
        """Return how many tilted copies of each pose it is to be trained on too."""
        return 0

    def _fit_all(self, X: FloatArray, codes: NDArray[np.int64], groups: StrArray | None) -> None:
        self._fit(X, codes, groups)

    def _predict_all(self, X: FloatArray) -> FloatArray:
        return self._predict_proba(X)

    def _fit(self, X: FloatArray, codes: NDArray[np.int64], groups: StrArray | None) -> None:
        raise NotImplementedError

    def _predict_proba(self, X: FloatArray) -> FloatArray:
        raise NotImplementedError

    def _to_onnx(self) -> Any:
        raise NotImplementedError

    def _advance(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(done, total)

    def _remember_shape(self, X: FloatArray) -> None:
        self.n_features_in_ = X.shape[1]

    def _check_shape(self, X: FloatArray) -> None:
        if X.shape[1] != self.n_features_in_:
            raise InvalidDataError(
                f"X has {X.shape[1]} features, but this {self.name} was fitted on"
                f" {self.n_features_in_}"
            )

    @staticmethod
    def _checked(X: ArrayLike) -> FloatArray:
        return _checked_array(X)

    def plain_params(self) -> dict[str, Any]:
        """Return its parameters that are text or numbers, without its members."""
        known = self.get_params().items()
        return {name: value for name, value in known if isinstance(value, str | int | float)}


class MovementEstimator(HandEstimator):
    """A classifier of movements: X is (n_samples, n_channels, n_timepoints).

    X has the channels of the hands, and after them the context of a
    :class:`~handlore.models.encoders.MovementEncoder`, or nothing. Subclasses with ``context`` get
    all of it, others the channels of the hands at their own points in time.

    Attributes
    ----------
    n_features_in_, n_timepoints_in_
        Number of channels and points in time of the training data.
    """

    kind: ClassVar[Kind] = "sequence"
    n_timepoints: ClassVar[int] = 32
    """Points in time to which clips are resampled."""
    averaged: ClassVar[bool] = True
    """Whether these points are averages over an interval, or moments."""
    context: ClassVar[bool] = False
    """Whether it uses duration, kind of clip and side of the hand."""

    def encoder(self, n_hands: int, features: tuple[str, ...] = DEFAULT_FEATURES) -> Encoder:
        """Return the encoder of clips; a movement classifier computes its own features."""
        return MovementEncoder(n_hands, self.n_timepoints, self.averaged, context=self.context)

    def fit_with_windows(
        self,
        X: FloatArray,
        y: StrArray,
        groups: StrArray,
        windows: Windows,
        clips: "MovementEstimator | None" = None,
    ) -> "MovementEstimator":
        """Return an estimator that also knows windows of streams.

        ``X`` (n, n_channels, n_timepoints), ``y`` and ``groups`` (n,) are what this one was fitted
        on. An estimator that ``spots``
        lets windows decide only whether there is a movement, and ``clips``, by default itself,
        which one.
        """
        copy: Self = clone(self)
        copy.progress = self.progress
        copy.keeps_best = self.keeps_best
        pairs = zip((X, y, groups), windows, strict=True)
        return copy.fit(*(np.concatenate(pair) for pair in pairs))

    def to_onnx(self) -> Any:
        """Return the fitted estimator as an ``onnx.ModelProto``, see :class:`HandEstimator`."""
        if self.context or not self._n_facts:
            return self._to_onnx()
        graph = Graph()
        hands = graph.part(INPUT, 0, self._n_channels, 1)
        if (points := self._own_points()) is not None:
            hands = graph.op("MatMul", hands, graph.constant(points))
        result = graph.inline(self._to_onnx(), {INPUT: hands})
        taken = self.n_features_in_, self.n_timepoints_in_
        return graph.model(taken, result, (len(self.classes_),))

    @property
    def _n_hands(self) -> int:
        return int(self.n_features_in_ // N_CHANNELS)

    @property
    def _n_channels(self) -> int:
        """Number of channels of the hands."""
        return N_CHANNELS * self._n_hands

    @property
    def _n_facts(self) -> int:
        """Number of channels after those of the hands."""
        return int(self.n_features_in_ - self._n_channels)

    def _own_points(self) -> FloatArray | None:
        """Return the matrix (n_timepoints_in_, n_timepoints) to its own points in time, if needed.

        Only X with context, moments made for another member of an ensemble, is resampled.
        """
        n_in, n = self.n_timepoints_in_, self.n_timepoints
        if self._n_facts != N_CONTEXT or n_in == n:
            return None
        if self.averaged and n < n_in:
            members = np.eye(n, dtype=np.float32)[np.arange(n_in) * n // n_in]
            return np.asarray(members / members.sum(axis=0), np.float32)
        at = np.linspace(0, n_in - 1, n)
        return np.maximum(0, 1 - abs(np.arange(n_in)[:, None] - at)).astype(np.float32)

    def _own_rows(self, X: FloatArray) -> FloatArray:
        if self.context:
            return X
        hands, points = X[:, : self._n_channels], self._own_points()
        return hands if points is None else hands @ points

    def _fit_all(self, X: FloatArray, codes: NDArray[np.int64], groups: StrArray | None) -> None:
        self._fit(self._own_rows(X), codes, groups)

    def _predict_all(self, X: FloatArray) -> FloatArray:
        return self._predict_proba(self._own_rows(X))

    def _remember_shape(self, X: FloatArray) -> None:
        self.n_features_in_, self.n_timepoints_in_ = X.shape[1:]

    def _check_shape(self, X: FloatArray) -> None:
        known = self.n_features_in_, self.n_timepoints_in_
        if X.shape[1:] != known:
            raise InvalidDataError(
                f"X holds movements of {X.shape[1]} channels and {X.shape[2]} points in time, but"
                f" this {self.name} was fitted on {known[0]} and {known[1]}"
            )

    @staticmethod
    def _checked(X: ArrayLike) -> FloatArray:
        checked = _checked_array(X, allow_nd=True)
        widths = [n * N_CHANNELS + facts for n in (1, 2) for facts in (0, 1, N_CONTEXT)]
        if checked.ndim != 3 or checked.shape[1] not in widths or checked.shape[2] < MIN_TIMEPOINTS:
            raise InvalidDataError(
                f"X has shape {checked.shape}, expected (n_samples, n_channels, n_timepoints) with"
                f" {N_CHANNELS} channels a hand, one more for the duration or {N_CONTEXT} more for"
                f" the context, and at least {MIN_TIMEPOINTS} points in time"
            )
        return checked


def _checked_array(X: ArrayLike, **rules: bool) -> FloatArray:
    try:
        checked: FloatArray = check_array(X, dtype=np.float32, **rules)
    except ValueError as error:
        raise InvalidDataError(str(error).splitlines()[0]) from error
    return checked


_PARTS = 100
"""A step is reported in so many parts."""


class Steps:
    """Adds up the progress of a known number of steps.

    Parameters
    ----------
    n
        How many steps there are, or a little more: the last report is that all is done.
    report
        Receives the progress; None: nobody does.
    """

    def __init__(self, n: int, report: Report | None) -> None:
        self._n, self._done = n, 0
        self._report, self._last = report, 0

    def within(self, steps: float = 1) -> Report | None:
        """Return what receives the progress of the next steps; None if nobody listens."""
        if self._report is None:
            return None
        before = self._done
        return lambda done, total: self._say(before + steps * min(done / max(total, 1), 1.0))

    def finish(self, steps: int = 1) -> None:
        """Report that the next steps are done."""
        self._done = min(self._done + steps, self._n)
        self._say(self._done)

    def close(self) -> None:
        """Report that all is done."""
        self.finish(self._n)

    def _say(self, done: float) -> None:
        # A step may start anew, as for windows of streams; a bar does not go back.
        self._last = max(self._last, min(round(_PARTS * done), _PARTS * self._n))
        if self._report is not None:
            self._report(self._last, _PARTS * self._n)
