"""What commands that recognise in streams share: the options of the recogniser, and models."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.weights import landmarker_of_model

from ._common import talk

if TYPE_CHECKING:
    from handlore.models.model import Model
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


def loaded_models(paths: Sequence[Path]) -> "list[Model]":
    """Load the models that follow one stream; all have to take as many hands."""
    from handlore.models.files import load_model

    models = [load_model(path) for path in paths]
    for path, model in zip(paths, models, strict=True):
        if model.card.n_hands != models[0].card.n_hands:
            raise HandloreError(
                f"{paths[0]} takes {models[0].card.n_hands} hand(s) and {path}"
                f" {model.card.n_hands}; models that work together take as many"
            )
    counts = Counter(label for model in models for label in set(model.labels) - {"none"})
    twice = sorted(label for label, n in counts.items() if n > 1)
    if twice:
        talk(f"note: more than one model tells {', '.join(twice)}: it is told, and acted on, twice")
    return models


def landmarker_for(models: "Sequence[Model]") -> str:
    """Return the landmarks that models were trained on; where they differ, the exacter ones."""
    networks = {landmarker_of_model(model.card.landmarker) for model in models}
    return networks.pop() if len(networks) == 1 else "full"
