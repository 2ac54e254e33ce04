"""Training keeps to itself: threads that wait for each other cost more than they bring."""

import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_info, threadpool_limits

from handlore.classifiers.discriminant import Projection
from handlore.classifiers.estimators.xgboost import LONG_STEPS, boosting_threads
from handlore.classifiers.factory import make_estimator


def blobs() -> tuple[np.ndarray, np.ndarray]:
    codes = np.arange(60) % 3
    X = np.random.default_rng(0).normal(size=(60, 5)) + codes[:, None]
    return X.astype(np.float32), codes


def threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.mark.parametrize(
    ("place", "name"),
    [(LogisticRegression, "fit"), (sys.modules[Projection.__module__], "_moments")],
)
def test_products_stay_on_one_core_while_it_is_fitted(monkeypatch, place, name: str) -> None:
    own, seen = getattr(place, name), []

    def watched(*args, **options):
        seen.append(threads())
        return own(*args, **options)

    monkeypatch.setattr(place, name, watched)
    with threadpool_limits(2, user_api="blas"):
        if threads() != {2}:
            pytest.skip(f"this linear algebra has threads of its own: {threadpool_info()}")
        make_estimator("linear").fit(*blobs())
        assert threads() == {2}
    assert seen == [{1}]


def test_few_samples_are_boosted_on_one_core() -> None:
    fitted = make_estimator("xgboost", {"n_estimators": "2"}).fit(*blobs())
    assert fitted.booster_.n_jobs == 1
    assert boosting_threads(LONG_STEPS) is None
