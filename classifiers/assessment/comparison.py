"""Whether one run is better than another: both answered the same items, so count in pairs.

What both got right, or both wrong, says nothing. McNemar's test looks at the items that only one
got right (*Psychometrika* 12, 1947); it takes items for independent. The bootstrap over groups
does not: it draws whole people, and says between which numbers the difference lies. Where all
people gain alike it draws items, as a difference is never known exactly.
"""

from dataclasses import dataclass, replace
from math import comb, erfc, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import HandloreError

from .intervals import ALIKE, DRAWS, FloatArray, Interval, percentiles, resampled
from .runs import Run

SIGNIFICANT = 0.05
MOST_EXACT = 1000
"""Up to so many items that one alone got right, McNemar's test is exact."""


@dataclass(frozen=True)
class Comparison:
    """Two runs on the same items."""

    accuracy: tuple[float, float]
    """Of A and of B."""

    interval: Interval
    """95 % interval of the difference B - A."""

    p_value: float
    """Of McNemar's test, two-sided."""

    exact: bool
    """Whether by the binomial distribution itself; else by the chi-squared one, corrected."""

    only_a: int
    only_b: int
    """Items that one alone got right."""

    both: int
    neither: int

    over: str
    """What the bootstrap drew: ``group``, ``session``, ``recording`` or ``item``."""

    n_units: int
    """How many of them there are."""

    leaks: tuple[int, int] = (0, 0)
    """Items of A and of B that have their like in what the run was trained on."""

    @property
    def difference(self) -> float:
        """Accuracy of B minus that of A."""
        return self.accuracy[1] - self.accuracy[0]

    @property
    def verdict(self) -> str:
        """``better`` or ``worse`` if B is by both measures, else ``cannot be told apart``."""
        if self.p_value >= SIGNIFICANT or self.interval[0] <= 0 <= self.interval[1]:
            return "cannot be told apart"
        return "better" if self.difference > 0 else "worse"

    @property
    def sentence(self) -> str:
        """The verdict for people."""
        low, high = (f"{100 * bound:+.1f}" for bound in self.interval)
        points, span = f"{100 * abs(self.difference):.1f} points", f"{low} to {high}"
        if self.verdict != "cannot be told apart":
            return f"B is {self.verdict} than A by {points} (95 %: {span}); that is more than luck."
        start = "A and B cannot be told apart on this data"
        if not self.only_a + self.only_b:
            return f"{start}: they get the same items right."
        if self.p_value < SIGNIFICANT:
            return f"{start}: what one does better it does on a few of the {self.n_units}" \
                   f" {self.over}s only (95 %: {span} points)."  # fmt: skip
        if not self.interval[0] <= 0 <= self.interval[1]:
            n = self.only_a + self.only_b
            return f"{start}: only {n} items tell them apart, too few (p = {self.p_value:.2f})."
        return f"{start}: the difference of {points} may be luck (95 %: {span})."

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "accuracy_a": self.accuracy[0],
            "accuracy_b": self.accuracy[1],
            "difference": self.difference,
            "difference_interval": list(self.interval),
            "interval_over": self.over,
            "interval_n": self.n_units,
            "p_value": self.p_value,
            "exact": self.exact,
            "n": self.both + self.neither + self.only_a + self.only_b,
            "both_right": self.both,
            "only_a_right": self.only_a,
            "only_b_right": self.only_b,
            "both_wrong": self.neither,
            "leaks_a": self.leaks[0],
            "leaks_b": self.leaks[1],
        }


def compare(a: Run, b: Run, *, n_draws: int = DRAWS, seed: int = 0) -> Comparison:
    """Compare two runs.

    Parameters
    ----------
    a, b
        Of the same items, in any order.
    n_draws, seed
        Of the bootstrap.

    Raises
    ------
    HandloreError
        If the runs were tested in different ways, or the items differ, or their labels do, or
        whose they are; the message says how many match.
    """
    b = _in_order_of(a, b)
    if a.protocol != b.protocol:
        raise HandloreError(
            f"A was {a.protocol or 'tested somehow'} and B was {b.protocol or 'tested somehow'};"
            " runs can be compared when they were tested in the same way"
        )
    right_a, right_b = a.truth == a.answer, b.truth == b.answer
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    p_value, exact = mcnemar(only_a, only_b)
    known = _that_knows_whose(a, b)
    unit, over = np.unique(known.unit, return_inverse=True)[1], known.over
    gained = right_b.astype(float) - right_a
    drawn = _drawn(gained, unit, n_draws, seed)
    if only_a + only_b and np.ptp(drawn) < ALIKE:
        # All people gain alike, so no draw differs; how their items spread says more.
        unit, over = np.arange(len(gained)), "item"
        drawn = _drawn(gained, unit, n_draws, seed)
    return Comparison(
        accuracy=(float(right_a.mean()), float(right_b.mean())),
        interval=percentiles(drawn),
        p_value=p_value,
        exact=exact,
        only_a=only_a,
        only_b=only_b,
        both=int((right_a & right_b).sum()),
        neither=int((~right_a & ~right_b).sum()),
        over=over,
        n_units=int(unit.max()) + 1,
        leaks=(a.n_leaks, b.n_leaks),
    )


def _drawn(gained: FloatArray, unit: NDArray[np.int64], n_draws: int, seed: int) -> FloatArray:
    """Return the differences (n_draws,) of drawn units; ``gained`` is (n_items,) of -1, 0, 1."""
    counts = np.stack([np.bincount(unit, gained), np.bincount(unit)], axis=1).astype(np.float64)
    sums = resampled(counts, n_draws, seed)
    return sums[:, 0] / sums[:, 1]


def mcnemar(only_a: int, only_b: int) -> tuple[float, bool]:
    """Return the two-sided p-value of McNemar's test, and whether it is exact.

    Parameters
    ----------
    only_a, only_b
        How many items one alone got right.
    """
    n = only_a + only_b
    if n > MOST_EXACT:
        # One degree of freedom, with Edwards' correction for continuity.
        return erfc(sqrt(max(abs(only_a - only_b) - 1, 0) ** 2 / n / 2)), False
    tail = sum(comb(n, k) for k in range(min(only_a, only_b) + 1))
    return min(1.0, 2 * tail / 2**n), True


def _that_knows_whose(a: Run, b: Run) -> Run:
    """Return the run that knows to whom the items belong, so that A and B may change places."""
    if a.over == "item" or b.over == "item":
        return b if a.over == "item" else a
    pairs = len(set(zip(a.unit.tolist(), b.unit.tolist(), strict=True)))
    if not pairs == len(np.unique(a.unit)) == len(np.unique(b.unit)):
        raise HandloreError(
            f"the runs say otherwise which {a.over} an item is of; run both on the same data"
        )
    return a


def _in_order_of(a: Run, b: Run) -> Run:
    place = {key: at for at, key in enumerate(b.key.tolist())}
    shared = [key for key in a.key.tolist() if key in place]
    if len(shared) < len(a.key) or len(shared) < len(b.key):
        raise HandloreError(
            f"the runs are on different items: {len(shared)} are in both, {len(a.key)} in A and"
            f" {len(b.key)} in B; run both on the same data"
        )
    order = np.array([place[key] for key in a.key.tolist()])
    truth = b.truth[order]
    same = int((truth == a.truth).sum())
    if same < len(truth):
        raise HandloreError(
            f"the runs have the same items, but other labels: {same} of {len(truth)} match; run"
            " both on the same data"
        )
    return replace(b, key=b.key[order], truth=truth, answer=b.answer[order],
                   probability=b.probability[order], unit=b.unit[order])  # fmt: skip
