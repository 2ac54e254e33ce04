"""What a run answered, item by item, as ``scores.json`` keeps it, so that runs can be compared.

Columns, not rows, and labels by number: 1,000 items take some 60 KB.
"""

import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset, printable
from handlore.landmarks.errors import HandloreError, InvalidDataError

from ..evaluation import Answers
from .intervals import units_of

StrArray = NDArray[np.str_]

OVER = ("group", "session", "recording", "item")
"""What a run may be counted over."""


@dataclass(frozen=True)
class Run:
    """The answers of one run."""

    key: StrArray
    """(n_items,) the source of each item; where several have the same, with a number."""

    truth: StrArray
    answer: StrArray
    """(n_items,) labels."""

    probability: NDArray[np.float64]
    """(n_items,) of the answer, NaN where there was no hand."""

    unit: StrArray
    """(n_items,) what each item belongs to, such as a person."""

    over: str
    """What the units are: ``group``, ``session``, ``recording`` or ``item``."""

    protocol: str = ""
    """How it was tested, in words; empty if unknown."""

    n_leaks: int = 0
    """Items that have their like in what was trained on, as far as is known."""

    @classmethod
    def of(cls, answers: Answers, dataset: LandmarkDataset) -> Self:
        """Take the answers to items of a dataset."""
        keys = _distinct([str(source) for source in dataset.samples.source[answers.sample]])
        units, over = units_of(answers, dataset)
        probability = answers.probability.astype(np.float64)
        return cls(np.array(keys, np.str_), answers.truth, answers.answer, probability, units, over)

    def as_json(self) -> dict[str, Any]:
        """Return the columns as JSON types."""
        labels = np.unique(np.concatenate([self.truth, self.answer]))
        units, unit = np.unique(self.unit, return_inverse=True)
        own = self.over == "item"
        return {
            "source": self.key.tolist(),
            "labels": labels.tolist(),
            "truth": np.searchsorted(labels, self.truth).tolist(),
            "answer": np.searchsorted(labels, self.answer).tolist(),
            "probability": [
                None if np.isnan(value) else round(float(value), 4) for value in self.probability
            ],
            "over": self.over,
            "units": [] if own else units.tolist(),
            "unit": [] if own else unit.tolist(),
        }

    @classmethod
    def from_json(cls, items: Any) -> Self:
        """Read :meth:`as_json` back.

        Raises
        ------
        InvalidDataError
            If these are no such columns.
        """
        try:
            key, labels, units = (_names(items[name]) for name in ("source", "labels", "units"))
            n, over = len(key), items["over"]
            own = over == "item"
            run = cls(
                key,
                labels[_codes(items["truth"], len(labels), n)],
                labels[_codes(items["answer"], len(labels), n)],
                np.array(items["probability"], np.float64),
                np.arange(n).astype(np.str_)
                if own
                else units[_codes(items["unit"], len(units), n)],
                over,
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InvalidDataError("its items are damaged") from error
        if (
            not n
            or len(set(run.key.tolist())) < n
            or run.probability.shape != (n,)
            or over not in OVER
        ):
            raise InvalidDataError("its items are damaged")
        return run


def read_run(path: Path) -> Run:
    """Read the items of a file that ``crossval`` or ``evaluate`` wrote.

    Raises
    ------
    HandloreError
        If there is no such file, or it cannot be read.
    InvalidDataError
        If it holds something else.
    """
    how = "write one with `handlore crossval ... --report DIR` (DIR/scores.json)"
    try:
        values = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise HandloreError(f"there is no file {path}") from error
    except IsADirectoryError as error:
        raise HandloreError(f"{path} is a folder; did you mean {path / 'scores.json'}?") from error
    except (ValueError, RecursionError) as error:
        raise InvalidDataError(f"{path} is not JSON; {how}") from error
    if not isinstance(values, dict) or "items" not in values:
        raise InvalidDataError(f"{path} holds no answers to single items; {how}")
    try:
        run = Run.from_json(values["items"])
    except InvalidDataError as error:
        raise InvalidDataError(f"{path}: {error}; {how}") from error
    protocol = values.get("protocol")
    known = printable(protocol) if isinstance(protocol, str) else ""
    return replace(run, protocol=known, n_leaks=_n_leaks(values))


def _n_leaks(values: dict[str, Any]) -> int:
    leaks = values.get("leaks")
    n = leaks.get("n") if isinstance(leaks, dict) else None
    return n if type(n) is int else 0


def _names(values: Any) -> StrArray:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("no list of names")
    return np.array(values, np.str_)


def _codes(values: Any, n_known: int, n: int) -> NDArray[np.int64]:
    codes = np.array(values)
    whole = codes.shape == (n,) and np.issubdtype(codes.dtype, np.integer)
    if not whole or codes.min() < 0 or codes.max() >= n_known:
        raise ValueError("no numbers of what is listed")
    return codes.astype(np.int64)


def _distinct(names: list[str]) -> list[str]:
    """Return the names, with a number behind those that occur more than once."""
    often = {name for name, n in Counter(names).items() if n > 1}
    so_far: Counter[str] = Counter()
    distinct = []
    for name in names:
        so_far[name] += 1
        distinct.append(f"{name}#{so_far[name]}" if name in often or not name else name)
    return distinct
