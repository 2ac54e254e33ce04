"""Options of the recogniser, for commands that recognise in streams."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click

from handlore.models.files import load_models
from handlore.models.model import Model
from handlore.models.stream.settings import RecogniserSettings

from ._common import talk

Function = TypeVar("Function", bound=Callable[..., Any])

_SECONDS = click.FloatRange(0, 60)
_SHARE = click.FloatRange(0, 1)
_OPTIONS = (
    ("threshold", _SHARE, "Minimum probability of poses without a threshold of their own."),
    ("movement_threshold", _SHARE, "The same for movements."),
    ("dwell", _SECONDS, "Hold time: seconds a pose must be held before its event is emitted."),
    ("cooldown", _SECONDS, "Seconds before an ended gesture can be emitted again."),
    ("patience", _SECONDS, "Seconds a movement waits for an overlapping one that scores higher."),
    ("smoothing", _SECONDS, "Time constant in seconds for landmarks at rest; 0 = no smoothing."),
)


def recogniser_options(function: Function) -> Function:
    """Add the options of a recogniser; :func:`pop_settings` reads them."""
    defaults = {field.name: field.default for field in fields(RecogniserSettings)}
    for name, kind, text in reversed(_OPTIONS):
        flag = f"--{name.replace('_', '-')}"
        option = click.option(flag, type=kind, default=defaults[name], show_default=True, help=text)
        function = option(function)
    return function


def pop_settings(given: dict[str, Any]) -> RecogniserSettings:
    """Take the options of the recogniser out of all options."""
    return RecogniserSettings(**{name: given.pop(name) for name, _, _ in _OPTIONS})


def load_stream_models(paths: Sequence[Path]) -> list[Model]:
    """Load the models of one stream, and warn of labels that several of them have."""
    models, notes = load_models(paths)
    for note in notes:
        talk(f"note: {note}")
    return models
