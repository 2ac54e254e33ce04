"""The command line: one file per command, each options -> one library call -> one report.

Data goes to stdout; talk and progress go to stderr. Exit codes: 0 done, 1 a problem stated in one
line, 2 wrong usage, 3 done but some inputs failed, 130 stopped by Ctrl-C.
"""

import importlib

import click

from handlore import __version__
from handlore.landmarks.errors import HandloreError, nearest

COMMANDS = (
    "demo",
    "weights",
    "sources",
    "convert",
    "capture",
    "info",
    "train",
    "crossval",
    "evaluate",
    "compare",
    "predict",
    "calibrate",
    "live",
    "replay",
    "bench",
    "doctor",
)
"""In the order in which a newcomer meets them; each is the module of the same name."""

STOPPED_BY_USER = 130


class Commands(click.Group):
    """Imports a command when it is asked for, and turns problems into one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in their order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command."""
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; an unknown one gets the nearest names."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = nearest(args[0], COMMANDS)
            if not near or "Did you mean" in error.message:
                raise
            hint = f"{error.message} Did you mean {near}?"
            raise click.UsageError(hint, ctx) from error

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except HandloreError as error:
            raise Problem(str(error)) from error
        except KeyboardInterrupt:
            click.echo("\nhandlore: stopped; no half-written file is left", err=True)
            ctx.exit(STOPPED_BY_USER)
        except BrokenPipeError:
            raise
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise Problem(f"{where}{error.strerror or error}") from error


class Problem(click.ClickException):
    """A problem stated in one line, exit code 1."""

    def show(self, file: object = None) -> None:
        """Print the line."""
        click.echo(f"handlore: {' '.join(self.message.split())}", err=True)


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `handlore demo`. Each command has its own --help, with examples.",
)
@click.version_option(__version__, prog_name="handlore")
def main() -> None:
    """Teach a computer your own hand gestures.

    Photos become hand landmarks (convert), landmarks become a small model file (train), and the
    model says what a new picture shows (predict).
    """
