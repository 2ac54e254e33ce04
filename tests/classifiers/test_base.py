"""Estimators of movements with and without context, alone and together."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from movement_stubs import LABELS, Nearest, movements, small

import handlore
from handlore.classifiers.base import Steps
from handlore.classifiers.factory import _MovementBlend
from handlore.classifiers.negatives import NegativeWindows
from handlore.classifiers.onnx_graph import GraphRunner
from handlore.models.encoders import N_CONTEXT, MovementEncoder


class Moments(Nearest):
    """The same on moments, like the temporal network."""

    n_timepoints = 48
    averaged = False


class Fine(Nearest):
    """The same on averages that do not divide those of others."""

    n_timepoints = 48


class Finest(Nearest):
    """The same on more points than any other."""

    n_timepoints = 200


def blend(member: type[Nearest]) -> Any:
    return _MovementBlend([("rocket", small("rocket")), ("nearest", member())])


@cache
def fitted(member: type[Nearest]) -> tuple[Any, np.ndarray, np.ndarray]:
    data = movements(4, 2)
    X = blend(member).encoder(1).encode_samples(data)
    return blend(member).fit(X, data.samples.label, data.samples.group), X, data.samples.label


every_member = pytest.mark.parametrize(
    "member", [Nearest, Moments, pytest.param(Fine, marks=pytest.mark.slow), Finest]
)


def test_encoder_of_blend() -> None:
    assert blend(Finest).encoder(1) == small("rocket").encoder(1)
    plain = _MovementBlend([("nearest", Nearest()), ("moments", Moments())])
    assert plain.encoder(2) == MovementEncoder(2, 48, averaged=False)


@every_member
def test_member_gets_its_own_points(member: type[Nearest]) -> None:
    together, X, y = fitted(member)
    nearest = together.members_[1]
    assert nearest.given_shape_ == (64, member.n_timepoints)
    assert (together.n_features_in_, together.n_timepoints_in_) == (64 + N_CONTEXT, 128)
    assert (together.predict(X) == y).mean() > 0.9
    assert (nearest.predict(X) == y).mean() > 0.6
    for estimator in (together, nearest):
        np.testing.assert_allclose(
            GraphRunner(estimator.to_onnx())(X), estimator.predict_proba(X), atol=1e-5
        )


@every_member
def test_points_are_those_of_its_encoder(member: type[Nearest]) -> None:
    together, X, _ = fitted(member)
    own = together.members_[1]._own_rows(X)
    encoder = MovementEncoder(1, member.n_timepoints, member.averaged)
    np.testing.assert_allclose(own, encoder.encode_samples(movements(4, 2)), atol=0.15)


@pytest.mark.parametrize(("n_in", "n"), [(128, 32), (128, 48), (64, 48)])
def test_averages_are_over_even_intervals(n_in: int, n: int) -> None:
    estimator: Any = type("Some", (Nearest,), {"n_timepoints": n})()
    estimator.n_features_in_, estimator.n_timepoints_in_ = 64 + N_CONTEXT, n_in
    matrix = estimator._own_points()
    assert matrix.shape == (n_in, n)
    np.testing.assert_allclose(matrix.sum(axis=0), 1, atol=1e-6)
    assert ((matrix > 0).sum(axis=1) == 1).all(), "each moment counts once"
    counts = (matrix > 0).sum(axis=0)
    assert counts.max() - counts.min() <= 1


def test_own_points_need_no_matrix() -> None:
    data = movements(2, 2)
    X = Nearest().encoder(1).encode_samples(data)
    nearest: Any = Nearest().fit(X, data.samples.label)
    assert nearest._own_points() is None
    assert nearest.given_shape_ == (64, 32)


@pytest.mark.parametrize("member", [Nearest, Moments])
def test_fit_with_windows(member: type[Nearest]) -> None:
    data = movements(4, 2)
    groups, labels = data.samples.group, data.samples.label
    together, X, _ = fitted(member)
    encoder = together.encoder(1)
    windows = NegativeWindows().windows(data, groups, encoder, np.random.default_rng(0))
    before = together.predict_proba(X)
    more = together.fit_with_windows(X, labels, groups, windows)
    assert more.classes_.tolist() == sorted([*LABELS, "none"])
    # Rocket finds the movements, and the ensemble says which they are.
    found = more.predict_proba(X)[:, more.classes_ != "none"]
    shares = found / found.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, before, atol=1e-3)
    assert together.classes_.tolist() == list(LABELS)
    np.testing.assert_array_equal(together.predict_proba(X), before)
    rest = windows[0][windows[1] == "none"]
    assert (more.predict(rest) == "none").mean() > 0.7
    np.testing.assert_allclose(GraphRunner(more.to_onnx())(X), more.predict_proba(X), atol=1e-5)


def test_copy_with_windows_has_the_same_features() -> None:
    data = movements(3, 2)
    groups, labels = data.samples.group, data.samples.label
    rocket: Any = small("rocket")
    encoder = rocket.encoder(1)
    X = encoder.encode_samples(data)
    rocket.fit(X, labels, groups)
    windows = NegativeWindows().windows(data, groups, encoder, np.random.default_rng(0))
    more: Any = rocket.fit_with_windows(X, labels, groups, windows)
    assert more.banks_ is rocket.banks_
    assert more.get_params() == rocket.get_params()
    assert images_of(more) == images_of(rocket)


def test_windows_decide_whether_and_clips_decide_which() -> None:
    data = movements(3, 2)
    rocket: Any = small("rocket")
    encoder = rocket.encoder(1)
    X = encoder.encode_samples(data)
    rocket.fit(X, data.samples.label, data.samples.group)
    windows = NegativeWindows().windows(data, data.samples.group, encoder, np.random.default_rng(0))
    more: Any = rocket.fit_with_windows(X, data.samples.label, data.samples.group, windows)
    found = more.predict_proba(windows.X)
    labels = more.classes_ != "none"
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    shown = found[:, ~labels][:, 0] < 0.9
    shares = found[shown][:, labels] / found[shown][:, labels].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, rocket.predict_proba(windows.X[shown]), atol=1e-3)


def test_what_the_clips_know_as_none_still_adds_up() -> None:
    """A clip that is certainly ``none`` has no share of any label."""
    data = movements(3, 2)
    labels = np.where(data.samples.label == LABELS[0], "none", data.samples.label)
    rocket: Any = small("rocket")
    encoder = rocket.encoder(1)
    X = encoder.encode_samples(data)
    rocket.fit(X, labels, data.samples.group)
    renamed = replace(data, samples=replace(data.samples, label=labels))
    windows = NegativeWindows().windows(
        renamed, data.samples.group, encoder, np.random.default_rng(0)
    )
    more: Any = rocket.fit_with_windows(X, labels, data.samples.group, windows)
    sure = replace_bias(rocket, "none", 100.0)
    more.of_clips_ = sure
    found = GraphRunner(more.to_onnx())(X)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-4)


def replace_bias(rocket: Any, label: str, more: float) -> Any:
    """Make a classifier sure of one label."""
    bias = rocket.discriminant_.bias.copy()
    bias[rocket.class_of_ == list(rocket.classes_).index(label)] += more
    rocket.discriminant_ = replace(rocket.discriminant_, bias=bias.astype(np.float32))
    return rocket


def images_of(rocket: Any) -> dict[str, str]:
    """The label of each label in a mirror, by name."""
    pairs = zip(rocket.classes_, rocket.images_, strict=True)
    return {label: rocket.classes_[image] for label, image in pairs if image >= 0}


Seen = list[tuple[int, int]]
SMALL = {"n_kernel_features": 84, "n_augmented": 0}


def listening(seen: Seen):
    return lambda done, total: seen.append((done, total))


def check(seen: Seen, *, least: int) -> None:
    """It rises, of one total, until all is done."""
    assert len(seen) >= least
    assert len({total for _, total in seen}) == 1
    done = [share for share, _ in seen]
    assert done == sorted(done)
    assert seen[-1][0] == seen[-1][1] > 0


def test_steps_add_up() -> None:
    seen: Seen = []
    steps = Steps(4, listening(seen))
    within = steps.within()
    assert within is not None
    within(1, 2)
    within(2, 2)
    within(1, 4)  # it starts anew
    steps.finish()
    two = steps.within(2)
    assert two is not None
    two(1, 2)
    steps.close()
    assert seen == [(50, 400), (100, 400), (100, 400), (100, 400), (200, 400), (400, 400)]


def test_nobody_listens() -> None:
    steps = Steps(2, None)
    assert steps.within() is None
    steps.finish()
    steps.close()


@pytest.mark.parametrize("crossval", [pytest.param(False, marks=pytest.mark.slow), True])
def test_training(tmp_path, crossval) -> None:
    seen: Seen = []
    handlore.train(
        movements(n_people=2, each=4),
        tmp_path / "m.onnx",
        "rocket",
        params=SMALL,
        crossval=crossval,
        progress=listening(seen),
    )
    check(seen, least=8)
    assert seen[0][0] < seen[0][1] / 4, "it is seen early"


def test_cross_validation() -> None:
    seen: Seen = []
    data, options = movements(n_people=3, each=1), {"params": SMALL, "progress": listening(seen)}
    handlore.cross_validate(data, "rocket", **options)
    check(seen, least=6)
    seen.clear()
    handlore.cross_validate(data, "rocket", by="random", with_streams=False, **options)
    check(seen, least=6)
