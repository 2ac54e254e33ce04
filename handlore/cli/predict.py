"""``handlore predict``: the gestures in pictures, videos and recordings."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import handlore

from ._common import (
    MODEL,
    PATH,
    check_hands,
    copies_option,
    detector_options,
    end,
    examples,
    frame_rate_option,
    hand_option,
    json_option,
    opened_detector,
    percent,
    print_json,
    say_failures,
    say_notes,
)
from ._rich import print_table, progress
from ._streams import EVENT_COLUMNS, event_cells

if TYPE_CHECKING:
    # Needs OpenCV, which printing help does not.
    from handlore.models.predict import FilePrediction


@dataclass(frozen=True)
class _PredictOptions:
    model: str | Path
    paths: tuple[Path, ...]
    frame_rate: float
    n_copies: int
    hand: str
    max_hands: int | None
    landmarker: str | None
    detector: str
    verbose: bool
    as_json: bool


@click.command(
    "predict",
    epilog=examples(
        "handlore predict everyday photo.jpg",
        "handlore predict poses.onnx photo.jpg",
        "handlore predict poses.onnx photos/ --json",
        "handlore predict poses.onnx photos/ --tta 8",
        "handlore predict moves.onnx lesson.mp4",
        "handlore predict moves.onnx frames/ --frame-rate 25",
        "handlore predict moves.onnx my_gestures",
    ),
)
@click.argument("model", type=MODEL)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=PATH)
@frame_rate_option
@copies_option(
    "--tta",
    "the probabilities are averaged (test-time augmentation). Each costs a run of the hand"
    " network. Pictures only.",
)
@click.option(
    "--max-hands",
    type=click.IntRange(1, 2),
    metavar="N",
    help="With 2 a model of one hand predicts both hands, each for itself.",
)
@hand_option
@detector_options(landmarker=None)
@json_option
def command(**given: Any) -> None:
    """Predict the gestures in pictures, videos and recordings.

    MODEL is a file, or the name of a model that comes with handlore, such as everyday
    (`handlore models`).

    PATH is a picture, a video, or a folder of them; or a folder of recordings of
    `handlore capture`, which are predicted from their landmarks. For a picture the result is label,
    probability and rotation: the direction from wrist to middle knuckle relative to image-up,
    clockwise positive. For a video it is the gestures with their times. A model of movements takes
    videos, and folders of pictures as videos. Without a hand the label is `none`. With
    `--max-hands 2` there is a prediction for each hand.
    """
    check_hands(given["hand"], given["max_hands"])
    _predict(_PredictOptions(**given))


def _predict(options: _PredictOptions) -> None:
    model = handlore.load_model(options.model)
    with progress("predicting") as show:
        found = handlore.predict_files(
            model,
            options.paths,
            detector=lambda video: opened_detector(
                options.landmarker or handlore.required_landmarker([model]),
                options.detector,
                max(model.card.n_hands, options.max_hands or 1),
                video=video,
                verbose=options.verbose,
                hand=options.hand,
            ),
            max_hands=options.max_hands,
            frame_rate=options.frame_rate,
            tta=options.n_copies,
            progress=show,
        )
    say_notes(found.notes)
    say_failures(found.failures)
    if options.as_json:
        print_json([one.as_json() for one in found.predictions])
    else:
        _print_pictures([one for one in found.predictions if one.prediction is not None])
        _print_videos([one for one in found.predictions if one.prediction is None])
    end(found.failures, none_left=not found.predictions)


def _print_pictures(predictions: "list[FilePrediction]") -> None:
    rows = [
        [
            one["path"],
            one["label"],
            "" if one["probability"] is None else percent(one["probability"]),
            "" if one["rotation_deg"] is None else f"{one['rotation_deg']:.0f}",
            one["hand"] or "",
        ]
        for one in (prediction.as_json() for prediction in predictions)
    ]
    if rows:
        print_table(["picture", "label", "probability", "rotation (deg)", "hand"], rows)


def _print_videos(predictions: "list[FilePrediction]") -> None:
    rows = []
    for one in predictions:
        cells = (event_cells(event)[: len(EVENT_COLUMNS)] for event in one.events)
        rows += [[str(one.path), *shown] for shown in cells]
        if not one.events:
            rows.append([str(one.path), "", "none", "", ""])
    if rows:
        print_table(["video", *EVENT_COLUMNS], rows)
