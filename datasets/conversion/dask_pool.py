"""The workers of a Dask cluster as a worker pool."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from handlore.landmarks.errors import HandloreError

from .workers import Result, WorkUnit, convert_unit

if TYPE_CHECKING:
    from distributed import Client

_SCHEDULER_TIMEOUT = 15
"""Seconds in which the scheduler must answer."""

_WORKER_TIMEOUT = 60
"""Seconds in which a worker must be there. All may have died of a file and be starting again: on a
busy computer that takes long."""


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
        from distributed import as_completed

        waiting = iter(units)
        with self._client() as client:
            running = as_completed(loop=client.loop)

            def submit() -> None:
                room = 2 * max(sum(client.nthreads().values()), 1) - running.count()
                for unit in islice(waiting, max(room, 0)):
                    running.add(client.submit(convert_unit, unit, pure=False))

            submit()
            for future in running:
                try:
                    result = future.result()
                except ImportError as error:
                    raise HandloreError(
                        f"a Dask worker cannot run handlore ({error}); install it there too"
                    ) from error
                yield result
                submit()

    @contextmanager
    def _client(self) -> "Iterator[Client]":
        from distributed import Client

        try:
            client = Client(self.address, timeout=_SCHEDULER_TIMEOUT, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise HandloreError(
                f"no Dask scheduler answers at {self.address}; `dask scheduler` prints its address"
            ) from error
        with client:
            try:
                client.wait_for_workers(1, timeout=_WORKER_TIMEOUT)
            except TimeoutError as error:
                raise HandloreError(
                    f"the Dask scheduler {self.address} has no workers; start them with"
                    f" `dask worker {self.address}`"
                ) from error
            yield client


def _require_distributed() -> None:
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise HandloreError(
            "a Dask cluster needs the package distributed; `pip install 'handlore[dask]'`"
        ) from error
