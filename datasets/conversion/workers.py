"""Work units, and the processes that convert them.

A worker reads inputs and returns arrays, with one detector that it opens and keeps. If a worker
process dies, its unit is done again alone, down to the single item that kills its worker; that item
is a failure, and the others are converted.
"""

import concurrent.futures
import contextlib
import os
import signal
import threading
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import cv2

from handlore import __version__
from handlore.landmarks.detector import DetectorInfo, DetectorOptions, HandDetector
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.opening import detector_info, open_detector
from handlore.landmarks.processes import end_with_parent, safe_children

from ..sources.base import Item, Source
from .batches import Batch, ConvertOptions, convert_batch

if TYPE_CHECKING:
    from distributed import Client, Future

_WORKER_DIED = "the process died while reading it"
_MAX_LOST = 8
"""If this many items in a row kill their worker, the cause is not the items."""
_SCHEDULER_TIMEOUT = 15
"""Seconds in which the scheduler must answer."""
_WORKER_TIMEOUT = 60
"""Seconds in which a worker must be there. All may have died of a file and be starting again: on a
busy computer that takes long."""


@dataclass(frozen=True)
class DetectorFactory:
    """Opens a detector, in whichever process it is needed."""

    options: DetectorOptions = field(default_factory=DetectorOptions)

    def info(self) -> DetectorInfo:
        """Return which detector it will be."""
        return detector_info(self.options)

    def open(self) -> HandDetector:
        """Open it."""
        return open_detector(self.options)


@dataclass(frozen=True)
class WorkUnit:
    """A batch that is to be converted."""

    number: int
    """Its place among the batches."""
    items: tuple[Item, ...]
    source: Source
    options: ConvertOptions
    factory: DetectorFactory | None
    """None for a source that brings landmarks."""
    info: DetectorInfo | None = None
    """The detector that it must be."""
    version: str = __version__


Result = tuple[int, Batch]
"""The place of a batch, and its result."""


def convert_here(
    units: Iterable[WorkUnit], progress: Callable[[WorkUnit, int], None]
) -> Generator[Result, None, None]:
    """Convert units in this process, with one detector; ``progress`` is called after each item."""
    opened: HandDetector | None = None
    try:
        for unit in units:
            if opened is None and unit.factory:
                opened = unit.factory.open()
            yield unit.number, _converted(unit, opened, partial(progress, unit))
    finally:
        if opened is not None:
            opened.close()


def _convert_unit(unit: WorkUnit) -> Result:
    """Convert a unit in a worker, with the detector that this thread keeps."""
    if unit.version != __version__:
        raise HandloreError(
            f"a worker runs handlore {__version__}, but the command runs {unit.version}; install"
            " the same version everywhere"
        )
    return unit.number, _converted(unit, _kept(unit.factory) if unit.factory else None)


def _converted(
    unit: WorkUnit, detector: HandDetector | None, progress: Callable[[int], None] | None = None
) -> Batch:
    if detector is not None and unit.info is not None and detector.info != unit.info:
        raise HandloreError(
            f"a worker has the detector {_words(detector.info)}, but the command has"
            f" {_words(unit.info)}; install the same everywhere"
        )
    return convert_batch(unit.source, unit.items, detector, unit.options, progress)


def _words(info: DetectorInfo) -> str:
    return f"{info.name} {info.version}, {info.landmarker} bundle {info.bundle_sha256[:12]}"


_THREAD = threading.local()


def _kept(factory: DetectorFactory) -> HandDetector:
    kept: dict[DetectorFactory, HandDetector] = _THREAD.__dict__.setdefault("detectors", {})
    if factory not in kept:
        for other in kept.values():
            other.close()
        kept.clear()
        kept[factory] = factory.open()
    return kept[factory]


class WorkerPool(Protocol):
    """Some worker processes."""

    @property
    def died(self) -> tuple[type[BaseException], ...]:
        """What is raised when one of them dies."""

    def convert(self, units: Iterable[WorkUnit]) -> Generator[Result, None, None]:
        """Convert units; results come in any order."""


def convert_in_pool(units: Iterable[WorkUnit], pool: WorkerPool) -> Generator[Result, None, None]:
    """Convert units in a pool; a worker that dies costs one item.

    Results come in any order. Units that were not begun when a worker died are not converted: the
    caller passes again what is missing at the end.
    """
    under_way: dict[int, WorkUnit] = {}

    def noted() -> Iterator[WorkUnit]:
        for unit in units:
            under_way[unit.number] = unit
            yield unit

    try:
        with closing(pool.convert(noted())) as results:
            for number, batch in results:
                under_way.pop(number, None)
                yield number, batch
    except pool.died:
        lost = _LostWorkers()
        for unit in list(under_way.values()):
            yield unit.number, _isolated(unit, pool, lost)


@dataclass
class _LostWorkers:
    """Counts the items in a row whose worker died."""

    in_a_row: int = 0

    def note(self, died: bool) -> None:
        self.in_a_row = self.in_a_row + 1 if died else 0
        if self.in_a_row >= _MAX_LOST:
            raise HandloreError(
                f"worker processes die with every file ({_MAX_LOST} in a row); is there enough"
                " memory? `--jobs 1 --verbose` shows what they print"
            )


def _isolated(unit: WorkUnit, pool: WorkerPool, lost: _LostWorkers) -> Batch:
    """Convert a unit with nothing beside it; if its worker dies again, item by item."""
    try:
        ((_, batch),) = list(pool.convert([unit]))
    except pool.died:
        if len(unit.items) == 1:
            lost.note(died=True)
            return Batch.failed(unit.source, unit.items[0], _WORKER_DIED)
        single = [replace(unit, items=(item,)) for item in unit.items]
        return Batch.joined([_isolated(one, pool, lost) for one in single])
    lost.note(died=False)
    return batch


@dataclass(frozen=True)
class ProcessPool:
    """Worker processes on this computer."""

    jobs: int

    @property
    def died(self) -> tuple[type[BaseException], ...]:
        """What is raised when one of them dies."""
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        return (TerminatedWorkerError, BrokenProcessPool)

    def convert(self, units: Iterable[WorkUnit]) -> Generator[Result, None, None]:
        """Convert units; only a few wait for each process, so memory does not grow with the set."""
        # Imported here: it takes 6 MB, which converting in this process does not need.
        from joblib import Parallel, delayed

        parallel = Parallel(
            max(self.jobs, 2),  # one would be this process
            backend="loky",
            return_as="generator_unordered",
            pre_dispatch="2 * n_jobs",
            batch_size=1,
        )
        with safe_children():
            results = parallel(delayed(_convert_for)(os.getpid(), unit) for unit in units)
        try:
            with safe_children():
                for result in results:  # noqa: UP028 (yield from would close it outside of the block below)
                    yield result
        finally:
            with warnings.catch_warnings():
                # Closed early, joblib warns that results are lost, which is intended.
                warnings.simplefilter("ignore", UserWarning)
                results.close()


def _convert_for(parent: int, unit: WorkUnit) -> Result:
    """Convert in a process that belongs to another one; it is set up once."""
    if _THREAD.__dict__.get("parent") != parent:
        _THREAD.__dict__["parent"] = parent
        _set_up_worker(parent)
    return _convert_unit(unit)


def _set_up_worker(parent: int) -> None:
    if os.getpid() == parent:  # a thread of the parent itself, where there are no processes
        return
    end_with_parent(parent)
    # The processors are shared by the processes already.
    cv2.setNumThreads(1)
    # Ctrl-C reaches all processes; the parent stops the work.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@dataclass(frozen=True)
class DaskPool:
    """The workers of a Dask cluster. Inputs have the same path on all of them."""

    address: str

    @property
    def died(self) -> tuple[type[BaseException], ...]:
        """What is raised when workers die again and again of one unit."""
        _require_distributed()
        from distributed import KilledWorker

        return (KilledWorker,)

    def convert(self, units: Iterable[WorkUnit]) -> Generator[Result, None, None]:
        """Convert units; those of a worker that is lost are done by others.

        Two units for each thread of the cluster are under way, so memory does not grow with the
        set; workers that join later are used too.
        """
        _require_distributed()
        waiting = iter(units)
        running: set[Future[Result]] = set()
        with self._client() as client:
            while True:
                room = 2 * max(sum(client.nthreads().values()), 1) - len(running)
                for unit in islice(waiting, max(room, 0)):
                    running.add(client.submit(_convert_unit, unit, pure=False))
                if not running:
                    return
                done = self._wait(client, running)
                running -= done
                yield from map(_result, done)

    def _wait(self, client: "Client", running: "set[Future[Result]]") -> "set[Future[Result]]":
        """Wait until a unit is done, as long as there are workers to do it."""
        from distributed import wait

        while True:
            with contextlib.suppress(TimeoutError), client.as_current():
                finished = wait(running, timeout=_WORKER_TIMEOUT, return_when="FIRST_COMPLETED")
                return set(finished.done)
            # Lost workers need not come back: nannies may give up, and hosts may be gone.
            self._require_workers(client)

    @contextmanager
    def _client(self) -> "Iterator[Client]":
        from distributed import Client

        make = partial(Client, self.address, timeout=_SCHEDULER_TIMEOUT, set_as_default=False)
        try:
            # Dask itself waits for ever if something else listens there.
            client = _answer_within(2 * _SCHEDULER_TIMEOUT, make)
        except (OSError, TimeoutError, ValueError) as error:
            raise HandloreError(
                f"no Dask scheduler answers at {self.address}; `dask scheduler` prints its address"
            ) from error
        with client:
            self._require_workers(client)
            yield client

    def _require_workers(self, client: "Client") -> None:
        try:
            client.wait_for_workers(1, timeout=_WORKER_TIMEOUT)
        except TimeoutError as error:
            raise HandloreError(
                f"the Dask scheduler {self.address} has no workers; start them with"
                f" `dask worker {self.address}`"
            ) from error


def _answer_within(seconds: float, make: "Callable[[], Client]") -> "Client":
    """Return what a function returns, or raise TimeoutError if it takes longer."""
    answer: concurrent.futures.Future[Client] = concurrent.futures.Future()

    def work() -> None:
        try:
            answer.set_result(make())
        except Exception as error:  # noqa: BLE001
            answer.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return answer.result(timeout=seconds)


def _result(future: "Future[Result]") -> Result:
    try:
        number, batch = future.result()
    except ImportError as error:
        raise HandloreError(
            f"a Dask worker cannot run handlore ({error}); install it there too"
        ) from error
    return number, batch


def _require_distributed() -> None:
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise HandloreError(
            "a Dask cluster needs the package distributed; `pip install 'handlore[dask]'`"
        ) from error


def usable_jobs(per_worker_mb: int = 400) -> int:
    """Return for how many processes this computer has processors and memory."""
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
