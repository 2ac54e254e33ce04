"""A Dask cluster as the crew, through joblib's Dask backend."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from handlore.landmarks.errors import HandloreError

from .workers import Result, Task, quietly_closed, work

PATIENCE = 15
"""Seconds in which the scheduler must answer."""

WORKERS_PATIENCE = 60
"""Seconds in which a worker must be there. All may have died of a file, and start anew: on a busy
computer that takes longer than one would think."""


@dataclass(frozen=True)
class DaskPool:
    """The workers of a Dask cluster. Inputs have the same path on all of them."""

    address: str

    @property
    def deaths(self) -> tuple[type[BaseException], ...]:
        """What is raised when workers die again and again of one batch."""
        _required()
        from distributed import KilledWorker

        return (KilledWorker,)

    def work(self, tasks: Iterable[Task]) -> Generator[Result, None, None]:
        """Convert batches; those of a worker that is lost are done by others."""
        _required()
        from joblib import Parallel, delayed, parallel_config

        with self._client() as client, parallel_config(backend=_backend(client)):
            pool = Parallel(
                return_as="generator_unordered", pre_dispatch="2 * n_jobs", batch_size=1
            )
            try:
                yield from quietly_closed(pool(delayed(work)(task) for task in tasks))
            except TimeoutError as error:
                raise HandloreError(
                    f"the Dask scheduler {self.address} has no workers; start them with"
                    f" `dask worker {self.address}`"
                ) from error
            except ImportError as error:
                raise HandloreError(
                    f"a Dask worker cannot run handlore ({error}); install it there too"
                ) from error

    @contextmanager
    def _client(self) -> Iterator[Any]:
        from distributed import Client

        try:
            client = Client(self.address, timeout=PATIENCE, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise HandloreError(
                f"no Dask scheduler answers at {self.address}; `dask scheduler` says its address"
            ) from error
        with client:
            yield client


def _required() -> None:
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise HandloreError(
            "a Dask cluster needs the package distributed; `pip install 'handlore[dask]'`"
        ) from error


def _backend(client: Any) -> Any:
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):  # type: ignore[misc]
        """joblib's, mended in two places."""

        def effective_n_jobs(self, n_jobs: int) -> int:
            # For a single worker joblib would work in this process, and the worker would idle.
            return max(2, int(super().effective_n_jobs(n_jobs)))

        def submit(self, func: Any, callback: Any = None) -> Any:
            # Of a task that Dask gave up joblib tells nobody, and its generator would wait.
            future = super().submit(func, callback)

            def told(done: Any) -> None:
                if done.exception() is not None:
                    callback(done.exception())

            future.add_done_callback(told)
            return future

        def retrieve_result_callback(self, out: Any) -> Any:
            if isinstance(out, BaseException):
                raise out
            return super().retrieve_result_callback(out)

    return Backend(client=client, wait_for_workers_timeout=WORKERS_PATIENCE)
