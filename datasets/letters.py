"""From the numbers of Sign Language MNIST to letters."""

import string
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

LETTERS = ("auto", "kaggle", "dense", "none")
"""The numberings that can be asked for."""

# J and Z are movements: no still picture shows them.
DENSE = "ABCDEFGHIKLMNOPQRSTUVWXY"
_ALPHABET = string.ascii_uppercase
_SAY = "; --letters says otherwise"


@dataclass(frozen=True)
class Numbering:
    """How the labels of one file are read."""

    name: str
    """``kaggle``, ``dense``, ``none`` or ``text``."""

    why: str
    """What was decided, in words."""

    @property
    def refused(self) -> str:
        """What a label is that cannot be read."""
        return {
            "text": "empty",
            "none": "not a whole number",
            "kaggle": "not a whole number from 0 to 25, the letters A-Z",
            "dense": "not a whole number from 0 to 23, the letters A-Y without J",
        }[self.name]

    def label(self, written: str | None) -> str | None:
        """Return the label, None where it cannot be read."""
        if not written or self.name == "text":
            return written or None
        number = whole_number(written)
        if number is None or self.name == "none":
            return None if number is None else str(number)
        letters = _ALPHABET if self.name == "kaggle" else DENSE
        return letters[number] if number < len(letters) else None


def whole_number(text: str) -> int | None:
    """Return the number that a text is, such as 7 or 7.0; None if it is none."""
    whole, _, rest = text.partition(".")
    if not (whole.isascii() and whole.isdigit()) or rest.strip("0") or len(whole) > 9:
        return None
    return int(whole)


def numbering_of(labels: Iterable[str | None], asked: str = "auto") -> Numbering:
    """Decide how the labels of one file are to be read, by the values that are in it.

    Parameters
    ----------
    labels
        As they are written in the file; None and nothing are passed over.
    asked
        One of :data:`LETTERS`.
    """
    counts = Counter(label for label in labels if label)
    numbers = {text: whole_number(text) for text in counts}
    n_text = sum(count for text, count in counts.items() if numbers[text] is None)
    if 2 * n_text > counts.total() or not counts:
        return Numbering("text", "labels are text and stay as they are")
    if asked != "auto":
        return Numbering(asked, _ASKED[asked])
    return _by_values({number for number in numbers.values() if number is not None})


_ASKED = {
    "kaggle": "numbers are places in the alphabet (A = 0, K = 10), as asked",
    "dense": "numbers are letters without J (A = 0, K = 9), as asked",
    "none": "numbers stay as they are, as asked",
}


def _by_values(values: set[int]) -> Numbering:
    """Decide by the different numbers of a file."""
    shown = f"{len(values)} values from {min(values)} to {max(values)}"
    for fits, name, what in _RULES:
        if fits(values):
            return Numbering(name, f"{shown}: {what}{_SAY}")
    return Numbering("kaggle", f"{shown}, {_UNSURE}taken as places in the alphabet{_SAY}")


_UNSURE = "which does not tell the numbering for sure: "

_RULES: tuple[tuple[Callable[[set[int]], bool], str, str], ...] = (
    (lambda values: max(values) > 25, "none", "more than letters, numbers stay as they are"),
    (lambda values: values == set(range(10)), "none", "taken as the digits 0-9"),
    (lambda values: max(values) > 23 and 9 not in values, "kaggle",
     "Kaggle's numbering, places in the alphabet (A = 0, K = 10)"),
    (lambda values: max(values) > 23, "kaggle", "places in the alphabet (A = 0, J = 9)"),
    (lambda values: values == set(range(24)), "dense", "letters without J (A = 0, K = 9)"),
    (lambda values: 9 in values, "dense", _UNSURE + "taken as letters without J (A = 0, K = 9)"),
)  # fmt: skip
