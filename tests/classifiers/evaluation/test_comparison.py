"""Comparisons against numbers worked out by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest

from handlore.classifiers.evaluation.comparison import RunResults, compare
from handlore.landmarks.errors import HandloreError, InvalidDataError


def run(right: np.ndarray, units=None) -> RunResults:
    n = len(right)
    truth = np.array(["a", "b"] * (n // 2))
    said = np.where(right, truth, "c")
    over = "item" if units is None else "group"
    unit = np.arange(n).astype(np.str_) if units is None else np.asarray(units)
    return RunResults(
        np.array([f"{i}.png" for i in range(n)]), truth, said, np.full(n, 0.5), unit, over
    )


def right(n: int, wrong: range) -> np.ndarray:
    return ~np.isin(np.arange(n), wrong)


def mcnemar(only_a: int, only_b: int) -> tuple[float, bool]:
    """The p-value, and whether it is exact, for these numbers of items that one run has right."""
    n = only_a + only_b
    even = n + n % 2 + 2
    found = compare(run(right(even, range(only_a, n))), run(right(even, range(only_a))))
    assert (found.only_a, found.only_b) == (only_a, only_b)
    return found.p_value, found.exact


@pytest.mark.parametrize(
    ("only_a", "only_b", "p_value"), [(0, 5, 2 / 32), (0, 6, 2 / 64), (1, 8, 20 / 512), (0, 0, 1)]
)
def test_mcnemar_is_exact_for_small_counts(only_a: int, only_b: int, p_value: float) -> None:
    assert mcnemar(only_a, only_b) == (pytest.approx(p_value), True)
    assert mcnemar(only_b, only_a) == (pytest.approx(p_value), True)


def test_mcnemar_large_counts() -> None:
    approximate, exact = mcnemar(480, 560)
    assert not exact
    assert approximate == pytest.approx(mcnemar(450, 530)[0], abs=0.005)


def test_better_and_worse() -> None:
    a, b = run(right(200, range(40))), run(right(200, range(10)))
    assert compare(a, b).verdict == "better"
    assert compare(b, a).verdict == "worse"
    assert compare(a, a).verdict == "no significant difference"
    found = compare(a, b).as_json()
    assert (found["both_right"], found["only_a_right"], found["only_b_right"]) == (160, 0, 30)
    assert found["difference"] == pytest.approx(0.15)
    low, high = found["difference_interval"]
    assert (high - low) / 2 == pytest.approx(1.96 * np.sqrt(0.15 * 0.85 / 200), rel=0.15)


def test_gain_of_one_person() -> None:
    """McNemar, who does not know of people, says p < 0.001."""
    units = np.repeat([f"p{k}" for k in range(10)], 20)
    a, b = run(right(200, range(15)), units), run(right(200, range(0)), units)
    found = compare(a, b)
    assert found.p_value < 0.001
    assert found.interval[0] == 0
    assert found.verdict == "no significant difference"


def test_equal_gain_of_all_people() -> None:
    """Each of four people gains one of ten items, which is not 10.0 to 10.0 points."""
    people = np.repeat(["x", "y", "z", "w"], 10)
    found = compare(run(np.arange(40) % 10 > 0, people), run(right(40, range(0)), people))
    assert (found.over, found.n_units) == ("item", 40)
    low, high = found.interval
    assert 0 < low < 0.05
    assert 0.15 < high < 0.25
    same = run(np.arange(40) % 10 > 0, people)
    assert (compare(same, same).over, compare(same, same).interval) == ("group", (0, 0))


def test_the_order_of_items_makes_no_difference() -> None:
    a, b = run(right(40, range(9))), run(right(40, range(2)))
    turned = RunResults(
        *(getattr(b, name)[::-1] for name in ("key", "truth", "predicted", "probability", "unit")),
        b.over,
    )
    assert compare(a, turned) == compare(a, b)


def test_other_items_are_refused() -> None:
    a = run(right(40, range(9)))
    fewer = run(right(30, range(9)))
    with pytest.raises(HandloreError, match=r"30 are in both, 40 in A and 30 in B"):
        compare(a, fewer)
    other = RunResults(a.key, np.roll(a.truth, 1), a.predicted, a.probability, a.unit, a.over)
    with pytest.raises(HandloreError, match=r"different labels: 0 of 40 match"):
        compare(a, other)


def test_other_protocol_is_refused() -> None:
    a = replace(run(right(40, range(9))), protocol="cross-validated by group, 8 folds")
    b = replace(a, protocol="cross-validated at random, 5 folds")
    with pytest.raises(HandloreError, match=r"A was .* by group, 8 folds and B was .* at random"):
        compare(a, b)


def test_sentence() -> None:
    a, b = run(right(200, range(40))), run(right(200, range(10)))
    assert compare(a, b).sentence.startswith("B is better than A by 15.0 points (95 %: +1")
    assert compare(b, a).sentence.startswith("B is worse than A by 15.0 points (95 %: -")
    assert "the same items correctly" in compare(a, a).sentence
    assert "may be chance" in compare(a, run(right(200, range(38)))).sentence
    few = right(200, range(0, 200, 40))
    everyone = (
        run(few, np.arange(200) // 100),
        run(right(200, range(0)), np.arange(200) // 100),
    )
    assert "only 5 items differ" in compare(*everyone).sentence
    units = np.repeat([f"p{k}" for k in range(10)], 20)
    one = run(right(200, range(15)), units), run(right(200, range(0)), units)
    assert "a few of the 10 groups only" in compare(*one).sentence


def test_symmetry_with_unknown_people() -> None:
    """Over 200 items B would be better; it is so on one of ten people."""
    units = np.repeat([f"p{k}" for k in range(10)], 20)
    a, b = right(200, range(15)), right(200, range(0))
    found = compare(run(a), run(b, units)), compare(run(b, units), run(a))
    assert [(one.over, one.n_units, one.verdict) for one in found] == [
        ("group", 10, "no significant difference")
    ] * 2
    assert found[0].interval == pytest.approx(tuple(-x for x in found[1].interval[::-1]), abs=0.01)
    renamed = run(b, np.char.add("the ", units))
    assert compare(run(a, units), renamed).n_units == 10
    with pytest.raises(HandloreError, match="disagree on the group of items"):
        compare(run(a, units), run(b, np.roll(units, 1)))


@pytest.mark.parametrize("leaks", [None, [], {"n": "3"}, {"n": True}, {}])
def test_unknown_leaks_are_none(tmp_path, leaks) -> None:
    items = run(right(4, range(1))).as_json()
    (tmp_path / "a.json").write_text(json.dumps({"items": items, "leaks": leaks}))
    assert RunResults.read(tmp_path / "a.json").n_leaks == 0


def test_protocol_is_printable(tmp_path) -> None:
    items, path = run(right(4, range(1))).as_json(), tmp_path / "a.json"
    for protocol, shown in (("\x1b[31mby group", "\\x1b[31mby group"), (None, ""), (["x"], "")):
        path.write_text(json.dumps({"items": items, "protocol": protocol}))
        assert RunResults.read(path).protocol == shown


def test_damaged_runs_are_refused(tmp_path) -> None:
    path = tmp_path / "a.json"
    good = run(right(4, range(1)), list("xxyy")).as_json()
    for text in ("", "[1]", "{}", json.dumps({"items": []}), json.dumps({"items": {}})):
        path.write_text(text)
        with pytest.raises(InvalidDataError, match="handlore crossval"):
            RunResults.read(path)
    bad = {
        "truth": [[0, 1, 9, 0]],
        "answer": [[0, -1, 0, 0]],
        "unit": [[0]],
        "source": [["x"] * 4, "wxyz", dict.fromkeys("wxyz", 1), [["w"], ["x"], ["y"], ["z"]]],
        "probability": [["?"] * 4],
        "labels": [7, [["a"], ["b"]]],
        "units": ["xy", [["x"], ["y"]]],
        "over": [["group"], "banana"],
    }
    for key, value in ((key, value) for key, values in bad.items() for value in values):
        path.write_text(json.dumps({"items": good | {key: value}}))
        with pytest.raises(InvalidDataError, match="damaged"):
            RunResults.read(path)
    path.write_text(json.dumps({"items": good}))
    assert RunResults.read(path).unit.tolist() == list("xxyy")
    with pytest.raises(HandloreError, match=r"did you mean .*scores.json"):
        RunResults.read(tmp_path)


def test_models_that_spell_labels_differently() -> None:
    a, b = run(right(40, range(9))), run(right(40, range(5)))
    capital = replace(b, truth=np.char.upper(b.truth), predicted=np.char.upper(b.predicted))
    assert compare(a, capital) == compare(a, b)


def test_a_run_that_counted_spellings_as_errors() -> None:
    """It is of an older version: its labels are those of the data, its answers the model's."""
    a = run(right(40, range(9)))
    before = replace(a, truth=np.char.upper(a.truth))
    assert compare(before, a).verdict == "no significant difference"
    assert compare(before, a).only_b == 0
