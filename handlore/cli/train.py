"""``handlore train``: datasets to a model file."""

import csv
import io
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handlore.landmarks.errors import HandloreError

from ._common import (
    data_argument,
    end,
    examples,
    features_option,
    json_option,
    kind_of,
    load_datasets,
    mirror_option,
    model_option,
    param_option,
    parsed_features,
    parsed_params,
    percent,
    print_json,
    progress,
    require_poses_for,
    seed_option,
    talk,
)

if TYPE_CHECKING:
    from handlore.classifiers.base import HandEstimator


@click.command(
    "train",
    epilog=examples(
        "handlore train photos.npz --out poses.onnx",
        "handlore train photos.npz --model xgboost --param max_depth=3 --out poses.onnx",
        "handlore train anna.npz ben.npz --crossval --out poses.onnx",
        "handlore train clips.npz --model rocket --mirror-labels left=right --out moves.onnx",
        "handlore train my_gestures --out moves.onnx",
        "handlore train clips.npz --model tcn --log training.csv --out moves.onnx",
        "handlore train thumbs.npz --features world,image,orientation --out thumbs.onnx",
    ),
)
@data_argument
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The model file.")
@model_option
@features_option
@mirror_option
@param_option
@click.option(
    "--background/--no-background",
    default=True,
    show_default=True,
    help="Movements: also learn as `none` what lies between them, made of the clips themselves.",
)
@click.option("--split", help="Train on this split; default: `train`, or samples without one.")
@click.option("--crossval", is_flag=True, help="Also cross-validate, and keep the scores in OUT.")
@click.option(
    "--log",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="How training went, a line an epoch (tcn): loss, accuracy, learning rate.",
)
@seed_option
@json_option
def command(
    data: tuple[Path, ...],
    out: Path,
    model: str | None,
    features: str | None,
    mirror_labels: str | None,
    params: tuple[str, ...],
    background: bool,
    split: str | None,
    crossval: bool,
    log: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Train a classifier on landmark datasets and write a model file.

    DATA is a file that `handlore convert` wrote, or a folder of recordings of `handlore capture`.
    The file is ONNX: it runs wherever onnxruntime runs, and says itself what it was trained on.
    """
    from handlore.classifiers.augmentation import check_label_pairs
    from handlore.classifiers.factory import make_estimator
    from handlore.classifiers.negatives import NegativeWindows
    from handlore.classifiers.training import train_model
    from handlore.datasets.splits import training_samples
    from handlore.landmarks.files import atomic_write, require_writable
    from handlore.models.card import DEFAULT_ESTIMATOR

    require_writable(out)
    if out.resolve() in {path.resolve() for path in data}:
        raise HandloreError(f"{out} is the data itself; give another name with --out")
    groups = parsed_features(features)
    loaded = load_datasets(data, kind_of(model))
    dataset = training_samples(loaded.dataset, split)
    require_poses_for(features, dataset)
    model = model or DEFAULT_ESTIMATOR[dataset.header.kind]
    estimator = make_estimator(model, parsed_params(params, mirror_labels), seed=seed)
    check_label_pairs(mirror_labels or "", dataset.labels)
    if log:
        require_writable(log)
        if not estimator.learns_in_epochs:
            raise HandloreError(f"{model} does not learn in epochs, so there is no --log; tcn does")
    encoder = estimator.encoder(dataset.n_hands, groups)
    started = time.perf_counter()
    with _progress_of(estimator):
        trained = train_model(
            estimator,
            model,
            dataset,
            encoder,
            out,
            crossval=crossval,
            background=NegativeWindows() if background else None,
        )
    if log:
        with atomic_write(log) as stream:
            stream.write(_as_csv(estimator.history_).encode())
    seconds = round(time.perf_counter() - started, 3)
    for line in trained.warnings:
        talk(f"note: {line}")
    scores = trained.card.training.get("crossval")
    if as_json:
        print_json(
            {
                "model": str(out),
                "estimator": model,
                "seconds": seconds,
                "bytes": trained.n_bytes,
                "n": trained.card.training["n"],
                "labels": list(trained.card.labels),
                "crossval": scores,
            }
        )
    else:
        click.echo(
            f"trained {model} on {trained.card.training['n']} samples of"
            f" {len(trained.card.labels)} labels in {seconds:.1f} s"
        )
        if scores:
            accuracy = percent(scores["accuracy"])
            click.echo(f"cross-validated by {scores['by']}: accuracy {accuracy}")
        click.echo(f"wrote {out} ({trained.n_bytes / 1000:.0f} KB)")
    end(loaded)


@contextmanager
def _progress_of(estimator: "HandEstimator") -> Iterator[None]:
    """Show how far training is; Ctrl-C then keeps what is learnt so far."""
    if not estimator.learns_in_epochs:
        yield
        return
    with progress("training") as show:
        estimator.progress = show
        yield


def _as_csv(history: Sequence[Mapping[str, float | None]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, list(history[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(history)
    return text.getvalue()
