"""Training keeps to itself: threads that wait for each other cost more than they bring."""

import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_info, threadpool_limits

from handlore.classifiers.estimators import xgboost
from handlore.classifiers.factory import make_estimator
from handlore.classifiers.projection import Projection


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
def test_products_on_one_core(monkeypatch, place, name: str) -> None:
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


def test_boosting_threads(monkeypatch) -> None:
    estimator = make_estimator("xgboost", {"n_estimators": "2"})
    assert estimator.fit(*blobs()).booster_.n_jobs == 1
    monkeypatch.setattr(xgboost, "_LONG_STEPS", 60)
    assert estimator.fit(*blobs()).booster_.n_jobs is None
