"""``handlore crossval``: an honest estimate before there is a test set."""

from pathlib import Path

import click

from ._common import (
    data_argument,
    end,
    examples,
    features_option,
    json_option,
    kind_of,
    load_datasets,
    make_folder,
    mirror_option,
    model_option,
    param_option,
    parsed_features,
    parsed_params,
    print_json,
    progress,
    require_poses_for,
    seed_option,
    talk,
)
from ._scores import print_scores, report_option, write_report


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
    "--by", type=click.Choice(["group", "session", "recording", "random"]),
    help="What must not be split between training and test. Default: the first of these that"
    " the data has, so that a model is tested on people it has never seen.",
)  # fmt: skip
@click.option(
    "--folds", type=click.IntRange(2), show_default="one per group up to 12 groups, else 5",
    help="How many times to train and test.",
)  # fmt: skip
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
    """Estimate how well a classifier would do on people it has not seen.

    DATA is a file that `handlore convert` wrote, or a folder of recordings of `handlore capture`.
    Each group (person) in turn is held out, a classifier is trained on the others, and the
    answers are pooled. A picture or clip in which no hand was found is answered `none`, and
    counts as an error unless that is its label.
    """
    from handlore.classifiers.augmentation import require_labels
    from handlore.classifiers.base import make_estimator
    from handlore.classifiers.evaluation import cross_validate, cross_validation_json, score
    from handlore.classifiers.kinds import DEFAULT_ESTIMATOR
    from handlore.datasets.splits import BY, default_by, doubt_about, fold_count

    groups = parsed_features(features)
    if report:
        make_folder(report)
    loaded = load_datasets(data, kind_of(model))
    dataset = loaded.dataset
    require_poses_for(features, dataset)
    model = model or DEFAULT_ESTIMATOR[dataset.header.kind]
    estimator = make_estimator(model, parsed_params(params, mirror_labels), seed=seed)
    require_labels(mirror_labels or "", dataset.labels)
    chosen = next((known for known in BY if known == by), None) or default_by(dataset)
    doubt = None if by else doubt_about(dataset, chosen)
    if doubt:
        talk(f"note: {doubt}")
    total = fold_count(dataset, chosen, folds)
    with progress("cross-validating") as show:
        answers = cross_validate(
            estimator, dataset, estimator.encoder(dataset.n_hands, groups), chosen,
            n_folds=folds, seed=seed, progress=lambda done: show(done, total),
        )  # fmt: skip
    result = cross_validation_json(answers, dataset, chosen) | {"model": model, "n_folds": total}
    if report:
        protocol = f"cross-validation by {chosen}, {total} folds, {result['n_groups']} groups"
        facts = {"Model": model, "Data": ", ".join(p.name for p in data), "Protocol": protocol}
        write_report(report, "Cross-validation", answers, facts, result)
    if as_json:
        print_json(result)
    else:
        title = f"{model}, cross-validated by {chosen}, {total} folds"
        print_scores(score(answers), title, dataset.header.kind)
        if report:
            click.echo(f"report: {report / 'report.html'}")
    end(loaded)
