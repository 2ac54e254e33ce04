"""What commands share: options, output folders, JSON, examples in help."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from math import isfinite, isnan
from pathlib import Path
from typing import Any, TypeVar

import click

from handlore.datasets.kinds import Kind
from handlore.datasets.loading import LoadedData, load_data
from handlore.landmarks.detector import DetectorOptions, HandDetector
from handlore.landmarks.detectors import DETECTORS
from handlore.landmarks.errors import HandloreError, unknown_name
from handlore.landmarks.files import make_folder, naming_stdout, no_file, real_path
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import CHOICES, open_detector
from handlore.landmarks.registry import Registry
from handlore.landmarks.untrusted import printable, printable_lines
from handlore.landmarks.weights import require_bundle
from handlore.models.ready import is_ready

Function = TypeVar("Function", bound=Callable[..., Any])

_SOME_INPUTS_FAILED = 3
_MOST_FAILURES_SHOWN = 20

PATH = click.Path(path_type=Path)
FOLDER = click.Path(path_type=Path, file_okay=False)


class _ModelType(click.ParamType):  # type: ignore[type-arg]
    """A model file, or the name of a model that comes with handlore.

    A name stays text, and anything else becomes a path: so ``./everyday`` is a file.
    """

    name = "model"

    def convert(
        self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | Path:
        """Return a name as it is, anything else as a path."""
        if value == "":
            self.fail("the name of the model or file is empty", param, ctx)
        if isinstance(value, Path) or not is_ready(value):
            return Path(value)
        if Path(value).exists():
            talk(f"note: {value} is the model that comes with handlore; ./{value} is the file")
        return value


class NumberRange(click.FloatRange):
    """A range of numbers; ``nan`` and ``inf``, which click lets pass, are in none."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return a number in the range."""
        number: float = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{value} is not a number in the range {self._describe_range()}.", param, ctx)
        return number


MODEL = _ModelType()
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
verbose_option = click.option(
    "-v", "--verbose", is_flag=True, help="Show what MediaPipe and the image decoders log."
)
frame_rate_option = click.option(
    "--frame-rate",
    type=NumberRange(0, min_open=True),
    default=30.0,
    show_default=True,
    help="Frames per second of a folder of pictures.",
)
data_argument = click.argument("data", nargs=-1, required=True, metavar="DATA...", type=PATH)


def examples(*lines: str) -> str:
    r"""Return an epilog of examples that click does not re-wrap."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def field_option(
    options: type, field: str, kind: Any, text: str, metavar: str | None = None, *, name: str = ""
) -> Callable[[Function], Function]:
    """Add the option for a field of a dataclass, with its default."""
    flag, default = f"--{(name or field).replace('_', '-')}", getattr(options, field)
    shown: Any = {"default": default, "show_default": True, "metavar": metavar}
    return click.option(flag, type=kind, help=text, **shown)


class RenamedOption(click.Option):
    """An option whose help shows its first name only; the others are kept for old scripts."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        names, self.opts = self.opts, self.opts[:1]
        others, self.secondary_opts = self.secondary_opts, self.secondary_opts[:1]
        try:
            return super().get_help_record(ctx)
        finally:
            self.opts, self.secondary_opts = names, others


def copies_option(name: str, text: str) -> Callable[[Function], Function]:
    """Add the option that asks for augmented copies of each hand; its old name is ``--views``."""
    return click.option(
        name,
        "--views",
        "n_copies",
        cls=RenamedOption,
        type=click.IntRange(0, 100),
        default=0,
        show_default=True,
        metavar="K",
        help="Detect each hand in K more copies of the picture, rotated, scaled and mirrored;"
        f" {text}",
    )


class _RegistryName(click.ParamType):  # type: ignore[type-arg]
    """A name in a registry, or another word; the names are looked up when they are needed."""

    name = "name"

    def __init__(self, registry: Registry[Any], *words: str) -> None:
        self._registry, self._words = registry, words

    def get_metavar(self, *_: object, **__: object) -> str:
        return f"[{'|'.join(self._listed())}]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self._listed() and value not in self._registry:
            known = [*self._words, *self._registry]
            self.fail(str(unknown_name(self._registry.kind, value, known)), param, ctx)
        return value

    def _listed(self) -> list[str]:
        return [*self._words, *self._registry.listed()]


def _size(_ctx: click.Context, _param: click.Parameter, text: str | None) -> tuple[int, int] | None:
    """Return width and height of ``--size``, such as ``640x480``; None if it is not given."""
    if text is None:
        return None
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise click.UsageError(f"--size is {text!r}, expected width x height such as 640x480")
    return int(width), int(height)


def is_given(option: str) -> bool:
    """Say whether the option of the running command was given, in a variable too."""
    source = click.get_current_context().get_parameter_source(option)
    return source not in (None, click.core.ParameterSource.DEFAULT)


def all_options(*options: Callable[[Function], Function]) -> Callable[[Function], Function]:
    """Return one decorator that adds several options, in this order."""

    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


camera_options = all_options(
    click.option(
        "--camera",
        default="0",
        show_default=True,
        metavar="CAMERA",
        envvar="HANDLORE_CAMERA",
        help="A number, /dev/video2, picamera, an address (rtsp://USER:PASSWORD@HOST/PATH,"
        " http://HOST:81/stream), a GStreamer pipeline, a video, or a folder of frames. On the"
        " command line other users of this computer can see a password: the variable"
        " HANDLORE_CAMERA hides it.",
    ),
    click.option(
        "--size",
        metavar="WxH",
        callback=_size,
        show_default="640x480",
        help="Width and height requested of the camera.",
    ),
    click.option("--loop", is_flag=True, help="Repeat a file in the camera's place."),
)
hand_option = click.option(
    "--hand",
    type=click.Choice(CHOICES),
    callback=lambda ctx, param, value: value or "",
    show_default="the first that is found",
    metavar="WHICH",
    help=f"Which of two hands to use: {', '.join(CHOICES[:-1])} or {CHOICES[-1]}; left and right"
    " are the person's.",
)


def check_hands(hand: str, max_hands: int | None) -> None:
    """Raise UsageError if one of two hands is to be used, and both are asked for."""
    if hand and max_hands == 2:
        raise click.UsageError("--hand chooses one of two hands, and --max-hands 2 asks for both")


def detector_options(landmarker: str | None = "full") -> Callable[[Function], Function]:
    """Add the options that choose the detector and its networks."""
    return all_options(
        verbose_option,
        click.option(
            "--detector",
            type=_RegistryName(DETECTORS, "auto"),
            default="auto",
            show_default=True,
            help="What runs the networks: MediaPipe, or LiteRT with handlore's own tracking.",
        ),
        click.option(
            "--landmarker",
            type=click.Choice(["full", "lite"]),
            default=landmarker,
            show_default=landmarker or "as the model was trained",
            help="The hand network: lite takes half the time and is slightly less accurate.",
        ),
    )


def load_datasets(
    paths: Sequence[Path], kind: Kind | None = None, *, is_named: bool = False
) -> LoadedData:
    """Load and join dataset files and folders of recordings, and print notes and failures.

    ``kind`` is what the model takes, if one is known; ``is_named`` says that the user named an
    estimator, and so the kind.
    """
    loaded = load_data(paths, kind)
    say_notes((*loaded.notes, *(() if is_named else loaded.unused)))
    say_failures(loaded.failures)
    return loaded


def end(failures: Sequence[tuple[str, str]], *, none_left: bool = False) -> None:
    """End a command that is done: exit code 3 if some of its data failed, 1 if nothing is left."""
    if failures:
        raise click.exceptions.Exit(1 if none_left else _SOME_INPUTS_FAILED)


@contextmanager
def opened_detector(
    landmarker: str, detector: str, max_hands: int, *, video: bool, verbose: bool, hand: str = ""
) -> Iterator[HandDetector]:
    """Open a detector; messages of native libraries are shown only if ``verbose``."""
    options = DetectorOptions(landmarker, max_hands, detector, video=video, hand=hand)
    require_bundle(landmarker, talk)
    with quiet_native_log(not verbose), open_detector(options) as opened:
        yield opened


def talk(line: str) -> None:
    """Print a message on stderr; a full disk, or a closed pipe, does not end the work."""
    with suppress(OSError):
        click.echo(printable_lines(line), err=True)


def say_notes(notes: Iterable[str]) -> None:
    """Print notes on stderr, a line for each."""
    for note in notes:
        talk(f"note: {note}")


def say(text: str = "", *, nl: bool = True) -> None:
    """Print text on stdout; control characters, as in the names of files, have no effect."""
    with naming_stdout():
        click.echo(printable_lines(text), nl=nl)


def say_failures(failures: Sequence[tuple[str, str]]) -> None:
    """List inputs that failed on stderr."""
    for path, reason in failures[:_MOST_FAILURES_SHOWN]:
        talk(printable(f"failed: {path}: {reason}"))
    if len(failures) > _MOST_FAILURES_SHOWN:
        talk(f"failed: and {len(failures) - _MOST_FAILURES_SHOWN} more")


def print_json(value: Any) -> None:
    """Print JSON on stdout, in ASCII for any terminal and file name; NaN becomes null."""
    with naming_stdout():
        click.echo(json.dumps(_without_nan(value), indent=2))


def require_output(out: Path, data: Sequence[Path]) -> None:
    """Raise if a model cannot be written there, or would replace an input or something else."""
    # Imported here: it loads onnxruntime, which help does not need.
    from handlore.models.files import require_model_output

    if real_path(out) in {Path(os.path.realpath(path)) for path in data}:
        raise HandloreError(f"{out} is one of the datasets; give another name with --out")
    require_model_output(out)


def require_folder(path: Path) -> None:
    """Raise if data is not a folder."""
    require_source(path)
    if not path.is_dir():
        raise HandloreError(f"{path} is a file; expected a folder of pictures")


def require_source(path: Path) -> None:
    """Raise if a source is neither a folder nor a file."""
    if not path.exists():
        raise HandloreError(no_file(path, what="folder or file"))
    if not path.is_dir() and not path.is_file():
        raise HandloreError(f"{path} is a device or pipe; expected a folder or a file")


def prepare_folder(path: Path) -> None:
    """Make an output folder before the work starts; remove it at the end if it is still empty."""
    new = [folder for folder in (path, *path.parents) if not folder.exists()]
    make_folder(path)
    if not os.access(path, os.W_OK):
        raise HandloreError(f"cannot write into {path}: the folder is not writable")
    click.get_current_context().call_on_close(lambda: _remove_empty(new))


def _remove_empty(folders: Sequence[Path]) -> None:
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def percent(share: float) -> str:
    """Return a share as text."""
    return "-" if isnan(share) else f"{100 * share:.1f} %"


def _without_nan(value: Any) -> Any:
    """Return JSON types with None for NaN, which JSON lacks."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and isnan(value) else value
