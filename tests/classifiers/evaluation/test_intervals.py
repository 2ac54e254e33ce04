"""Intervals: their width is known where it can be worked out."""

import numpy as np
import pytest
from movement_stubs import movements
from sklearn.metrics import f1_score

from handlore.classifiers.evaluation.intervals import Intervals, wilson
from handlore.classifiers.evaluation.scores import Predictions, Scores
from handlore.datasets.dataset import Header, LandmarkDataset, Samples


def poses(labels, groups=None) -> LandmarkDataset:
    n = len(labels)
    marks = np.random.default_rng(0).uniform(0.2, 0.8, (n, 1, 21, 3)).astype(np.float32)
    side = np.ones((n, 1), np.float32)
    samples = Samples.make(labels, group=groups, source=[f"{i}.png" for i in range(n)])
    return LandmarkDataset(
        marks,
        marks,
        side,
        side,
        np.zeros((n, 1), np.int8),
        np.zeros(n),
        np.arange(n + 1),
        samples,
        Header(),
    )


def answered(truth, said) -> Predictions:
    n = len(truth)
    return Predictions(
        np.array(truth), np.array(said), np.ones(n, np.float32), np.zeros(n, bool), np.arange(n)
    )


def of(right: np.ndarray, groups=None, **options) -> Intervals:
    truth = ["a", "b"] * (len(right) // 2)
    said = [one if r else "c" for one, r in zip(truth, right, strict=True)]
    return Intervals.of(answered(truth, said), poses(truth, groups), **options)


def test_binomial_interval_of_items() -> None:
    right = np.arange(400) % 5 > 0  # 80 %
    found = of(right)
    low, high = found.accuracy
    expected = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    assert found.over == "item"
    assert found.n == 400
    assert (high - low) / 2 == pytest.approx(expected, rel=0.1)
    assert (high + low) / 2 == pytest.approx(0.8, abs=0.01)


def test_spread_of_people() -> None:
    """The same share of errors, once spread evenly and once all with two of ten people."""
    groups = np.repeat([f"p{k}" for k in range(10)], 40)
    even, uneven = np.arange(400) % 5 > 0, np.arange(400) >= 80
    even[0] = True  # One more right, or all would score alike.
    narrow, wide = of(even, groups), of(uneven, groups)
    assert (narrow.over, narrow.n) == ("group", 10)
    assert np.ptp(narrow.accuracy) < 0.01
    assert np.ptp(wide.accuracy) > 0.4


def test_single_group() -> None:
    found = of(np.arange(40) % 4 > 0, ["anna"] * 40)
    assert (found.over, found.alone) == ("item", "group")
    assert "of one group: this does not apply to another group" in found.words
    assert "their groups are unknown" in of(np.arange(40) % 4 > 0).words


def test_partly_known_people() -> None:
    found = of(np.arange(40) % 4 > 0, [""] + ["anna", "ben", "eva"] * 13)
    assert found.over == "item"
    assert "as 1 of 40 samples have no group; too narrow" in found.words


def test_score_inside_and_seed() -> None:
    rng = np.random.default_rng(1)
    truth = rng.choice(["a", "b", "c", "d"], 200)
    said = np.where(rng.random(200) < 0.7, truth, rng.choice(["a", "b", "none"], 200))
    data, predictions = (
        poses(truth, rng.choice(["x", "y", "z", "w", "v"], 200)),
        answered(truth, said),
    )
    found, scores = Intervals.of(predictions, data), Scores.of(predictions)
    assert found.accuracy[0] <= scores.accuracy <= found.accuracy[1]
    assert found.macro_f1[0] <= scores.macro_f1 <= found.macro_f1[1]
    assert Intervals.of(predictions, data) == found
    assert Intervals.of(predictions, data, seed=1) != found


@pytest.mark.parametrize("right", [True, False])
def test_equal_draws(right: bool) -> None:
    found = of(np.full(40, right), ["x", "y", "z", "w"] * 10)
    assert found.accuracy == wilson(40 * right, 40) == found.macro_f1
    assert "Wilson's for 40 items, as no draw would differ" in found.words
    assert "too narrow, as they are of 4 groups" in found.words
    assert "drawn" not in found.words
    assert (found.as_json()["interval_over"], found.as_json()["interval_n"]) == ("item", 40)
    two = of(np.full(40, right), ["x", "y"] * 20)
    assert "the worst" not in two.words
    assert "does not apply to another group" in of(np.full(40, right), ["x"] * 40).words


def test_equal_groups_below_100_percent() -> None:
    """Each of four people 9 of 10: no draw differs, yet 36 of 40 is not known exactly."""
    found = of(np.arange(40) % 10 > 0, np.repeat(["x", "y", "z", "w"], 10))
    assert found.accuracy == pytest.approx(wilson(36, 40))
    assert np.ptp(found.macro_f1) > 0.1
    assert "Wilson's for 40 items, as no draw would differ" in found.words
    two = of(np.arange(40) % 10 > 0, np.repeat(["x", "y"], 20))
    assert two.accuracy == pytest.approx(wilson(36, 40))


@pytest.mark.parametrize("groups", [None, [f"p{k // 7 % 5}" for k in range(200)]])
def test_labels_that_are_all_right_or_all_wrong(groups: list[str] | None) -> None:
    """Macro-F1 is the same in every draw, which does not make it certain."""
    truth = ["a", "b"] * 50 + ["a", "a"] * 50
    predictions = answered(truth, [one if one == "a" else "other" for one in truth])
    found = Intervals.of(predictions, poses(truth, groups))
    assert found.accuracy[1] - found.accuracy[0] > 0.01
    assert found.macro_f1 is None
    assert found.as_json()["macro_f1_interval"] is None


def test_few_groups_are_said() -> None:
    found = of(np.arange(40) % 7 > 0, ["x", "y", "z", "w"] * 10)
    assert "drawn over 4 groups; with so few it is a rough guide" in found.words


def test_range_of_few_groups() -> None:
    right = np.arange(40) % 20 >= np.repeat([2, 8], 20)  # 90 % of one, 60 % of the other
    found = of(right, np.repeat(["x", "y"], 20))
    assert found.accuracy == pytest.approx((0.6, 0.9))
    assert "from the worst to the best of 2 groups" in found.words
    three = np.arange(60) % 20 >= np.repeat([2, 8, 4], 20)
    assert of(three, np.repeat(["x", "y", "z"], 20)).accuracy == pytest.approx((0.6, 0.9))


def test_wilson_published_examples() -> None:
    """Newcombe, Statistics in Medicine 17, 1998, table I: 81 of 263, 15 of 148, 0 of 20."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(20, 20) == pytest.approx((0.8389, 1.0), abs=1e-4)


def test_a_perfect_score_is_inside_its_interval() -> None:
    for n in range(1, 2000):
        assert wilson(0, n)[0] == 0
        assert wilson(n, n)[1] == 1


def test_clips_have_intervals_too() -> None:
    data = movements(n_people=3)
    truth = data.samples.label
    assert Intervals.of(answered(truth, np.roll(truth, 1)), data).over == "group"


def test_macro_f1_of_rare_labels() -> None:
    """Draws repeat some items and lack others: their macro-F1 is worse than the score itself."""
    rng = np.random.default_rng(0)
    truth = np.repeat([f"l{k:03d}" for k in range(60)], 3)
    said = np.where(rng.random(180) < 0.6, truth, rng.permutation(truth))
    predictions = answered(truth, said)
    (low, high), middle = (
        Intervals.of(predictions, poses(truth)).macro_f1,
        Scores.of(predictions).macro_f1,
    )
    assert 0.04 < middle - low == pytest.approx(high - middle, rel=0.25)


def test_macro_f1_of_drawn_people() -> None:
    """Some call b more often a than others do: recall of a stays 1, its precision does not."""
    rng, groups = np.random.default_rng(0), np.repeat(np.arange(12), 30)
    truth = np.where(np.arange(360) % 3 > 0, "a", "b")
    said = np.where((truth == "b") & (rng.random(360) < groups / 40), "a", truth)
    drawn = []
    for _ in range(1000):
        items = np.concatenate([np.flatnonzero(groups == k) for k in rng.integers(0, 12, 12)])
        drawn.append(f1_score(truth[items], said[items], average="macro"))
    low, high = Intervals.of(answered(truth, said), poses(truth, groups.astype(str))).macro_f1
    assert high - low == pytest.approx(np.ptp(np.quantile(drawn, [0.025, 0.975])), rel=0.1)
