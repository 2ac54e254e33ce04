"""Scores against values computed by hand; a spy checks what each fold was trained on."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from handlore.classifiers.base import HandEstimator
from handlore.classifiers.evaluation.crossval import cross_val_predict, cross_validate
from handlore.classifiers.evaluation.scores import Predictions, Scores, fit_samples, predict_items
from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.geometry import rotate
from handlore.models.encoders import PoseEncoder

STEP = 5
"""Degrees between two samples: the rotation of a hand is the number of its sample."""

ENCODER = PoseEncoder(("orientation",))


def numbered(
    labels: Sequence[str],
    groups: Sequence[str] | None = None,
    sources: Sequence[str] | None = None,
    no_hand: Sequence[int] = (),
) -> LandmarkDataset:
    """Poses whose only feature is the number of the sample."""
    n = len(labels)
    hand = np.random.default_rng(0).uniform(0.3, 0.6, (21, 3)).astype(np.float32)
    hand[0], hand[9] = (0.5, 0.5, 0), (0.5, 0.4, 0)
    image = rotate(np.repeat(hand[None], n, axis=0), STEP * np.arange(n))[:, None]
    stage = np.zeros((n, 1), np.int8)
    side = np.ones((n, 1), np.float32)
    for missing in no_hand:
        image[missing], stage[missing], side[missing] = np.nan, -1, np.nan
    source = list(sources or [f"{i}.png" for i in range(n)])
    copy = [source[:i].count(one) for i, one in enumerate(source)]
    samples = Samples.make(labels, group=groups, source=source, view=copy)
    return LandmarkDataset(
        image,
        image.copy(),
        side,
        side.copy(),
        stage,
        np.zeros(n),
        np.arange(n + 1),
        samples,
        Header(),
    )


def numbers(X: np.ndarray) -> list[int]:
    """Which samples these rows are."""
    return (np.round(np.degrees(np.arctan2(X[:, 0], X[:, 1])) / STEP) % 72).astype(int).tolist()


class Spy(HandEstimator):
    """Answers with the first label it knows, and notes what it was trained and asked on."""

    seen: list[tuple[set[int], list[int]]] = []  # noqa: RUF012

    def _fit(self, X: np.ndarray, codes: np.ndarray, groups: object) -> None:
        self.trained_on_ = set(numbers(X))

    def _predict_proba(self, X: np.ndarray) -> np.ndarray:
        Spy.seen.append((self.trained_on_, numbers(X)))
        probabilities = np.zeros((len(X), len(self.classes_)), np.float32)
        probabilities[:, 0] = 1
        return probabilities


@pytest.fixture
def spy() -> Iterator[Spy]:
    Spy.seen.clear()
    yield Spy()
    Spy.seen.clear()


def by_hand() -> Predictions:
    """Eight items; the fifth and the seventh show no hand."""
    truth = np.array(["a", "a", "a", "b", "b", "c", "none", "none"])
    said = np.array(["a", "a", "b", "b", "none", "a", "none", "a"])
    no_hand = np.isin(np.arange(8), [4, 6])
    return Predictions(truth, said, np.full(8, 0.9, np.float32), no_hand, np.arange(8))


def test_scores_by_hand() -> None:
    scores = Scores.of(by_hand())
    assert scores.n == 8
    assert scores.n_no_hand == 2
    assert (scores.n_wrong, scores.n_missed) == (3, 1)  # the seventh is none, and was to be
    assert scores.accuracy == pytest.approx(4 / 8)
    assert scores.labels == ("a", "b", "c", "none")
    assert scores.confusion.tolist() == [
        [2, 1, 0, 0],
        [0, 1, 0, 1],
        [1, 0, 0, 0],
        [1, 0, 0, 1],
    ]
    assert scores.per_class["a"] == pytest.approx(
        {"precision": 2 / 4, "recall": 2 / 3, "f1": 4 / 7, "support": 3}
    )
    assert scores.per_class["c"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}
    assert scores.macro_f1 == pytest.approx((4 / 7 + 1 / 2 + 0 + 1 / 2) / 4)


def test_most_confused() -> None:
    truth = np.array(["a", "a", "a", "b", "b", "c"])
    said = np.array(["b", "b", "a", "a", "b", "c"])
    nothing = np.zeros(6, bool)
    scores = Scores.of(Predictions(truth, said, np.ones(6, np.float32), nothing, np.arange(6)))
    assert scores.most_confused(10) == [("a", "b", 2), ("b", "a", 1)]
    assert scores.most_confused(1) == [("a", "b", 2)]


def test_missed_hand_is_no_confusion() -> None:
    scores = Scores.of(by_hand())
    assert scores.missed == {"b": 1}
    assert ("b", "none", 1) not in scores.most_confused(10)
    assert scores.most_confused(10) == [("a", "b", 1), ("c", "a", 1), ("none", "a", 1)]


def test_label_that_is_only_predicted() -> None:
    truth, said = np.array(["a", "a"]), np.array(["a", "b"])
    scores = Scores.of(
        Predictions(truth, said, np.ones(2, np.float32), np.zeros(2, bool), np.arange(2))
    )
    assert scores.labels == ("a", "b")
    assert set(scores.per_class) == {"a"}
    assert scores.macro_f1 == pytest.approx(2 / 3)


def test_no_hand_is_none() -> None:
    data = numbered(["a", "none", "a"], no_hand=[0, 1])
    given = predict_items(lambda X: np.ones((len(X), 1), np.float32), ["a"], data, ENCODER)
    assert given.predicted.tolist() == ["none", "none", "a"]
    assert given.no_hand.tolist() == [True, True, False]
    assert np.isnan(given.probability).tolist() == [True, True, False]
    assert Scores.of(given).accuracy == pytest.approx(2 / 3)


def test_no_hand_anywhere() -> None:
    def never(X: np.ndarray) -> np.ndarray:
        raise AssertionError("asked")

    data = numbered(["a", "none"], no_hand=[0, 1])
    assert predict_items(never, ["a", "b"], data, ENCODER).predicted.tolist() == ["none", "none"]


def test_augmented_copies_are_averaged() -> None:
    """Alone, two of the three views say b; together they say a."""
    data = numbered(["a", "b", "a", "a"], sources=["p", "q", "p", "p"])
    by_number = {0: (0.9, 0.1), 1: (0.2, 0.8), 2: (0.45, 0.55), 3: (0.45, 0.55)}

    def classify(X: np.ndarray) -> np.ndarray:
        return np.array([by_number[i] for i in numbers(X)], np.float32)

    given = predict_items(classify, ["a", "b"], data, ENCODER)
    assert given.truth.tolist() == ["a", "b"]
    assert given.predicted.tolist() == ["a", "b"]
    np.testing.assert_allclose(given.probability, [0.6, 0.8], atol=1e-6)


def test_augmented_copy_without_a_hand() -> None:
    data = numbered(["a", "a"], sources=["p", "p"], no_hand=[1])
    given = predict_items(lambda X: np.tile([[0.3, 0.7]], (len(X), 1)), ["a", "b"], data, ENCODER)
    assert given.predicted.tolist() == ["b"]
    assert given.no_hand.tolist() == [False]
    np.testing.assert_allclose(given.probability, [0.7], atol=1e-6)


def test_samples_of_one_file_are_items_of_their_own() -> None:
    """Such as the frames of a video in a table; copies belong to them in turn."""
    data = numbered(["a", "b", "b", "a"])
    video = replace(data.samples, source=np.array(["take.mp4"] * 4))
    frames = replace(data, samples=video)
    given = predict_items(lambda X: np.tile([[0.3, 0.7]], (len(X), 1)), ["a", "b"], frames, ENCODER)
    assert given.truth.tolist() == ["a", "b", "b", "a"]
    copied = replace(video, view=np.array([0, 0, 1, 1]))
    assert copied.items().tolist() == [0, 1, 0, 1]


_NO_PROBABILITIES = [
    np.full((6, 2), np.nan),
    np.full((6, 2), 7.0),
    np.ones((6, 3)),
    np.tile([-2.0, 3.0], (6, 1)),
]


@pytest.mark.parametrize("found", _NO_PROBABILITIES)
def test_an_estimator_that_returns_no_probabilities(found: np.ndarray) -> None:
    """Somebody's own; otherwise it would be scored."""

    class Broken(Spy):
        name = "broken"

        def _predict_proba(self, X: np.ndarray) -> np.ndarray:
            return found

    data = numbered(["a", "b"] * 6, ["x", "x", "y", "y"] * 3)
    with pytest.raises(InvalidDataError, match=r"no probabilities \(6, 2\) that add up to 1"):
        cross_val_predict(Broken(), data, ENCODER, "group")


def test_numbers_of_folds_may_be_numpys() -> None:
    data = numbered(["a", "b"] * 6, ["x", "y", "z"] * 4)
    found = cross_validate(data, "linear", features=["orientation"], folds=np.int64(2))
    assert json.loads(found.json_text())["n_folds"] == 2


def test_groups_are_not_divided(spy: Spy) -> None:
    groups = ["x", "y", "z"] * 6
    data = numbered(["a", "b"] * 9, groups)
    predictions = cross_val_predict(spy, data, ENCODER, "group")
    assert len(Spy.seen) == 3
    for trained, asked in Spy.seen:
        assert {groups[i] for i in trained}.isdisjoint({groups[i] for i in asked})
        assert trained | set(asked) == set(range(18))
    assert sorted(i for _, asked in Spy.seen for i in asked) == list(range(18))
    assert predictions.truth.tolist() == data.samples.label.tolist()
    assert predictions.sample.tolist() == list(range(18))
    assert not hasattr(spy, "classes_")  # it was cloned, not fitted


def test_augmented_copies_are_not_divided(spy: Spy) -> None:
    sources = [f"{i % 10}.png" for i in range(30)]
    data = numbered(["a" if i % 2 else "b" for i in range(30)], sources=sources)
    predictions = cross_val_predict(spy, data, ENCODER, "random", n_folds=5)
    assert len(predictions.truth) == 10
    for trained, asked in Spy.seen:
        assert {sources[i] for i in trained}.isdisjoint({sources[i] for i in asked})


def test_label_missing_in_training(spy: Spy) -> None:
    data = numbered(["a", "b", "a", "b", "rare"], ["x", "x", "y", "y", "y"])
    result = Scores.of(cross_val_predict(spy, data, ENCODER, "group")).as_json()
    assert result["labels"] == ["a", "b", "rare"]
    assert result["per_class"]["rare"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}
    assert result["accuracy"] == pytest.approx(2 / 5)  # the spy always says a


def test_samples_without_a_hand(spy: Spy) -> None:
    data = numbered(["a", "b", "none"] * 4, ["x"] * 6 + ["y"] * 6, no_hand=[0, 2, 5, 8, 11])
    scores = Scores.of(cross_val_predict(spy, data, ENCODER, "group"))
    assert scores.n == 12
    assert scores.n_no_hand == 5
    assert scores.per_class["none"]["recall"] == 1
    assert scores.per_class["a"]["recall"] == pytest.approx(3 / 4)
    assert all(trained.isdisjoint({0, 2, 5, 8, 11}) for trained, _ in Spy.seen)


@pytest.mark.parametrize("each", [2, 3, 4])
def test_few_samples(spy: Spy, each: int) -> None:
    """Somebody who has taken three photos of each gesture gets an estimate."""
    data = numbered(["a", "b", "c"] * each)
    assert len(cross_val_predict(spy, data, ENCODER, "random").truth) == 3 * each


@pytest.mark.filterwarnings("error")
def test_one_label_no_warning() -> None:
    one = np.array(["a", "a"])
    scores = Scores.of(
        Predictions(one, one, np.ones(2, np.float32), np.zeros(2, bool), np.arange(2))
    )
    assert (scores.accuracy, scores.macro_f1, scores.confusion.tolist()) == (1, 1, [[2]])


def test_reproducible(dataset: LandmarkDataset) -> None:
    from handlore.classifiers.factory import make_estimator

    def once(seed: int) -> Predictions:
        return cross_val_predict(
            make_estimator("linear"), dataset, PoseEncoder(), "random", n_folds=3, seed=seed
        )

    np.testing.assert_array_equal(once(1).probability, once(1).probability)
    assert (once(1).probability != once(2).probability).any()


def test_invalid_data(spy: Spy) -> None:
    with pytest.raises(HandloreError, match="no sample shows a hand"):
        fit_samples(spy, numbered(["a", "b"], no_hand=[0, 1]), ENCODER)
    with pytest.raises(InvalidDataError, match="at least two labels; there is: a"):
        fit_samples(spy, numbered(["a", "b"], no_hand=[1]), ENCODER)
    poses = numbered(["a", "b"])
    movements = replace(poses, header=Header(kind="sequence"))
    with pytest.raises(HandloreError, match=r"holds movements.*takes poses.*rocket"):
        fit_samples(spy, movements, ENCODER)
    with pytest.raises(HandloreError, match="at least two groups; there is 1"):
        cross_val_predict(spy, numbered(["a", "b"], ["x", "x"]), ENCODER, "group")
