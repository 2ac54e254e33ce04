"""``handlore replay``: the events that live would emit for recordings or videos."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import handlore
from handlore.landmarks.errors import HandloreError
from handlore.models.stream.settings import RecogniserSettings

from ._common import (
    EVENT_COLUMNS,
    PATH,
    detector_options,
    end,
    event_cells,
    examples,
    frame_rate_option,
    load_stream_models,
    opened_detector,
    pop_settings,
    print_table,
    recogniser_options,
    say,
    say_failures,
)


@dataclass(frozen=True)
class _ReplayOptions:
    paths: tuple[Path, ...]
    frame_rate: float
    landmarker: str | None
    detector: str
    verbose: bool
    as_json: bool
    settings: RecogniserSettings

    @property
    def models(self) -> list[Path]:
        return [path for path in self.paths if path.suffix.lower() == ".onnx"]

    @property
    def recordings(self) -> list[Path]:
        return [path for path in self.paths if path.suffix.lower() != ".onnx"]


@click.command(
    "replay",
    epilog=examples(
        "handlore replay poses.onnx evening.npz",
        "handlore replay poses.onnx moves.onnx lesson.mp4 --json",
        "handlore replay moves.onnx streams.npz --patience 0.3",
        "handlore replay poses.onnx triggers",
    ),
)
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    metavar="MODEL.onnx... RECORDING...",
    type=PATH,
)
@frame_rate_option
@recogniser_options
@detector_options(landmarker=None)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line per event.")
def command(**given: Any) -> None:
    """Print the events that live would emit for recordings or videos.

    RECORDING is a recording, a folder of them, a video or a landmark dataset. The recogniser is the
    same as live, so the log of a recording is the same, byte for byte. With several streams each
    line also names its own (`stream`).
    """
    _replay(_ReplayOptions(settings=pop_settings(given), **given))


def _replay(options: _ReplayOptions) -> None:
    if not options.models:
        raise HandloreError(f"{options.paths[0]} is no model; name one or more .onnx files first")
    models = load_stream_models(options.models)
    if not options.recordings:
        raise HandloreError("there is nothing to replay; name a recording, a video or a dataset")
    found = handlore.replay(
        models,
        options.recordings,
        options.settings,
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
    rows = [(log.name, event) for log in found.logs for event in log.events]
    if options.as_json:
        for name, event in rows:
            say(json.dumps(({"stream": name} if named else {}) | event.as_json()))
    else:
        cells = [[*([name] if named else []), *event_cells(event)] for name, event in rows]
        print_table([*(["stream"] if named else []), *EVENT_COLUMNS], cells)
    end(found.failures, none_left=not found.logs)
