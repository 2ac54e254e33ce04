"""What a worker does: it converts a batch, with one detector that it opens and keeps.

It reads inputs and returns arrays; nothing else of it is needed, wherever it runs.
"""

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from handlore import __version__
from handlore.landmarks.detector import DetectorInfo, DetectorOptions, HandDetector
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.opening import detector_info, open_detector

from ..sources.base import Item, Source
from .batches import Batch, ConvertOptions, convert_batch, failed_batch, join_batches


@dataclass(frozen=True)
class Opener:
    """Opens a detector, in whichever process it is needed."""

    options: DetectorOptions = field(default_factory=DetectorOptions)

    def info(self) -> DetectorInfo:
        """Say which detector it will be."""
        return detector_info(self.options)

    def open(self) -> HandDetector:
        """Open it."""
        return open_detector(self.options)


@dataclass(frozen=True)
class Task:
    """A batch that is to be converted."""

    number: int
    """Its place among the batches."""

    items: tuple[Item, ...]
    source: Source
    options: ConvertOptions
    opener: Opener | None
    """None for a source that brings landmarks."""

    info: DetectorInfo | None = None
    """The detector that it must be."""

    version: str = __version__


Result = tuple[int, Batch]
"""The place of a batch, and what came of it."""


def here(tasks: Iterable[Task], told: Callable[[Task, int], None]) -> Generator[Result, None, None]:
    """Convert batches in this process, with one detector; ``told`` hears of every item."""
    opened: HandDetector | None = None
    try:
        for task in tasks:
            if opened is None and task.opener:
                opened = task.opener.open()
            yield task.number, _converted(task, opened, partial(told, task))
    finally:
        if opened is not None:
            opened.close()


def work(task: Task) -> Result:
    """Convert a batch in a worker, with the detector that this thread keeps.

    Raises
    ------
    HandloreError
        If this worker would not give the same landmarks.
    """
    if task.version != __version__:
        raise HandloreError(
            f"a worker runs handlore {__version__}, but {task.version} was started; install the"
            " same version on all"
        )
    return task.number, _converted(task, _kept(task.opener) if task.opener else None)


def _converted(
    task: Task, detector: HandDetector | None, told: Callable[[int], None] | None = None
) -> Batch:
    if detector is not None and task.info is not None and detector.info != task.info:
        raise HandloreError(
            f"a worker would find hands with {_words(detector.info)}, but"
            f" {_words(task.info)} was started; make all the same"
        )
    return convert_batch(task.source, task.items, detector, task.options, told)


def _words(info: DetectorInfo) -> str:
    return f"{info.name} {info.version}, {info.landmarker} bundle {info.bundle_sha256[:12]}"


_OWN = threading.local()


def _kept(opener: Opener) -> HandDetector:
    kept: dict[Opener, HandDetector] = _OWN.__dict__.setdefault("detectors", {})
    if opener not in kept:
        for other in kept.values():
            other.close()
        kept.clear()
        kept[opener] = opener.open()
    return kept[opener]


# Other processes that convert batches.
#
# Where one dies, what was under way is done again, alone, until it is known which item it dies of;
# that item has failed, and the others go on.


DIED = "the process died while reading it"
MOST_DEATHS = 8
"""So many items in a row of which the process dies are no accident of the items."""


class WorkerPool(Protocol):
    """Some processes."""

    @property
    def deaths(self) -> tuple[type[BaseException], ...]:
        """What is raised when one of them dies."""
        ...

    def work(self, tasks: Iterable[Task]) -> Generator[Result, None, None]:
        """Convert batches; results come in any order."""
        ...


def convert_in_pool(tasks: Iterable[Task], crew: WorkerPool) -> Generator[Result, None, None]:
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


def _alone(task: Task, crew: WorkerPool, patience: _Patience) -> Batch:
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
class ProcessPool:
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


_WORKER = threading.local()


def _work_for(master: int, task: Task) -> Result:
    """Work in a process that belongs to another one: it makes itself ready, once."""
    if _WORKER.__dict__.get("master") != master:
        _WORKER.__dict__["master"] = master
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
