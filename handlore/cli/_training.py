"""What the commands that train and score share: their options, and scores on the terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import handlore
from handlore.classifiers.estimators import ESTIMATORS
from handlore.datasets.dataset import NONE_LABEL
from handlore.datasets.kinds import DEFAULT_ESTIMATOR, KIND_NAMES, READY_MODEL, Kind
from handlore.datasets.loading import LoadedData
from handlore.datasets.splits import protocol_words
from handlore.landmarks.errors import HandloreError, OptionError, counted, shell_line
from handlore.landmarks.features import feature_names
from handlore.models.ready import READY_MODELS

from ._common import FOLDER, MODEL, is_given, percent, say, say_notes
from ._rich import print_table

if TYPE_CHECKING:
    # Needs scikit-learn, which printing help does not.
    from handlore.classifiers.evaluation.evaluation import Evaluation

_MAX_LABELS = 60

report_option = click.option(
    "--report",
    type=FOLDER,
    metavar="DIR",
    help="Write report.html, its figures and scores.json into this folder.",
)
streams_option = click.option(
    "--streams/--no-streams",
    "with_streams",
    default=None,
    help="Also recognise the clips or pictures in streams, as `live` does.",
)
seed_option = click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Seed of the random numbers.",
)


class _ModelOption(click.Option):
    """Its help names the known estimators, those of other packages too."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the help with the names, importing no estimator."""
        known = ", ".join(ESTIMATORS.listed())
        self.help = (
            f"The estimator: {known} (rocket and tcn are for movements); or the mean of several,"
            " such as forest+linear."
        )
        return super().get_help_record(ctx)


model_option = click.option(
    "--model",
    cls=_ModelOption,
    metavar="NAME",
    show_default="kernel for poses, rocket for movements",
)
mirror_option = click.option(
    "--mirror-labels",
    metavar="PAIRS",
    help="Also train on mirrored movements, with the labels of these pairs swapped, such as"
    " swipe_left=swipe_right,in=out.",
)
features_option = click.option(
    "--features",
    metavar="LIST",
    help="Groups of features, comma-separated: world, world_distances, image, image_distances"
    " (these four by default), orientation, heights (distinguish thumbs up from thumbs down;"
    " added by default where labels differ by direction).",
)
param_option = click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the estimator, such as n_estimators=500, or forest.n_estimators=500"
    " for one of several. Can be repeated.",
)

base_option = click.option(
    "--base",
    type=MODEL,
    metavar="MODEL",
    help="Keep the gestures of this model, such as everyday, and add those of DATA: its examples"
    " are for training too.",
)


def parsed_params(params: Sequence[str]) -> dict[str, str]:
    """Return the values of NAME=VALUE by name; refuse what another option sets, too."""
    values: dict[str, str] = {}
    for param in params:
        name, has_value, value = param.partition("=")
        if not has_value:
            raise click.BadParameter(f"{param!r} is not NAME=VALUE", param_hint="--param")
        if name in values:
            twice = f"{name}={values[name]} and {param} cannot be used together"
            raise click.BadParameter(twice, param_hint="--param")
        if name.split(".")[-1] == "random_state" and is_given("seed"):
            raise click.UsageError(f"--seed and --param {param} cannot be used together")
        values[name] = value
    return values


def refuse_for_poses(kind: Kind, options: Mapping[str, object]) -> None:
    """Raise OptionError if one of these options for movements is given for static poses."""
    given = next((name for name, is_set in options.items() if is_set), None)
    if kind == "pose" and given:
        raise OptionError(f"{given} is for movements, not for static poses; leave it out")


def require_own_gestures(loaded: LoadedData, base: str | Path | None) -> None:
    """Refuse data whose gestures are of the other kind: nothing but ``none`` would be left."""
    if loaded.unused and loaded.dataset.labels == [NONE_LABEL]:
        kind = loaded.dataset.header.kind
        other: Kind = "sequence" if kind == "pose" else "pose"
        if base is None:
            raise HandloreError(
                f"the data has no {KIND_NAMES[kind]}; for its {KIND_NAMES[other]} use"
                f" `--model {DEFAULT_ESTIMATOR[other]}`"
            )
        raise HandloreError(
            f"the data has nothing but {NONE_LABEL} for {base}; for its {KIND_NAMES[other]} use"
            f" `--base {READY_MODEL[other]}`"
        )


def parsed_features(features: str | None) -> tuple[str, ...] | None:
    """Split the list of feature groups and check their names; None if it is not given."""
    if features is None:
        return None
    groups = tuple(filter(None, features.replace(" ", "").split(",")))
    feature_names(groups)
    return groups


def kind_of(model: str | None, base: str | Path | None = None) -> Kind | None:
    """Return what a type of model takes, or a base; None if none was named."""
    if isinstance(base, str):
        return READY_MODELS[base].kind
    if model == "auto" or (model and "," in model):
        compare = shell_line("handlore", "crossval", "DATA", "--model", model)
        raise click.UsageError(
            f"--model takes one estimator here; `{compare}` compares them and says which one to"
            " take"
        )
    # scikit-learn: not needed to print help.
    from handlore.classifiers.factory import make_estimator

    return None if model is None else make_estimator(model).kind


def print_evaluation(
    found: "Evaluation", title: str, data: Sequence[Path], report: Path | None, *, as_json: bool
) -> None:
    """Print scores as text or JSON and what limits them on stderr; write the report, if any."""
    leaks = found.leaks.lines() if found.leaks else []
    say_notes([*found.notes, *leaks])
    if report:
        names = ", ".join(path.name for path in data)
        page = handlore.write_report(found, report, data=names)
    if as_json:
        say(found.json_text())
        return
    _print_scores(found, title)
    if found.gap_sentence:
        say(f"\n{found.gap_sentence}")
    if report:
        say(f"report: {page}")


def _print_scores(evaluation: "Evaluation", title: str) -> None:
    scores, spread = evaluation.scores, evaluation.intervals
    items = counted(scores.n, "picture" if evaluation.dataset.header.kind == "pose" else "clip")
    say(f"{title}: {items} of {counted(len(scores.per_class), 'label')}")
    low, high = (percent(bound)[:-2] for bound in spread.accuracy)
    of_f1 = "[{:.3f} to {:.3f}]".format(*spread.macro_f1) if spread.macro_f1 else "(no interval)"
    say(
        f"  accuracy {percent(scores.accuracy)} [{low} to {high}]"
        f"   macro-F1 {scores.macro_f1:.3f} {of_f1}"
    )
    say(
        f"  errors: {scores.n_wrong} wrong predictions, {scores.n_missed} because no hand was found"
    )
    if evaluation.streams and evaluation.streams.seconds:
        say(f"  {evaluation.streams.sentence}")
    say(f"  in brackets: {spread.words}\n")
    rows = [
        [label, row["support"], *(f"{row[key]:.2f}" for key in ("precision", "recall", "f1"))]
        for label, row in list(scores.per_class.items())[:_MAX_LABELS]
    ]
    print_table(["label", "n", "precision", "recall", "F1"], rows)
    pairs = scores.most_confused(3)
    if pairs:
        confused = "; ".join(f"{a} with {b} ({n})" for a, b, n in pairs)
        say(f"\nmost often confused: {confused}")


def protocol(scores: Mapping[str, Any]) -> str:
    """Return how the scores of a model card were found, in the words of crossval."""
    return protocol_words(scores["by"], scores.get("n_folds"))
