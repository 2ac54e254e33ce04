"""What commands that recognise in streams share: the options of the recogniser, and models."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from handlore.models.stream.settings import RecogniserSettings

Function = TypeVar("Function", bound=Callable[..., Any])

_SECONDS = click.FloatRange(0, 60)
_SHARE = click.FloatRange(0, 1)
OPTIONS = (
    ("threshold", _SHARE, "Least probability of poses without a threshold of their own."),
    ("movement_threshold", _SHARE, "The same for movements."),
    ("dwell", _SECONDS, "For so many seconds a pose is held before it is told."),
    ("cooldown", _SECONDS, "For so many seconds it is over before it is told again."),
    ("patience", _SECONDS, "For so many seconds a surer movement may take a movement's place."),
    ("smoothing", _SECONDS, "Landmarks at rest are averaged over so many seconds; 0 = not."),
)


def recogniser_options(function: Function) -> Function:
    """Add the options of a recogniser; :func:`settings_of` takes them."""
    from dataclasses import fields

    from handlore.models.stream.settings import RecogniserSettings

    defaults = {field.name: field.default for field in fields(RecogniserSettings)}
    for name, kind, text in reversed(OPTIONS):
        flag = f"--{name.replace('_', '-')}"
        function = click.option(
            flag, type=kind, default=defaults[name], show_default=True, help=text
        )(function)
    return function


def settings_of(options: dict[str, float]) -> "RecogniserSettings":
    """Return the settings that the options name."""
    from handlore.models.stream.settings import RecogniserSettings

    values: dict[str, Any] = {name: options[name] for name, _, _ in OPTIONS}
    return RecogniserSettings(**values)
