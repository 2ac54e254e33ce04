"""``handlore calibrate``: thresholds for a number of false activations an hour."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import handlore
from handlore.landmarks.errors import HandloreError
from handlore.models.ready import is_ready, model_path
from handlore.models.stream.settings import RecogniserSettings

from ._common import (
    MODEL,
    PATH,
    NumberRange,
    data_argument,
    examples,
    json_option,
    load_datasets,
    percent,
    print_json,
    require_output,
    say,
    say_notes,
)
from ._rich import print_table, progress
from ._streams import pop_settings, recogniser_options

if TYPE_CHECKING:
    # Need onnxruntime, which printing help does not.
    from handlore.datasets.dataset import LandmarkDataset
    from handlore.models.model import Model


@dataclass(frozen=True)
class _CalibrateOptions:
    model: str | Path
    data: tuple[Path, ...]
    per_hour: float
    out: Path | None
    dry_run: bool
    as_json: bool
    settings: RecogniserSettings

    @property
    def target(self) -> Path:
        if self.out is None and is_ready(self.model):
            raise HandloreError(
                f"{self.model} comes with handlore and stays as it is; name a file for the"
                f" calibrated model with --out my_{self.model}.onnx"
            )
        return self.out or Path(self.model)


@click.command(
    "calibrate",
    epilog=examples(
        "handlore calibrate moves.onnx streams.npz",
        "handlore calibrate moves.onnx lessons.npz typing.npz --false-activations-per-hour 1",
        "handlore calibrate poses.onnx photos.npz nothing.npz --dry-run",
        "handlore calibrate everyday photos.npz nothing.npz --out my_everyday.onnx",
    ),
)
@click.argument("model", type=MODEL)
@data_argument
@click.option(
    "--false-activations-per-hour",
    "per_hour",
    type=NumberRange(0, 1e6, min_open=True),
    default=0.5,
    show_default=True,
    metavar="N",
    help="Acceptable rate of events without a gesture, of all labels together.",
)
@click.option("--out", type=PATH, help="The file to write; default: the model file itself.")
@click.option("--dry-run", is_flag=True, help="Print the thresholds, and write nothing.")
@recogniser_options
@json_option
def command(**given: Any) -> None:
    """Choose a model's thresholds on streams and store them in its file.

    DATA are datasets: streams with timed gestures, streams without gestures (label `none`), or
    pictures of poses, each held for a second. The recogniser runs over them, and each label gets
    the threshold that finds the most gestures within the given rate of false activations.
    Calibrate on streams that the model was not trained on.
    """
    _calibrate(_CalibrateOptions(settings=pop_settings(given), **given))


def _calibrate(options: _CalibrateOptions) -> None:
    if not options.dry_run:
        require_output(options.target, options.data)
    model = handlore.load_model(options.model)
    dataset = load_datasets(options.data).dataset
    with progress("calibrating") as show:
        found = handlore.calibrate(model, dataset, options.per_hour, options.settings, show)
    if not options.dry_run:
        found.save(model, model_path(options.model), options.target)
    say_notes((*_seen_in_training(model, dataset), *found.notes))
    summary = found.summary() | {"model": None if options.dry_run else str(options.target)}
    if options.as_json:
        print_json(summary)
        return
    rows = [
        [
            label,
            _shown(row["threshold_before"]),
            _shown(row["threshold"]),
            f"{row['n_found']} of {row['n']}",
            row["n_false"],
        ]
        for label, row in summary["labels"].items()
    ]
    print_table(["label", "before", "threshold", "found", "false"], rows)
    n, total, false = len(found.after.found), found.after.n, len(found.after.false)
    share = f" ({percent(n / total)})" if total else ""
    say(f"\nfound {n} of {total} gestures{share}, before {len(found.before.found)}")
    say(
        f"{false} false activations in {found.hours:.2f} hours, before {len(found.before.false)};"
        f" at most {per_hour(found.upper_bound)} an hour at 95 %"
    )
    say("nothing written (--dry-run)" if options.dry_run else f"wrote {options.target}")


def _seen_in_training(model: "Model", dataset: "LandmarkDataset") -> list[str]:
    """Say how much of the data the model was trained on: there its probabilities are higher."""
    # Imported here: it loads scikit-learn, which printing help does not need.
    from handlore.classifiers.evaluation.leaks import seen_items

    found = seen_items(model.card, dataset)
    if found is None or not found.seen.any():
        return []
    least = "at least " if found.is_part else ""
    return [
        f"the model was trained on {least}{int(found.seen.sum())} of these {dataset.n_samples}"
        " samples, so the thresholds are too high or too low for what is new; calibrate on others"
    ]


def per_hour(rate: float) -> str:
    """Return a rate with two digits, as people write it: 0.48, 3.2, 220."""
    return f"{float(f'{rate:.2g}'):,g}"


def _shown(threshold: float | None) -> str:
    return "default" if threshold is None else f"{threshold:.2f}"
