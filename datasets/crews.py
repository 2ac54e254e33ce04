"""Other processes that convert batches.

Where one dies, what was under way is done again, alone, until it is known which item it dies of;
that item has failed, and the others go on.
"""

import os
import signal
import threading
import time
import warnings
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Protocol

from handlore.landmarks.errors import HandloreError

from .batches import Batch, failed_batch, join_batches
from .workers import Result, Task, work

DIED = "the process died while reading it"
MOST_DEATHS = 8
"""So many items in a row of which the process dies are no accident of the items."""


class Crew(Protocol):
    """Some processes."""

    @property
    def deaths(self) -> tuple[type[BaseException], ...]:
        """What is raised when one of them dies."""
        ...

    def work(self, tasks: Iterable[Task]) -> Generator[Result, None, None]:
        """Convert batches; results come in any order."""
        ...


def by_crew(tasks: Iterable[Task], crew: Crew) -> Generator[Result, None, None]:
    """Convert batches by other processes; who dies on the way costs one item.

    Results come in any order. Tasks that were handed out when a process died may be missing: what
    is missing in the end has to be given again.
    """
    under_way: dict[int, Task] = {}

    def noted() -> Iterator[Task]:
        for task in tasks:
            under_way[task.number] = task
            yield task

    try:
        with closing(crew.work(noted())) as results:
            for number, batch in results:
                under_way.pop(number, None)
                yield number, batch
    except crew.deaths:
        patience = _Patience()
        for task in list(under_way.values()):
            yield task.number, _alone(task, crew, patience)


@dataclass
class _Patience:
    deaths: int = 0

    def note(self, died: bool) -> None:
        self.deaths = self.deaths + 1 if died else 0
        if self.deaths >= MOST_DEATHS:
            raise HandloreError(
                f"worker processes die, whatever file they are given ({MOST_DEATHS} in a row);"
                " is there memory enough? `--jobs 1 --verbose` shows what they say"
            )


def _alone(task: Task, crew: Crew, patience: _Patience) -> Batch:
    """Convert a batch with nothing beside it; if the process dies again, item by item."""
    try:
        ((_, batch),) = list(crew.work([task]))
    except crew.deaths:
        if len(task.items) == 1:
            patience.note(died=True)
            return failed_batch(task.source, task.items[0], DIED)
        single = [replace(task, items=(item,)) for item in task.items]
        return join_batches([_alone(one, crew, patience) for one in single])
    patience.note(died=False)
    return batch


@dataclass(frozen=True)
class LocalCrew:
    """Processes on this computer."""

    jobs: int

    @property
    def deaths(self) -> tuple[type[BaseException], ...]:
        """What is raised when one of them dies."""
        from concurrent.futures.process import BrokenProcessPool

        from joblib.externals.loky.process_executor import TerminatedWorkerError

        return (TerminatedWorkerError, BrokenProcessPool)

    def work(self, tasks: Iterable[Task]) -> Generator[Result, None, None]:
        """Convert batches; a few wait for each process, so memory does not grow with the set."""
        from joblib import Parallel, delayed

        pool = Parallel(
            max(self.jobs, 2),  # one would be this process
            backend="loky",
            return_as="generator_unordered",
            pre_dispatch="2 * n_jobs",
            batch_size=1,
        )
        yield from quietly_closed(pool(delayed(_work_for)(os.getpid(), task) for task in tasks))


def quietly_closed(results: Generator[Result, None, None]) -> Generator[Result, None, None]:
    """Yield joblib's results; closed early, it would warn that some are lost, which is meant."""
    try:
        for result in results:  # noqa: UP028 (yield from would close it outside of the block below)
            yield result
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            results.close()


_OWN = threading.local()


def _work_for(master: int, task: Task) -> Result:
    """Work in a process that belongs to another one: it makes itself ready, once."""
    if _OWN.__dict__.get("master") != master:
        _OWN.__dict__["master"] = master
        _settle(master)
    return work(task)


def _settle(master: int) -> None:
    if os.getpid() == master:  # a thread of the master itself, where there are no processes
        return
    if os.getppid() != master:  # killed while this process was starting
        os._exit(1)
    import cv2

    # The processors are shared out by processes already.
    cv2.setNumThreads(1)
    # Ctrl-C reaches all; the master is the one that stops the work.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(master,), daemon=True).start()


def _follow(master: int) -> None:
    """End this process when its master is gone: killed, it had no time to say so."""
    while os.getppid() == master:
        time.sleep(1)
    os._exit(1)


def usable_jobs(per_worker_mb: int = 400) -> int:
    """Return how many processes this computer has the processors and the memory for."""
    from joblib import cpu_count

    free = _free_mb()
    fitting = int(free // per_worker_mb) if free else 1 << 16
    return max(1, min(int(cpu_count()), fitting))


def _free_mb() -> float:
    """Return the memory that is free, in MB; 0 where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as stream:
            return next(int(s.split()[1]) / 1024 for s in stream if s.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return 0
