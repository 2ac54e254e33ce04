"""The command line: one file per command; each parses options, calls the library and prints.

Data goes to stdout, messages and progress go to stderr. Exit codes: 0 done, 1 a problem stated in
one line, 2 wrong usage, 3 done but some inputs failed, 130 stopped by Ctrl-C. If the reader of
stdout goes away, as in ``| head -1``, the rest is not wanted: 0, without a word.
"""

import importlib
import os
import re
import sys
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from typing import Any

import click

from handlore import __version__
from handlore.landmarks.errors import HandloreError, OptionError, nearest
from handlore.landmarks.files import STDOUT, naming_stdout
from handlore.landmarks.processes import ends_in_native_code
from handlore.landmarks.untrusted import printable, printable_lines

GROUPS = {
    "Start": {
        "demo": "Run the whole workflow on rendered hands or on your own photos.",
    },
    "Data": {
        "capture": "Record labelled gestures with a camera.",
        "recordings": "List, review and edit the recordings of a folder.",
        "sources": "List the data layouts that convert reads, or describe one.",
        "convert": "Find the hands in pictures or videos and write a dataset.",
        "export": "Write a dataset as a table that other programs read.",
        "info": "Show the content of a dataset, a folder of recordings or a model.",
    },
    "Models": {
        "train": "Train a classifier on landmark datasets and write a model file.",
        "crossval": "Estimate the accuracy of a classifier on people it has not seen.",
        "evaluate": "Score a model file on landmark datasets.",
        "compare": "Test whether run B is better than run A.",
        "predict": "Predict the gestures in pictures, videos and recordings.",
        "models": "List the models that come with handlore, show one, or build one from data.",
        "improve": "Train a model also on the corrected triggers of a live session.",
        "calibrate": "Choose a model's thresholds on streams and store them in its file.",
    },
    "Live": {
        "live": "Recognise gestures from a camera in real time.",
        "replay": "Print the events that live would emit for recordings or videos.",
    },
    "This machine": {
        "weights": "Show where the hand landmark model is; download or verify it.",
        "bench": "Measure speed and memory against bare MediaPipe and scikit-learn.",
        "doctor": "Check the installation: versions, model, detectors, cameras, window.",
    },
}
"""Each command is the module of the same name. The summaries repeat the first sentence of its help,
so that the help of the root imports none of them."""

COMMANDS = tuple(name for group in GROUPS.values() for name in group)

_STOPPED_BY_USER = 130


class _Commands(click.Group):
    """Imports a command when it is run, and prints problems as one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        widest = max(map(len, COMMANDS))
        for heading, summaries in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [(name.ljust(widest), summary) for name, summary in summaries.items()]
                )

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; for an unknown one, name the most similar."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = nearest(args[0], COMMANDS)
            if not near or "Did you mean" in error.message:
                raise
            hint = f"{error.message} Did you mean {near}?"
            raise click.UsageError(hint, ctx) from error

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """Parse the options of the root, of which --help and --version print."""
        try:
            with naming_stdout():
                return super().make_context(*args, **more)
        except KeyboardInterrupt as stop:
            raise click.exceptions.Exit(_STOPPED_BY_USER) from stop
        except OSError as error:
            raise _ending(error) from error

    def invoke(self, ctx: click.Context) -> object:
        _open_standard_streams()
        prints_help = not {"-h", "--help"}.isdisjoint(ctx.args)
        try:
            with ends_in_native_code(), naming_stdout() if prints_help else nullcontext():
                return super().invoke(ctx)
        except click.UsageError as error:
            # Arguments that the shell made of the names of files are quoted in it.
            vars(error)["message"] = _plain(printable_lines(error.message))
            raise
        except OptionError as error:
            raise click.UsageError(_plain(printable_lines(str(error)))) from error
        except HandloreError as error:
            _name(error.failures)
            raise _Problem(str(error)) from error
        except KeyboardInterrupt as stop:
            # With arguments, a command has said what is left of its work.
            if not stop.args:
                click.echo("\nhandlore: stopped; no incomplete file was left behind", err=True)
            ctx.exit(_STOPPED_BY_USER)
        except OSError as error:
            raise _ending(error) from error


def _ending(error: OSError) -> Exception:
    """Return how an error of the system ends a command."""
    why = error.strerror or str(error)
    if error.filename != STDOUT:
        return _Problem(f"{error.filename}: {why}" if error.filename else why)
    # What Python still has to flush goes nowhere; a test's stream has no descriptor.
    with suppress(AttributeError, OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return click.exceptions.Exit(0)
    return _Problem(f"cannot write to {STDOUT}: {why}; files that were written are complete")


def _open_standard_streams() -> None:
    """Make stdin, stdout and stderr usable for any text, whatever a program was started with.

    Characters that the terminal's encoding lacks are escaped. A stream that is closed leads
    nowhere: else the next file that is opened would take its number, and get what native
    libraries print.
    """
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, os.O_RDWR)
            if number:
                setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif number and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


_KINDS_OF_NUMBERS = {"integer": "a whole number", "float": "a number"}


def _plain(message: str) -> str:
    """Say "not a whole number" where click says "not a valid integer range"."""
    kinds = "|".join(_KINDS_OF_NUMBERS)
    found = re.search(rf"is not a valid ({kinds})(?: range)?\.$", message)
    return f"{message[: found.start()]}is not {_KINDS_OF_NUMBERS[found[1]]}." if found else message


def _name(failures: Sequence[tuple[str, str]]) -> None:
    if failures:
        # Imported here: printing help does not need it.
        from ._common import say_failures

        say_failures(failures)


class _Problem(click.ClickException):
    """A problem stated in one line, exit code 1."""

    def show(self, file: object = None) -> None:
        click.echo(f"handlore: {printable(' '.join(self.message.split()))}", err=True)


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `handlore live`, or `handlore demo` without a camera. Each command has its"
    " own --help, with examples.",
)
@click.version_option(__version__, prog_name="handlore")
def main() -> None:
    """Teach a computer your own hand gestures.

    `convert` finds hand landmarks in photos and videos, or `capture` records gestures with a
    camera; `train` turns them into a small model file; `predict` and `live` recognise gestures
    with it.
    """
