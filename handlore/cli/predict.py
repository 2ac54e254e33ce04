"""``handlore predict``: what do these pictures, videos and recordings show."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlore.datasets.tracking import Medium, list_media, track_video
from handlore.landmarks.errors import HandloreError, InvalidDataError

from ._common import (
    SOME_INPUTS_FAILED,
    copies_option,
    detector_options,
    examples,
    json_option,
    opened_detector,
    percent,
    print_json,
    print_table,
    progress,
    say_failures,
    talk,
)

if TYPE_CHECKING:
    from handlore.datasets.dataset import LandmarkDataset
    from handlore.landmarks.detector import HandDetector
    from handlore.models.model import Model, Prediction


@click.command(
    "predict",
    epilog=examples(
        "handlore predict poses.onnx photo.jpg",
        "handlore predict poses.onnx photos/ --json",
        "handlore predict poses.onnx photos/ --tta 8",
        "handlore predict moves.onnx lesson.mp4",
        "handlore predict moves.onnx frames/ --frame-rate 25",
        "handlore predict moves.onnx my_gestures",
    ),
)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path)
)
@click.option(
    "--frame-rate",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    help="How many pictures a second a folder of frames holds.",
)
@copies_option(
    "--tta",
    "the answers are averaged (test-time augmentation). Each costs a run of the hand network."
    " Pictures only.",
)
@detector_options(landmarker=None)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    model: Path,
    paths: tuple[Path, ...],
    frame_rate: float,
    n_copies: int,
    landmarker: str | None,
    detector: str,
    verbose: bool,
    as_json: bool,
) -> None:
    """Predict the gestures in pictures, videos and recordings.

    PATH is a picture, a video, or a folder in which all are taken; or a folder of recordings of
    `handlore capture`, which are answered from their landmarks. Of a picture it says label,
    probability and rotation: the direction from wrist to middle knuckle against image-up,
    clockwise positive. Of a video it says what is shown when. A model of movements takes videos,
    and folders of pictures as videos. What shows no hand is `none`.
    """
    from handlore.datasets.recording_files import is_recordings
    from handlore.models.files import load_model, required_landmarker

    loaded = load_model(model)
    if n_copies and loaded.card.kind != "pose":
        raise HandloreError(f"{model} takes videos; --tta is for models of poses")
    folders = [path for path in paths if is_recordings(path)]
    media = list_media(
        [path for path in paths if path not in folders], movements=loaded.card.kind == "sequence"
    )
    rows, failures = _of_recordings(loaded, folders)
    if media:
        network = landmarker or required_landmarker([loaded])
        with opened_detector(network, detector, loaded.card.n_hands, verbose=verbose) as opened:
            seen, unread = _look_at(loaded, opened, media, frame_rate, n_copies)
        rows, failures = rows + seen, failures + unread
    say_failures(failures)
    _print(rows, as_json)
    if failures:
        ctx.exit(SOME_INPUTS_FAILED if rows else 1)


def _look_at(
    model: "Model",
    detector: "HandDetector",
    media: Sequence[Medium],
    frame_rate: float,
    n_copies: int,
) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Answer pictures and videos one by one; also list those that cannot be read."""
    rows: list[dict[str, Any]] = []
    failures: list[tuple[str, str]] = []
    with progress("predicting") as show:
        for done, medium in enumerate(media, 1):
            try:
                rows.append(_row(model, detector, medium, frame_rate, n_copies))
            except InvalidDataError as error:
                failures.append((str(medium.path), str(error)))
            show(done, len(media))
    return rows, failures


def _of_recordings(
    model: "Model", folders: Sequence[Path]
) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Answer the recordings of the kind that the model takes; also list those that failed."""
    from handlore.datasets.loading import KIND_NAMES, load_recordings

    rows: list[dict[str, Any]] = []
    failures: list[tuple[str, str]] = []
    for folder in folders:
        recorded, kind = load_recordings(folder), model.encoder.kind
        chosen = recorded.require(kind)
        failures += [(str(folder / name), reason) for name, reason in recorded.failures]
        for other, n in recorded.counts().items():
            if other != kind:
                talk(f"note: {n} recordings of {KIND_NAMES[other]} in {folder} are left out")
        for one in chosen:
            path = folder / str(one.samples.source[0]).partition("#")[0]
            try:
                rows.append(_answered(model, path, one))
            except InvalidDataError as error:
                failures.append((str(path), str(error)))
    return rows, failures


def _answered(model: "Model", path: Path, recording: "LandmarkDataset") -> dict[str, Any]:
    from handlore.models.model import PoseModel

    if recording.n_hands != model.card.n_hands:
        raise InvalidDataError(
            f"it has room for {recording.n_hands} hand(s) a frame, the model takes"
            f" {model.card.n_hands}"
        )
    if isinstance(model, PoseModel):
        return _still_row(path, model.predict_clip(recording))
    return _moving_row(path, model, recording)


def _row(
    model: "Model", detector: "HandDetector", medium: Medium, frame_rate: float, n_copies: int
) -> dict[str, Any]:
    from handlore.datasets.pictures import read_picture
    from handlore.models.model import PoseModel

    if medium.kind == "picture" and isinstance(model, PoseModel):
        said = model.predict_picture(detector, read_picture(medium.path)[0], n_copies)
        return _still_row(medium.path, said)
    clip = track_video(medium.path, detector, max_hands=model.card.n_hands, frame_rate=frame_rate)
    return _moving_row(medium.path, model, clip)


def _still_row(path: Path, said: "Prediction") -> dict[str, Any]:
    return {
        "path": str(path),
        "label": said.label,
        "probability": said.probability,
        "rotation_deg": said.rotation_deg,
        "hand": said.hand,
        "familiarity": None if said.novelty is None else 1 - said.novelty,
    }


def _moving_row(path: Path, model: "Model", video: "LandmarkDataset") -> dict[str, Any]:
    from handlore.datasets.dataset import NONE_LABEL
    from handlore.models.stream.videos import video_events

    segments = [event.as_json() for event in video_events(model, video)]
    longest = max(segments, key=lambda one: one["end"] - one["start"], default=None)
    return {
        "path": str(path),
        "label": longest["label"] if longest else NONE_LABEL,
        "probability": longest["probability"] if longest else None,
        "rotation_deg": None,
        "hand": longest["hand"] if longest else None,
        "segments": segments,
    }


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    stills = [row for row in rows if "segments" not in row]
    if stills:
        cells = [
            [
                row["path"],
                row["label"],
                _share(row["probability"]),
                "" if row["rotation_deg"] is None else f"{row['rotation_deg']:.0f}",
                row["hand"] or "",
            ]
            for row in stills
        ]
        print_table(["picture", "label", "probability", "rotation (deg)", "hand"], cells)
    videos = [
        (row["path"], one)
        for row in rows
        for one in row.get("segments") or [_nothing(row)]
        if "segments" in row
    ]
    if videos:
        cells = [
            [
                path,
                "" if one["start"] is None else f"{one['start']:.2f} - {one['end']:.2f}",
                one["label"],
                _share(one["probability"]),
                one["hand"] or "",
            ]
            for path, one in videos
        ]
        print_table(["video", "seconds", "label", "probability", "hand"], cells)


def _nothing(row: dict[str, Any]) -> dict[str, Any]:
    return {"start": None, "end": None, **row}


def _share(probability: float | None) -> str:
    return "" if probability is None else percent(probability)
