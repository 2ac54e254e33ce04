"""Several estimators as one; the contract of all estimators is tested for it elsewhere."""

import sys

import numpy as np
import pytest
from movement_stubs import movements
from sklearn.base import clone

from handlore.classifiers.evaluation.scores import fit_samples
from handlore.classifiers.factory import _opinion_pool, make_estimator
from handlore.classifiers.onnx_graph import GraphRunner
from handlore.landmarks.errors import HandloreError


def clouds() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c"], 20)
    X = rng.normal(size=(60, 5)) + np.repeat(np.eye(3, 5), 20, axis=0)
    return X.astype(np.float32), y


def test_geometric_mean() -> None:
    X, y = clouds()
    blend, forest, linear = (
        make_estimator(name, seed=3).fit(X, y) for name in ("forest+linear", "forest", "linear")
    )
    mean = np.sqrt(forest.predict_proba(X).clip(0.001) * linear.predict_proba(X).clip(0.001))
    mean /= mean.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(blend.predict_proba(X), mean, atol=1e-6)
    np.testing.assert_allclose(GraphRunner(blend.to_onnx())(X), mean, atol=1e-5)
    assert not np.allclose(forest.predict_proba(X), linear.predict_proba(X), atol=0.05)


def test_no_veto_of_one_member() -> None:
    sure, other = np.array([[0.0, 1.0]]), np.array([[0.999999, 0.000001]])
    assert _opinion_pool([sure, other, other]).argmax() == 0


def test_parameters_of_members() -> None:
    params = make_estimator(
        "forest+linear", {"n_estimators": "7", "linear.max_iter": "9"}, seed=4
    ).get_params()
    assert params["forest__n_estimators"] == 7
    assert params["linear__max_iter"] == 9
    assert params["forest__random_state"] == params["linear__random_state"] == 4


def test_members_are_set_by_name_and_cloned() -> None:
    blend = make_estimator("forest+linear").set_params(forest__n_estimators=3)
    copy = clone(blend)
    assert copy.get_params()["forest__n_estimators"] == 3
    copy.set_params(forest__n_estimators=4)
    assert blend.get_params()["forest__n_estimators"] == 3
    with pytest.raises(ValueError, match="'trees' is not a parameter"):
        blend.set_params(trees=3)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("forest+forest", "is not a blend"),
        ("forest+", "unknown estimator ''"),
        ("forest+rocket", "mixes models of poses with models of movements"),
        ("forest+lineal", "did you mean linear"),
    ],
)
def test_what_cannot_be_blended_is_said(name: str, why: str) -> None:
    with pytest.raises(HandloreError, match=why):
        make_estimator(name)


@pytest.mark.parametrize("param", ["linear.n_estimators", "xgboost.n_estimators", "trees"])
def test_a_parameter_of_nobody_is_refused(param: str) -> None:
    with pytest.raises(HandloreError, match=rf"no parameter '{param}'; it has: .*max_iter"):
        make_estimator("forest+linear", {param: "7"})


def test_finest_grid_of_members() -> None:
    pytest.importorskip("torch", reason="needs the extra temporal")
    blend = make_estimator("rocket+tcn", {"epochs": "3", "n_kernel_features": "300"})
    dataset = movements()
    encoder = blend.encoder(1)
    seen: list[int] = []
    blend.progress = lambda done, total: seen.append(done)
    assert blend.learns_in_epochs
    fitted = fit_samples(blend, dataset, encoder)
    X = encoder.encode_samples(dataset)
    assert X.shape[2] == 128, "rocket's, which needs the context too"
    assert [row["epoch"] for row in fitted.history_] == [1, 2, 3]
    assert len(seen) >= 2 + 3
    assert seen == sorted(seen)
    np.testing.assert_allclose(GraphRunner(fitted.to_onnx())(X), fitted.predict_proba(X), atol=1e-5)


def test_mirrored_labels_of_members() -> None:
    pytest.importorskip("torch", reason="needs the extra temporal")
    # The members alone tell a swipe to the left from one to the right.
    params = {"mirror_labels": "left=right", "epochs": "2", "n_kernel_features": "300"}
    dataset = movements()
    blend = make_estimator("rocket+tcn", params)
    fitted = fit_samples(blend, dataset, blend.encoder(1))
    others = movements(2, labels=("left", "right"), seed=9)
    rocket = fitted.members_[0]
    assert rocket.classes_.tolist() == ["circle", "left", "right"]
    X = blend.encoder(1).encode_samples(others)
    assert (rocket.predict(X) == others.samples.label).all()


def test_missing_package_before_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    blend = make_estimator("rocket+tcn")
    with pytest.raises(HandloreError, match="tcn needs PyTorch"):
        fit_samples(blend, movements(), blend.encoder(1))
    assert not any(hasattr(member, "classes_") for member in blend.members_)
