"""``handlore compare``: whether one run is significantly better than another."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

import handlore

from ._common import PATH, examples, json_option, percent, print_json, say, talk

if TYPE_CHECKING:
    # Needs scikit-learn, which printing help does not.
    from handlore.classifiers.evaluation.comparison import Comparison


@click.command(
    "compare",
    epilog=examples(
        "handlore crossval photos.npz --model forest --report a",
        "handlore crossval photos.npz --model xgboost --report b",
        "handlore compare a/scores.json b/scores.json",
    ),
)
@click.argument("a", metavar="A.json", type=PATH)
@click.argument("b", metavar="B.json", type=PATH)
@json_option
def command(a: Path, b: Path, as_json: bool) -> None:
    """Test whether run B is better than run A.

    Both are scores.json files that `crossval` or `evaluate` wrote with --report, or the output of
    --json, of the same items, tested in the same way. B is better (or worse) if McNemar's test over
    the items is significant (p < 0.05) and the 95 % interval of the difference, over people,
    excludes 0. The exit code is 0 whatever the verdict.
    """
    found = handlore.compare(a, b)
    for name, n_leaks in zip("AB", found.leaks, strict=True):
        if n_leaks:
            talk(
                f"note: {n_leaks} of the items are also in the training data of {name}, so {name}"
                " looks better than it is"
            )
    if as_json:
        print_json(found.as_json() | {"a": str(a), "b": str(b)})
    else:
        _print(found, a, b)


def _print(found: "Comparison", a: Path, b: Path) -> None:
    for name, path, accuracy in zip("AB", (a, b), found.accuracy, strict=True):
        say(f"{name}  {percent(accuracy)}  {path}")
    low, high = (f"{100 * bound:+.1f}" for bound in found.interval)
    say(
        f"difference B - A: {100 * found.difference:+.1f} points [{low}, {high}]"
        f" (95 %, over {found.units})"
    )
    say(
        f"correct in both {found.both}, only in A {found.only_a}, only in B {found.only_b},"
        f" in neither {found.neither}"
    )
    how = "exact" if found.exact else "chi-squared"
    p_value = f"{found.p_value:.3f}" if found.p_value >= 0.001 else "less than 0.001"
    say(f"McNemar's test over these: p = {p_value} ({how})\n")
    say(found.sentence)
