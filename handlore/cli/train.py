"""``handlore train``: datasets to a model file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import handlore
from handlore.landmarks.errors import counted

from ._common import (
    PATH,
    RenamedOption,
    data_argument,
    end,
    examples,
    is_given,
    json_option,
    load_datasets,
    percent,
    print_json,
    require_output,
    say,
    say_notes,
)
from ._rich import progress
from ._training import (
    base_option,
    features_option,
    kind_of,
    mirror_option,
    model_option,
    param_option,
    parsed_features,
    parsed_params,
    protocol,
    refuse_for_poses,
    require_own_gestures,
    seed_option,
)

if TYPE_CHECKING:
    # Needs scikit-learn, which printing help does not.
    from handlore.classifiers.extending import ConfusedLabels


@dataclass(frozen=True)
class _TrainOptions:
    data: tuple[Path, ...]
    out: Path
    model: str | None
    features: str | None
    mirror_labels: str | None
    params: tuple[str, ...]
    negatives: bool
    split: str | None
    crossval: bool
    log: Path | None
    base: str | Path | None
    seed: int
    as_json: bool


@click.command(
    "train",
    epilog=examples(
        "handlore train photos.npz --out poses.onnx",
        "handlore train photos.npz --model xgboost --param max_depth=3 --out poses.onnx",
        "handlore train anna.npz ben.npz --crossval --out poses.onnx",
        "handlore train clips.npz --model rocket --mirror-labels left=right --out moves.onnx",
        "handlore train my_gestures --out moves.onnx",
        "handlore train my_signs --base everyday --out mine.onnx",
        "handlore train clips.npz --model tcn --log training.csv --out moves.onnx",
        "handlore train thumbs.npz --features world,image,orientation --out thumbs.onnx",
    ),
)
@data_argument
@click.option("--out", required=True, type=PATH, help="The model file.")
@model_option
@features_option
@mirror_option
@param_option
@click.option(
    "--negatives/--no-negatives",
    "--background/--no-background",
    "negatives",
    cls=RenamedOption,
    default=True,
    show_default=True,
    help="Movements: also train on negative windows, made of the clips themselves, as `none`.",
)
@click.option("--split", help="Train on this split; default: `train`, or samples without one.")
@click.option("--crossval", is_flag=True, help="Also cross-validate, and keep the scores in OUT.")
@click.option(
    "--log",
    type=PATH,
    metavar="FILE.csv",
    help="Write loss, accuracy and learning rate by epoch (tcn).",
)
@base_option
@seed_option
@json_option
def command(**given: Any) -> None:
    """Train a classifier on landmark datasets and write a model file.

    DATA is a file that `handlore convert` wrote, or a folder of recordings of `handlore capture`.
    The file is ONNX: it runs in any onnxruntime, and contains a description of its training data.
    """
    _train(_TrainOptions(**given))


def _train(options: _TrainOptions) -> None:
    require_output(options.out, options.data)
    features, params = parsed_features(options.features), parsed_params(options.params)
    kind, is_named = kind_of(options.model, options.base), options.model is not None
    loaded = load_datasets(options.data, kind, is_named=is_named)
    require_own_gestures(loaded, options.base)
    negatives = "--negatives" if options.negatives else "--no-negatives"
    refuse_for_poses(
        kind or loaded.dataset.header.kind,
        {"--mirror-labels": options.mirror_labels, negatives: is_given("negatives")},
    )
    with progress("training", counted=False) as show:
        trained = handlore.train(
            loaded.dataset,
            options.out,
            options.model,
            split=options.split,
            features=features,
            mirror_labels=options.mirror_labels or "",
            params=params,
            negatives=options.negatives,
            crossval=options.crossval,
            log=options.log,
            base=options.base,
            seed=options.seed,
            data=list({path.resolve(): path for path in options.data}.values()),
            progress=show,
        )
    say_notes(trained.notes)
    if options.as_json:
        print_json(trained.as_json())
    else:
        card = trained.card
        n_lost = card.training["n_no_hand"]
        lost = f"; {n_lost} without a hand left out" if n_lost else ""
        say(
            f"trained {card.estimator} on {counted(card.training['n'], 'sample')} of"
            f" {counted(len(card.training['counts']), 'label')} in {trained.seconds:.1f} s{lost}"
        )
        if scores := card.training.get("crossval"):
            accuracy = percent(scores["accuracy"])
            say(f"{protocol(scores)}: accuracy {accuracy}")
        if trained.confused is not None:
            _say_confused(trained.confused, options.base)
        if card.licence:
            say(f"licence: {card.licence}")
        say(f"wrote {options.out} ({trained.n_bytes / 1000:.0f} KB)")
    end(loaded.failures)


def _say_confused(confused: "Sequence[ConfusedLabels]", base: str | Path | None) -> None:
    for pair in confused:
        say(f"  {pair}")
    if not confused:
        say(f"  no sample of yours is confused with another gesture, also of {base}")
