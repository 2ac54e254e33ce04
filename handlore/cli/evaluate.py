"""``handlore evaluate``: the accuracy of a model file on data it has not seen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import handlore

from ._common import (
    MODEL,
    data_argument,
    end,
    examples,
    json_option,
    load_datasets,
    prepare_folder,
)
from ._training import (
    print_evaluation,
    report_option,
    streams_option,
)


@dataclass(frozen=True)
class _EvaluateOptions:
    model: str | Path
    data: tuple[Path, ...]
    split: str | None
    with_streams: bool | None
    report: Path | None
    as_json: bool


@click.command(
    "evaluate",
    epilog=examples(
        "handlore evaluate poses.onnx others.npz",
        "handlore evaluate everyday photos.npz",
        "handlore evaluate poses.onnx photos.npz --split test --report report/",
        "handlore evaluate moves.onnx bens_gestures",
    ),
)
@click.argument("model", type=MODEL)
@data_argument
@click.option(
    "--split",
    help="Evaluate on this split. Default: the split `test` of each file that has one, all of"
    " others; all, for a model that comes with handlore.",
)
@streams_option
@report_option
@json_option
def command(**given: Any) -> None:
    """Score a model file on landmark datasets.

    MODEL is a file, or the name of a model that comes with handlore (`handlore models`).
    DATA is a file that `handlore convert` wrote, or a folder of recordings of `handlore capture`.
    For a picture or clip in which no hand was found the prediction is `none`, an error unless that
    is its label.
    """
    _evaluate(_EvaluateOptions(**given))


def _evaluate(options: _EvaluateOptions) -> None:
    if options.report:
        prepare_folder(options.report)
    kind = handlore.load_model(options.model).encoder.kind
    loaded = load_datasets(options.data, kind)
    found = handlore.evaluate(
        options.model,
        loaded.parts,
        split=options.split,
        with_importances=options.report is not None,
        with_streams=options.with_streams,
    )
    title = str(options.model)
    print_evaluation(found, title, options.data, options.report, as_json=options.as_json)
    end(loaded.failures)
