"""``handlore demo``: the main job, from pictures to a model, without any data at hand."""

import shlex
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import click

from ._common import (
    SOME_INPUTS_FAILED,
    examples,
    json_option,
    make_folder,
    percent,
    print_json,
    print_table,
    progress,
    require_folder,
    say_failures,
    talk,
    verbose_option,
)


@click.command(
    "demo", epilog=examples("handlore demo", "handlore demo --data my_photos/ --out try/")
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("handlore-demo"),
    show_default=True, help="Where pictures, dataset, models and report go.",
)  # fmt: skip
@click.option(
    "--data", type=click.Path(path_type=Path),
    help="A folder of your own photos, a folder per label, instead of rendered hands.",
)  # fmt: skip
@click.option(
    "--people", type=click.IntRange(2, 100), default=6, show_default=True,
    help="How many people's hands to render.",
)  # fmt: skip
@verbose_option
@json_option
@click.pass_context
def command(
    ctx: click.Context, out: Path, data: Path | None, people: int, verbose: bool, as_json: bool
) -> None:
    """Run the whole workflow on rendered hands or on your own photos.

    Draws labelled pictures of hands of several people, finds their landmarks with MediaPipe,
    trains and compares the classifiers on people they have not seen; then does the same with
    videos of movements; and leaves poses.onnx, moves.onnx and a report. With --data it takes
    your own photos, and no movements.
    """
    from handlore.demo import run_demo

    if data is not None:
        require_folder(data)
    make_folder(out)
    started = time.perf_counter()
    with progress("working") as show:
        result = run_demo(out, data, n_people=people, talk=talk, progress=show, verbose=verbose)
    summary = result.as_json() | {"seconds": round(time.perf_counter() - started, 1)}
    say_failures(result.failures)
    if as_json:
        print_json(summary)
    else:
        _print(summary, out)
    if result.failures:
        ctx.exit(SOME_INPUTS_FAILED)


def _print(summary: dict[str, Any], out: Path) -> None:
    convert = summary["convert"]
    click.echo(f"\n{convert['n_converted']} of {convert['n_items']} pictures show a hand", nl=False)
    error = summary["landmark_error"]
    if error is not None:
        click.echo(f"; landmarks within {error:.3f} palm lengths of the truth (median)", nl=False)
    click.echo(f"\ncross-validated by {summary['by']} ({summary['n_groups']}):\n")
    rows = [
        [row["model"], percent(row["accuracy"]), f"{row['macro_f1']:.3f}",
         f"{row['bytes'] / 1000:.0f}", f"{row['train_seconds']:.1f}"]
        for row in (*summary["models"], *summary.get("movements", {}).get("models", ()))
    ]  # fmt: skip
    print_table(["model", "accuracy", "macro-F1", "file (KB)", "training (s)"], rows)
    click.echo(f"\nreport:  {out / 'report.html'}\nmodel:   {summary['poses']}", nl=False)
    moving = summary.get("movements")
    click.echo(f", {moving['moves']}" if moving else "")
    program = "handlore" if shutil.which("handlore") else sys.argv[0]
    click.echo(f"try:     {shlex.join([program, 'predict', summary['poses'], summary['try']])}")
    if moving:
        click.echo(f"         {shlex.join([program, 'predict', moving['moves'], moving['try']])}")
