"""The duration prior changes probabilities a little, in estimators and in their files."""

from typing import Any

import numpy as np
import pytest

from handlore.classifiers.base import HandEstimator
from handlore.classifiers.duration_prior import DurationPrior
from handlore.classifiers.onnx_graph import GraphRunner
from handlore.datasets.dataset import NONE_LABEL
from handlore.models.encoders import N_CONTEXT, Encoder, MovementEncoder
from tests.stubs.movement_stubs import Nearest, clip, dataset_of, every_estimator, small

ENCODER = MovementEncoder(1, 32, timed=True)
EVEN = np.full((1, 2), 0.5, np.float32)


def taps_and_swipes(n: int = 50) -> DurationPrior:
    rng = np.random.default_rng(0)
    seconds = np.concatenate([rng.lognormal(np.log(mean), 0.3, n) for mean in (0.6, 1.8)])
    return DurationPrior.fit(seconds.astype(np.float32), np.repeat([0, 1], n), 2)


def weighted(prior: DurationPrior, seconds: float, probabilities: np.ndarray = EVEN) -> np.ndarray:
    return prior(probabilities, np.array([seconds], np.float32))[0]


def test_similar_duration_raises_probability() -> None:
    prior = taps_and_swipes()
    assert weighted(prior, 0.6)[0] > 0.6
    assert weighted(prior, 1.8)[1] > 0.6
    assert weighted(prior, 0.6).sum() == pytest.approx(1)


def test_weight_is_a_quarter_of_the_log_ratio() -> None:
    prior = taps_and_swipes()

    def density(mean: float, spread: float) -> float:
        return float(np.exp(-0.5 * ((np.log(0.9) - mean) / spread) ** 2) / spread)

    usual = density(prior.overall_mean, prior.overall_spread)
    of = [density(*both) / usual for both in zip(prior.mean, prior.spread, strict=True)]
    expected = np.array([0.3, 0.7]) * np.power(of, 0.25)
    given = np.array([[0.3, 0.7]], np.float32)
    np.testing.assert_allclose(weighted(prior, 0.9, given), expected / expected.sum(), atol=1e-5)


def test_shape_outweighs_duration() -> None:
    sure = np.array([[0.05, 0.95]], np.float32)
    assert weighted(taps_and_swipes(), 0.6, sure).argmax() == 1
    # A pace that nobody has ever had is no proof of anything.
    np.testing.assert_allclose(weighted(taps_and_swipes(), 0.01, sure), sure[0], atol=0.01)


def test_odd_duration_is_bounded() -> None:
    rng = np.random.default_rng(0)
    steady, wide = rng.lognormal(0, 0.2, 100), rng.lognormal(0, 0.8, 50)
    seconds = np.concatenate([steady, wide]).astype(np.float32)
    prior = DurationPrior.fit(seconds, np.repeat([0, 1, 2], 50), 3)
    sure = np.array([[0.9, 0.05, 0.05]], np.float32)
    for odd in (1e-9, 0.002, 0.02, 30, 600, 1e9):
        assert weighted(prior, odd, sure).argmax() == 0


def test_impossible_duration_is_unknown() -> None:
    known = np.array([0.6] * 20 + [1.8] * 20, np.float32)
    plain = DurationPrior.fit(known, np.repeat([0, 1], 20), 2)
    broken = DurationPrior.fit(
        np.append(known, 1e-9).astype(np.float32), np.repeat([0, 1], [20, 21]), 2
    )
    assert broken.overall_mean == pytest.approx(plain.overall_mean)
    np.testing.assert_allclose(broken.spread, plain.spread)


def test_unknown_duration_changes_nothing() -> None:
    given = np.array([[0.3, 0.7]], np.float32)
    np.testing.assert_allclose(weighted(taps_and_swipes(), 0, given), given[0], atol=1e-6)


def test_little_information_has_little_effect() -> None:
    two = DurationPrior.fit(np.array([0.6, 1.8], np.float32), np.array([0, 1]), 2)
    assert 0.5 < weighted(two, 0.6)[0] < 0.6
    same = DurationPrior.fit(np.full(60, 1.5, np.float32), np.repeat([0, 1, 2], 20), 3)
    thirds = np.full((1, 3), 1 / 3, np.float32)
    for seconds in (0.5, 1.5, 4.0):
        np.testing.assert_allclose(weighted(same, seconds, thirds), thirds[0], atol=1e-6)


def test_class_of_unknown_duration() -> None:
    seconds = np.array([0.6] * 20 + [1.8] * 20 + [0] * 20, np.float32)
    prior = DurationPrior.fit(seconds, np.repeat([0, 1, 2], 20), 3)
    square, slope, constant = prior._gain
    assert (square[2], slope[2], constant[2]) == pytest.approx((0, 0, 0), abs=1e-6)


def paced(
    seconds: dict[str, float], encoder: Encoder = ENCODER
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Blocks, labels and people: movements of the same shapes, at a pace of their own."""
    rng = np.random.default_rng(0)
    labels = [label for label in seconds for _ in range(20)]
    people = [number % 5 for number in range(len(labels))]
    clips = [
        clip(
            "circle" if label == NONE_LABEL else "left",
            person=person,
            seconds=float(seconds[label] * np.exp(rng.normal(0, 0.1))),
        )
        for person, label in zip(people, labels, strict=True)
    ]
    X = encoder.encode_samples(dataset_of(clips, labels))
    return X, np.array(labels), np.array(people)


def with_and_without(estimator: HandEstimator, row: int) -> tuple[np.ndarray, np.ndarray]:
    """How probable the right label is with its duration, and without.

    The file says the same, also where durations are odd.
    """
    X, y, people = paced({"quick": 0.6, "slow": 2.4}, estimator.encoder(1))
    own = np.arange(len(X)), (y == "slow").astype(int)
    fitted = estimator.fit(X, y, people)
    graph = GraphRunner(fitted.to_onnx())
    assert (fitted.predict(X) == y).mean() > 0.9
    found = []
    for seconds in (X[:, row].copy(), 0, np.resize([1e-9, 1e-4, 1e-2, 1e2, 1e9], (len(X), 1))):
        X[:, row] = seconds
        found.append(fitted.predict_proba(X))
        np.testing.assert_allclose(graph(X), found[-1], atol=1e-5)
    return found[0][own], found[1][own]


def test_estimator_without_context() -> None:
    heard, shape_alone = with_and_without(Nearest(), -1)
    assert (heard > shape_alone).mean() > 0.9


@every_estimator
def test_models_and_files_agree(name: str) -> None:
    estimator: Any = small(name)
    if estimator.context:
        heard, no_time = with_and_without(estimator, -N_CONTEXT)
        assert heard.mean() > no_time.mean() + 0.3, "0 seconds are very quick"
        return
    heard, shape_alone = with_and_without(estimator, -1)
    assert (heard > shape_alone).mean() > 0.9


def test_file_bounds_odd_duration() -> None:
    X, y, _ = paced({"quick": 0.6, "slow": 2.4})
    fitted: Any = Nearest().fit(X, y)
    fitted.duration_prior_ = DurationPrior(
        np.zeros(2, np.float32), np.array([0.2, 0.9], np.float32), 0.0, 0.4
    )
    X[:, -1] = np.resize([0.02, 1, 60, 1e9], (len(X), 1))
    np.testing.assert_allclose(GraphRunner(fitted.to_onnx())(X), fitted.predict_proba(X), atol=1e-5)


def test_none_has_no_duration() -> None:
    X, y, _ = paced({"quick": 0.6, "slow": 2.4, NONE_LABEL: 0.6})
    fitted: Any = Nearest().fit(X, y)
    none = list(fitted.classes_).index(NONE_LABEL)
    assert fitted.duration_prior_.mean[none] == pytest.approx(fitted.duration_prior_.overall_mean)


def test_only_whole_clips_have_a_duration() -> None:
    one = clip("left", seconds=1.5)
    assert (ENCODER.encode(*one)[-1] == 0).all()
    np.testing.assert_allclose(ENCODER.encode(*one, whole=True)[-1], 1.5, atol=1e-6)
    assert MovementEncoder(1, 32).encode(*one, whole=True).shape == (64, 32)
