"""What commands that recognise streams share: their options, their models, events."""

from pathlib import Path
from typing import Any

import click

from handlore.capture.actions.file import PRESETS, preset_file
from handlore.landmarks.errors import unknown_name
from handlore.models.stream.events import Event
from handlore.models.stream.settings import (
    MOVEMENT_THRESHOLD,
    PATIENCE,
    SENSITIVITIES,
    RecogniserSettings,
)

from ._common import PATH, NumberRange, all_options, field_option, is_given, percent

_SECONDS = NumberRange(0, 60)
_SHARE = NumberRange(0, 1)
_OPTIONS = (
    ("threshold", _SHARE, "Minimum probability of poses without a threshold of their own."),
    (
        "movement_threshold",
        _SHARE,
        "Minimum probability of all movements. Default: that of each label in the model file, which"
        f" training found, else {MOVEMENT_THRESHOLD}.",
    ),
    ("dwell", _SECONDS, "Hold time: seconds a pose must be held before its event is emitted."),
    ("cooldown", _SECONDS, "Seconds before an ended gesture can be emitted again."),
    (
        "patience",
        _SECONDS,
        "Seconds a movement waits before its event; up to three times while others overlap it."
        f" Default: that of each label in the model file, which training found, else {PATIENCE}.",
    ),
    ("smoothing", _SECONDS, "Time constant in seconds for landmarks at rest; 0 = no smoothing."),
)


class _PresetType(click.Choice):  # type: ignore[type-arg]
    """The name of a preset; the error for an unknown one has the nearest."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in PRESETS:
            self.fail(str(unknown_name("preset", value, PRESETS)), param, ctx)
        return value


PRESET = _PresetType(PRESETS)

actions_options = all_options(
    click.option(
        "--actions",
        metavar="FILE",
        type=PATH,
        help="Which actions to run for which label: a TOML file, see the documentation.",
    ),
    click.option(
        "--preset",
        type=PRESET,
        help="Actions that come with handlore for the signs of everyday, in place of --actions.",
    ),
)


def pop_actions(given: dict[str, Any]) -> Path | None:
    """Take the file of actions out of all options."""
    actions, preset = given.pop("actions"), given.pop("preset")
    if preset is None:
        return None if actions is None else Path(actions)
    if actions is not None:
        raise click.UsageError("--actions and --preset cannot be used together")
    return preset_file(preset)


hold_option = click.option(
    "--hold-events",
    "hold_interval",
    type=NumberRange(0, 60),
    metavar="SECONDS",
    help="Also emit events while a pose is held, so many seconds apart (0: 30 a second), and when"
    " it ends; each line then has type, duration and the values of the hand.",
)

recogniser_options = all_options(
    click.option(
        "--sensitivity",
        type=click.Choice(list(SENSITIVITIES)),
        default="normal",
        show_default=True,
        help="low: fewer false activations; high: fewer missed gestures. It sets thresholds and"
        " hold time together; the options below go before it.",
    ),
    *(field_option(RecogniserSettings, name, kind, text) for name, kind, text in _OPTIONS),
)


def pop_settings(given: dict[str, Any]) -> RecogniserSettings:
    """Take the options of the recogniser out of all options; those given go before sensitivity."""
    values = {name: given.pop(name) for name, _, _ in _OPTIONS}
    if "hold_interval" in given:
        values["hold_interval"] = given.pop("hold_interval")
    chosen = {name: value for name, value in values.items() if is_given(name)}
    return RecogniserSettings.of_sensitivity(given.pop("sensitivity"), **chosen)


EVENT_COLUMNS = ("seconds", "label", "probability", "hand")

DETAILED_COLUMNS = (*EVENT_COLUMNS, "type", "duration")


def event_cells(event: Event) -> list[str]:
    """Return an event as the cells of a table, see :data:`DETAILED_COLUMNS`."""
    seconds = f"{event.start:.2f} - {event.end:.2f}"
    cells = [seconds, event.label, percent(event.probability), event.hand or ""]
    return [*cells, event.type, f"{event.duration:.2f} s"]
