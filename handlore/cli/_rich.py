"""What rich draws: tables, and bars that show progress. Commands without them do not load it."""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from handlore.landmarks.files import naming_stdout
from handlore.landmarks.untrusted import printable


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table on stdout; columns of numbers are right-aligned."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, column in enumerate(columns):
        numeric = all(_is_number(row[number]) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(printable(str(cell)) for cell in row))
    # A pipe has no width: keep long lines whole there.
    width = None if sys.stdout.isatty() else 200
    with naming_stdout():
        _Console(width=width, markup=False, highlight=False).print(table)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Raise the error as it is: rich would end the program."""
        raise  # noqa: PLE0704


@contextmanager
def progress(what: str, *, counted: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Return a function that shows progress: a bar on a terminal, nothing in a pipe.

    What is not ``counted`` in items that people know is shown in percent.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    amount = MofNCompleteColumn() if counted else TaskProgressColumn()
    columns = (TextColumn(what), BarColumn(), amount, TimeElapsedColumn(), _TimeLeft())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        bar.add_task(what, total=None, measured_at=0.0)
        (task,) = bar.tasks

        def show(done: int, total: int) -> None:
            if task.total not in (None, total) or done < task.completed:
                bar.reset(task.id)  # other work
            measured = task.elapsed or 0.0
            bar.update(task.id, completed=done, total=total, measured_at=measured)

        yield show


class _TimeLeft(ProgressColumn):
    """The time that is left, if the rest is as fast as what is done.

    The one of rich forgets what was more than 30 seconds ago, which a fold may take.
    """

    def render(self, task: Task) -> Text:
        if not task.completed or not task.total or task.elapsed is None:
            return Text("")
        left = task.fields["measured_at"] * task.total / task.completed - task.elapsed
        return Text(f"{timedelta(seconds=round(max(0.0, left)))} left", style="progress.remaining")


def _is_number(cell: object) -> bool:
    return re.fullmatch(r"[-+]?[\d.]*( %)?", str(cell)) is not None
