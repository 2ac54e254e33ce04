"""``handlore export``: a dataset as a table that others read."""

from pathlib import Path

import click
import numpy as np

import handlore
from handlore.datasets.tables.exporting import WRITERS
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.files import require_writable

from ._common import PATH, end, examples, json_option, load_datasets, print_json, say


@click.command(
    "export",
    epilog=examples(
        "handlore export photos.npz photos.csv",
        "handlore export my_gestures gestures.parquet",
        "handlore export moves.npz wave.pose --clip 3",
    ),
)
@click.argument("data", type=PATH)
@click.argument("out", type=PATH)
@click.option(
    "--clip", type=click.IntRange(1), metavar="N", help="Only this sample, counted from 1."
)
@json_option
def command(data: Path, out: Path, clip: int | None, as_json: bool) -> None:
    """Write a dataset as a table that other programs read.

    DATA is a file that `handlore convert` wrote, or a folder of recordings. The ending of OUT says
    what is written: .csv, .tsv, .parquet, .json, .jsonl, .npy or .pose. A table has a row a frame
    with named columns: label, person, split, times, landmarks; `handlore convert` reads it back
    unchanged, but for what is in no table: the detector, the options and the log of the conversion,
    and the note on the licence.
    """
    _require_table(out)
    loaded = load_datasets([data])
    dataset = loaded.dataset
    if clip is not None:
        if clip > dataset.n_samples:
            raise HandloreError(f"--clip is {clip}, and there are {dataset.n_samples}")
        dataset = dataset.select(np.array([clip - 1]))
    n_rows = handlore.export_table(dataset, out)
    if as_json:
        print_json({"out": str(out), "n_rows": n_rows, "n_samples": dataset.n_samples})
    else:
        say(f"wrote {out}: {n_rows} rows, {dataset.n_samples} samples")
    end(loaded.failures)


def _require_table(out: Path) -> None:
    """Refuse endings that are no table, and files that exist and were not exported."""
    if out.suffix.lower() not in WRITERS:
        raise HandloreError(f"OUT is {out}; its ending says what is written: {', '.join(WRITERS)}")
    require_writable(out)
