"""What was never taught is told from what was, and by the graph of a model as by numpy."""

import numpy as np
import onnxruntime
import pytest

from handlore.classifiers.factory import make_estimator
from handlore.classifiers.novelty import NoveltyModel
from handlore.models.model import reject_novel

N_FEATURES = 12


def people(n_people: int = 6, n_labels: int = 4, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Clouds of points, one a label, that each person does a little differently."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(scale=6, size=(6, N_FEATURES))
    person, codes, _ = (a.ravel() for a in np.mgrid[:n_people, :n_labels, :10])
    habits = rng.normal(scale=0.7, size=(n_people, n_labels, N_FEATURES))
    X = centres[codes] + habits[person, codes] + rng.normal(size=(len(codes), N_FEATURES))
    return X.astype(np.float32), codes, np.char.add("p", person.astype(str))


def test_what_was_never_taught_is_told_from_what_was() -> None:
    X, codes, groups = people()
    familiarity = NoveltyModel.fit(X, codes, groups)
    others, label, _ = people(n_labels=6, seed=1)
    told = familiarity(others)
    assert told.shape == (len(others),)
    assert ((told >= 0) & (told <= 1)).all()
    known = label < 4
    assert (told[~known] < 0.05).mean() > 0.95
    assert (told[known] < 0.05).mean() < 0.2


def test_its_level_is_kept_by_people_who_were_not_seen() -> None:
    X, codes, groups = people(n_people=16)
    told = NoveltyModel.fit(X, codes, groups)(people(n_people=16, seed=1)[0])
    for level in (0.05, 0.2, 0.5):
        assert level / 3 < (told < level).mean() < 1.5 * level


def test_without_groups_left_out_it_would_take_people_for_strangers() -> None:
    X, codes, groups = people()
    others = people(seed=1)[0]
    by_person, by_sample = (NoveltyModel.fit(X, codes, by)(others) for by in (groups, None))
    assert (by_person < 0.05).mean() < (by_sample < 0.05).mean()


@pytest.mark.parametrize("name", ["forest", "xgboost", "linear", "forest+linear"])
def test_a_model_tells_it_beside_its_probabilities(name: str) -> None:
    X, codes, groups = people()
    estimator = make_estimator(name).fit(X, codes)
    familiarity = NoveltyModel.fit(X, codes, groups)
    model = familiarity.beside(estimator.to_onnx())
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    rows = np.concatenate([X, people(n_labels=6, seed=1)[0]])
    probabilities, told = session.run(["probabilities", "familiarity"], {"X": rows})
    np.testing.assert_allclose(probabilities, estimator.predict_proba(rows), atol=1e-5)
    np.testing.assert_allclose(told, familiarity(rows), atol=0.011)
    assert told.dtype == np.float32


@pytest.mark.parametrize(("n_people", "n_labels"), [(1, 2), (2, 2), (1, 4)])
def test_little_data_is_enough(n_people: int, n_labels: int) -> None:
    X, codes, groups = people(n_people, n_labels)
    some = np.arange(0, len(X), 5)
    told = NoveltyModel.fit(X[some], codes[some], groups[some])(X)
    assert np.isfinite(told).all()


def test_one_sample_a_class_and_equal_samples_are_no_error() -> None:
    X = np.repeat(np.eye(3, N_FEATURES, dtype=np.float32), [1, 1, 5], axis=0)
    told = NoveltyModel.fit(X, np.array([0, 1, 2, 2, 2, 2, 2]))(X)
    assert np.isfinite(told).all()


def test_a_class_of_one_person_alone_does_not_stop_it() -> None:
    X, codes, groups = people()
    kept = (codes != 3) | (groups == "p0")
    assert (NoveltyModel.fit(X[kept], codes[kept], groups[kept])(X) > 0.05).mean() > 0.8


def test_of_many_samples_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlore.classifiers.novelty._MAX_PER_CLASS", 12)
    X, codes, groups = people()
    assert (NoveltyModel.fit(X, codes, groups)(X) > 0.05).mean() > 0.6


def test_probabilities_fall_with_familiarity_only_where_it_is_low() -> None:
    probabilities = np.array([[0.2, 0.8]] * 3, np.float32)
    told = reject_novel(probabilities, np.array([1.0, 0.05, 0.0], np.float32))
    np.testing.assert_allclose(told, [[0.2, 0.8], [0.2, 0.8], [0, 0]])
