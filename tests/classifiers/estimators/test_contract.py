"""One contract for all estimators of poses: whoever writes a new one gets these tests for free."""

from typing import Any

import numpy as np
import onnxruntime
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from handlore.classifiers.base import HandEstimator
from handlore.classifiers.estimators import ESTIMATORS
from handlore.classifiers.factory import make_estimator
from handlore.landmarks.errors import HandloreError, InvalidDataError

LABELS = ("zwei Finger", "Größe", "a", "none", "Ohr")
N_FEATURES = 8

POSES = [name for name, estimator in ESTIMATORS.entries().items() if estimator.kind == "pose"]
every_estimator = pytest.mark.parametrize("name", [*POSES, "forest+linear"])
two_and_many = pytest.mark.parametrize("n_labels", [2, len(LABELS)])


def small(name: str, **params: Any) -> HandEstimator:
    """An unfitted estimator, with few trees where it has trees."""
    estimator = make_estimator(name)
    for param in estimator.get_params():
        owner, found, asked = param.rpartition("__")
        if asked == "n_estimators":
            estimator.set_params(**{param: 20})
        if asked in params:
            estimator.set_params(**{f"{owner}{found}{asked}": params[asked]})
    return estimator


def blobs(n_labels: int = 3, n_each: int = 15, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Well separated clouds of points, one a label, in shuffled order."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.repeat(np.arange(n_labels), n_each))
    centres = np.random.default_rng(99).choice([-3.0, 3.0], (n_labels, N_FEATURES))
    X = centres[codes] + rng.normal(size=(len(codes), N_FEATURES))
    return X.astype(np.float32), np.array(LABELS)[codes]


def run_graph(estimator: HandEstimator, X: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        estimator.to_onnx().SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(["probabilities"], {"X": X})[0]


def test_the_promised_estimators_are_there() -> None:
    assert {"forest", "xgboost", "linear"} <= set(POSES)
    assert ESTIMATORS.names() == ESTIMATORS.listed() == sorted([*POSES, "rocket", "tcn"])


@every_estimator
def test_it_says_how_far_it_is(name: str) -> None:
    X, y = blobs()
    alone, seen = small(name).fit(X, y), []
    estimator = small(name)
    estimator.progress = lambda done, total: seen.append(done / total)
    estimator.fit(X, y)
    assert seen
    assert seen == sorted(seen)
    assert 0 < seen[0] <= seen[-1] <= 1
    same = np.array_equal(estimator.predict_proba(X), alone.predict_proba(X))
    assert same, "it learns the same"
    assert clone(estimator).progress is None


@every_estimator
def test_parameters_after_clone_and_fit(name: str) -> None:
    estimator = small(name, random_state=7)
    before = estimator.plain_params()
    copy = clone(estimator.fit(*blobs()))
    assert estimator.plain_params() == before == copy.plain_params()
    with pytest.raises(NotFittedError):
        copy.predict_proba(blobs()[0])


@every_estimator
def test_classes_are_the_sorted_labels(name: str) -> None:
    X, y = blobs(len(LABELS))
    estimator = small(name).fit(X, y)
    assert list(estimator.classes_) == sorted(LABELS)
    assert estimator.classes_.dtype.kind == "U"
    assert estimator.n_features_in_ == N_FEATURES


@every_estimator
@two_and_many
def test_learns_clouds_and_returns_probabilities(name: str, n_labels: int) -> None:
    estimator = small(name).fit(*blobs(n_labels))
    X, y = blobs(n_labels, seed=1)
    probabilities = estimator.predict_proba(X)
    assert probabilities.shape == (len(X), n_labels)
    assert probabilities.dtype == np.float32
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    predictions = estimator.predict(X)
    assert (predictions == estimator.classes_[probabilities.argmax(axis=1)]).all()
    assert (predictions == y).mean() > 0.95


@every_estimator
def test_order_of_labels(name: str) -> None:
    X, y = blobs()
    order = np.argsort(y)[::-1]
    backwards = small(name).fit(X[order], y[order])
    assert (backwards.predict(X) == y).mean() > 0.95


@every_estimator
def test_same_seed_same_answers(name: str) -> None:
    X, y = blobs()
    first, second = (small(name, random_state=3).fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@every_estimator
def test_row_alone_and_in_batch(name: str) -> None:
    X, y = blobs()
    estimator = small(name).fit(X, y)
    together = estimator.predict_proba(X)
    alone = np.concatenate([estimator.predict_proba(row[None]) for row in X[:5]])
    np.testing.assert_allclose(alone, together[:5], atol=1e-6)
    np.testing.assert_allclose(estimator.predict_proba(X[::-1]), together[::-1], atol=1e-6)


@every_estimator
def test_read_only_input(name: str) -> None:
    X, y = blobs()
    X_before, y_before = X.copy(), y.copy()
    X.flags.writeable = y.flags.writeable = False
    small(name).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(X, X_before)
    np.testing.assert_array_equal(y, y_before)


@every_estimator
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_refuses_numbers_that_are_not_finite(name: str, bad: float) -> None:
    X, y = blobs()
    broken = X.copy()
    broken[3, 2] = bad
    with pytest.raises(InvalidDataError, match=r"NaN|infinity"):
        small(name).fit(broken, y)
    with pytest.raises(InvalidDataError, match=r"NaN|infinity"):
        small(name).fit(X, y).predict_proba(broken)


@every_estimator
def test_refuses_what_it_cannot_learn_from(name: str) -> None:
    X, y = blobs()
    with pytest.raises(InvalidDataError, match="at least two labels; there is: a"):
        small(name).fit(X, np.full(len(X), "a"))
    with pytest.raises(InvalidDataError, match="one label per row"):
        small(name).fit(X, y[:-1])
    with pytest.raises(InvalidDataError, match="one label per row"):
        small(name).fit(X, y[:, None])
    with pytest.raises(InvalidDataError):
        small(name).fit(X[:0], y[:0])


@every_estimator
def test_unfitted_or_other_columns(name: str) -> None:
    X, y = blobs()
    with pytest.raises(NotFittedError):
        small(name).predict_proba(X)
    with pytest.raises(InvalidDataError, match=r"X has 7 features.* fitted on 8"):
        small(name).fit(X, y).predict_proba(X[:, :7])


@every_estimator
def test_one_sample_of_a_label_is_enough_to_fit(name: str) -> None:
    X, y = blobs(2)
    lone = np.append(np.flatnonzero(y == "Größe"), np.flatnonzero(y != "Größe")[:1])
    assert small(name).fit(X[lone], y[lone]).predict_proba(X).shape == (len(X), 2)


@every_estimator
@two_and_many
def test_graph_gives_the_same_probabilities(name: str, n_labels: int) -> None:
    X, y = blobs(n_labels)
    estimator = small(name).fit(X, y)
    rng = np.random.default_rng(5)
    elsewhere = rng.normal(size=(300, N_FEATURES), scale=4).astype(np.float32)
    for rows in (X, elsewhere, X[:1]):
        np.testing.assert_allclose(
            run_graph(estimator, rows), estimator.predict_proba(rows), atol=1e-5
        )


@every_estimator
def test_graph_of_nearly_equal_features(name: str) -> None:
    """The graph keeps thresholds in 32 bits, scikit-learn in 64."""
    ones = np.float32(1) + np.arange(8, dtype=np.float32) * np.finfo(np.float32).eps
    X = np.repeat(ones, 6)[:, None]
    y = np.where(np.arange(len(X)) // 6 % 2, "odd", "even")
    estimator = small(name).fit(X, y)
    np.testing.assert_allclose(run_graph(estimator, X), estimator.predict_proba(X), atol=1e-5)


@every_estimator
def test_constant_column(name: str) -> None:
    X, y = blobs()
    X[:, 4] = 0.5
    estimator = small(name).fit(X, y)
    assert (estimator.predict(X) == y).mean() > 0.95
    np.testing.assert_allclose(run_graph(estimator, X), estimator.predict_proba(X), atol=1e-5)


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(HandloreError, match=r"unknown estimator .forst.; did you mean forest"):
        make_estimator("forst")
    with pytest.raises(HandloreError) as caught:
        make_estimator("../os")
    assert all(name in str(caught.value) for name in ESTIMATORS)


@every_estimator
def test_parameters_as_text_become_numbers(name: str) -> None:
    params = make_estimator(name, {"random_state": "5"}).get_params()
    assert {params[param] for param in params if param.endswith("random_state")} == {5}


def test_type_of_parameters() -> None:
    forest = make_estimator("forest", {"n_estimators": "7", "max_features": "1"})
    assert forest.get_params()["n_estimators"] == 7
    assert isinstance(forest.get_params()["max_features"], float)  # 1 would mean one feature


def test_wrong_parameters_get_one_line() -> None:
    with pytest.raises(HandloreError, match=r"no parameter 'trees'; it has: .*n_estimators"):
        make_estimator("forest", {"trees": "7"})
    with pytest.raises(HandloreError, match="n_estimators is 'many', expected a number"):
        make_estimator("forest", {"n_estimators": "many"})


@pytest.mark.parametrize(
    ("name", "param", "value"),
    [
        ("forest", "n_estimators", "0"),
        ("forest", "n_estimators", "1.5"),
        ("forest", "random_state", "-1"),
        ("linear", "C", "-1"),
        ("xgboost", "max_depth", "-3"),
        ("xgboost", "subsample", "7"),
    ],
)
def test_parameters_out_of_range(name: str, param: str, value: str) -> None:
    with pytest.raises(HandloreError, match=param):
        make_estimator(name, {param: value}).fit(*blobs(2))
