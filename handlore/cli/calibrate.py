"""``handlore calibrate``: thresholds for a number of false activations an hour."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlore.landmarks.errors import HandloreError

from ._common import (
    data_argument,
    examples,
    json_option,
    load_datasets,
    percent,
    print_json,
    print_table,
    progress,
    talk,
)
from ._recogniser import recogniser_options, settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handlore.models.model import Model
    from handlore.models.stream.calibration import Calibration
    from handlore.models.stream.ground_truth import Stream


@click.command(
    "calibrate",
    epilog=examples(
        "handlore calibrate moves.onnx streams.npz",
        "handlore calibrate moves.onnx lessons.npz typing.npz --false-activations-per-hour 1",
        "handlore calibrate poses.onnx photos.npz nothing.npz --dry-run",
    ),
)
@click.argument("model", type=click.Path(path_type=Path))
@data_argument
@click.option(
    "--false-activations-per-hour",
    "per_hour",
    type=click.FloatRange(0, 1e6, min_open=True),
    default=0.5,
    show_default=True,
    metavar="N",
    help="How often something may be told that nobody showed, all labels together.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Default: the model file itself.")
@click.option("--dry-run", is_flag=True, help="Say what would be chosen, and write nothing.")
@recogniser_options
@json_option
def command(
    model: Path,
    data: tuple[Path, ...],
    per_hour: float,
    out: Path | None,
    dry_run: bool,
    as_json: bool,
    **options: float,
) -> None:
    """Choose a model's thresholds on streams and store them in its file.

    DATA are datasets: streams with timed gestures, streams in which hands mean nothing (label
    `none`), or pictures of poses, each taken for a second. The recogniser is run over them, and for
    each label the threshold is chosen that finds the most gestures with as few false activations
    as asked for. Calibrate on streams that the model was not trained on.
    """
    from handlore.landmarks.files import require_writable
    from handlore.models.files import load_model, replace_card
    from handlore.models.stream.calibration import calibrate
    from handlore.models.stream.ground_truth import dataset_streams

    target = out or model
    if not dry_run:
        require_writable(target)
    if target.resolve() in {path.resolve() for path in data}:
        raise HandloreError(f"{target} is the data itself; give another name with --out")
    loaded = load_model(model)
    streams = list(dataset_streams(load_datasets(data).dataset))
    with progress("answering") as show:
        found = calibrate(loaded, streams, per_hour, settings_of(options), show)
    if not dry_run:
        card = replace(loaded.card, thresholds=found.thresholds, calibration=found.as_json())
        replace_card(model, card, target)
    summary = _summary(loaded, found) | {"model": None if dry_run else str(target)}
    for line in [*_unknown(loaded, streams), *_warnings(found)]:
        talk(f"note: {line}")
    if as_json:
        print_json(summary)
        return
    _print(found, summary)
    click.echo("nothing is written (--dry-run)" if dry_run else f"wrote {target}")


def _summary(model: "Model", found: "Calibration") -> dict[str, Any]:
    return {
        "labels": {
            label: {
                "threshold_before": model.thresholds.get(label),
                "threshold": found.thresholds.get(label),
                "n_found": found.per_label.get(label, (0, 0, 0))[0],
                "n": found.per_label.get(label, (0, 0, 0))[1],
                "n_false": found.per_label.get(label, (0, 0, 0))[2],
            }
            for label in model.labels
            if label != "none"
        },
        "before": {"n_found": len(found.before.found), "n_false": len(found.before.false)},
        "hours_needed": round(found.hours_needed, 3),
        **found.as_json(),
    }


def _unknown(model: "Model", streams: "Sequence[Stream]") -> list[str]:
    """Say which gestures of the data are none to the model; a misspelt label ruins thresholds."""
    shown = Counter(truth.label for stream in streams for truth in stream.truths)
    unknown = {label: n for label, n in sorted(shown.items()) if label not in model.labels}
    if not unknown:
        return []
    first = ", ".join(list(unknown)[:5]) + (", ..." if len(unknown) > 5 else "")
    return [
        f"{sum(unknown.values())} of {shown.total()} gestures have labels that the model does not"
        f" know ({first}); whatever is told of them counts as false"
    ]


def _warnings(found: "Calibration") -> list[str]:
    lines = []
    if found.hours < found.hours_needed:
        lines.append(
            f"{found.hours:.2g} hours are too short to show {found.wanted:g} false activations an"
            f" hour: it takes {found.hours_needed:.2g} hours without any"
        )
    if len(found.after.false) > found.wanted * found.hours:
        lines.append(
            f"{len(found.after.false)} false activations are left in {found.hours:.2g} hours at"
            f" any threshold, more than {found.wanted:g} an hour"
        )
    return lines


def _print(found: "Calibration", summary: dict[str, Any]) -> None:
    def shown(threshold: float | None) -> str:
        return "default" if threshold is None else f"{threshold:.2f}"

    rows = [
        [
            label,
            shown(row["threshold_before"]),
            shown(row["threshold"]),
            f"{row['n_found']} of {row['n']}",
            row["n_false"],
        ]
        for label, row in summary["labels"].items()
    ]
    print_table(["label", "before", "threshold", "found", "false"], rows)
    n, total, false = len(found.after.found), found.after.n, len(found.after.false)
    share = f" ({percent(n / total)})" if total else ""
    click.echo(f"\nfound {n} of {total} gestures{share}, before {len(found.before.found)}")
    click.echo(
        f"{false} false activations in {found.hours:.2f} hours, before {len(found.before.false)};"
        f" at most {found.upper_bound:.2g} an hour at 95 %"
    )
