"""Ensembles: the geometric mean of the probabilities of several classifiers, in one model file.

``make_estimator("rocket+tcn")`` makes one. Members that err on different samples correct each
other: an ensemble is often better than its best member. Log probabilities are averaged (a
*logarithmic opinion pool*), so a label that one member almost rules out stays ruled out.
"""

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from handlore.datasets.dataset import StrArray
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.features import DEFAULT_FEATURES
from handlore.landmarks.hands import FloatArray
from handlore.models.pose_encoder import Encoder

from .base import HandEstimator, MovementEstimator
from .onnx_graph import pool_models

_Members = Sequence[tuple[str, HandEstimator]]

_MIN_PROBABILITY = 0.001
"""Lower bound of probabilities, so that no single member can rule out a label."""


class Blend(HandEstimator):
    """An ensemble of classifiers of poses.

    Parameters
    ----------
    members
        Names and estimators, two or more of one kind. Their parameters are available as
        ``name__parameter``.
    """

    summary = "the mean of several other classifiers"

    def __init__(self, members: _Members) -> None:
        self.members = members

    @property
    def learns_in_epochs(self) -> bool:  # type: ignore[override]
        """Whether a member trains in epochs."""
        return any(member.learns_in_epochs for _, member in self.members)

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
        self.members_ = [_fresh(member, self.progress) for _, member in self.members]
        # A missing package is reported before any member has trained for minutes.
        for member in self.members_:
            member.require()
        for member in self.members_:
            # By name: mirrored labels and `none` are known by their names.
            member.fit(X, self.classes_[codes], groups)
        self.notes_ = tuple(note for member in self.members_ for note in member.notes_)
        self.history_ = next((m.history_ for m in self.members_ if m.history_), ())

    def _predict_proba(self, X: FloatArray) -> FloatArray:
        return opinion_pool([member.predict_proba(X) for member in self.members_])

    def _to_onnx(self) -> Any:
        """Return the members side by side, and their mean."""
        return pool_models([member.to_onnx() for member in self.members_], _MIN_PROBABILITY)


class _MovementBlend(Blend, MovementEstimator):
    """An ensemble of classifiers of movements.

    All members get clips with the largest number of points in time that one of them needs.
    """

    def encoder(self, n_hands: int, features: tuple[str, ...] = DEFAULT_FEATURES) -> Encoder:
        """Return the encoder of the member with the most points in time."""
        members = [member for _, member in self.members if isinstance(member, MovementEstimator)]
        return max(members, key=lambda member: member.n_timepoints).encoder(n_hands, features)


def opinion_pool(probabilities: Sequence[FloatArray]) -> FloatArray:
    """Return the normalised geometric mean of probabilities, each (n, n_classes)."""
    logs = np.mean([np.log(np.maximum(one, _MIN_PROBABILITY)) for one in probabilities], axis=0)
    together = np.exp(logs)
    scaled: FloatArray = together / together.sum(axis=1, keepdims=True)
    return scaled


def blend(members: _Members) -> Blend:
    """Return an ensemble of estimators of one kind.

    Raises
    ------
    HandloreError
        If there are fewer than two, one is named twice, or their kinds differ.
    """
    names = [name for name, _ in members]
    if len(set(names)) < max(len(names), 2):
        raise HandloreError(f"{'+'.join(names)} is not a blend; name two or more different models")
    kinds = {member.kind for _, member in members}
    if len(kinds) > 1:
        raise HandloreError(f"{'+'.join(names)} mixes models of poses with models of movements")
    return _MovementBlend(members) if kinds == {"sequence"} else Blend(members)


def _fresh(member: HandEstimator, progress: Callable[[int, int], None] | None) -> HandEstimator:
    copy: HandEstimator = clone(member)
    copy.progress = progress
    return copy
