"""``handlore crossval``: the accuracy of a classifier on people it has not seen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import handlore
from handlore.datasets.splits import By

from ._common import (
    data_argument,
    end,
    examples,
    json_option,
    load_datasets,
    prepare_folder,
    progress,
)
from ._training import (
    base_option,
    features_option,
    kind_of,
    mirror_option,
    model_option,
    param_option,
    parsed_features,
    parsed_params,
    print_evaluation,
    report_option,
    seed_option,
    streams_option,
)


@dataclass(frozen=True)
class _CrossvalOptions:
    data: tuple[Path, ...]
    model: str | None
    features: str | None
    mirror_labels: str | None
    params: tuple[str, ...]
    by: By | None
    folds: int | None
    seed: int
    base: str | Path | None
    with_streams: bool | None
    report: Path | None
    as_json: bool


@click.command(
    "crossval",
    epilog=examples(
        "handlore crossval photos.npz",
        "handlore crossval photos.npz --model xgboost --by group --report report/",
        "handlore crossval photos.npz --by random --folds 10",
        "handlore crossval my_gestures --model rocket",
    ),
)
@data_argument
@model_option
@features_option
@mirror_option
@param_option
@click.option(
    "--by",
    type=click.Choice(["group", "session", "recording", "random"]),
    help="What must not be divided between training and test. Default: the first of these that"
    " the data has, so that a model is tested on people it has never seen.",
)
@click.option(
    "--folds",
    type=click.IntRange(2),
    show_default="one per group up to 12 groups, else 5",
    help="How many times to train and test.",
)
@base_option
@seed_option
@streams_option
@report_option
@json_option
def command(**given: Any) -> None:
    """Estimate the accuracy of a classifier on people it has not seen.

    DATA is a file that `handlore convert` wrote, or a folder of recordings of `handlore capture`.
    Each group (person) in turn is held out, a classifier is trained on the others, and the
    predictions are pooled. For a picture or clip in which no hand was found the prediction is
    `none`, an error unless that is its label.

    Accuracy has a 95 % interval over people. A split at random is compared with the split by
    people, where they are known. Samples that are in both training and test data are reported.
    """
    _cross_validate(_CrossvalOptions(**given))


def _cross_validate(options: _CrossvalOptions) -> None:
    features = parsed_features(options.features)
    if options.report:
        prepare_folder(options.report)
    loaded = load_datasets(options.data, kind_of(options.model, options.base))
    with progress("cross-validating", counted=False) as show:
        found = handlore.cross_validate(
            loaded.dataset,
            options.model,
            by=options.by,
            folds=options.folds,
            features=features,
            params=parsed_params(options.params),
            mirror_labels=options.mirror_labels or "",
            base=options.base,
            seed=options.seed,
            with_importances=options.report is not None,
            with_streams=options.with_streams,
            progress=show,
        )
    title = f"{found.model}, {found.protocol}"
    print_evaluation(found, title, options.data, options.report, as_json=options.as_json)
    end(loaded.failures)
