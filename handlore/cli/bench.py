"""``handlore bench``: speed and memory on this machine."""

import tempfile
from pathlib import Path
from typing import Any

import click

from handlore.benchmark import (
    measure_conversion,
    measure_help,
    measure_memory,
    measure_prediction,
    render_for_bench,
)

from ._common import examples, json_option, print_json, print_table, require_folder, talk


@click.command(
    "bench",
    epilog=examples("handlore bench", "handlore bench --data photos/ --pictures 2000 --json"),
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="A folder of pictures to convert; default: rendered hands.",
)
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
            render_for_bench(root)
        require_folder(root)
        result = _measured(root, pictures)
    if as_json:
        print_json(result)
    else:
        _print(result)


def _measured(root: Path, pictures: int) -> dict[str, Any]:
    talk("timing one prediction")
    prediction = measure_prediction()
    talk("timing convert against a bare loop")
    conversion, n = measure_conversion(root)
    talk(f"measuring memory over {pictures} pictures, twice")
    memory = measure_memory(root, pictures)
    return {
        "predict_us": 1e6 * prediction.ours,
        "sklearn_us": 1e6 * prediction.other,
        "predict_ratio": prediction.ratio,
        "convert_ms": 1e3 * conversion.ours,
        "bare_ms": 1e3 * conversion.other,
        "convert_ratio": conversion.ratio,
        "convert_pictures": n,
        "memory": memory,
        "memory_over_bare_mb": memory["convert"]["peak_mb"] - memory["bare"]["peak_mb"],
        "memory_growth_mb": memory["convert"]["last_mb"] - memory["convert"]["early_mb"],
        "memory_pictures": pictures,
        "help_seconds": measure_help(),
    }


def _print(result: dict[str, Any]) -> None:
    convert, bare = result["memory"]["convert"], result["memory"]["bare"]
    alone = "OpenCV + MediaPipe alone"
    rows = [
        [
            "one prediction, from landmarks (us)",
            f"{result['predict_us']:.0f}",
            f"{result['sklearn_us']:.0f}",
            "scikit-learn's predict_proba",
            f"{result['predict_ratio']:.0f} x faster",
        ],
        [
            "convert, a picture (ms)",
            f"{result['convert_ms']:.1f}",
            f"{result['bare_ms']:.1f}",
            alone,
            f"{result['convert_ratio']:.2f} x its speed",
        ],
        [
            "convert, peak memory (MB)",
            f"{convert['peak_mb']:.0f}",
            f"{bare['peak_mb']:.0f}",
            alone,
            f"{result['memory_over_bare_mb']:+.0f} MB",
        ],
        [
            f"growth to picture {result['memory_pictures']} (MB)",
            f"{result['memory_growth_mb']:+.1f}",
            f"{bare['last_mb'] - bare['early_mb']:+.1f}",
            alone,
            "",
        ],
        ["handlore --help (s)", f"{result['help_seconds']:.2f}", "", "", ""],
    ]
    print_table(["", "handlore", "other", "other side", ""], rows)
