"""``handlore info``: what is in a dataset, a folder of recordings or a model."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.files import require_writable

from ._common import (
    SOME_INPUTS_FAILED,
    examples,
    json_option,
    percent,
    prepare_folder,
    print_json,
    print_table,
    stage_words,
    talk,
)
from ._recordings import (
    advice_on,
    print_advice,
    print_recordings,
    recordings_summary,
    write_contact_sheet,
    write_plots,
)

if TYPE_CHECKING:
    from handlore.datasets.dataset import LandmarkDataset


@click.command(
    "info",
    epilog=examples(
        "handlore info photos.npz",
        "handlore info poses.onnx",
        "handlore info my_gestures --contact-sheet sheet.png",
        "handlore info photos.npz --plots plots/",
    ),
)
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@click.option(
    "--contact-sheet", type=click.Path(path_type=Path), metavar="OUT.png",
    help="Draw a small picture of each recording or sample: the hand and its way.",
)  # fmt: skip
@click.option(
    "--plots", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Draw into this folder how many there are of each label, where hands were found, the mean"
    " hand or way of each label, and a contact sheet.",
)  # fmt: skip
@json_option
def command(path: Path, contact_sheet: Path | None, plots: Path | None, as_json: bool) -> None:
    """Show the content of a dataset, a folder of recordings or a model.

    Of recordings it also says what to record next: what is rare, what is all alike, and what a
    quick cross-validation confuses.
    """
    from handlore.datasets.recording_files import is_recordings

    if contact_sheet:
        require_writable(contact_sheet)
    if plots:
        prepare_folder(plots)
    if is_recordings(path):
        shown = recordings_summary(path)
        if not as_json:
            # Before the advice, which takes a few seconds.
            print_recordings(shown)
        shown["advice"] = advice_on(path)
        if not as_json:
            print_advice(shown["advice"])
    elif _is_model(path):
        if contact_sheet or plots:
            raise HandloreError(f"{path} is a model, of which there is nothing to draw")
        shown = _model(path, as_json)
    else:
        shown = _dataset(path, as_json)
    if contact_sheet:
        shown["n_drawn"] = write_contact_sheet(path, contact_sheet)
        talk(f"wrote {contact_sheet}")
    if plots:
        written = write_plots(path, plots)
        shown["plots"] = [str(file) for file in written]
        talk(f"wrote {', '.join(file.name for file in written)} into {plots}")
    if as_json:
        print_json(shown)
    if shown.get("failures"):
        raise click.exceptions.Exit(SOME_INPUTS_FAILED)


def _is_model(file: Path) -> bool:
    """Tell by the content; a dataset is a zip file, a model is not."""
    try:
        with file.open("rb") as stream:
            start = stream.read(2)
    except FileNotFoundError as error:
        raise HandloreError(f"there is no file {file}") from error
    except IsADirectoryError:
        return False
    except OSError as error:
        raise HandloreError(f"cannot read {file}: {error.strerror}") from error
    return start != b"PK" and (file.suffix == ".onnx" or start[:1] == b"\x08")


def _dataset(file: Path, as_json: bool) -> dict[str, Any]:
    from handlore.datasets.storage import load_dataset

    dataset = load_dataset(file)
    summary = _summary(dataset) | {"path": str(file), "bytes": file.stat().st_size}
    if not as_json:
        _print_dataset(summary)
        _print_trouble(dataset)
    return summary


def _summary(dataset: "LandmarkDataset") -> dict[str, Any]:
    from handlore.datasets.label_problems import find_label_problems

    n_samples, views = dataset.n_samples, dataset.samples.view > 0
    digest = dataset.digest()
    if views.any():
        # Views are more of the same: counted once, here, and nowhere else.
        dataset = dataset.select(~views)
    samples, has_hand = dataset.samples, dataset.has_hand
    table = samples.frame().assign(has_hand=has_hand)
    by_label = table.groupby("label")["has_hand"].agg(["size", "sum"])
    return {
        "type": "dataset",
        "kind": dataset.header.kind,
        "n_samples": n_samples,
        "n_views": int(views.sum()),
        "n_items": len(set(samples.items().tolist())),
        "n_no_hand": int((~has_hand).sum()),
        "n_frames": dataset.n_frames,
        "n_hands": dataset.n_hands,
        "labels": {
            str(label): {"n": int(row["size"]), "n_with_hand": int(row["sum"])}
            for label, row in by_label.iterrows()
        },
        **{
            f"{column}s": dict(sorted(Counter(map(str, getattr(samples, column))).items()))
            for column in ("group", "session", "split")
        },
        "n_recordings": len(set(samples.recording.tolist()) - {""}),
        "stages": dataset.stage_counts(),
        **find_label_problems(dataset).as_json(),
        "header": dataset.header.as_json(),
        "digest": digest,
    }


def _print_dataset(summary: dict[str, Any]) -> None:
    detector = summary["header"]["detector"]
    click.echo(f"{summary['path']}: a landmark dataset ({summary['bytes'] / 1000:.0f} KB)")
    n_own = summary["n_samples"] - summary["n_views"]
    more = f" and {summary['n_views']} more views of them" if summary["n_views"] else ""
    what = "poses" if summary["kind"] == "pose" else "clips"
    click.echo(f"  {n_own} {what}{more}, {summary['n_frames']} frames,"
               f" {summary['n_hands']} hand(s) a frame")  # fmt: skip
    click.echo(f"  with a hand: {percent((n_own - summary['n_no_hand']) / max(n_own, 1))}")
    for stage, count in summary["stages"].items() if detector else ():
        click.echo(f"    frames found in search stage {stage_words(stage)}: {count}")
    for column in ("groups", "sessions", "splits"):
        named = {name: count for name, count in summary[column].items() if name}
        if named:
            click.echo(f"  {column}: " + ", ".join(f"{name} ({n})" for name, n in named.items()))
    if detector:
        click.echo(
            f"  detector: {detector['name']} {detector['version']}, {detector['landmarker']}"
        )
    for line in summary["header"]["log"]:
        click.echo(f"  {line}")
    rows = [
        [label, row["n"], row["n_with_hand"], percent(row["n_with_hand"] / row["n"])]
        for label, row in summary["labels"].items()
    ]
    click.echo()
    print_table(["label", "samples", "with a hand", "yield"], rows)


def _print_trouble(dataset: "LandmarkDataset") -> None:
    from handlore.datasets.label_problems import find_label_problems

    lines = list(find_label_problems(dataset).lines())
    if lines:
        click.echo("\nLabel trouble:")
    for line in lines:
        click.echo(f"  {line}")


def _model(file: Path, as_json: bool) -> dict[str, Any]:
    from handlore.models.files import load_model

    card = load_model(file).card
    size = file.stat().st_size
    if not as_json:
        training = card.training
        what = "pose" if card.kind == "pose" else "movement"
        click.echo(f"{file}: a {what} model, {card.estimator} ({size / 1000:.0f} KB)")
        click.echo(f"  {len(card.labels)} labels: {', '.join(card.labels)}")
        if card.kind == "pose":
            click.echo(f"  features: {', '.join(card.features)} ({card.n_features} numbers)")
        else:
            click.echo(
                f"  clips of {card.seconds[0]:.1f} to {card.seconds[-1]:.1f} s, resampled to"
                f" {card.n_timepoints} points in time"
            )
        click.echo(f"  landmarks: {card.landmarker}, {card.n_hands} hand(s)")
        if card.thresholds:
            told = ", ".join(f"{label} {least:.2f}" for label, least in card.thresholds.items())
            click.echo(f"  thresholds: {told}")
            click.echo(f"  calibration: {_compact(card.calibration)}")
        for key, value in training.items():
            if key in ("item_digests", "history"):  # for `evaluate` and reports, not for people
                continue
            click.echo(f"  {key.replace('_', ' ')}: {_compact(value)}")
        if card.history:
            click.echo(f"  learnt in epochs: {len(card.history)}; --json lists them")
    return {"type": "model", "path": str(file), "bytes": size, **card.as_json()}


def _compact(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return str(value)
