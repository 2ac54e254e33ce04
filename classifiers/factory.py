"""Estimators and blends of them, made from a name and parameters as a user writes them."""

from collections.abc import Mapping
from typing import Any

from handlore.landmarks.errors import HandloreError

from .base import HandEstimator
from .blend import blend
from .estimators import ESTIMATORS

_MAX_PARAMETER = 2**32
_YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def make_estimator(
    name: str, params: Mapping[str, str] | None = None, *, seed: int | None = None
) -> HandEstimator:
    """Make an estimator with parameters as a user writes them.

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
        values = {own[given]: _parsed(given, params[given], known[own[given]]) for given in own}
        if seed is not None and "random_state" in known:
            values = {"random_state": seed} | values
        member.set_params(**values)
    if unknown:
        has = "; ".join(", ".join(member.get_params()) for _, member in members)
        raise HandloreError(f"{name} has no parameter {min(unknown)!r}; it has: {has}")
    if len(members) == 1:
        return members[0][1]
    return blend(members)


def _own_params(name: str, estimator: HandEstimator, params: Mapping[str, str]) -> dict[str, str]:
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
