"""``run``: a command. Arguments go to the program as they are; a shell reads them only if asked."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import ClassVar, Self

from handlore.models.stream.events import Event

from .base import (
    ACTIONS,
    FIELDS,
    ActionError,
    ActionKind,
    as_environment,
    as_text,
    check_arguments,
    filled,
)
from .toml_table import Table

GRACE = 1.0
"""Seconds between asking a command that takes too long to end, and killing it."""


@ACTIONS.register
class RunAction(ActionKind):
    """Run a command and wait for it.

    Parameters
    ----------
    arguments
        The program and its arguments; with ``in_shell`` a single line for ``sh``.
    in_shell
        Whether a shell reads it.
    seconds
        After so many it is killed, with all that it started.
    """

    name: ClassVar[str] = "run"

    def __init__(self, arguments: Sequence[str], *, in_shell: bool, seconds: float) -> None:
        self._arguments = tuple(arguments)
        self._in_shell = in_shell
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        self._cancelled = False

    @classmethod
    def read(cls, table: Table, labels: Sequence[str], seconds: float) -> Self:
        """Take its keys from the file."""
        if table.flag("shell"):
            return cls(_shell_line(table), in_shell=True, seconds=seconds)
        arguments = table.texts("run", ' such as ["xdg-open", "x.pdf"], or add shell = true')
        if table.values["run"] == [] or arguments[:1] == ("",):
            table.problem("run", "run names no program")
        if any("\0" in argument for argument in arguments):
            table.problem("run", "run holds a zero byte")
        check_arguments(table, arguments, labels)
        return cls(arguments, in_shell=False, seconds=seconds)

    def missing(self) -> str | None:
        """Say whether the program is not to be found."""
        program = "sh" if self._in_shell else os.path.expanduser(self._arguments[0])
        return None if shutil.which(program) else _why_not(program)

    def said(self, event: Event) -> str:
        """Return the command."""
        return f"run {' '.join(self._command(event))}"

    def perform(self, event: Event) -> None:
        """Run it to its end."""
        process = self._start(self._command(event), as_environment(event))
        try:
            code = process.wait(self._seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            raise ActionError(f"took longer than {self._seconds:g} s and was killed") from None
        finally:
            self._process = None
        if code:
            raise ActionError(f"ended with exit code {code}" if code > 0 else _by_signal(-code))

    def cancel(self) -> None:
        """Kill it, and start no more."""
        with self._starting:
            self._cancelled = True
            process = self._process
        if process is not None:
            _signal(process, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)

    def _start(self, command: list[str], values: dict[str, str]) -> subprocess.Popen[bytes]:
        # What it prints must not get between the events on stdout.
        talk = _talk()
        with self._starting:
            if self._cancelled:
                raise ActionError("handlore was stopped")
            self._process = subprocess.Popen(
                ["sh", "-c", command[0]] if self._in_shell else command,
                stdin=subprocess.DEVNULL, stdout=talk, stderr=talk,
                env=os.environ | values, start_new_session=True,
            )  # fmt: skip
            return self._process

    def _command(self, event: Event) -> list[str]:
        if self._in_shell:
            return [*self._arguments]
        # Only the program: elsewhere a tilde may mean what it says.
        program, *rest = self._arguments
        return [os.path.expanduser(program), *(filled(one, as_text(event)) for one in rest)]


def _shell_line(table: Table) -> tuple[str]:
    line = table.text("run")
    if "\0" in line:
        table.problem("run", "run holds a zero byte")
    if any(f"{{{name}}}" in line for name in FIELDS):
        table.problem(
            "run", "a shell would read what stands in braces as code;"
            ' use its variables, in quotes: "$HANDLORE_LABEL"'
        )  # fmt: skip
    return (line,)


def _why_not(program: str) -> str:
    """Say what to do about a program that cannot be run."""
    if os.path.isfile(program):
        return f"{program!r} may not be run; `chmod +x {shlex.quote(program)}`"
    first, *rest = program.split()
    if rest and shutil.which(first):
        words = json.dumps([first, *rest])
        return f"there is no program {program!r}; each word is one of the list: run = {words}"
    return f"there is no program {program!r} here; install it or give its whole path"


def _talk() -> int:
    """Return where handlore talks; descriptor 2 may lead nowhere, see ``quiet_native_log``."""
    try:
        return sys.stderr.fileno() if sys.stderr else subprocess.DEVNULL
    except (OSError, ValueError):
        return subprocess.DEVNULL


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and all that it started, asking first."""
    _signal(process, signal.SIGTERM)
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        pass
    finally:
        # Its children may not have listened, whatever it did itself.
        _signal(process, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        if os.name == "posix":
            os.killpg(process.pid, number)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        pass


def _by_signal(number: int) -> str:
    return f"was ended by {signal.Signals(number).name}"
