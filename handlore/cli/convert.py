"""``handlore convert``: any source to a landmark dataset."""

import time
from contextlib import nullcontext
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from ._common import (
    SOME_INPUTS_FAILED,
    detector_options,
    examples,
    json_option,
    opened_detector,
    percent,
    print_json,
    progress,
    require_source,
    say_failures,
    talk,
)


class ConvertCommand(click.Command):
    """Adds the options of all sources, which are the fields of their classes."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the options; sources are imported only when they are needed."""
        from handlore.datasets.sources import load_sources

        given = super().get_params(ctx)
        owners: dict[str, list[str]] = {}
        options: dict[str, Any] = {}
        for name, source in load_sources().items():
            for option in fields(source):
                owners.setdefault(option.name, []).append(name)
                options[option.name] = option
        own = [_option(option, owners[name]) for name, option in options.items()]
        return [*given[:-1], *own, given[-1]]


def _option(option: Any, owners: list[str]) -> click.Option:
    """Make a command-line option of a field of a source."""
    flag = f"--{option.name.replace('_', '-')}"
    text = f"[source {', '.join(owners)}] {option.metadata['help']}"
    kind = type(option.default)
    if kind is bool:
        return click.Option([flag], help=text, is_flag=True, default=None)
    return click.Option([flag], help=text, type=kind, default=None)


@click.command(
    "convert",
    cls=ConvertCommand,
    epilog=examples(
        "handlore convert photos/ photos.npz",
        "handlore convert photos/ photos.npz --none background",
        r"handlore convert asl/ asl.npz --name-pattern '(?P<group>hand\d)_(?P<label>\w)_'",
    ),
)
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--source", "layout", metavar="NAME", help="The layout; default: recognised.")
@click.option(
    "--max-hands", type=click.IntRange(1, 2), default=1, show_default=True,
    help="How many hands to look for in a picture.",
)  # fmt: skip
@click.option(
    "--none", metavar="NAME", default="",
    help="The class of this source that means no gesture; it becomes `none`.",
)  # fmt: skip
@click.option(
    "--stages", type=click.IntRange(1, 10), default=10, show_default=True,
    help="How many search stages to try where a plain call misses the hand; silhouettes need all.",
)  # fmt: skip
@detector_options()
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    source: Path,
    out: Path,
    layout: str | None,
    max_hands: int,
    none: str,
    stages: int,
    landmarker: str,
    detector: str,
    verbose: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Find the hands in a folder of pictures and write them to OUT, an .npz file.

    The layout of SOURCE is recognised: `handlore sources` lists what is known. Pictures in which
    one plain call of the detector misses the hand are searched in stages. A picture without a
    hand is kept as such; a file that cannot be read is listed, and the exit code is then 3.
    """
    from handlore.datasets.convert import ConvertOptions, convert
    from handlore.datasets.sources import make_source
    from handlore.datasets.storage import save_dataset
    from handlore.landmarks.files import require_writable
    from handlore.landmarks.search import STAGES

    require_source(source)
    require_writable(out)
    given = {name: value for name, value in options.items() if value is not None}
    chosen = make_source(layout or _recognised(source, given), given)
    started = time.perf_counter()
    opening = (
        nullcontext(None)
        if chosen.brings_landmarks
        else opened_detector(landmarker, detector, max_hands, verbose=verbose)
    )
    with (
        opening as opened,
        progress("converting") as show,
    ):
        how = ConvertOptions(max_hands, STAGES[:stages], none=none)
        done = convert(chosen, source, opened, how, progress=show)
    save_dataset(done.dataset, out)
    seconds = round(time.perf_counter() - started, 3)
    summary = done.summary() | {"seconds": seconds, "out": str(out)}
    for note in chosen.notes(source):
        talk(f"note: {note}")
    say_failures(done.failures)
    if done.ignored:
        talk(
            f"note: {len(done.ignored)} pictures do not fit the layout {chosen.name} and were left"
            f" out, such as {done.ignored[0]}"
        )
    if as_json:
        print_json(summary)
    else:
        _print(summary)
    if done.failures:
        ctx.exit(SOME_INPUTS_FAILED)


def _recognised(source: Path, options: dict[str, Any]) -> str:
    from handlore.datasets.sources import find_source

    name, others = find_source(source, options)
    if others:
        talk(f"taken as {name}; it also fits {', '.join(others)} (choose with --source)")
    return name


def _print(summary: dict[str, Any]) -> None:
    found, n_items = summary["n_converted"], summary["n_items"]
    click.echo(f"{found} of {n_items} pictures show a hand ({percent(found / n_items)})")
    for stage, count in summary["stages"].items():
        click.echo(f"  found in search stage {stage}: {count}")
    for key, words in (("n_no_hand", "without a hand"), ("n_failed", "could not be read")):
        if summary[key]:
            click.echo(f"  {words}: {summary[key]}")
    click.echo(f"wrote {summary['out']} in {summary['seconds']:.1f} s")
