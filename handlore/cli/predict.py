"""``handlore predict``: what do these pictures and videos show."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlore.landmarks.errors import HandloreError, InvalidDataError

from ._common import (
    SOME_INPUTS_FAILED,
    detector_options,
    examples,
    json_option,
    opened_detector,
    percent,
    print_json,
    print_table,
    progress,
    say_failures,
    views_option,
)
from ._media import Medium, media_in, tracked

if TYPE_CHECKING:
    from handlore.datasets.dataset import LandmarkDataset
    from handlore.landmarks.detector import HandDetector
    from handlore.models.runtime import Model
    from handlore.models.segments import Segment


@click.command(
    "predict",
    epilog=examples(
        "handlore predict poses.onnx photo.jpg",
        "handlore predict poses.onnx photos/ --json",
        "handlore predict poses.onnx photos/ --views 8",
        "handlore predict moves.onnx lesson.mp4",
        "handlore predict moves.onnx frames/ --frame-rate 25",
    ),
)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path)
)
@click.option(
    "--frame-rate", type=click.FloatRange(0, min_open=True), default=30.0, show_default=True,
    help="How many pictures a second a folder of frames holds.",
)  # fmt: skip
@views_option("the answers are averaged. Each costs a pass of the hand network. Pictures only.")
@detector_options(landmarker=None)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    model: Path,
    paths: tuple[Path, ...],
    frame_rate: float,
    views: int,
    landmarker: str | None,
    detector: str,
    verbose: bool,
    as_json: bool,
) -> None:
    """Say what pictures and videos show.

    PATH is a picture, a video, or a folder in which all are taken. Of a picture it says label,
    probability and rotation: the direction from wrist to middle knuckle against image-up,
    clockwise positive. Of a video it says what is shown when. A model of movements takes videos,
    and folders of pictures as videos. What shows no hand is `none`.
    """
    from handlore.models.loading import load_model

    loaded = load_model(model)
    if views and loaded.card.kind != "pose":
        raise HandloreError(f"{model} takes videos; --views is for models of poses")
    media = media_in(paths, moving=loaded.card.kind == "sequence")
    network = landmarker or _network(loaded.card.landmarker)
    rows: list[dict[str, Any]] = []
    failures: list[tuple[str, str]] = []
    with (
        opened_detector(network, detector, loaded.card.n_hands, verbose=verbose) as opened,
        progress("predicting") as show,
    ):
        for done, medium in enumerate(media, 1):
            try:
                rows.append(_row(loaded, opened, medium, frame_rate, views))
            except InvalidDataError as error:
                failures.append((str(medium.path), str(error)))
            show(done, len(media))
    say_failures(failures)
    _print(rows, as_json)
    if failures:
        ctx.exit(SOME_INPUTS_FAILED if rows else 1)


def _network(trained_on: str) -> str:
    """Return the network to use; networks of the user's own are found by their variable."""
    from handlore.landmarks.weights import CUSTOM, ENVIRONMENT_VARIABLE, find_bundle

    if trained_on != CUSTOM:
        return trained_on
    bundle = find_bundle()
    if bundle is None or bundle.landmarker != CUSTOM:
        raise HandloreError(
            "the model was trained on networks of your own; name their bundle in"
            f" {ENVIRONMENT_VARIABLE}"
        )
    return "full"


def _row(
    model: "Model", detector: "HandDetector", medium: Medium, frame_rate: float, n_views: int
) -> dict[str, Any]:
    from handlore.datasets.dataset import NONE_LABEL
    from handlore.datasets.pictures import read_picture
    from handlore.models.runtime import PoseModel

    if medium.what == "picture" and isinstance(model, PoseModel):
        said = model.predict_picture(detector, read_picture(medium.path)[0], n_views)
        return {
            "path": str(medium.path), "label": said.label, "probability": said.probability,
            "rotation_deg": said.rotation_deg, "hand": said.hand,
        }  # fmt: skip
    segments = _segments(model, tracked(detector, medium, model.card.n_hands, frame_rate))
    longest = max(segments, key=lambda one: one.end - one.start, default=None)
    return {
        "path": str(medium.path),
        "label": longest.label if longest else NONE_LABEL,
        "probability": longest.probability if longest else None,
        "rotation_deg": None,
        "hand": longest.hand if longest else None,
        "segments": [asdict(one) for one in segments],
    }


def _segments(model: "Model", clip: "LandmarkDataset") -> "list[Segment]":
    from handlore.models.movement import MovementModel
    from handlore.models.runtime import PoseModel

    if isinstance(model, MovementModel):
        return model.segments(clip.image, clip.handedness, clip.time)
    if isinstance(model, PoseModel):
        return model.segments(clip.image, clip.world, clip.handedness, clip.time)
    raise TypeError(f"a model of kind {model.card.kind!r} makes no segments")


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    stills = [row for row in rows if "segments" not in row]
    if stills:
        cells = [
            [
                row["path"], row["label"], _share(row["probability"]),
                "" if row["rotation_deg"] is None else f"{row['rotation_deg']:.0f}",
                row["hand"] or "",
            ]
            for row in stills
        ]  # fmt: skip
        print_table(["picture", "label", "probability", "rotation (deg)", "hand"], cells)
    videos = [(row["path"], one) for row in rows for one in row.get("segments") or [_nothing(row)]
              if "segments" in row]  # fmt: skip
    if videos:
        cells = [
            [
                path, "" if one["start"] is None else f"{one['start']:.2f} - {one['end']:.2f}",
                one["label"], _share(one["probability"]), one["hand"] or "",
            ]
            for path, one in videos
        ]  # fmt: skip
        print_table(["video", "seconds", "label", "probability", "hand"], cells)


def _nothing(row: dict[str, Any]) -> dict[str, Any]:
    return {"start": None, "end": None, **row}


def _share(probability: float | None) -> str:
    return "" if probability is None else percent(probability)
