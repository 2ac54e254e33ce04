"""Comparison of two runs on the same items, by paired tests.

Items that both runs predict correctly, or both wrongly, carry no information. McNemar's test
counts the items that only one run predicts correctly (*Psychometrika* 12, 1947); it assumes
independent items. The bootstrap over groups draws whole people, and gives an interval of the
difference. Where the difference is the same for all people, it draws items.
"""

from collections import Counter
from dataclasses import dataclass, replace
from math import comb, erfc, sqrt
from numbers import Integral
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset, StrArray
from handlore.datasets.files import read_start
from handlore.datasets.labels import in_spelling_of
from handlore.landmarks.errors import HandloreError, InvalidDataError, OptionError, require_type
from handlore.landmarks.files import as_path, no_file
from handlore.landmarks.untrusted import DAMAGE, MAX_JSON_BYTES, parse_json, printable

from .intervals import (
    FEW_GROUPS,
    N_DRAWS,
    TOLERANCE,
    Floats,
    Interval,
    bootstrap_sums,
    percentiles,
    units_of,
)
from .scores import Predictions

_OTHER_FILES = {b"\x08": "looks like a model", b"P": "looks like a dataset"}
"""What else is compared by mistake, by its first byte; no JSON begins so."""
_UNITS = ("group", "session", "recording", "item")
"""Units that a bootstrap may draw."""


@dataclass(frozen=True)
class RunResults:
    """The predictions of one run."""

    key: StrArray
    """(n_items,) the source of each item, with a number where several have the same."""
    truth: StrArray
    predicted: StrArray
    """(n_items,) labels."""
    probability: NDArray[np.float64]
    """(n_items,) of the predicted label, NaN where there was no hand."""
    unit: StrArray
    """(n_items,) the unit of each item, such as a person."""
    over: str
    """Kind of the units: ``group``, ``session``, ``recording`` or ``item``."""
    protocol: str = ""
    """How the run was tested, in words; empty if unknown."""
    n_leaks: int = 0
    """Items that are also in the training data, as far as is known."""

    @classmethod
    def of(cls, predictions: Predictions, dataset: LandmarkDataset) -> Self:
        """Return the predictions for the items of a dataset."""
        keys = _distinct([str(source) for source in dataset.samples.source[predictions.sample]])
        units, over = units_of(predictions, dataset)
        key, probability = np.array(keys, np.str_), predictions.probability.astype(np.float64)
        return cls(key, predictions.truth, predictions.predicted, probability, units, over)

    def as_json(self) -> dict[str, Any]:
        """Return the columns as JSON types."""
        labels = np.unique(np.concatenate([self.truth, self.predicted]))
        units, unit = np.unique(self.unit, return_inverse=True)
        own = self.over == "item"
        return {
            "source": self.key.tolist(),
            "labels": labels.tolist(),
            "truth": np.searchsorted(labels, self.truth).tolist(),
            "answer": np.searchsorted(labels, self.predicted).tolist(),
            "probability": [
                None if np.isnan(value) else round(float(value), 4) for value in self.probability
            ],
            "over": self.over,
            "units": [] if own else units.tolist(),
            "unit": [] if own else unit.tolist(),
        }

    @classmethod
    def from_json(cls, items: Any) -> Self:
        """Read :meth:`as_json` back; :class:`InvalidDataError` if these are not such columns."""
        try:
            key, labels, units = (_names(items[name]) for name in ("source", "labels", "units"))
            n, over = len(key), items["over"]
            truth, predicted = (
                labels[_codes(items[name], len(labels), n)] for name in ("truth", "answer")
            )
            probability = np.array(items["probability"], np.float64)
            own = over == "item"
            unit = np.arange(n) if own else units[_codes(items["unit"], len(units), n)]
            run = cls(key, truth, predicted, probability, unit.astype(np.str_), over)
        except DAMAGE as error:
            raise InvalidDataError("its items are damaged") from error
        is_unique = len(set(run.key.tolist())) == n
        if not n or not is_unique or run.probability.shape != (n,) or over not in _UNITS:
            raise InvalidDataError("its items are damaged")
        return run

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the items of a file that ``crossval`` or ``evaluate`` wrote."""
        how = "write one with `handlore crossval ... --report DIR` (DIR/scores.json)"
        try:
            if path.exists() and not path.is_file() and not path.is_dir():
                raise InvalidDataError("it is a pipe or a device")
            if (other := _OTHER_FILES.get(read_start(path, 1))) is not None:
                raise InvalidDataError(f"it {other}, not a file of scores")
            values = parse_json(path.read_bytes(), MAX_JSON_BYTES)
        except FileNotFoundError as error:
            raise HandloreError(no_file(path)) from error
        except IsADirectoryError as error:
            raise HandloreError(
                f"{path} is a folder; did you mean {path / 'scores.json'}?"
            ) from error
        except InvalidDataError as error:
            raise InvalidDataError(f"{path}: {error}; {how}") from error
        if not isinstance(values, dict) or "items" not in values:
            raise InvalidDataError(f"{path} has no predictions of single items; {how}")
        try:
            run = cls.from_json(values["items"])
        except InvalidDataError as error:
            raise InvalidDataError(f"{path}: {error}; {how}") from error
        protocol = values.get("protocol")
        known = printable(protocol) if isinstance(protocol, str) else ""
        return replace(run, protocol=known, n_leaks=_n_leaks(values))


class _Results(Protocol):
    """What a test returned, such as an :class:`~.evaluation.Evaluation`."""

    @property
    def run(self) -> RunResults:
        """The predictions item by item."""


def _n_leaks(values: dict[str, Any]) -> int:
    leaks = values.get("leaks")
    n = leaks.get("n") if isinstance(leaks, dict) else None
    return n if type(n) is int else 0


def _names(values: Any) -> StrArray:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("not a list of names")
    return np.array(values, np.str_)


def _codes(values: Any, n_known: int, n: int) -> NDArray[np.int64]:
    codes = np.array(values)
    whole = codes.shape == (n,) and np.issubdtype(codes.dtype, np.integer)
    if not whole or codes.min() < 0 or codes.max() >= n_known:
        raise ValueError("not indices of the list")
    return codes.astype(np.int64)


def _distinct(names: list[str]) -> list[str]:
    """Return the names, with a number added to those that occur more than once."""
    often = {name for name, n in Counter(names).items() if n > 1}
    so_far: Counter[str] = Counter()
    distinct = []
    for name in names:
        so_far[name] += 1
        distinct.append(f"{name}#{so_far[name]}" if name in often or not name else name)
    return distinct


_SIGNIFICANT = 0.05
_NO_DIFFERENCE = "no significant difference"
_UNKNOWN = "tested in an unknown way"
_MAX_EXACT = 1000
"""Number of items that differ up to which McNemar's test is exact."""


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
    """Whether by the binomial distribution; else by the corrected chi-squared distribution."""
    only_a: int
    only_b: int
    """Items that only one run predicts correctly."""
    both: int
    neither: int

    over: str
    """Units that the bootstrap drew: ``group``, ``session``, ``recording`` or ``item``."""
    n_units: int
    """Number of units."""
    leaks: tuple[int, int] = (0, 0)
    """Items of A and of B that are also in the training data of the run."""

    @property
    def difference(self) -> float:
        """Accuracy of B minus that of A."""
        return self.accuracy[1] - self.accuracy[0]

    @property
    def units(self) -> str:
        """The units that the bootstrap drew, and a warning if the interval is unreliable."""
        rough = "; a rough guide" if self.n_units < FEW_GROUPS else ""
        rough = "; too narrow if they are related" if self.over == "item" else rough
        return f"{self.n_units} {self.over}s{rough}"

    @property
    def verdict(self) -> str:
        """``better`` or ``worse`` if B is by both tests, else ``no significant difference``."""
        if self.p_value >= _SIGNIFICANT or self.interval[0] <= 0 <= self.interval[1]:
            return _NO_DIFFERENCE
        return "better" if self.difference > 0 else "worse"

    @property
    def sentence(self) -> str:
        """The verdict as a sentence."""
        low, high = (f"{100 * bound:+.1f}" for bound in self.interval)
        points, span = f"{100 * abs(self.difference):.1f} points", f"{low} to {high}"
        if self.verdict != _NO_DIFFERENCE:
            return (
                f"B is {self.verdict} than A by {points} (95 %: {span}); significant by both tests."
            )
        start = "A and B do not differ significantly on this data"
        if not self.only_a + self.only_b:
            return f"{start}: they predict the same items correctly."
        if self.p_value < _SIGNIFICANT:
            return (
                f"{start}: the gain comes from a few of the {self.n_units} {self.over}s only"
                f" (95 %: {span} points)."
            )
        if not self.interval[0] <= 0 <= self.interval[1]:
            n = self.only_a + self.only_b
            return f"{start}: only {n} items differ, too few (p = {self.p_value:.2f})."
        return f"{start}: the difference of {points} may be chance (95 %: {span})."

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


def compare(
    a: _Results | RunResults | str | Path,
    b: _Results | RunResults | str | Path,
    *,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> Comparison:
    """Test whether one run is better than another.

    Parameters
    ----------
    a, b
        Results of ``cross_validate`` or ``evaluate``, their ``run``, or files that hold them
        (``scores.json``), of the same items in any order; items without a source are in the same
        order.
    n_draws, seed
        Of the bootstrap.

    Raises
    ------
    HandloreError
        If the runs were tested in different ways, or items, their labels or their units differ.

    Examples
    --------
    >>> dataset = handlore.load_dataset("poses.npz")
    >>> forest = handlore.cross_validate(dataset, "forest", params={"n_estimators": 5})
    >>> handlore.compare(forest, forest).verdict
    'no significant difference'
    """
    if require_type(n_draws, Integral, "a whole number as n_draws") < 1 or seed < 0:
        raise OptionError(f"n_draws is {n_draws} and seed {seed}; expected at least 1 and 0")
    # The labels of each run as its model spells them.
    runs = [_run_of(one) for one in (a, b)]
    a, b = (replace(run, truth=in_spelling_of(run.truth, run.predicted)) for run in runs)
    b = _in_order_of(a, b)
    if a.protocol != b.protocol:
        raise HandloreError(
            f"A was {a.protocol or _UNKNOWN} and B was {b.protocol or _UNKNOWN}; compare runs that"
            " were tested in the same way"
        )
    right_a, right_b = a.truth == a.predicted, b.truth == b.predicted
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    p_value, exact = _mcnemar(only_a, only_b)
    known = _with_units(a, b)
    unit, over = np.unique(known.unit, return_inverse=True)[1], known.over
    gained = right_b.astype(float) - right_a
    drawn = _drawn(gained, unit, n_draws, seed)
    if only_a + only_b and np.ptp(drawn) < TOLERANCE:
        # The gain is the same for all units, so no draw differs: draw items instead.
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


def _run_of(results: _Results | RunResults | str | Path) -> RunResults:
    if isinstance(results, RunResults):
        return results
    if hasattr(results, "run"):
        return results.run
    return RunResults.read(as_path(results, "a result of a test or its file of scores"))


def _drawn(gained: Floats, unit: NDArray[np.int64], n_draws: int, seed: int) -> Floats:
    """Return the differences (n_draws,) for random units; ``gained`` (n_items,) is -1, 0 or 1."""
    counts = np.stack([np.bincount(unit, gained), np.bincount(unit)], axis=1).astype(np.float64)
    sums = bootstrap_sums(counts, n_draws, seed)
    return sums[:, 0] / sums[:, 1]


def _mcnemar(only_a: int, only_b: int) -> tuple[float, bool]:
    """Return the two-sided p-value of McNemar's test, and whether it is exact.

    ``only_a`` and ``only_b`` are the numbers of items that only one run predicts correctly.
    """
    n = only_a + only_b
    if n > _MAX_EXACT:
        # One degree of freedom, with Edwards' correction for continuity.
        return erfc(sqrt(max(abs(only_a - only_b) - 1, 0) ** 2 / n / 2)), False
    tail = sum(comb(n, k) for k in range(min(only_a, only_b) + 1))
    return min(1.0, 2 * tail / 2**n), True


def _with_units(a: RunResults, b: RunResults) -> RunResults:
    """Return the run that knows the units of items, so that A and B can be swapped."""
    if a.over == "item" or b.over == "item":
        return b if a.over == "item" else a
    pairs = len(set(zip(a.unit.tolist(), b.unit.tolist(), strict=True)))
    if not pairs == len(np.unique(a.unit)) == len(np.unique(b.unit)):
        raise HandloreError(
            f"the runs disagree on the {a.over} of items; run both on the same data"
        )
    return a


def _in_order_of(a: RunResults, b: RunResults) -> RunResults:
    place = {key: at for at, key in enumerate(b.key.tolist())}
    shared = [key for key in a.key.tolist() if key in place]
    if len(shared) < len(a.key) or len(shared) < len(b.key):
        raise HandloreError(
            f"the runs are on different items: {len(shared)} are in both, {len(a.key)} in A and"
            f" {len(b.key)} in B; run both on the same data"
        )
    order = np.array([place[key] for key in a.key.tolist()])
    truth = b.truth[order]
    same = int((in_spelling_of(truth, a.truth) == a.truth).sum())
    if same < len(truth):
        raise HandloreError(
            f"the runs have the same items, but different labels: {same} of {len(truth)} match; run"
            " both on the same data"
        )
    columns = ("key", "truth", "predicted", "probability", "unit")
    return replace(b, **{name: getattr(b, name)[order] for name in columns})
