"""``handlore convert``: any source to a landmark dataset."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import click

from handlore.datasets.archives import unpacked
from handlore.datasets.conversion.batches import ConvertOptions
from handlore.datasets.conversion.convert import Conversion, RunOptions, convert_to_file
from handlore.datasets.conversion.preview import preview
from handlore.datasets.conversion.workers import DetectorFactory
from handlore.datasets.files import is_foreign_name
from handlore.datasets.sources import SOURCES, Source, UnclearLabelsError, find_source, make_source
from handlore.datasets.storage import is_dataset
from handlore.datasets.tables.exporting import WRITERS
from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.errors import HandloreError, counted, shell_line
from handlore.landmarks.files import require_writable
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.stages import STAGES, stage_words
from handlore.landmarks.weights import require_bundle

from ._common import (
    PATH,
    NumberRange,
    check_hands,
    copies_option,
    detector_options,
    end,
    examples,
    field_option,
    hand_option,
    json_option,
    percent,
    print_json,
    require_source,
    say,
    say_failures,
    say_notes,
    talk,
)
from ._rich import progress

_setting = partial(field_option, ConvertOptions)


@dataclass(frozen=True)
class _ConvertArguments:
    """The options of the command."""

    source: Path
    out: Path | None
    layout: str | None
    max_hands: int
    none: str
    stages: int
    drop_conflicts: bool
    min_score: float
    n_copies: int
    jobs: int | None
    dask: str
    restart: bool
    dry_run: bool
    hand: str
    landmarker: str
    detector: str
    verbose: bool
    as_json: bool

    def convert_options(self) -> ConvertOptions:
        return ConvertOptions(
            max_hands=self.max_hands,
            stages=STAGES[: self.stages],
            augment=self.n_copies,
            min_score=self.min_score,
            none=self.none,
            drop_conflicts=self.drop_conflicts,
            hand=self.hand,
        )

    def detector_options(self) -> DetectorOptions:
        return DetectorOptions(
            landmarker=self.landmarker,
            max_hands=self.max_hands,
            detector=self.detector,
            hand=self.hand,
        )


class _ConvertCommand(click.Command):
    """Adds the options of all sources, which are the fields of their classes."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
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
        with formatter.section("Options of individual sources (handlore sources NAME)"):
            formatter.write_dl([r for name, r in records.items() if r and name not in own])


def _option(option: Any, owners: list[str]) -> click.Option:
    flag = f"--{option.name.replace('_', '-')}"
    text = f"[source {', '.join(owners)}] {option.metadata['help']}"
    kind = type(option.default)
    if kind is bool:
        return click.Option([flag], help=text, is_flag=True, default=None)
    return click.Option([flag], help=text, type=kind, default=None)


@click.command(
    "convert",
    cls=_ConvertCommand,
    epilog=examples(
        "handlore convert photos/ photos.npz",
        "handlore convert photos/ photos.npz --none background --drop-conflicts",
        "handlore convert photos/ photos.npz --jobs 4",
        r"handlore convert asl/ asl.npz --name-pattern '(?P<group>hand\d)_(?P<label>\w)_'",
    ),
)
@click.argument("source", type=PATH)
@click.argument("out", type=PATH, required=False)
@click.option("--source", "layout", metavar="NAME", help="The layout; default: recognised.")
@_setting("max_hands", click.IntRange(1, 2), "How many hands to look for in a picture.")
@click.option(
    "--none",
    metavar="NAME",
    default="",
    help="The class of this source that means no gesture; it becomes `none`.",
)
@click.option(
    "--stages",
    type=click.IntRange(1, 10),
    default=10,
    show_default=True,
    help="How many search stages to try in pictures where a plain call misses the hand; silhouettes"
    " need all. Videos are tracked without them.",
)
@_setting("min_score", NumberRange(0, 1), "Leave out hands with a lower score of the hand network.")
@copies_option(
    "--augment",
    "each copy becomes a sample. Training on augmented copies improves a model on new people.",
)
@click.option(
    "--drop-conflicts", is_flag=True, help="Leave out identical pictures under different labels."
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Number of processes; default: one for each processor. The result is the same.",
)
@click.option(
    "--dask",
    metavar="ADDRESS",
    default="",
    help="Use the workers of a Dask scheduler, such as tcp://10.0.0.5:8786.",
)
@click.option("--restart", is_flag=True, help="Discard an unfinished conversion into OUT.")
@click.option(
    "--dry-run", is_flag=True, help="Print how SOURCE is understood, and convert nothing."
)
@hand_option
@detector_options()
@json_option
@click.pass_context
def command(ctx: click.Context, /, **values: Any) -> None:
    """Find the hands in pictures or videos and write a dataset.

    SOURCE is a folder, a zip or tar archive of one, or a single file that holds everything; OUT is
    an .npz file. The layout is recognised; `handlore sources` lists the known ones. What was
    understood is printed first, and `--dry-run` stops there. Where folders leave a doubt about the
    labels, nothing is converted, and the error has a command for each reading. Pictures in which a
    plain call of the detector misses the hand are searched in stages, videos are tracked. Samples
    without a hand are kept as such. Files that cannot be read are listed, and the exit code is then
    3.

    If it is stopped or killed, the same command continues where it was. Until OUT is finished, the
    results are kept in OUT.npz.parts.
    """
    options = _ConvertArguments(
        **{field.name: values.pop(field.name) for field in fields(_ConvertArguments)}
    )
    check_hands(options.hand, options.max_hands)
    if options.out is None and not options.dry_run:
        raise click.MissingParameter(ctx=ctx, param_hint="'OUT'", param_type="argument")
    require_source(options.source)
    given = {name: value for name, value in values.items() if value is not None}
    if options.dry_run:
        with unpacked(options.source, options.out) as root:
            _print_preview(options, given, root)
        return
    out = options.out or Path()
    require_writable(out)
    _require_dataset_name(out)
    _require_no_input(out)
    with unpacked(options.source, out) as root:
        _convert(ctx, options, given, root, out)


def _convert(
    ctx: click.Context, options: _ConvertArguments, given: dict[str, Any], root: Path, out: Path
) -> None:
    """Convert a folder, which may be that of an archive, and print what was found."""
    source = make_source(options.layout or _recognised(root, given), given)
    if source.brings_landmarks:
        _require_no_search(ctx, source)
    else:
        require_bundle(options.landmarker, talk)
    done, seconds = _converted(source, options, root, out)
    summary = done.summary() | {"seconds": seconds, "out": str(out)}
    _print_notes(done, options.none)
    if options.as_json:
        print_json(summary | done.label_problems.as_json())
    else:
        _print(summary, source, done.dataset.header.kind)
    end(done.failures)


def _require_dataset_name(out: Path) -> None:
    """Refuse OUT with the ending of something else, which would be a zip file of that name."""
    if out.suffix.lower() == ".onnx" and not out.exists():
        raise HandloreError(
            f"OUT is a landmark dataset, {out.with_suffix('.npz').name}; `handlore train` makes a"
            f" model of it, {out.name}"
        )
    if out.suffix.lower() in WRITERS and not out.exists():
        export = shell_line("handlore", "export", out.with_suffix(".npz"), out)
        raise HandloreError(
            f"OUT is a landmark dataset, {out.with_suffix('.npz').name}, and {out.name} would be no"
            f" table; `{export}` writes one of it"
        )
    if is_foreign_name(out) and not out.exists():
        raise HandloreError(
            f"OUT is a landmark dataset, and {out.name} no name for one; give one such as"
            f" {out.with_suffix('.npz').name}"
        )


def _converted(
    source: Source, options: _ConvertArguments, root: Path, out: Path
) -> tuple[Conversion, float]:
    """Convert, and return the seconds that it took."""
    started = time.perf_counter()
    # Processes that are started in this block are as quiet as this one.
    with quiet_native_log(not options.verbose), progress("converting") as show, _naming(out):
        done = convert_to_file(
            source,
            root,
            out,
            options.convert_options(),
            DetectorFactory(options.detector_options()),
            run=RunOptions(options.jobs, options.dask, options.restart),
            progress=show,
            report=talk,
            understood=lambda found: say_notes([*found.lines(), *_about_time(source)]),
        )
    return done, round(time.perf_counter() - started, 3)


def _about_time(source: Source) -> list[str]:
    return ["silhouettes take about a second each"] if source.silhouettes else []


@contextmanager
def _naming(out: Path) -> Iterator[None]:
    """Let the commands that are offered for unclear labels write OUT."""
    try:
        yield
    except UnclearLabelsError as error:
        raise error.writing(out) from error


def _print_preview(options: _ConvertArguments, given: dict[str, Any], root: Path) -> None:
    source = make_source(options.layout or _recognised(root, given), given)
    with _naming(options.out or Path("OUT.npz")):
        found = preview(source, root, options.convert_options())
    if options.as_json:
        print_json(found.as_json())
    else:
        say("\n".join(found.lines()))


def _require_no_input(out: Path) -> None:
    """Refuse to overwrite a file that is no dataset: `convert *.gif` names an input as OUT."""
    if out.exists() and not is_dataset(out):
        raise HandloreError(
            f"{out} exists and is no landmark dataset; `handlore convert SOURCE OUT` writes OUT:"
            " give another name, or remove it"
        )


def _require_no_search(ctx: click.Context, source: Source) -> None:
    for name in ("stages", "detector", "landmarker", "hand"):
        if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            raise HandloreError(
                f"--{name} is about finding hands, and {source.name} brings its own landmarks"
            )


def _recognised(root: Path, options: dict[str, Any]) -> str:
    name, others = find_source(root, options)
    if others:
        talk(f"recognised as {name}; it also fits {', '.join(others)} (choose with --source)")
    return name


def _print_notes(done: Conversion, none: str) -> None:
    say_failures(done.failures)
    problems = done.label_problems
    say_notes(problems.lines())
    if problems.conflicts and not done.n_dropped:
        talk("note: --drop-conflicts leaves out what is under two labels")
    if problems.handless and not none:
        talk(f"note: if {' or '.join(problems.handless)} means no gesture, add --none NAME")


def _print(summary: dict[str, Any], source: Source, kind: str) -> None:
    found, n_items = summary["n_converted"], summary["n_items"] - summary["n_dropped"]
    thing = "sample" if source.brings_landmarks else "picture"
    items = counted(n_items, "clip" if kind == "sequence" else thing)
    verb = "shows" if n_items == 1 else "show"
    say(f"{found} of {items} {verb} a hand ({percent(found / n_items)})")
    if summary["n_frames"] > n_items:
        n, shown = summary["n_frames"], summary["n_frames_with_hand"]
        say(f"{shown} of {n} frames show a hand ({percent(shown / n)})")
    if not source.brings_landmarks:
        for stage, count in summary["stages"].items():
            say(f"  found in search stage {stage_words(stage)}: {count}")
    for key, words in (
        ("n_no_hand", "without a hand"),
        ("n_failed", "could not be read"),
        ("n_dropped", "dropped because they have two labels"),
        ("n_views", "augmented copies"),
    ):
        if summary[key]:
            say(f"  {words}: {summary[key]}")
    say(f"wrote {summary['out']} in {summary['seconds']:.1f} s")
