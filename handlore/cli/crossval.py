"""``handlore crossval``: an honest estimate before there is a test set."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    prepare_folder,
    progress,
    require_poses_for,
    seed_option,
    talk,
)
from ._scores import print_scores, print_scores_json, report_option, words_of, write_report

if TYPE_CHECKING:
    from handlore.classifiers.evaluation.crossval import CrossValidation
    from handlore.classifiers.evaluation.evaluation import Evaluation
    from handlore.datasets.dataset import LandmarkDataset
    from handlore.datasets.splits import By
    from handlore.report.findings import About

LEAST_GAP = 0.05
"""Points of accuracy; less is shown as 0.0."""


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
    help="What must not be split between training and test. Default: the first of these that"
    " the data has, so that a model is tested on people it has never seen.",
)
@click.option(
    "--folds",
    type=click.IntRange(2),
    show_default="one per group up to 12 groups, else 5",
    help="How many times to train and test.",
)
@seed_option
@report_option
@json_option
def command(
    data: tuple[Path, ...],
    model: str | None,
    features: str | None,
    mirror_labels: str | None,
    params: tuple[str, ...],
    by: str | None,
    folds: int | None,
    seed: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """Estimate the accuracy of a classifier on people it has not seen.

    DATA is a file that `handlore convert` wrote, or a folder of recordings of `handlore capture`.
    Each group (person) in turn is held out, a classifier is trained on the others, and the
    predictions are pooled. A picture or clip in which no hand was found is answered `none`, and
    counts as an error unless that is its label.

    Accuracy comes with a 95 % interval, drawn over people. Asked for a random split, it shows the
    honest number beside it. Samples that are alike on both sides of a split are told.
    """
    from handlore.classifiers.augmentation import check_label_pairs
    from handlore.classifiers.evaluation.crossval import CrossValidation
    from handlore.classifiers.factory import make_estimator
    from handlore.datasets.splits import BY, default_by, doubt_about
    from handlore.models.card import DEFAULT_ESTIMATOR

    groups = parsed_features(features)
    if report:
        prepare_folder(report)
    loaded = load_datasets(data, kind_of(model))
    dataset = loaded.dataset
    require_poses_for(features, dataset)
    model = model or DEFAULT_ESTIMATOR[dataset.header.kind]
    estimator = make_estimator(model, parsed_params(params, mirror_labels), seed=seed)
    check_label_pairs(mirror_labels or "", dataset.labels)
    chosen = next((known for known in BY if known == by), None) or default_by(dataset)
    doubt = None if by else doubt_about(dataset, chosen) or _unknown_people(dataset, chosen)
    run = CrossValidation(estimator, dataset, estimator.encoder(dataset.n_hands, groups), seed)
    started = time.perf_counter()
    with progress("cross-validating") as show:
        outcome = run.outcome(chosen, folds, progress=show, with_importances=report is not None)
    seconds = time.perf_counter() - started
    doubts = [line for line in (doubt, _pointing(run, outcome)) if line]
    for line in doubts + (outcome.leaks.lines() if outcome.leaks else []):
        talk(f"note: {line}")
    result = outcome.as_json() | run.about(chosen, folds) | {"model": model}
    result |= _beside(run, chosen, outcome.scores.accuracy)
    if report:
        names = ", ".join(path.name for path in data)
        notes = doubts + ([honest_words(result)] if "honest" in result else [])
        write_report(report, outcome, _about(run, result, names, notes, seconds), result)
    if as_json:
        print_scores_json(result)
    else:
        print_scores(outcome, f"{model}, {result['protocol']}")
        if "honest" in result:
            click.echo(f"\n{honest_words(result)}")
        if report:
            click.echo(f"report: {report / 'report.html'}")
    end(loaded)


def _about(
    run: "CrossValidation", result: dict[str, Any], data: str, notes: list[str], seconds: float
) -> "About":
    """Gather what the report tells beside the scores."""
    from handlore.classifiers.base import plain_params
    from handlore.models.pose_encoder import PoseEncoder
    from handlore.report.findings import About

    model, encoder = result["model"], run.encoder
    card = {"Parameters": words_of(plain_params(run.estimator))}
    if isinstance(encoder, PoseEncoder):
        card["Features"] = ", ".join(encoder.groups)
    return About(
        f"{model}: how well it recognises hands it has not seen",
        {"Model": model, "Data": data, "Protocol": result["protocol"]},
        notes,
        speed={"Training and testing": f"{seconds:.1f} s for {result['n_folds']} folds"},
        card=card,
    )


def _pointing(run: "CrossValidation", outcome: "Evaluation") -> str | None:
    """Say which labels differ in which way the hand points, where that is not looked at."""
    from handlore.classifiers.evaluation.pointing import find_pointing_pairs, pointing_advice
    from handlore.models.pose_encoder import PoseEncoder

    if not isinstance(run.encoder, PoseEncoder) or "orientation" in run.encoder.groups:
        return None
    pairs = find_pointing_pairs(outcome.predictions, outcome.dataset)
    return pointing_advice(pairs) if pairs else None


def _unknown_people(dataset: "LandmarkDataset", by: "By") -> str | None:
    """Say why a split is random that nobody asked to be."""
    from handlore.classifiers.evaluation.intervals import single_unit

    if by != "random":
        return None
    one = single_unit(dataset)
    if one:
        return f"all samples are of one {one}, so the split is random; that flatters"
    return (
        "nothing says who or which recording the samples are from, so the split is random; that"
        " flatters (the sources' own options name people, see `handlore sources NAME`)"
    )


def _beside(run: "CrossValidation", chosen: "By", accuracy: float) -> dict[str, Any]:
    """Return what the most honest split says, where another one was asked for."""
    from handlore.datasets.splits import BY, default_by

    honest = default_by(run.dataset)
    if BY.index(chosen) <= BY.index(honest):
        return {}
    try:
        with progress(f"cross-validating by {honest}") as show:
            outcome = run.outcome(honest, progress=show)
    except HandloreError as error:
        talk(f"note: there is no honest number by {honest} to show beside it: {error}")
        return {}
    kept = ("accuracy", "accuracy_interval", "macro_f1", "macro_f1_interval", "n")
    values = outcome.as_json()
    return {
        "honest": {key: values[key] for key in kept} | run.about(honest),
        "gap": accuracy - outcome.scores.accuracy,
    }


def honest_words(result: dict[str, Any]) -> str:
    """Say for people what a split has hidden that is not the honest one."""
    honest, points = result["honest"], 100 * result["gap"]
    low, high = (f"{100 * bound:.1f}" for bound in honest["accuracy_interval"])
    flatters = f"makes it look {abs(points):.1f} points {'better' if points >= 0 else 'worse'}"
    return (
        f"tested by {honest['by']}, as in use: accuracy {percent(honest['accuracy'])}"
        f" [{low} to {high}]; the {result['by']} split"
        f" {flatters if abs(points) >= LEAST_GAP else 'makes no difference here'}"
    )
