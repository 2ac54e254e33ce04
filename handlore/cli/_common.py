"""What commands share: options, JSON, progress, and the examples in their help."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from handlore.landmarks.errors import HandloreError

if TYPE_CHECKING:
    from handlore.datasets.dataset import Kind, LandmarkDataset
    from handlore.datasets.loading import LoadedData
    from handlore.landmarks.detector import HandDetector

Function = TypeVar("Function", bound=Callable[..., Any])

SOME_INPUTS_FAILED = 3
MOST_FAILURES_SHOWN = 20

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
verbose_option = click.option(
    "-v", "--verbose", is_flag=True, help="Show what MediaPipe and the image decoders log."
)
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True,
    help="Seed of random choices.",
)  # fmt: skip
data_argument = click.argument(
    "data", nargs=-1, required=True, metavar="DATA...", type=click.Path(path_type=Path)
)


def examples(*lines: str) -> str:
    r"""Return an epilog of examples that click does not re-wrap."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def views_option(text: str) -> Callable[[Function], Function]:
    """Add the option that asks for more views of each hand."""
    return click.option(
        "--views", type=click.IntRange(0, 100), default=0, show_default=True, metavar="K",
        help=f"Look at each hand in K more views, turned, scaled and mirrored; {text}",
    )  # fmt: skip


def detector_options(landmarker: str | None = "full") -> Callable[[Function], Function]:
    """Add the options that choose a detector."""

    def decorate(function: Function) -> Function:
        shown = landmarker or "as the model was trained"
        for option in (
            click.option(
                "--landmarker",
                type=click.Choice(["full", "lite"]),
                default=landmarker,
                show_default=shown,
                help="Which hand network: lite takes half the time and is a little less exact.",
            ),
            click.option(
                "--detector",
                type=click.Choice(["auto", "mediapipe", "litert"]),
                default="auto",
                show_default=True,
                help="What runs the networks: MediaPipe, or LiteRT with handlore's own steps.",
            ),
            verbose_option,
        ):
            function = option(function)
        return function

    return decorate


model_option = click.option(
    "--model",
    metavar="NAME",
    show_default="forest for poses, rocket for movements",
    help="Which estimator: forest, linear or xgboost for poses, rocket or tcn for movements; or the"
    " mean of several, such as forest+linear.",
)
mirror_option = click.option(
    "--mirror-labels", metavar="PAIRS",
    help="Also learn movements as a mirror shows them, with the labels of these pairs swapped,"
    " such as swipe_left=swipe_right,in=out.",
)  # fmt: skip
features_option = click.option(
    "--features",
    metavar="LIST",
    help="Groups of features, comma-separated: world, world_distances, image, image_distances"
    " (these four by default), orientation (thumbs up is not thumbs down).",
)
param_option = click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the estimator, such as n_estimators=500, or forest.n_estimators=500"
    " for one of several. Can be given several times.",
)


def parsed_params(params: Sequence[str], mirror_labels: str | None = None) -> dict[str, str]:
    """Split NAME=VALUE, and add the option that has a name of its own."""
    for param in params:
        if "=" not in param:
            raise click.BadParameter(f"{param!r} is not NAME=VALUE", param_hint="--param")
    values = dict(param.split("=", 1) for param in params)
    return values if mirror_labels is None else values | {"mirror_labels": mirror_labels}


def parsed_size(text: str | None) -> tuple[int, int] | None:
    """Return width and height of ``--size``, such as ``640x480``; None where it is not given."""
    if text is None:
        return None
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise HandloreError(f"--size is {text!r}, expected width x height such as 640x480")
    return int(width), int(height)


def parsed_features(features: str | None) -> tuple[str, ...]:
    """Split the list of feature groups and check their names."""
    from handlore.landmarks.features import DEFAULT_FEATURES, feature_names

    groups = (
        tuple(filter(None, features.replace(" ", "").split(",")))
        if features is not None
        else DEFAULT_FEATURES
    )
    feature_names(groups)
    return groups


def require_poses_for(features: str | None, dataset: "LandmarkDataset") -> None:
    """Refuse a list of features where there are movements, which have none to choose from."""
    if features is not None and dataset.header.kind != "pose":
        raise HandloreError(
            "--features chooses features of poses, and this data holds movements; leave it out"
        )


def load_datasets(paths: Sequence[Path], kind: "Kind | None" = None) -> "LoadedData":
    """Load dataset files and folders of recordings and join them, and say what was decided.

    Parameters
    ----------
    paths
        What the person gave.
    kind
        What the model takes, if one was named.
    """
    from handlore.datasets.loading import load_data

    loaded = load_data(paths, kind)
    for note in loaded.notes:
        talk(f"note: {note}")
    say_failures(loaded.failures)
    return loaded


def kind_of(model: str | None) -> "Kind | None":
    """Return what a type of model, or a blend of some, takes; None if none was named."""
    from handlore.classifiers.factory import make_estimator

    return make_estimator(model).kind if model else None


def end(loaded: "LoadedData") -> None:
    """End a command whose work is done; the exit code tells if some of its data failed."""
    if loaded.failures:
        raise click.exceptions.Exit(SOME_INPUTS_FAILED)


@contextmanager
def opened_detector(
    landmarker: str, detector: str, max_hands: int, *, verbose: bool
) -> "Iterator[HandDetector]":
    """Open a detector, with native chatter kept off the screen unless asked for."""
    from handlore.landmarks.detector import DetectorOptions, open_detector
    from handlore.landmarks.nativelog import quiet_native_log
    from handlore.landmarks.weights import require_bundle

    options = DetectorOptions(landmarker=landmarker, max_hands=max_hands, detector=detector)
    require_bundle(landmarker, talk)
    with quiet_native_log(not verbose), open_detector(options) as opened:
        yield opened


def talk(line: str) -> None:
    """Say something to the person, on stderr."""
    click.echo(line, err=True)


def say_failures(failures: Sequence[tuple[str, str]]) -> None:
    """List inputs that failed, on stderr."""
    for path, reason in failures[:MOST_FAILURES_SHOWN]:
        talk(f"failed: {path}: {reason}")
    if len(failures) > MOST_FAILURES_SHOWN:
        talk(f"failed: and {len(failures) - MOST_FAILURES_SHOWN} more")


def print_json(value: Any) -> None:
    """Print JSON on stdout, in ASCII, so that any terminal and any file name will do.

    NaN, which JSON does not know, becomes null.
    """
    click.echo(json.dumps(without_nan(value), indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table on stdout; columns of numbers are set right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, column in enumerate(columns):
        numeric = all(_is_number(row[number]) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    # Into a pipe, lines are not broken at some width of a terminal that is not there.
    Console(width=None if sys.stdout.isatty() else 200, markup=False, highlight=False).print(table)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows how far work is: a bar on a terminal, nothing in a pipe."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def require_folder(path: Path) -> None:
    """Refuse data that is not a folder."""
    require_source(path)
    if not path.is_dir():
        raise HandloreError(f"{path} is a file; expected a folder of pictures")


def require_source(path: Path) -> None:
    """Refuse a source that is neither a folder nor a file."""
    if not path.exists():
        raise HandloreError(f"there is no folder or file {path}")
    if not path.is_dir() and not path.is_file():
        raise HandloreError(f"{path} is a device or pipe; expected a folder or a file")


def make_folder(path: Path) -> None:
    """Make an output folder."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HandloreError(f"cannot make the folder {path}: {error.strerror}") from error


def prepare_folder(path: Path) -> None:
    """Make an output folder before the work starts; it goes again if the command leaves it empty.

    Raises
    ------
    HandloreError
        If it cannot be made, or not be written into.
    """
    new = [folder for folder in (path, *path.parents) if not folder.exists()]
    make_folder(path)
    if not os.access(path, os.W_OK):
        raise HandloreError(f"cannot write into {path}: the folder is not writable")
    click.get_current_context().call_on_close(lambda: _remove_empty(new))


def _remove_empty(folders: Sequence[Path]) -> None:
    """Remove folders, the innermost first, up to the first that holds anything."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def stage_words(stage: str) -> str:
    """Return the number of a search stage with its name."""
    from handlore.landmarks.search import STAGE_NAMES

    known = stage.isdigit() and int(stage) < len(STAGE_NAMES)
    return f"{stage} ({STAGE_NAMES[int(stage)]})" if known else stage


def percent(share: float) -> str:
    """Return a share for people."""
    return f"{100 * share:.1f} %"


def _is_number(cell: object) -> bool:
    return str(cell).replace(" %", "").replace(".", "").replace(
        "-", ""
    ).strip().isdigit() or not str(cell)


def without_nan(value: Any) -> Any:
    """Return JSON types with None for NaN, which JSON does not know."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and isnan(value) else value
