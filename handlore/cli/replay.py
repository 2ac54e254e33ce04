"""``handlore replay``: the events that live would emit for recordings or videos."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import handlore
from handlore.landmarks.errors import HandloreError
from handlore.models.ready import READY_MODELS, is_ready
from handlore.models.stream.settings import RecogniserSettings

from ._common import (
    MODEL,
    detector_options,
    end,
    examples,
    frame_rate_option,
    opened_detector,
    print_table,
    say,
    say_failures,
)
from ._streams import (
    EVENT_COLUMNS,
    event_cells,
    load_stream_models,
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
    settings: RecogniserSettings

    @property
    def models(self) -> list[str | Path]:
        return [path for path in self.paths if _is_model(path)]

    @property
    def recordings(self) -> list[Path]:
        return [Path(path) for path in self.paths if not _is_model(path)]


def _is_model(path: str | Path) -> bool:
    return is_ready(path) or Path(path).suffix.lower() == ".onnx"


@click.command(
    "replay",
    epilog=examples(
        "handlore replay everyday lesson.mp4",
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
    metavar="MODEL... RECORDING...",
    type=MODEL,
)
@frame_rate_option
@recogniser_options
@detector_options(landmarker=None)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line per event.")
def command(**given: Any) -> None:
    """Print the events that live would emit for recordings or videos.

    MODEL is a file that ends in .onnx, or the name of a model that comes with handlore.

    RECORDING is a recording, a folder of them, a video or a landmark dataset. The recogniser is the
    same as live, so the log of a recording is the same, byte for byte. With several streams each
    line also names its own (`stream`).
    """
    _replay(_ReplayOptions(settings=pop_settings(given), **given))


def _replay(options: _ReplayOptions) -> None:
    if not options.models:
        raise HandloreError(
            f"{options.paths[0]} is no model; name one or more .onnx files first, or models that"
            f" come with handlore: {', '.join(READY_MODELS)}"
        )
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
