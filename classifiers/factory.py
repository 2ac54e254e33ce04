"""Estimators made from a name and parameters, and ensembles of them.

``make_estimator("rocket+tcn")`` makes an ensemble: the geometric mean of the probabilities of
several classifiers, in one model file. Members that err on different samples correct each other: an
ensemble is often better than its best member. Log probabilities are averaged (a *logarithmic
opinion pool*), so a label that one member almost rules out stays ruled out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from handlore.datasets.dataset import LandmarkDataset, StrArray
from handlore.datasets.kinds import DEFAULT_ESTIMATOR
from handlore.landmarks.errors import InvalidDataError, OptionError, require_type
from handlore.landmarks.features import DEFAULT_FEATURES, FEATURE_GROUPS, feature_names
from handlore.landmarks.hands import FloatArray
from handlore.models.encoders import Encoder, PoseEncoder

from .base import HandEstimator, MovementEstimator, Steps, Windows
from .direction import DIRECTION, direction_matters
from .estimators import ESTIMATORS
from .mirroring import parse_label_pairs
from .onnx_graph import pool_models

_MAX_PARAMETER = 2**32
_YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}

_Members = Sequence[tuple[str, HandEstimator]]

_MIN_PROBABILITY = 0.001
"""Lower bound of probabilities, so that no single member can rule out a label."""


@dataclass(frozen=True)
class Pipeline:
    """An estimator with the encoder of its input."""

    name: str
    estimator: HandEstimator
    encoder: Encoder

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the estimator."""
        return self.estimator.plain_params()

    def about_features(self, features: Sequence[str] | None) -> list[str]:
        """Say how the features differ from the usual ones, if they were not chosen by hand."""
        groups = self.encoder.groups if isinstance(self.encoder, PoseEncoder) else ()
        notes = []
        if features is None and groups and "world" not in groups:
            notes.append(
                f"the data has no world landmarks: trained with --features {','.join(groups)}"
            )
        if features is None and set(DIRECTION) <= set(groups):
            notes.append(
                "labels differ by the direction in which the hand points, so it is used; with"
                f" --features {','.join(groups[: -len(DIRECTION)])} it would not matter"
            )
        return notes


def make_pipeline(
    dataset: LandmarkDataset,
    model: str | None = None,
    *,
    features: Sequence[str] | None = None,
    mirror_labels: str | Mapping[str, str] = "",
    params: Mapping[str, object] | None = None,
    seed: int = 0,
) -> Pipeline:
    """Make an estimator and its encoder for a dataset.

    Parameters
    ----------
    dataset
        The training data.
    model
        An estimator such as ``forest``, or the mean of several such as ``forest+linear``; default:
        ``kernel`` for poses, ``rocket`` for movements.
    features
        Groups of features of poses, or their names joined by commas, see
        :data:`~handlore.landmarks.features.FEATURE_GROUPS`.
    mirror_labels
        Movements: also train on mirrored copies, with the labels of these pairs swapped, such as
        ``left=right,in=out``; or a dict of them.
    params
        Parameters of the estimator; ``member.parameter`` is for one member of a blend.
    seed
        Of random numbers.

    Raises
    ------
    HandloreError
        If there is no such estimator, parameter, feature or label, or it does not fit the data.
    """
    kind = dataset.header.kind
    if features is not None and kind != "pose":
        raise OptionError(
            "--features chooses features of poses, but this data contains movements; leave it out"
        )
    _require_labels(dataset)
    if isinstance(features, str):
        features = features.split(",")
    groups = _default_features(dataset) if features is None else tuple(features)
    feature_names(groups)
    name = DEFAULT_ESTIMATOR[kind] if model is None else model
    if not 0 <= require_type(seed, Integral, "a whole number as seed") < _MAX_PARAMETER:
        raise OptionError(f"seed is {seed}, expected 0 to {_MAX_PARAMETER - 1}")
    require_type(mirror_labels, (str, Mapping), "pairs such as left=right as mirror_labels")
    if isinstance(mirror_labels, Mapping):
        mirror_labels = ",".join(f"{one}={other}" for one, other in mirror_labels.items())
    values = dict(checked_params(params)) | (
        {"mirror_labels": mirror_labels} if mirror_labels else {}
    )
    estimator = make_estimator(name, values, seed=seed)
    parse_label_pairs(mirror_labels, dataset.labels)
    return Pipeline(name, estimator, estimator.encoder(dataset.n_hands, groups))


def _default_features(dataset: LandmarkDataset) -> tuple[str, ...]:
    """Return the default groups that can be computed: tables often have image landmarks only.

    The direction of the hand is among them if labels differ by it.
    """
    hands = dataset.world[dataset.detected]
    worldless = len(hands) > 0 and not np.isfinite(hands).any()
    groups = tuple(
        g for g in DEFAULT_FEATURES if not worldless or FEATURE_GROUPS[g].landmarks == "image"
    )
    return (*groups, *DIRECTION) if direction_matters(dataset) else groups


def _require_labels(dataset: LandmarkDataset) -> None:
    """Refuse a single label: without another one beside it nothing can be learnt about it."""
    if len(dataset.labels) == 1:
        raise InvalidDataError(
            f"a classifier needs at least two labels; there is: {dataset.labels[0]}; add clips or"
            " pictures of another gesture, or of `none`"
        )


def make_estimator(
    name: str, params: Mapping[str, object] | None = None, *, seed: int | None = None
) -> HandEstimator:
    """Make an estimator, or an ensemble of several joined by ``+``.

    Values of parameters may be text as a user writes them; ``member.parameter`` is for one member
    alone. The seed becomes ``random_state``, where there is one that is not among the parameters.
    """
    require_type(name, str, "the name of an estimator")
    if name == "auto":
        raise OptionError(
            "auto compares estimators: `handlore crossval DATA --model auto`, or"
            " handlore.compare_estimators in Python"
        )
    members = [(part, ESTIMATORS[part]()) for part in name.split("+")]
    params = checked_params(params)
    unknown = set(params)
    for part, member in members:
        own = _own_params(part, member, params)
        unknown -= set(own)
        known = member.get_params()
        values = {
            own[given]: _parsed(given, str(params[given]), known[own[given]]) for given in own
        }
        if seed is not None and "random_state" in known:
            values = {"random_state": seed} | values
        member.set_params(**values)
    if unknown:
        has = "; ".join(", ".join(member.get_params()) for _, member in members)
        raise OptionError(f"{name} has no parameter {min(unknown)!r}; it has: {has}")
    if len(members) == 1:
        return members[0][1]
    return _blend(members)


def checked_params(params: Mapping[str, object] | None) -> Mapping[str, object]:
    """Return parameters by name; raise HandloreError if something else is given."""
    given: Mapping[str, object] = require_type(
        params or {}, Mapping, 'parameters such as {"n_estimators": 500}'
    )
    return given


def _own_params(
    name: str, estimator: HandEstimator, params: Mapping[str, object]
) -> dict[str, str]:
    """Return which of the parameters given are an estimator's, and what it calls them."""
    known = estimator.get_params()
    paths = {given: given.rpartition(".") for given in params}
    return {
        given: param
        for given, (whose, _, param) in paths.items()
        if whose in ("", name) and param in known
    }


def _parsed(param: str, text: str, default: Any) -> Any:
    """Read a value as the type of the default: text, yes or no, or a number."""
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        if text.lower() not in _YES_OR_NO:
            raise OptionError(f"parameter {param} is {text!r}, expected yes or no")
        return _YES_OR_NO[text.lower()]
    try:
        value = float(text)
    except ValueError as error:
        raise OptionError(
            f"parameter {param} is {text!r}, expected a number such as {default}"
        ) from error
    if not abs(value) <= _MAX_PARAMETER:
        raise OptionError(f"parameter {param} is {text}, which is out of range")
    if isinstance(default, float):
        return value
    if not value.is_integer():
        raise OptionError(f"parameter {param} is {text}, expected a whole number")
    return int(value)


class _Blend(HandEstimator):
    """An ensemble of classifiers of poses; parameters of its members are ``name__parameter``."""

    name = "ensemble"
    summary = "the mean of several other classifiers"

    def __init__(self, members: _Members) -> None:
        self.members = members

    @property
    def learns_in_epochs(self) -> bool:  # type: ignore[override]
        """Whether a member trains in epochs."""
        return any(member.learns_in_epochs for _, member in self.members)

    @property
    def uses_pretrained(self) -> bool:  # type: ignore[override]
        """Whether a fitted member used features learnt from other people's data."""
        return any(member.uses_pretrained for member in getattr(self, "members_", ()))

    def require(self) -> None:
        """Raise HandloreError if a package that a member needs is missing."""
        for _, member in self.members:
            member.require()

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the members and, if deep, their parameters."""
        values: dict[str, Any] = {"members": self.members}
        if deep:
            values |= {
                f"{name}__{param}": value
                for name, member in self.members
                for param, value in member.get_params().items()
            }
        return values

    def set_params(self, **params: Any) -> Self:
        """Set the members, or their parameters."""
        self.members = params.pop("members", self.members)
        members = dict(self.members)
        for path, value in params.items():
            name, _, param = path.partition("__")
            if name not in members or not param:
                raise ValueError(f"{path!r} is not a parameter of {self}")
            members[name].set_params(**{param: value})
        return self

    def _fit(self, X: FloatArray, codes: NDArray[np.int64], groups: StrArray | None) -> None:
        # Clones: fitting must not change the parameters.
        steps = Steps(len(self.members), self.progress)
        self.members_ = [_fresh(member, self) for _, member in self.members]
        # A missing package is reported before any member has trained for minutes.
        self.require()
        for member in self.members_:
            # By name: mirrored labels and `none` are known by their names.
            member.progress = steps.within()
            member.fit(X, self.classes_[codes], groups)
            steps.finish()
        self._summarise()

    def _summarise(self) -> None:
        """Take over notes and history of the members."""
        self.notes_ = tuple(note for member in self.members_ for note in member.notes_)
        self.history_ = next((m.history_ for m in self.members_ if m.history_), ())

    def _predict_proba(self, X: FloatArray) -> FloatArray:
        return _opinion_pool([member.predict_proba(X) for member in self.members_])

    def _to_onnx(self) -> Any:
        """Return the members side by side, and their mean."""
        return pool_models([member.to_onnx() for member in self.members_], _MIN_PROBABILITY)


class _MovementBlend(_Blend, MovementEstimator):
    """An ensemble of classifiers of movements.

    All members get what the one that needs the most gets: context, and points in time.
    """

    @property
    def context(self) -> bool:  # type: ignore[override]
        """Whether the members get the context; they then weight durations themselves."""
        return True

    @property
    def spots(self) -> bool:  # type: ignore[override]
        """Whether a member learns fast to find movements in streams."""
        return any(member.spots for _, member in self.members)

    def encoder(self, n_hands: int, features: tuple[str, ...] = DEFAULT_FEATURES) -> Encoder:
        """Return the encoder of the member with the most points in time."""
        members = [member for _, member in self.members if isinstance(member, MovementEstimator)]
        most = max(members, key=lambda member: (member.context, member.n_timepoints))
        return most.encoder(n_hands, features)

    def fit_with_windows(
        self,
        X: FloatArray,
        y: StrArray,
        groups: StrArray,
        windows: Windows,
        clips: MovementEstimator | None = None,
    ) -> MovementEstimator:
        """Return an estimator that also knows windows of streams, see :class:`MovementEstimator`.

        A member that spots finds the movements, which the ensemble then recognises. Without one, a
        copy is returned in which all members know windows.
        """
        members: list[MovementEstimator] = self.members_
        spotter = next((member for member in members if member.spots), None)
        if spotter is not None:
            spotter.progress = self.progress
            return spotter.fit_with_windows(X, y, groups, windows, clips or self)
        copy: Self = clone(self)
        copy.progress = self.progress
        steps = Steps(len(self.members_), self.progress)
        copy.members_ = []
        for member in self.members_:
            member.progress = steps.within()
            copy.members_.append(member.fit_with_windows(X, y, groups, windows))
            steps.finish()
        copy.classes_ = copy.members_[0].classes_
        copy.n_features_in_, copy.n_timepoints_in_ = self.n_features_in_, self.n_timepoints_in_
        copy._summarise()
        return copy


def _opinion_pool(probabilities: Sequence[FloatArray]) -> FloatArray:
    """Return the normalised geometric mean of probabilities, each (n, n_classes)."""
    logs = np.mean([np.log(np.maximum(one, _MIN_PROBABILITY)) for one in probabilities], axis=0)
    together = np.exp(logs)
    scaled: FloatArray = together / together.sum(axis=1, keepdims=True)
    return scaled


def _blend(members: _Members) -> _Blend:
    """Return an ensemble of two or more estimators of one kind, all of different names."""
    names = [name for name, _ in members]
    if len(set(names)) < max(len(names), 2):
        raise OptionError(f"{'+'.join(names)} is not a blend; name two or more different models")
    kinds = {member.kind for _, member in members}
    if len(kinds) > 1:
        raise OptionError(f"{'+'.join(names)} mixes models of poses with models of movements")
    return _MovementBlend(members) if kinds == {"sequence"} else _Blend(members)


def _fresh(member: HandEstimator, blend: HandEstimator) -> HandEstimator:
    copy: HandEstimator = clone(member)
    copy.keeps_best, copy.n_of_whole = blend.keeps_best, blend.n_of_whole
    return copy
