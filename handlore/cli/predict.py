"""``handlore predict``: what do these pictures show."""

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
)

if TYPE_CHECKING:
    from handlore.models.runtime import Prediction


@click.command(
    "predict",
    epilog=examples(
        "handlore predict poses.onnx photo.jpg", "handlore predict poses.onnx photos/ --json"
    ),
)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path)
)
@detector_options(landmarker=None)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    model: Path,
    paths: tuple[Path, ...],
    landmarker: str | None,
    detector: str,
    verbose: bool,
    as_json: bool,
) -> None:
    """Say what pictures show: label, probability, rotation of the hand.

    PATH is a picture, or a folder whose pictures are all taken. The rotation is the direction
    from wrist to middle knuckle against image-up, clockwise positive. A picture without a hand
    is `none`.
    """
    from handlore.datasets.pictures import read_picture
    from handlore.models.runtime import load_model

    loaded = load_model(model)
    pictures = _pictures(paths)
    network = landmarker or _network(loaded.card.landmarker)
    rows: list[dict[str, Any]] = []
    failures: list[tuple[str, str]] = []
    with (
        opened_detector(network, detector, loaded.card.n_hands, verbose=verbose) as opened,
        progress("predicting") as show,
    ):
        for done, path in enumerate(pictures, 1):
            try:
                pixels, _ = read_picture(path)
                rows.append(_row(path, loaded.predict_picture(opened, pixels)))
            except InvalidDataError as error:
                failures.append((str(path), str(error)))
            show(done, len(pictures))
    say_failures(failures)
    _print(rows, as_json)
    if failures:
        ctx.exit(SOME_INPUTS_FAILED if rows else 1)


def _pictures(paths: tuple[Path, ...]) -> list[Path]:
    from handlore.datasets.names import is_picture
    from handlore.datasets.sources.registry import walk

    pictures: list[Path] = []
    for path in paths:
        if not path.exists():
            raise HandloreError(f"there is no file {path}")
        if path.is_dir():
            inside = [path / file for file in walk(path) if is_picture(Path(file))]
            if not inside:
                raise HandloreError(f"the folder {path} holds no pictures")
            pictures += inside
        else:
            pictures.append(path)
    return pictures


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


def _row(path: Path, prediction: "Prediction") -> dict[str, Any]:
    return {
        "path": str(path),
        "label": prediction.label,
        "probability": prediction.probability,
        "rotation_deg": prediction.rotation_deg,
        "hand": prediction.hand,
    }


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(rows)
    elif rows:
        cells = [
            [
                row["path"],
                row["label"],
                "" if row["probability"] is None else percent(row["probability"]),
                "" if row["rotation_deg"] is None else f"{row['rotation_deg']:.0f}",
                row["hand"] or "",
            ]
            for row in rows
        ]
        print_table(["picture", "label", "probability", "rotation (deg)", "hand"], cells)
