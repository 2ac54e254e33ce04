"""``run``: a command. Arguments are passed unchanged; a shell is used only on request."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import ClassVar, Self

from handlore.landmarks.errors import shell_line
from handlore.models.stream.events import Event

from .base import ACTIONS, ActionError, ActionKind, Table, as_text, fill
from .interpreters import code_arguments

_GRACE = 1.0
"""Seconds between SIGTERM and SIGKILL for a command that takes too long."""


@ACTIONS.register
class _RunAction(ActionKind):
    """Run a command and wait for it; with ``in_shell`` it is a single line for ``sh``.

    After its time limit it is killed, with all processes that it started.
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
        if table.flag("shell"):
            return cls(_shell_line(table), in_shell=True, seconds=seconds)
        arguments = table.texts("run", ' such as ["xdg-open", "x.pdf"], or add shell = true')
        if table.values["run"] == [] or arguments[:1] == ("",):
            table.problem("run", "run names no program")
        if any("\0" in argument for argument in arguments):
            table.problem("run", "run contains a zero byte")
        _check_arguments(table, arguments, labels)
        return cls(arguments, in_shell=False, seconds=seconds)

    def missing(self) -> str | None:
        program = "sh" if self._in_shell else os.path.expanduser(self._arguments[0])
        return None if shutil.which(program) else _why_not(program)

    def describe(self, event: Event) -> str:
        return f"run {' '.join(self._command(event))}"

    def perform(self, event: Event) -> None:
        process = self._start(self._command(event), _as_environment(event))
        try:
            code = process.wait(self._seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            raise ActionError(f"took longer than {self._seconds:g} s and was killed") from None
        finally:
            self._process = None
        if code:
            ended = f"ended with exit code {code}" if code > 0 else f"was ended by {_name(-code)}"
            raise ActionError(ended)

    def cancel(self) -> None:
        """Kill the command, and start no more."""
        with self._starting:
            self._cancelled = True
            process = self._process
        if process is not None:
            _signal(process, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)

    def _start(self, command: list[str], values: dict[str, str]) -> subprocess.Popen[bytes]:
        # Its output must not be mixed with the events on stdout.
        log = _log()
        with self._starting:
            if self._cancelled:
                raise ActionError("handlore was stopped")
            self._process = subprocess.Popen(
                ["sh", "-c", command[0]] if self._in_shell else command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | values,
                start_new_session=True,
            )
            return self._process

    def _command(self, event: Event) -> list[str]:
        if self._in_shell:
            return [*self._arguments]
        # Only in the program: in an argument a tilde may be meant literally.
        program, *rest = self._arguments
        return [os.path.expanduser(program), *(fill(one, as_text(event)) for one in rest)]


def _name(number: int) -> str:
    """Return the name of a signal; real-time signals have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _shell_line(table: Table) -> tuple[str]:
    line = table.text("run")
    if "\0" in line:
        table.problem("run", "run contains a zero byte")
    if any(f"{{{name}}}" in line for name in table.placeholders):
        table.problem(
            "run",
            "a shell would run the value of a placeholder as code;"
            ' use variables, in quotes: "$HANDLORE_LABEL"',
        )
    return (line,)


def _why_not(program: str) -> str:
    """Return why a program cannot be run, and what to do."""
    if os.path.isfile(program):
        return f"{program!r} is not executable; `{shell_line('chmod', '+x', program)}`"
    first, *rest = program.split()
    if rest and shutil.which(first):
        words = json.dumps([first, *rest])
        return f"there is no program {program!r}; write each word as an item: run = {words}"
    return f"there is no program {program!r}; install it, or give its full path"


def _log() -> int:
    """Return the descriptor of stderr; 2 may be redirected, see ``quiet_native_log``."""
    try:
        return sys.stderr.fileno() if sys.stderr else subprocess.DEVNULL
    except (OSError, ValueError):
        return subprocess.DEVNULL


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and all processes that it started, with SIGTERM first."""
    _signal(process, signal.SIGTERM)
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        pass
    finally:
        # Its children may have ignored SIGTERM, even if it did not.
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


def _as_environment(event: Event) -> dict[str, str]:
    """Return the environment variables of a command: ``HANDLORE_LABEL`` and so on, and the JSON."""
    named = {f"HANDLORE_{name.upper()}": text for name, text in as_text(event).items()}
    return named | {"HANDLORE_EVENT": event.line()}


def _check_arguments(table: Table, arguments: Sequence[str], labels: Sequence[str]) -> None:
    """Reject arguments that a label could turn into a program or an option."""
    code = list(code_arguments(arguments))
    for place, program in code:
        if any(f"{{{name}}}" in arguments[place] for name in table.placeholders):
            table.problem(
                "run",
                f"{program} would run the value of a placeholder in {arguments[place]!r} as code;"
                " use the variable HANDLORE_LABEL (HANDLORE_HAND ...) of the environment there",
            )
    for number, argument in enumerate(arguments):
        # No placeholder can be in code, so other braces there are its own, as in awk's {print}.
        if number not in (place for place, _ in code):
            table.check_placeholders("run", argument)
        values = [dict.fromkeys(table.placeholders, "0") | {"label": label} for label in labels]
        if number == 0 and any(fill(argument, value) != argument for value in values):
            table.problem("run", "the program itself cannot have a placeholder")
        options = [v["label"] for v in values if fill(argument, v).startswith("-")]
        if options and not argument.startswith("-"):
            table.problem(
                "run", f"with the label {options[0]!r} the argument {argument!r} becomes an option"
            )
