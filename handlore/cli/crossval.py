"""``handlore crossval``: the accuracy of a classifier on people it has not seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import handlore
from handlore.datasets.splits import By
from handlore.landmarks.errors import counted, shell_line

from ._common import (
    data_argument,
    end,
    examples,
    json_option,
    load_datasets,
    percent,
    prepare_folder,
    print_json,
    say,
    say_notes,
)
from ._rich import print_table, progress
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
    refuse_for_poses,
    report_option,
    require_own_gestures,
    seed_option,
    streams_option,
)

if TYPE_CHECKING:
    # Needs scikit-learn, which printing help does not.
    from handlore.classifiers.selection import EstimatorComparison, EstimatorResult


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

    @property
    def models(self) -> tuple[str, ...]:
        """The names of several estimators, or ``auto``; empty for one."""
        names = tuple(name.strip() for name in (self.model or "").split(","))
        return names if len(names) > 1 or names == ("auto",) else ()


@click.command(
    "crossval",
    epilog=examples(
        "handlore crossval photos.npz",
        "handlore crossval photos.npz --model xgboost --by group --report report/",
        "handlore crossval photos.npz --by random --folds 10",
        "handlore crossval my_gestures --model rocket",
        "handlore crossval photos.npz --model auto",
        "handlore crossval photos.npz --model kernel,forest --param forest.n_estimators=500",
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

    With `--model auto`, the estimators that suit the data and are installed are compared on the
    same folds, or with a list such as `--model kernel,forest` those of the list: which one to take,
    and how much too high the accuracy of the best one is because it was picked by it.
    """
    options = _CrossvalOptions(**given)
    if options.models:
        _compare(options)
    else:
        _cross_validate(options)


def _cross_validate(options: _CrossvalOptions) -> None:
    features, params = parsed_features(options.features), parsed_params(options.params)
    if options.report:
        prepare_folder(options.report)
    kind, is_named = kind_of(options.model, options.base), options.model is not None
    loaded = load_datasets(options.data, kind, is_named=is_named)
    require_own_gestures(loaded, options.base)
    refuse_for_poses(kind or loaded.dataset.header.kind, {"--mirror-labels": options.mirror_labels})
    with progress("cross-validating", counted=False) as show:
        found = handlore.cross_validate(
            loaded.dataset,
            options.model,
            by=options.by,
            folds=options.folds,
            features=features,
            params=params,
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


def _compare(options: _CrossvalOptions) -> None:
    if options.report:
        raise click.UsageError(
            "--report is for one estimator: compare without it, then name the one to take with"
            " --model"
        )
    named = next((name for name in options.models if name != "auto"), None)
    params, kind = parsed_params(options.params), kind_of(named, options.base)
    loaded = load_datasets(options.data, kind, is_named=named is not None)
    refuse_for_poses(kind or loaded.dataset.header.kind, {"--mirror-labels": options.mirror_labels})
    with progress("cross-validating", counted=False) as show:
        found = handlore.compare_estimators(
            loaded.dataset,
            options.models,
            by=options.by,
            folds=options.folds,
            features=parsed_features(options.features),
            params=params,
            mirror_labels=options.mirror_labels or "",
            base=options.base,
            seed=options.seed,
            with_streams=bool(options.with_streams),
            progress=show,
        )
    leaks = found.best.evaluation.leaks
    say_notes([*found.notes, *(leaks.lines() if leaks else [])])
    train = _train_command(options, found.chosen.name)
    if options.as_json:
        print_json(found.as_json() | {"train": train})
    else:
        _print_comparison(found, train)
    end(loaded.failures)


def _train_command(options: _CrossvalOptions, model: str) -> str:
    """Return the command that trains the estimator to take as it was tested."""
    mine = [one for one in options.params if one.split(".")[0] in model.split("+")]
    given = {
        "--features": options.features,
        "--mirror-labels": options.mirror_labels,
        "--base": options.base and str(options.base),
        "--seed": options.seed and str(options.seed),
    }
    words = ["handlore", "train", *map(str, options.data), "--model", model]
    words += [word for name, value in given.items() if value for word in (name, value)]
    words += [word for param in mine for word in ("--param", param)]
    return shell_line(*words, "--out", "model.onnx")


def _print_comparison(found: "EstimatorComparison", train: str) -> None:
    best = found.best.evaluation
    items = "pictures" if best.dataset.header.kind == "pose" else "clips"
    n, n_labels = len(found.results), len(best.scores.per_class)
    estimators = counted(n, "estimator")
    say(f"{estimators}, {best.protocol}: {best.scores.n} {items} of {n_labels} labels\n")
    streams = ("found in a stream", "false/min") if best.streams else ()
    columns = ("accuracy", "macro-F1", "size", "training", *streams, "difference", "p")
    print_table(["model", *columns, ""], [_row(one, found) for one in found.results])
    say()
    for line in brackets({one.name: one.evaluation.intervals.words for one in found.results}):
        say(line)
    say("training: seconds in each fold; size: of the classifier in a model file")
    if n > 1:
        units = found.results[-1].against_best.units
        say(f"difference: points of accuracy from the best [95 %, over {units}]")
        say(
            f"p: McNemar's test, times the number of comparisons ({n - 1});"
            " worse: p < 0.05, and 0 is outside the brackets"
        )
        say(f"\n{found.optimism_sentence}")
    say(f"{found.sentence}\n  {train}")


def brackets(words: Mapping[str, str]) -> list[str]:
    """Return what the brackets of each estimator are, a line for all that have the same."""
    names: dict[str, list[str]] = {}
    for name, its in words.items():
        names.setdefault(its, []).append(name)
    if len(names) == 1:
        return [f"in brackets: {its}" for its in names]
    return [f"in brackets of {', '.join(of)}: {its}" for its, of in names.items()]


def _row(one: "EstimatorResult", found: "EstimatorComparison") -> list[str]:
    scores, compared = one.evaluation.scores, one.against_best
    low, high = (f"{100 * bound:.1f}" for bound in one.evaluation.intervals.accuracy)
    row = [one.name, f"{percent(scores.accuracy)} [{low} to {high}]", f"{scores.macro_f1:.3f}"]
    row += [f"{one.n_bytes / 1000:.0f} KB", f"{one.seconds:.1f} s"]
    if streams := one.evaluation.streams:
        values = streams.as_json()
        row += [percent(streams.n_found / max(streams.n, 1)), f"{values['false_per_minute']:.1f}"]
    if one is found.best:
        return [*row, "the best", "", ""]
    low, high = (f"{100 * bound:+.1f}" for bound in compared.interval)
    p_value = f"{one.p_value:.2f}" if one.p_value >= 0.01 else "< 0.01"
    same = "equal" if not compared.difference else "may be chance"
    worse = "worse" if one.verdict == "worse" else same
    return [*row, f"{100 * compared.difference:+.1f} [{low}, {high}]", p_value, worse]
