"""The novelty score separates unknown from known gestures; the ONNX graph agrees with numpy."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from handlore.classifiers.evaluation.scores import fit_samples
from handlore.classifiers.factory import make_estimator
from handlore.classifiers.novelty import NoveltyModel
from handlore.classifiers.tilts import tilted
from handlore.classifiers.training import train
from handlore.datasets.dataset import LandmarkDataset
from handlore.models.encoders import PoseEncoder
from handlore.models.files import load_model
from handlore.models.model import reject_novel

N_FEATURES = 12


@pytest.fixture
def few_parts() -> None:
    """All parts are left out in turn here."""


def people(n_people: int = 6, n_labels: int = 4, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Clusters of points, one per label, with an offset per person."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(scale=6, size=(6, N_FEATURES))
    person, codes, _ = (a.ravel() for a in np.mgrid[:n_people, :n_labels, :10])
    habits = rng.normal(scale=0.7, size=(n_people, n_labels, N_FEATURES))
    X = centres[codes] + habits[person, codes] + rng.normal(size=(len(codes), N_FEATURES))
    return X.astype(np.float32), codes, np.char.add("p", person.astype(str))


def test_unknown_gestures_have_low_p_values() -> None:
    X, codes, groups = people()
    novelty = NoveltyModel.fit(X, codes, groups)
    others, label, _ = people(n_labels=6, seed=1)
    p_value = novelty.p_value(others)
    assert p_value.shape == (len(others),)
    assert ((p_value >= 0) & (p_value <= 1)).all()
    known = label < 4
    assert (p_value[~known] < 0.05).mean() > 0.95
    assert (p_value[known] < 0.05).mean() < 0.2


def test_calibrated_for_new_people() -> None:
    X, codes, groups = people(n_people=16)
    p_value = NoveltyModel.fit(X, codes, groups).p_value(people(n_people=16, seed=1)[0])
    for level in (0.05, 0.2, 0.5):
        assert level / 3 < (p_value < level).mean() < 1.5 * level


def test_groups_matter() -> None:
    X, codes, groups = people()
    others = people(seed=1)[0]
    by_person, by_sample = (NoveltyModel.fit(X, codes, by).p_value(others) for by in (groups, None))
    assert (by_person < 0.05).mean() < (by_sample < 0.05).mean()


@pytest.mark.parametrize("name", ["forest", "xgboost", "linear", "forest+linear"])
def test_graph_has_p_value(name: str) -> None:
    X, codes, groups = people()
    estimator = make_estimator(name).fit(X, codes)
    novelty = NoveltyModel.fit(X, codes, groups)
    model = novelty.add_to(estimator.to_onnx())
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    rows = np.concatenate([X, people(n_labels=6, seed=1)[0]])
    probabilities, p_value = session.run(["probabilities", "familiarity"], {"X": rows})
    np.testing.assert_allclose(probabilities, estimator.predict_proba(rows), atol=1e-5)
    np.testing.assert_allclose(p_value, novelty.p_value(rows), atol=0.011)
    assert p_value.dtype == np.float32


def rendered(dataset: LandmarkDataset, copies: int = 6) -> LandmarkDataset:
    """Rendered hands, as people with other hands and cameras would show them."""
    rng = np.random.default_rng(0)
    seen = dataset.select(dataset.has_hand)
    return tilted(seen.select(np.tile(np.arange(seen.n_samples), copies)), rng)


def test_certainty_of_the_classifier_counts(dataset: LandmarkDataset) -> None:
    """The file, numpy and the estimator agree; what is between two poses is more novel."""
    data, encoder = rendered(dataset), PoseEncoder()
    estimator = fit_samples(make_estimator("kernel"), data, encoder)
    novelty = NoveltyModel.of(data, encoder, estimator)
    assert novelty.certainty_weight > 0
    X = encoder.encode_samples(data)
    likely = estimator.predict_proba(X)
    model = novelty.add_to(estimator.to_onnx())
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    probabilities, p_value = session.run(["probabilities", "familiarity"], {"X": X})
    np.testing.assert_allclose(probabilities, likely, atol=1e-4)
    np.testing.assert_allclose(p_value, novelty.p_value(X, likely), atol=0.011)
    unsure = np.full_like(likely, 1 / likely.shape[1])
    assert novelty.p_value(X, unsure).mean() < novelty.p_value(X, likely).mean() - 0.1
    with pytest.raises(ValueError, match="probabilities"):
        novelty.p_value(X)


@pytest.mark.parametrize("name", ["kernel", "linear"])
def test_trained_file_loads(name: str, dataset: LandmarkDataset, tmp_path: Path) -> None:
    trained = train(rendered(dataset), tmp_path / "poses.onnx", name)
    model = load_model(trained.path)
    X = PoseEncoder().encode_samples(rendered(dataset, 1))
    novelty = model.novelty(X)
    assert novelty.shape == (len(X),)
    assert ((novelty >= 0) & (novelty <= 1)).all()
    assert np.median(novelty) < 0.95


@pytest.mark.parametrize(("n_people", "n_labels"), [(1, 2), (2, 2), (1, 4)])
def test_little_data(n_people: int, n_labels: int) -> None:
    X, codes, groups = people(n_people, n_labels)
    some = np.arange(0, len(X), 5)
    p_value = NoveltyModel.fit(X[some], codes[some], groups[some]).p_value(X)
    assert np.isfinite(p_value).all()


def test_degenerate_samples() -> None:
    X = np.repeat(np.eye(3, N_FEATURES, dtype=np.float32), [1, 1, 5], axis=0)
    p_value = NoveltyModel.fit(X, np.array([0, 1, 2, 2, 2, 2, 2])).p_value(X)
    assert np.isfinite(p_value).all()


def test_class_of_one_person() -> None:
    X, codes, groups = people()
    kept = (codes != 3) | (groups == "p0")
    assert (NoveltyModel.fit(X[kept], codes[kept], groups[kept]).p_value(X) > 0.05).mean() > 0.8


def test_subset_of_many_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlore.classifiers.novelty._MAX_PER_CLASS", 12)
    X, codes, groups = people()
    assert (NoveltyModel.fit(X, codes, groups).p_value(X) > 0.05).mean() > 0.6


def test_limit_of_rejection_can_be_chosen() -> None:
    probabilities = np.array([[0.8, 0.2]], np.float32)
    p_value = np.array([0.05], np.float32)
    strict, usual, never = (reject_novel(probabilities, p_value, one) for one in (0.9, 0.95, 1.0))
    np.testing.assert_allclose(strict, probabilities / 2, rtol=1e-5)
    np.testing.assert_allclose(usual, probabilities, rtol=1e-5)
    np.testing.assert_allclose(never, probabilities, rtol=1e-5)


def test_reject_novel() -> None:
    probabilities = np.array([[0.2, 0.8]] * 3, np.float32)
    p_value = reject_novel(probabilities, np.array([1.0, 0.05, 0.0], np.float32))
    np.testing.assert_allclose(p_value, [[0.2, 0.8], [0.2, 0.8], [0, 0]])
