"""Estimators, and blends of them, made from a name and parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.features import DEFAULT_FEATURES, feature_names
from handlore.models.card import DEFAULT_ESTIMATOR
from handlore.models.pose_encoder import Encoder

from .augmentation import check_label_pairs
from .base import HandEstimator, plain_params
from .blend import blend
from .estimators import ESTIMATORS

_MAX_PARAMETER = 2**32
_YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True)
class Pipeline:
    """An estimator with the encoder of its input."""

    name: str
    estimator: HandEstimator
    encoder: Encoder

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the estimator."""
        return plain_params(self.estimator)


def make_pipeline(
    dataset: LandmarkDataset,
    model: str | None = None,
    *,
    features: Sequence[str] | None = None,
    mirror_labels: str = "",
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
        ``forest`` for poses, ``rocket`` for movements.
    features
        Groups of features of poses, see :data:`~handlore.landmarks.features.FEATURE_GROUPS`.
    mirror_labels
        Movements: also train on mirrored copies, with the labels of these pairs swapped, such as
        ``left=right,in=out``.
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
        raise HandloreError(
            "--features chooses features of poses, but this data contains movements; leave it out"
        )
    groups = DEFAULT_FEATURES if features is None else tuple(features)
    feature_names(groups)
    name = model or DEFAULT_ESTIMATOR[kind]
    values = dict(params or {}) | ({"mirror_labels": mirror_labels} if mirror_labels else {})
    estimator = make_estimator(name, values, seed=seed)
    check_label_pairs(mirror_labels, dataset.labels)
    return Pipeline(name, estimator, estimator.encoder(dataset.n_hands, groups))


def make_estimator(
    name: str, params: Mapping[str, object] | None = None, *, seed: int | None = None
) -> HandEstimator:
    """Make an estimator with parameters, which may be text as a user writes them.

    Parameters
    ----------
    name
        One of ``ESTIMATORS``, or several joined by ``+``: the mean of them.
    params
        Parameters by name; ``member.parameter`` is for one member of a blend alone.
    seed
        Becomes ``random_state``, where the estimator has one and it is not among the parameters.

    Raises
    ------
    HandloreError
        If the estimator does not have a parameter, or its value is of another type.
    """
    members = [(part, ESTIMATORS[part]()) for part in name.split("+")]
    params = params or {}
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
        raise HandloreError(f"{name} has no parameter {min(unknown)!r}; it has: {has}")
    if len(members) == 1:
        return members[0][1]
    return blend(members)


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
            raise HandloreError(f"parameter {param} is {text!r}, expected yes or no")
        return _YES_OR_NO[text.lower()]
    try:
        value = float(text)
    except ValueError as error:
        raise HandloreError(
            f"parameter {param} is {text!r}, expected a number such as {default}"
        ) from error
    if not abs(value) <= _MAX_PARAMETER:
        raise HandloreError(f"parameter {param} is {text}, which is out of range")
    if isinstance(default, float):
        return value
    if not value.is_integer():
        raise HandloreError(f"parameter {param} is {text}, expected a whole number")
    return int(value)
