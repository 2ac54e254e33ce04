"""``handlore bench``: speed and memory on this machine."""

import tempfile
from pathlib import Path
from typing import Any

import click

from ._common import examples, json_option, print_json, print_table, require_folder, talk


@click.command(
    "bench",
    epilog=examples("handlore bench", "handlore bench --data photos/ --pictures 2000 --json"),
)
@click.option(
    "--data", type=click.Path(path_type=Path),
    help="A folder of pictures to convert; default: rendered hands.",
)  # fmt: skip
@click.option(
    "--pictures", type=click.IntRange(1), default=400, show_default=True,
    help="How many pictures the memory of convert is watched for.",
)  # fmt: skip
@json_option
def command(data: Path | None, pictures: int, as_json: bool) -> None:
    """Measure speed and memory against bare MediaPipe and scikit-learn.

    Both sides take turns in one run; trust the ratios, not the milliseconds.
    """
    from handlore.benchmark import render_for_bench

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
    from handlore.benchmark import (
        measure_conversion,
        measure_help,
        measure_memory,
        measure_prediction,
    )

    talk("timing one prediction")
    prediction = measure_prediction()
    talk("timing convert against a bare loop")
    conversion, n = measure_conversion(root)
    talk(f"watching memory over {pictures} pictures, twice")
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
    memory = result["memory"]
    rows = [
        ["one prediction, from landmarks (us)", f"{result['predict_us']:.0f}",
         f"{result['sklearn_us']:.0f}", "scikit-learn's predict_proba",
         f"{result['predict_ratio']:.0f} x faster"],
        ["convert, a picture (ms)", f"{result['convert_ms']:.1f}", f"{result['bare_ms']:.1f}",
         "OpenCV + MediaPipe alone", f"{result['convert_ratio']:.2f} x its speed"],
        ["convert, peak memory (MB)", f"{memory['convert']['peak_mb']:.0f}",
         f"{memory['bare']['peak_mb']:.0f}", "OpenCV + MediaPipe alone",
         f"{result['memory_over_bare_mb']:+.0f} MB"],
        [f"growth to picture {result['memory_pictures']} (MB)",
         f"{result['memory_growth_mb']:+.1f}",
         f"{memory['bare']['last_mb'] - memory['bare']['early_mb']:+.1f}",
         "OpenCV + MediaPipe alone", ""],
        ["handlore --help (s)", f"{result['help_seconds']:.2f}", "", "", ""],
    ]  # fmt: skip
    print_table(["", "handlore", "other", "what the other is", ""], rows)
