"""``handlore bench``: speed and memory on this machine."""

import tempfile
from pathlib import Path
from typing import Any

import click

from handlore.benchmark import measure
from handlore.datasets.rendered import write_pictures

from ._common import PATH, examples, json_option, print_json, require_folder, talk
from ._rich import print_table


@click.command(
    "bench",
    epilog=examples("handlore bench", "handlore bench --data photos/ --pictures 2000 --json"),
)
@click.option("--data", type=PATH, help="A folder of pictures to convert; default: rendered hands.")
@click.option(
    "--pictures",
    type=click.IntRange(1),
    default=400,
    show_default=True,
    help="Number of pictures over which memory is measured.",
)
@json_option
def command(data: Path | None, pictures: int, as_json: bool) -> None:
    """Measure speed and memory against bare MediaPipe and scikit-learn.

    Both sides take turns in one run: the ratios are reliable, the absolute times less so.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = data or Path(folder)
        if data is None:
            talk("rendering hands")
            write_pictures(root, n_people=3, per_pose=3, size=(640, 480))
        require_folder(root)
        result = measure(root, pictures, talk)
    if as_json:
        print_json(result)
    else:
        _print(result)


def _print(result: dict[str, Any]) -> None:
    convert, bare = result["memory"]["convert"], result["memory"]["bare"]
    alone, n = "OpenCV + MediaPipe alone", result["memory_pictures"]
    us = [f"{result[key]:.0f}" for key in ("predict_us", "sklearn_us")]
    ms = [f"{result[key]:.1f}" for key in ("convert_ms", "bare_ms")]
    peak = [f"{side['peak_mb']:.0f}" for side in (convert, bare)]
    growth = [f"{side['last_mb'] - side['early_mb']:+.1f}" for side in (convert, bare)]
    faster, speed = f"{result['predict_ratio']:.0f} x faster", f"{result['convert_ratio']:.2f} x"
    rows = [
        ["one prediction, from landmarks (us)", *us, "scikit-learn's predict_proba", faster],
        ["convert, a picture (ms)", *ms, alone, f"{speed} its speed"],
        ["convert, peak memory (MB)", *peak, alone, f"{result['memory_over_bare_mb']:+.0f} MB"],
        [f"growth to picture {n} (MB)", *growth, alone, ""],
        ["handlore --help (s)", f"{result['help_seconds']:.2f}", "", "", ""],
    ]
    print_table(["", "handlore", "other", "other side", ""], rows)
