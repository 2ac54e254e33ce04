"""How many cores training takes.

Threads that share a short step wait for each other more than they work, and where another program
has one of the cores, all of them wait for it: training took up to ten times as long.
"""

from contextlib import AbstractContextManager

LONG_STEPS = 50_000
"""From so many samples on the steps of boosting are long enough for several threads."""


def one_core_for_products() -> AbstractContextManager[object]:
    """Keep products of small matrices on one core, as long as the context lasts."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def boosting_threads(n_samples: int) -> int | None:
    """Return how many threads boosting takes; None for one a core."""
    return 1 if n_samples < LONG_STEPS else None
