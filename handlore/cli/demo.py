"""``handlore demo``: the whole workflow, without data of one's own."""

import shutil
import sys
import time
from pathlib import Path
from typing import Any

import click

from handlore.datasets.splits import protocol_words
from handlore.landmarks.errors import counted, shell_line

from ._common import (
    FOLDER,
    PATH,
    end,
    examples,
    json_option,
    percent,
    print_json,
    require_folder,
    say,
    say_failures,
    talk,
    verbose_option,
)
from ._rich import print_table, progress


@click.command(
    "demo", epilog=examples("handlore demo", "handlore demo --data my_photos/ --out try/")
)
@click.option(
    "--out",
    type=FOLDER,
    default=Path("handlore-demo"),
    show_default=True,
    help="The folder for pictures, datasets, models and the report; new, or of an earlier demo.",
)
@click.option(
    "--data",
    type=PATH,
    help="A folder of your own photos with one subfolder per label, instead of rendered hands.",
)
@click.option(
    "--people",
    type=click.IntRange(2, 100),
    default=6,
    show_default=True,
    help="How many people to render.",
)
@verbose_option
@json_option
def command(out: Path, data: Path | None, people: int, verbose: bool, as_json: bool) -> None:
    """Run the whole workflow on rendered hands or on your own photos.

    It renders labelled pictures of the hands of several people, finds their landmarks with
    MediaPipe, trains classifiers and compares them on people they have not seen, and does the same
    with videos of movements. It writes poses.onnx, moves.onnx and a report. With --data it uses
    your photos instead, without movements.
    """
    # Brings scikit-learn and matplotlib, which the help does not need.
    from handlore.demo import run_demo

    if data is not None:
        require_folder(data)
    started = time.perf_counter()
    with progress("working") as show:
        summary, failures = run_demo(
            out, data, n_people=people, talk=talk, progress=show, verbose=verbose
        )
    summary |= {"seconds": round(time.perf_counter() - started, 1)}
    say_failures(failures)
    if as_json:
        print_json(summary)
    else:
        _print(summary, out)
    end(failures)


def _print(summary: dict[str, Any], out: Path) -> None:
    convert, movements = summary["convert"], summary.get("movements")
    say(f"\n{convert['n_converted']} of {convert['n_items']} pictures show a hand", nl=False)
    error = summary["landmark_error"]
    if error is not None:
        say(f"; median landmark error {error:.3f} palm lengths", nl=False)
    by, n_groups = summary["by"], counted(summary["n_groups"], "group")
    say(f"\n{protocol_words(by)}{'' if by == 'random' else f' ({n_groups})'}:\n")
    rows = [
        [
            row["model"],
            percent(row["accuracy"]),
            f"{row['macro_f1']:.3f}",
            f"{row['bytes'] / 1000:.0f}",
            f"{row['train_seconds']:.1f}",
        ]
        for row in (*summary["models"], *(movements["models"] if movements else ()))
    ]
    print_table(["model", "accuracy", "macro-F1", "file (KB)", "training (s)"], rows)
    say(f"\nreport:  {out / 'report.html'}")
    program = "handlore" if shutil.which("handlore") else sys.argv[0]
    tries = [(summary["poses"], summary["try"])]
    tries += [(movements["moves"], movements["try"])] if movements else []
    say(f"models:  {', '.join(model for model, _ in tries)}")
    for model, example in tries:
        say(f"try:     {shell_line(program, 'predict', model, example)}")
    if movements:
        words = shell_line("--camera", movements["try"], "--loop")
        say(f"no camera? add to the next line {words}")
    say(f"live:    {shell_line(program, 'live', *(model for model, _ in tries))}")
