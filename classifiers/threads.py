"""How many processor cores training uses.

Threads that share a short step spend more time waiting for each other than working, and where
another program occupies one of the cores, all of them wait for it: training took up to ten times
as long.
"""

from contextlib import AbstractContextManager

from threadpoolctl import threadpool_limits

LONG_STEPS = 50_000
"""Samples from which the steps of boosting are long enough for several threads."""


def one_core_for_products() -> AbstractContextManager[object]:
    """Keep products of small matrices on one core while the context lasts."""
    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def boosting_threads(n_samples: int) -> int | None:
    """Return the number of threads for boosting; None for one per core."""
    return 1 if n_samples < LONG_STEPS else None
