"""``handlore convert``: any source to a landmark dataset."""

import time
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlore.landmarks.errors import HandloreError

from ._common import (
    SOME_INPUTS_FAILED,
    copies_option,
    detector_options,
    examples,
    json_option,
    percent,
    print_json,
    progress,
    require_source,
    say_failures,
    stage_words,
    talk,
)

if TYPE_CHECKING:
    from handlore.datasets.conversion.convert import Conversion
    from handlore.datasets.conversion.workers import Opener
    from handlore.datasets.sources import Source


class ConvertCommand(click.Command):
    """Adds the options of all sources, which are the fields of their classes."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the options; sources are imported only when they are needed."""
        from handlore.datasets.sources import SOURCES

        given = super().get_params(ctx)
        owners: dict[str, list[str]] = {}
        options: dict[str, Any] = {}
        for name, source in SOURCES.entries().items():
            for option in fields(source):
                owners.setdefault(option.name, []).append(name)
                options[option.name] = option
        own = [_option(option, owners[name]) for name, option in options.items()]
        return [*given[:-1], *own, given[-1]]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of sources apart from those of every conversion."""
        options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        records = {name: p.get_help_record(ctx) for p in options if (name := p.name)}
        own = {name: r for name, r in records.items() if r and not r[1].startswith("[source")}
        with formatter.section("Options"):
            formatter.write_dl(list(own.values()))
        with formatter.section("Options of single sources (handlore sources NAME)"):
            formatter.write_dl([r for name, r in records.items() if r and name not in own])


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
        "handlore convert photos/ photos.npz --none background --drop-conflicts",
        "handlore convert photos/ photos.npz --jobs 4",
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
@click.option(
    "--min-score", type=click.FloatRange(0, 1), default=0.0, show_default=True,
    help="Leave out hands of which the hand network is less sure than this.",
)  # fmt: skip
@copies_option(
    "--augment",
    "each copy becomes a sample. Training on augmented copies improves a model on new people.",
)
@click.option(
    "--drop-conflicts", is_flag=True,
    help="Leave out pictures that stand, byte for byte, under two labels.",
)  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(1), metavar="N",
    help="How many processes; default: one for each processor. What comes out is the same.",
)  # fmt: skip
@click.option(
    "--dask", metavar="ADDRESS", default="",
    help="Let the workers of a Dask scheduler convert, such as tcp://10.0.0.5:8786.",
)  # fmt: skip
@click.option(
    "--restart", is_flag=True,
    help="Begin anew where an earlier conversion into OUT was not finished.",
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
    drop_conflicts: bool,
    min_score: float,
    n_copies: int,
    jobs: int | None,
    dask: str,
    restart: bool,
    landmarker: str,
    detector: str,
    verbose: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Find the hands in pictures or videos and write a dataset.

    SOURCE is a folder, or the one file that holds all. Its layout is recognised: `handlore sources`
    lists what is known. Pictures in which one plain call of the detector misses the hand are
    searched in stages, videos are tracked. What shows no hand is kept as such; a file that cannot
    be read is listed, and the exit code is then 3.

    Stopped or killed on the way, the same command goes on where it was: what is done lies in
    OUT.npz.parts until OUT is finished.
    """
    from handlore.datasets.conversion.convert import ConvertOptions, RunOptions, convert_to_file
    from handlore.datasets.sources import make_source
    from handlore.landmarks.files import require_writable
    from handlore.landmarks.nativelog import quiet_native_log
    from handlore.landmarks.search import STAGES

    require_source(source)
    require_writable(out)
    _require_no_input(out)
    given = {name: value for name, value in options.items() if value is not None}
    chosen = make_source(layout or _recognised(source, given), given)
    if chosen.brings_landmarks:
        _require_no_search(ctx, chosen)
    started = time.perf_counter()
    opener = _opener(chosen, landmarker, detector, max_hands)
    how = ConvertOptions(
        *(max_hands, STAGES[:stages], n_copies, min_score), none=none, drop_conflicts=drop_conflicts
    )
    run = RunOptions(jobs, dask, restart)
    # Processes that are started in this block are as quiet as this one.
    with quiet_native_log(not verbose), progress("converting") as show:
        done = convert_to_file(chosen, source, out, how, opener, run=run, progress=show, talk=talk)
    seconds = round(time.perf_counter() - started, 3)
    summary = done.summary() | {"seconds": seconds, "out": str(out)}
    _say(done, chosen, none)
    if as_json:
        print_json(summary | done.trouble.as_json())
    else:
        _print(summary, chosen)
    if done.failures:
        ctx.exit(SOME_INPUTS_FAILED)


def _require_no_input(out: Path) -> None:
    """Refuse to write over a file that is no dataset: `convert *.gif` names an input as OUT."""
    from handlore.datasets.storage import is_dataset

    if out.exists() and not is_dataset(out):
        raise HandloreError(
            f"{out} exists, and is no landmark dataset; `handlore convert SOURCE OUT` writes OUT:"
            " give another name, or remove it"
        )


def _require_no_search(ctx: click.Context, source: "Source") -> None:
    """Refuse options that would do nothing, since no hand is searched for."""
    for name in ("stages", "detector", "landmarker"):
        if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            raise HandloreError(
                f"--{name} says how hands are found, and {source.name} brings its own landmarks"
            )


def _opener(source: "Source", landmarker: str, detector: str, max_hands: int) -> "Opener | None":
    from handlore.datasets.conversion.workers import Opener
    from handlore.landmarks.detector import DetectorOptions
    from handlore.landmarks.weights import require_bundle

    if source.brings_landmarks:
        return None
    require_bundle(landmarker, talk)
    return Opener(DetectorOptions(landmarker=landmarker, max_hands=max_hands, detector=detector))


def _say(done: "Conversion", source: "Source", none: str) -> None:
    """Say on stderr what a person should know of the data."""
    for note in done.notes:
        talk(f"note: {note}")
    say_failures(done.failures)
    if done.ignored:
        talk(
            f"note: left out, since they do not fit the layout {source.name}:"
            f" {len(done.ignored)} files, such as {done.ignored[0]}"
        )
    for line in done.trouble.lines():
        talk(f"note: {line}")
    if done.trouble.conflicts and not done.n_dropped:
        talk("note: --drop-conflicts leaves out pictures that stand under two labels")
    if done.trouble.handless and not none:
        talk(f"note: if {' or '.join(done.trouble.handless)} means no gesture, say so: --none NAME")


def _recognised(source: Path, options: dict[str, Any]) -> str:
    from handlore.datasets.sources import find_source

    name, others = find_source(source, options)
    if others:
        talk(f"taken as {name}; it also fits {', '.join(others)} (choose with --source)")
    return name


def _print(summary: dict[str, Any], source: "Source") -> None:
    found, n_items = summary["n_converted"], summary["n_items"] - summary["n_dropped"]
    things = _things(source, n_items)
    click.echo(f"{found} of {n_items} {things} show a hand ({percent(found / n_items)})")
    if summary["n_frames"] > n_items:
        n, shown = summary["n_frames"], summary["n_frames_with_hand"]
        click.echo(f"{shown} of {n} frames show a hand ({percent(shown / n)})")
    if not source.brings_landmarks:
        for stage, count in summary["stages"].items():
            click.echo(f"  found in search stage {stage_words(stage)}: {count}")
    for key, words in (
        ("n_no_hand", "without a hand"),
        ("n_failed", "could not be read"),
        ("n_dropped", "dropped, since they stand under two labels"),
        ("n_views", "augmented copies of the same hands"),
    ):
        if summary[key]:
            click.echo(f"  {words}: {summary[key]}")
    click.echo(f"wrote {summary['out']} in {summary['seconds']:.1f} s")


def _things(source: "Source", n: int) -> str:
    """Return what the items of a source are called."""
    if source.kind == "sequence":
        return "clip" if n == 1 else "clips"
    if source.brings_landmarks:
        return "sample" if n == 1 else "samples"
    return "picture" if n == 1 else "pictures"
