"""``handlore replay``: the events that live would emit for recordings or videos."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import handlore
from handlore.capture.actions.file import ActionSet, load_model_actions
from handlore.capture.actions.runner import rehearse
from handlore.landmarks.errors import HandloreError
from handlore.models.card import is_model_file
from handlore.models.ready import READY_MODELS, is_ready
from handlore.models.stream.events import Event
from handlore.models.stream.replay import ReplayResult
from handlore.models.stream.settings import (
    RecogniserSettings,
)

from ._common import (
    MODEL,
    detector_options,
    end,
    examples,
    frame_rate_option,
    opened_detector,
    say,
    say_failures,
    say_notes,
)
from ._rich import print_table
from ._streams import (
    DETAILED_COLUMNS,
    EVENT_COLUMNS,
    actions_options,
    event_cells,
    hold_option,
    pop_actions,
    pop_settings,
    recogniser_options,
)


@dataclass(frozen=True)
class _ReplayOptions:
    paths: tuple[str | Path, ...]
    frame_rate: float
    landmarker: str | None
    detector: str
    verbose: bool
    as_json: bool
    actions: Path | None
    settings: RecogniserSettings

    @property
    def models(self) -> list[str | Path]:
        return [path for path in self.paths if is_ready(path) or is_model_file(Path(path))]

    @property
    def recordings(self) -> list[Path]:
        models = self.models
        return [Path(path) for path in self.paths if path not in models]


@click.command(
    "replay",
    epilog=examples(
        "handlore replay everyday lesson.mp4",
        "handlore replay poses.onnx evening.npz",
        "handlore replay poses.onnx moves.onnx lesson.mp4 --json",
        "handlore replay moves.onnx streams.npz --patience 0.3",
        "handlore replay poses.onnx triggers",
        "handlore replay everyday lesson.mp4 --hold-events 0.5",
        "handlore replay poses.onnx evening.npz --actions actions.toml",
    ),
)
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    metavar="MODEL... RECORDING...",
    type=MODEL,
)
@frame_rate_option
@actions_options
@hold_option
@recogniser_options
@detector_options(landmarker=None)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line per event or action.")
def command(**given: Any) -> None:
    """Print the events that live would emit for recordings or videos.

    MODEL is a file, or the name of a model that comes with handlore (`handlore models`).

    RECORDING is a recording, a folder of them, a video or a landmark dataset. The recogniser is the
    same as live, so the log of a recording is the same, byte for byte. With several streams each
    line also names its own (`stream`).

    With --actions, it prints what live would do at which time, and does nothing; what would be
    skipped has the reason.
    """
    _replay(_ReplayOptions(settings=pop_settings(given), actions=pop_actions(given), **given))


def _replay(options: _ReplayOptions) -> None:
    if not options.models:
        raise HandloreError(
            f"{options.paths[0]} is no model; name one or more model files first, or models that"
            f" come with handlore: {', '.join(READY_MODELS)}"
        )
    models, notes = handlore.load_models(options.models)
    say_notes(notes)
    actions = None
    if options.actions is not None:
        actions = load_model_actions(options.actions, models, check_computer=False)
    settings = actions.settings(options.settings) if actions else options.settings
    if not options.recordings:
        raise HandloreError("there is nothing to replay; name a recording, a video or a dataset")
    found = handlore.replay(
        models,
        options.recordings,
        settings,
        detector=lambda video: opened_detector(
            options.landmarker or handlore.required_landmarker(models),
            options.detector,
            models[0].card.n_hands,
            video=video,
            verbose=options.verbose,
        ),
        frame_rate=options.frame_rate,
    )
    say_failures(found.failures)
    named = found.n_recordings > 1 or len(found.logs) > 1
    rows = _events(found, settings) if actions is None else _calls(found, actions)
    if options.as_json:
        for name, _, values in rows.rows:
            say(json.dumps(({"stream": name} if named else {}) | values))
    elif found.logs:
        cells = [[*([name] if named else []), *texts] for name, texts, _ in rows.rows]
        print_table([*(["stream"] if named else []), *rows.columns], cells)
    end(found.failures, none_left=not found.logs)


@dataclass(frozen=True)
class _Rows:
    """What is printed."""

    columns: tuple[str, ...]
    rows: list[tuple[str, list[str], dict[str, Any]]]
    """Name of the stream, cells of a table, and the same as JSON."""


def _events(found: ReplayResult, settings: RecogniserSettings) -> _Rows:
    detailed = settings.hold_interval is not None
    columns: tuple[str, ...] = DETAILED_COLUMNS if detailed else EVENT_COLUMNS
    values = Event.detailed if detailed else Event.as_json
    rows = [
        (log.name, event_cells(event)[: len(columns)], values(event))
        for log in found.logs
        for event in log.events
    ]
    return _Rows(columns, rows)


def _calls(found: ReplayResult, actions: ActionSet) -> _Rows:
    rows = []
    for log in found.logs:
        for result in rehearse(actions, log.events):
            time, name = result.event.end, result.action.name
            skipped = result.detail if result.state == "skipped" else ""
            does = f"skipped: {skipped}" if skipped else result.detail
            values = {"time": round(time, 3), "action": name, "does": result.detail}
            if skipped:
                values = {"time": round(time, 3), "action": name, "skipped": skipped}
            rows.append((log.name, [f"{time:.2f}", name, does], values))
    return _Rows(("seconds", "action", "does"), rows)
