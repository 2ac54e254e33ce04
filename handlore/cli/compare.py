"""``handlore compare``: is one run better than another, or was it luck."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._common import examples, json_option, percent, print_json, talk

if TYPE_CHECKING:
    from handlore.classifiers.evaluation.comparison import Comparison


@click.command(
    "compare",
    epilog=examples(
        "handlore crossval photos.npz --model forest --report a",
        "handlore crossval photos.npz --model xgboost --report b",
        "handlore compare a/scores.json b/scores.json",
    ),
)
@click.argument("a", metavar="A.json", type=click.Path(path_type=Path))
@click.argument("b", metavar="B.json", type=click.Path(path_type=Path))
@json_option
def command(a: Path, b: Path, as_json: bool) -> None:
    """Test whether run B is better than run A.

    Both are scores.json files that `crossval` or `evaluate` wrote with --report, or what they
    print with --json, of the same items, tested in the same way. B is better (or worse) if
    McNemar's test over the items says so (p < 0.05) and the 95 % interval of the difference, drawn
    over people, leaves out 0. The exit code is 0 whatever the verdict.
    """
    from handlore.classifiers.evaluation.comparison import compare, read_run

    found = compare(read_run(a), read_run(b))
    for name, n_leaks in zip("AB", found.leaks, strict=True):
        if n_leaks:
            talk(
                f"note: {n_leaks} of the items have their like in what {name} was trained on, so"
                f" {name} looks better than it is"
            )
    if as_json:
        print_json(found.as_json() | {"a": str(a), "b": str(b)})
    else:
        _print(found, a, b)


def _print(found: "Comparison", a: Path, b: Path) -> None:
    """Print a comparison for a person."""
    from handlore.classifiers.evaluation.intervals import FEW_GROUPS

    for name, path, accuracy in zip("AB", (a, b), found.accuracy, strict=True):
        click.echo(f"{name}  {percent(accuracy)}  {path}")
    low, high = (f"{100 * bound:+.1f}" for bound in found.interval)
    rough = "; a rough guide" if found.n_units < FEW_GROUPS else ""
    rough = "; too narrow if they are related" if found.over == "item" else rough
    drawn = f"{found.n_units} {found.over}s{rough}"
    click.echo(
        f"difference B - A: {100 * found.difference:+.1f} points [{low}, {high}]"
        f" (95 %, drawn over {drawn})"
    )
    click.echo(
        f"right in both {found.both}, only in A {found.only_a}, only in B {found.only_b},"
        f" in neither {found.neither}"
    )
    how = "exact" if found.exact else "chi-squared"
    click.echo(f"McNemar's test over these: p = {_rounded(found.p_value)} ({how})\n")
    click.echo(found.sentence)


def _rounded(p_value: float) -> str:
    return f"{p_value:.3f}" if p_value >= 0.001 else "less than 0.001"
