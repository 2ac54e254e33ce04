"""``handlore replay``: what the recogniser tells of recordings, as it would have live."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlore.datasets.tracking import list_media, track_video
from handlore.landmarks.errors import HandloreError, InvalidDataError

from ._common import (
    SOME_INPUTS_FAILED,
    detector_options,
    examples,
    opened_detector,
    percent,
    print_table,
    say_failures,
)
from ._recogniser import load_stream_models, pop_settings, recogniser_options

if TYPE_CHECKING:
    from handlore.datasets.dataset import LandmarkDataset
    from handlore.models.model import Model
    from handlore.models.stream.events import Event


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
    type=click.Path(path_type=Path),
)
@click.option(
    "--frame-rate",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    help="How many pictures a second a folder of frames holds.",
)
@recogniser_options
@detector_options(landmarker=None)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line an event.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    paths: tuple[Path, ...],
    frame_rate: float,
    landmarker: str | None,
    detector: str,
    verbose: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Print the events that live would emit for recordings or videos.

    The same recogniser as live, so the log is the same: from the landmarks of a recording, byte
    for byte. With several streams each line also names its own (`stream`).
    """
    models = load_stream_models(_models(paths))
    recordings = [one for path in paths if path.suffix.lower() != ".onnx" for one in _files(path)]
    if not recordings:
        raise HandloreError("there is nothing to replay; name a recording, a video or a dataset")
    settings = pop_settings(options)
    logs: list[tuple[str, list[Event]]] = []
    failures: list[tuple[str, str]] = []
    from handlore.models.stream.recogniser import recognise

    for path in recordings:
        try:
            videos = _videos(path, models, frame_rate, landmarker, detector, verbose)
            for name, video in videos:
                logs.append((name, list(recognise(models, video, settings))))
        except HandloreError as error:
            # One that is missing must not cost the logs of the others.
            if len(recordings) == 1 and not isinstance(error, InvalidDataError):
                raise
            failures.append((str(path), str(error)))
    say_failures(failures)
    _print(logs, as_json, named=len(recordings) > 1 or len(logs) > 1)
    if failures:
        ctx.exit(SOME_INPUTS_FAILED if logs else 1)


def _models(paths: Sequence[Path]) -> list[Path]:
    models = [path for path in paths if path.suffix.lower() == ".onnx"]
    if not models:
        raise HandloreError(f"{paths[0]} is no model; name one or more .onnx files first")
    return models


def _files(path: Path) -> list[Path]:
    """Return the recordings of a folder of them, or of one label in it; else the path."""
    from handlore.datasets.recording_files import DISCARDED, is_recordings, recording_files

    above = path.resolve()
    root = next((one for one in (above, *above.parents[:2]) if is_recordings(one)), None)
    if root is None or not path.is_dir():
        return [path]
    # Also where videos are beside them: what was seen live are the landmarks.
    files = recording_files(root, discarded=DISCARDED in above.relative_to(root).parts)
    own = [path / file.relative_to(above) for file in files if above in file.parents]
    return own or [path]


def _videos(
    path: Path,
    models: "list[Model]",
    frame_rate: float,
    landmarker: str | None,
    detector: str,
    verbose: bool,
) -> "Iterator[tuple[str, LandmarkDataset]]":
    """Yield the streams of a dataset, or follow the hands through a video."""
    from handlore.datasets.storage import load_dataset
    from handlore.models.files import required_landmarker
    from handlore.models.stream.ground_truth import dataset_streams

    if path.suffix.lower() == ".npz":
        for stream in dataset_streams(load_dataset(path)):
            yield stream.name or str(path), stream.video
        return
    card = models[0].card
    media = list_media([path], movements=True)
    network = landmarker or required_landmarker(models)
    with opened_detector(network, detector, card.n_hands, verbose=verbose) as opened:
        for medium in media:
            clip = track_video(medium.path, opened, max_hands=card.n_hands, frame_rate=frame_rate)
            yield str(medium.path), clip


def _print(logs: "list[tuple[str, list[Event]]]", as_json: bool, *, named: bool) -> None:
    import json

    if as_json:
        for name, events in logs:
            for event in events:
                row = event.as_json()
                click.echo(json.dumps(({"stream": name} if named else {}) | row))
        return
    rows = [
        [
            *([name] if named else []),
            f"{event.start:.2f} - {event.end:.2f}",
            event.label,
            percent(event.probability),
            event.hand or "",
        ]
        for name, events in logs
        for event in events
    ]
    columns = [*(["stream"] if named else []), "seconds", "label", "probability", "hand"]
    print_table(columns, rows)
