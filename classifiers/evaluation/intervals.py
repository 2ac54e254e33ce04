"""95 % intervals of scores by bootstrap over groups.

Items of one person are correct or wrong together, so a score depends on the people in the data more
than on the number of their pictures. The bootstrap therefore draws whole groups with replacement
(Efron and Tibshirani, *An Introduction to the Bootstrap*, chapters 8 and 13; percentile interval).

Two or three groups give the range from the worst to the best group. With one group, its items are
drawn. Where all groups have the same score, for example 100 %, no draw differs: then the interval
is Wilson's for the number of items. If macro-F1 alone does not differ, it has no interval.
"""

from collections import Counter
from dataclasses import dataclass
from math import sqrt
from typing import Self

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.splits import BY, groups_of, partly_named, strictest_by
from handlore.landmarks.errors import counted

from .scores import Predictions, Scores

N_DRAWS = 2000
_LEVEL = 0.95
_Z = 1.96
_RANGE_GROUPS = 3
"""Of so few groups, more than 2.5 % of draws hold the worst alone: the interval is the range."""
FEW_GROUPS = 10
"""With fewer groups an interval is a rough guide, and usually too narrow."""
TOLERANCE = 1e-9
"""Scores that differ by less are equal."""
_BLOCK = 250
"""Draws that are held in memory at once."""
Interval = tuple[float, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Intervals:
    """The 95 % intervals of scores."""

    accuracy: Interval
    macro_f1: Interval | None
    """None if no draw differs, as where all items of a label are right or all are wrong."""

    over: str
    """Units that were drawn: ``group``, ``session``, ``recording`` or ``item``."""
    n: int
    """Number of units."""
    alone: str = ""
    """The unit that occurs only once, such as ``group``: then its items are drawn."""
    lacking: str = ""
    """Why people are not drawn although some are known: samples without a name."""
    n_alike: int = 0
    """Number of items, if all groups have the same score: then no draw differs."""

    @classmethod
    def of(
        cls,
        predictions: Predictions,
        dataset: LandmarkDataset,
        *,
        n_draws: int = N_DRAWS,
        seed: int = 0,
    ) -> Self:
        """Return the intervals of accuracy and macro-F1; the same seed gives the same intervals."""
        units, over = units_of(predictions, dataset)
        counts = _counts(predictions, units)
        spread = _scores(bootstrap_sums(counts, n_draws, seed))
        accuracy = percentiles(spread[:, 0])
        macro_f1 = _centred(spread[:, 1], Scores.of(predictions).macro_f1)
        n_alike = 0
        if np.ptp(spread[:, 0]) < TOLERANCE:
            # All draws have the same score; the number of items still gives an interval.
            scores, n_alike = Scores.of(predictions), len(predictions.truth)
            accuracy, of_f1 = (
                wilson(one * n_alike, n_alike) for one in (scores.accuracy, scores.macro_f1)
            )
            drawn = macro_f1 or of_f1
            macro_f1 = min(drawn[0], of_f1[0]), max(drawn[1], of_f1[1])
        alone = single_unit(dataset) if over == "item" else ""
        lacking = partly_named(dataset) if over == "item" and not alone else None
        return cls(accuracy, macro_f1, over, len(counts), alone, lacking or "", n_alike)

    def as_json(self) -> dict[str, object]:
        """Return them under the names that scripts rely on."""
        return {
            "accuracy_interval": list(self.accuracy),
            "macro_f1_interval": list(self.macro_f1) if self.macro_f1 else None,
            "interval_over": "item" if self.n_alike else self.over,
            "interval_n": self.n_alike or self.n,
            "interval_words": self.words,
        }

    @property
    def words(self) -> str:
        """The units that were drawn, and how reliable that is."""
        drawn = f"95 %, drawn over {counted(self.n, self.over)}"
        if self.n_alike:
            drawn = f"95 %, Wilson's for {counted(self.n_alike, 'item')}"
        if self.alone:
            return f"{drawn} of one {self.alone}: this does not apply to another {self.alone}"
        if self.lacking:
            return f"{drawn}, as {self.lacking}; too narrow, as some are related"
        if self.over == "item":
            return f"{drawn}; their groups are unknown, so it is too narrow if they are related"
        if self.n_alike:
            related = f"they are of {self.n} {self.over}s"
            return f"{drawn}, as no draw would differ; too narrow, as {related}"
        if self.n <= _RANGE_GROUPS:
            return f"from the worst to the best of {self.n} {self.over}s; too few for more"
        return f"{drawn}; with so few it is a rough guide" if self.n < FEW_GROUPS else drawn


def units_of(predictions: Predictions, dataset: LandmarkDataset) -> tuple[NDArray[np.str_], str]:
    """Return the unit of each item (n_items,), and the kind of unit.

    If fewer than two groups are known, each item is a unit.
    """
    by = strictest_by(dataset)
    units = groups_of(dataset)[predictions.sample]
    if by == "random" or len(np.unique(units)) < 2:
        return np.arange(len(predictions.truth)).astype(np.str_), "item"
    return units, by


def single_unit(dataset: LandmarkDataset) -> str:
    """Return what all samples share: ``group``, ``session`` or ``recording``; empty if nothing."""
    columns = {by: getattr(dataset.samples, by) for by in BY[:-1]}
    return next((by for by, names in columns.items() if names[0] and (names == names[0]).all()), "")


def wilson(n_right: float, n: int) -> Interval:
    """Return the 95 % interval of a share of independent items.

    Wilson, *Journal of the American Statistical Association* 22, 1927; for few items, or where all
    are correct, it is better than the normal approximation.
    """
    share, z2 = n_right / n, _Z**2 / n
    middle = (share + z2 / 2) / (1 + z2)
    half = _Z / (1 + z2) * sqrt(share * (1 - share) / n + z2 / (4 * n))
    # Rounding must not leave the share itself outside.
    return max(min(middle - half, share), 0.0), min(max(middle + half, share), 1.0)


def bootstrap_sums(rows: Floats, n_draws: int = N_DRAWS, seed: int = 0) -> Floats:
    """Return the sums (n_draws, n) of rows (n_units, n) in bootstrap samples of the units."""
    # Equal rows are drawn as one kind: a hundred thousand items are a few hundred kinds.
    often = Counter(row.tobytes() for row in rows)
    kinds = np.frombuffer(b"".join(often), rows.dtype).reshape(len(often), -1)
    rng, shares = np.random.default_rng(seed), np.array(list(often.values())) / len(rows)
    sizes = np.diff([*range(0, n_draws, _BLOCK), n_draws])
    blocks = [rng.multinomial(len(rows), shares, size) @ kinds for size in sizes]
    return np.concatenate(blocks)


def percentiles(values: Floats) -> Interval:
    """Return the interval that contains 95 % of the values."""
    low, high = np.quantile(values, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)


def _centred(values: Floats, middle: float) -> Interval | None:
    """Return the percentiles of draws, shifted so that their mean is the score itself.

    None if hardly any draw differs.

    Draws repeat some items and lack others, which shifts macro-F1 if there are many rare labels.
    """
    if np.ptp(percentiles(values)) < TOLERANCE:
        return None
    low, high = percentiles(np.clip(values + (middle - values.mean()), 0, 1))
    return min(low, middle), max(high, middle)


def _counts(predictions: Predictions, units: NDArray[np.str_]) -> Floats:
    """Return correct items, items and predictions by unit and label (n_units, 3 n_labels)."""
    labels = np.unique(predictions.truth)
    unit = np.unique(units, return_inverse=True)[1]
    shape = (int(unit.max()) + 1, len(labels))

    def counted(chosen: NDArray[np.bool_], names: NDArray[np.str_]) -> Floats:
        cells = unit[chosen] * shape[1] + np.searchsorted(labels, names[chosen])
        return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)

    right, every = predictions.right, np.ones(len(unit), bool)
    # A prediction that is no true label lowers the recall of the item, and has no F1 of its own.
    known = np.isin(predictions.predicted, labels)
    return np.concatenate(
        [
            counted(right, predictions.truth),
            counted(every, predictions.truth),
            counted(known, predictions.predicted),
        ],
        axis=1,
    )


def _scores(sums: Floats) -> Floats:
    """Return accuracy and macro-F1 (n, 2) of sums (n, 3 n_labels) of :func:`_counts`."""
    right, items, given = np.moveaxis(sums.reshape(len(sums), 3, -1), 1, 0)
    f1 = 2 * right / np.maximum(items + given, 1)
    occurs = items > 0
    macro_f1 = (f1 * occurs).sum(axis=1) / occurs.sum(axis=1)
    return np.stack([right.sum(axis=1) / items.sum(axis=1), macro_f1], axis=1)
