"""One contract for all estimators of movements: whoever writes a new one gets these for free."""

from functools import cache

import numpy as np
import onnxruntime
import pytest
from movement_stubs import LABELS, clip, dataset_of, every_estimator, movements, small, two_handed
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from handlore.classifiers.base import HandEstimator
from handlore.classifiers.estimators import ESTIMATORS
from handlore.classifiers.factory import make_estimator
from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.models.encoders import MovementEncoder

Data = tuple[np.ndarray, np.ndarray, np.ndarray]


def encoded(dataset: LandmarkDataset) -> Data:
    """Blocks, labels and groups."""
    return (
        MovementEncoder(dataset.n_hands).encode_samples(dataset),
        dataset.samples.label,
        dataset.samples.group,
    )


@cache
def known() -> Data:
    return encoded(movements(n_people=4, each=2))


@cache
def unseen() -> Data:
    return encoded(movements(n_people=6, each=2, seed=7))


@cache
def fitted(name: str) -> HandEstimator:
    """Fitted once for all tests, on data that may not be written to."""
    data = known()
    for array in data:
        array.flags.writeable = False
    return small(name, random_state=3).fit(*data)


def run_graph(estimator: HandEstimator, X: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        estimator.to_onnx().SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(["probabilities"], {"X": X})[0]


@every_estimator
def test_says_what_it_is(name: str) -> None:
    estimator = ESTIMATORS[name]
    assert estimator.kind == "sequence"
    assert estimator.summary
    assert make_estimator(name, {"random_state": "5"}).get_params()["random_state"] == 5


@every_estimator
def test_it_says_how_far_it_is(name: str) -> None:
    estimator, seen = small(name, random_state=3), []
    estimator.progress = lambda done, total: seen.append(done / total)
    estimator.fit(*known())
    assert len(seen) >= 2
    assert seen == sorted(seen)
    assert 0 < seen[0] <= seen[-1] <= 1
    X, _, _ = unseen()
    same = np.array_equal(estimator.predict_proba(X), fitted(name).predict_proba(X))
    assert same, "it learns the same"


@every_estimator
def test_fit_and_probabilities(name: str) -> None:
    estimator, (X, y, _) = fitted(name), unseen()
    assert list(estimator.classes_) == sorted(LABELS)
    assert estimator.classes_.dtype.kind == "U"
    assert (estimator.n_features_in_, estimator.n_timepoints_in_) == (64, 32)
    before = X.copy()
    probabilities = estimator.predict_proba(X)
    np.testing.assert_array_equal(X, before)
    assert probabilities.shape == (len(X), 3)
    assert probabilities.dtype == np.float32
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    predictions = estimator.predict(X)
    assert (predictions == estimator.classes_[probabilities.argmax(axis=1)]).all()
    assert (predictions == y).mean() > 0.9


@every_estimator
def test_clone_with_same_seed(name: str) -> None:
    estimator = fitted(name)
    copy = clone(estimator)
    assert copy.get_params() == estimator.get_params()
    with pytest.raises(NotFittedError):
        copy.predict_proba(unseen()[0])
    copy.fit(*known())
    X = unseen()[0]
    np.testing.assert_allclose(copy.predict_proba(X), estimator.predict_proba(X), atol=1e-6)


@every_estimator
def test_order_groups_and_label_types(name: str) -> None:
    X, y, _ = known()
    order = np.argsort(y)[::-1]
    numbers = {label: 9 - place for place, label in enumerate(LABELS)}
    estimator = small(name).fit(X[order], np.array([numbers[label] for label in y[order]]))
    assert estimator.classes_.tolist() == [7, 8, 9]
    X, y, _ = unseen()
    assert (estimator.predict(X) == [numbers[label] for label in y]).mean() > 0.9


@every_estimator
def test_movement_alone_and_in_batch(name: str) -> None:
    estimator, (X, _, _) = fitted(name), unseen()
    together = estimator.predict_proba(X)
    alone = np.concatenate([estimator.predict_proba(block[None]) for block in X[:5]])
    np.testing.assert_allclose(alone, together[:5], atol=1e-4)
    np.testing.assert_allclose(estimator.predict_proba(X[::-1]), together[::-1], atol=1e-4)


@every_estimator
def test_graph_gives_the_same_probabilities(name: str) -> None:
    estimator, (X, _, _) = fitted(name), unseen()
    noise = np.random.default_rng(5).normal(size=(70, 64, 32)).astype(np.float32)
    for blocks in (X, noise, X[:1], np.zeros_like(X[:2])):
        np.testing.assert_allclose(
            run_graph(estimator, blocks), estimator.predict_proba(blocks), atol=1e-4
        )


@every_estimator
@pytest.mark.parametrize("rate", [8, 15, 60])
def test_another_frame_rate_is_answered_the_same(name: str, rate: float) -> None:
    data = dataset_of([clip(label, fps=rate, person=9) for label in LABELS], LABELS)
    assert fitted(name).predict(encoded(data)[0]).tolist() == list(LABELS)


@every_estimator
def test_one_sample_of_a_label_is_enough_to_fit(name: str) -> None:
    X, y, _ = known()
    lone = np.append(np.flatnonzero(y == "left"), np.flatnonzero(y != "left")[:1])
    assert small(name).fit(X[lone], y[lone]).predict_proba(X).shape == (len(X), 2)


@every_estimator
def test_two_hands_and_another_number_of_points(name: str) -> None:
    data = two_handed(movements(3, 2, labels=("left", "right")))
    X = MovementEncoder(data.n_hands).encode_samples(data)[..., ::2]
    estimator = small(name).fit(X, data.samples.label, data.samples.group)
    assert (estimator.n_features_in_, estimator.n_timepoints_in_) == (128, 16)
    assert (estimator.predict(X) == data.samples.label).mean() > 0.9
    np.testing.assert_allclose(run_graph(estimator, X), estimator.predict_proba(X), atol=1e-4)


@every_estimator
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_refuses_numbers_that_are_not_finite(name: str, bad: float) -> None:
    X, y, groups = known()
    broken = X.copy()
    broken[3, 2, 1] = bad
    with pytest.raises(InvalidDataError, match=r"NaN|infinity"):
        small(name).fit(broken, y, groups)
    with pytest.raises(InvalidDataError, match=r"NaN|infinity"):
        fitted(name).predict_proba(broken)


@every_estimator
def test_refuses_what_it_cannot_learn_from(name: str) -> None:
    X, y, groups = known()
    with pytest.raises(InvalidDataError, match="at least two labels; there is: a"):
        small(name).fit(X, np.full(len(X), "a"))
    with pytest.raises(InvalidDataError, match="one label per row"):
        small(name).fit(X, y[:-1])
    with pytest.raises(InvalidDataError, match="one name a row"):
        small(name).fit(X, y, groups[:-1])
    with pytest.raises(InvalidDataError):
        small(name).fit(X[:0], y[:0])


SHAPES = {
    "rows": (12, 64),
    "a number": (12,),
    "no whole hand": (12, 63, 32),
    "no hand": (12, 0, 32),
    "too many numbers": (12, 66, 32),
    "three hands": (12, 192, 32),
    "no time": (12, 64, 0),
    "one point": (12, 64, 1),
    "frames": (12, 64, 32, 1),
}


@every_estimator
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_refuses_other_shapes(name: str, shape: tuple[int, ...]) -> None:
    X = np.random.default_rng(0).normal(size=shape)
    with pytest.raises(InvalidDataError):
        small(name).fit(X, np.repeat(["a", "b"], 6))
    with pytest.raises(InvalidDataError):
        fitted(name).predict_proba(X)


@every_estimator
def test_other_length_is_refused(name: str) -> None:
    X = known()[0]
    with pytest.raises(NotFittedError):
        small(name).predict_proba(X)
    with pytest.raises(
        InvalidDataError, match=r"64 channels and 16 points in time.* fitted on 64 and 32"
    ):
        fitted(name).predict_proba(X[..., ::2])


@every_estimator
def test_mirrored_movements(name: str) -> None:
    """All that is called right here goes up; only a mirror shows what right is."""
    ups = movements(3, 1, labels=["up"])
    X, y, _ = encoded(movements(4, 2, labels=["left", "circle"]))
    X = np.concatenate([X, encoded(ups)[0]])
    y = np.concatenate([y, ["right"] * ups.n_samples])
    swipes = movements(4, 2, labels=["right"], seed=3)
    estimator = small(name, mirror_labels="left=right").fit(X, y)
    assert (estimator.predict(encoded(swipes)[0]) == "right").all()


@every_estimator
@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("random_state", "-1"),
        ("n_augmented", "-1"),
        ("n_augmented", "1000000"),
        ("mirror_labels", "left"),
    ],
)
def test_parameters_out_of_range(name: str, param: str, value: str) -> None:
    with pytest.raises(HandloreError, match=param.replace("_labels", "ed labels")):
        make_estimator(name, {param: value}).fit(*known())


@every_estimator
def test_unknown_parameters_get_one_line(name: str) -> None:
    with pytest.raises(HandloreError, match=r"no parameter 'trees'; it has: .*random_state"):
        make_estimator(name, {"trees": "7"})


# Rocket


def test_random_labels_are_uncertain() -> None:
    X, _, groups = known()
    y = np.random.default_rng(1).permutation(np.repeat(["a", "b"], len(X) // 2))
    guessed = small("rocket").fit(X, y, groups).predict_proba(unseen()[0])
    assert guessed.max(axis=1).mean() < 0.75


def test_single_sample_of_label() -> None:
    X, _, _ = known()
    y = np.random.default_rng(1).permutation(np.repeat(["a", "b"], len(X) // 2))
    guessed = small("rocket").fit(X, np.append(y[:-1], "c")).predict_proba(unseen()[0])
    assert guessed.max(axis=1).mean() < 0.75


def test_too_many_features_are_refused() -> None:
    estimator = make_estimator("rocket", {"n_kernel_features": "4294967296"})
    with pytest.raises(HandloreError, match=r"n_kernel_features is 4294967296, expected 1 to"):
        estimator.fit(*known())


def test_clusters_of_none() -> None:
    def as_none(dataset: LandmarkDataset) -> Data:
        X, y, groups = encoded(dataset)
        return X, np.where(y == LABELS[0], y, "none"), groups

    X, y, groups = as_none(movements(n_people=12, each=6))
    estimator = small("rocket", mirror_labels=f"{LABELS[0]}={LABELS[1]}").fit(X, y, groups)
    assert list(estimator.classes_) == sorted([LABELS[0], "none"])
    assert len(estimator.class_of_) > 2, "none is a single kind of thing"
    X, y, _ = as_none(movements(n_people=6, each=2, seed=7))
    assert (estimator.predict(X) == y).mean() > 0.9
    probabilities = estimator.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(run_graph(estimator, X), probabilities, atol=1e-5)
