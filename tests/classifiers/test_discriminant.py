"""The discriminant of rows in memory is that of moments."""

import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from handlore.classifiers import discriminant
from handlore.classifiers.discriminant import LinearDiscriminant, Rows, _ClassMoments

CLASS_OF = np.array([0, 1, 2, 2])


def rows_of(
    n: int = 90, n_features: int = 40, n_clusters: int = 4, n_parts: int = 3, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Standardised rows, clusters and parts."""
    rng = np.random.default_rng(seed)
    clusters = rng.integers(0, n_clusters, n)
    centres = rng.normal(0, 0.6, (n_clusters, n_features))
    rows = rng.normal(size=(n, n_features)) + centres[clusters]
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    return rows.astype(np.float32), clusters, rng.integers(0, n_parts, n)


def by_moments(
    rows: np.ndarray,
    clusters: np.ndarray,
    part: np.ndarray,
    tested: np.ndarray,
    class_of: np.ndarray,
) -> LinearDiscriminant:
    parts = []
    for number in range(part.max() + 1):
        own = part == number
        moments = _ClassMoments(len(class_of), rows.shape[1])
        moments.add(rows[own], clusters[own])
        parts.append((moments, rows[own & tested], clusters[own & tested]))
    return LinearDiscriminant.fit(parts, class_of)


def assert_close(one: LinearDiscriminant, other: LinearDiscriminant, rows: np.ndarray) -> None:
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-3)
    np.testing.assert_allclose(one.bias, other.bias, atol=1e-3, rtol=1e-4)
    np.testing.assert_allclose(one.scores(rows), other.scores(rows), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(("n", "n_features"), [(90, 40), (40, 300), (300, 12)])
@pytest.mark.parametrize("seed", range(3))
def test_rows_and_moments_agree(n: int, n_features: int, seed: int) -> None:
    rows, clusters, part = rows_of(n, n_features, seed=seed)
    tested = np.random.default_rng(seed).random(n) < 0.6
    given = rows, clusters, part, tested, CLASS_OF
    assert_close(LinearDiscriminant.fit_rows(*given), by_moments(*given), rows)


def test_many_batches_are_summed_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = [rows_of(60, seed=seed) for seed in range(6)]
    alive: list[weakref.ref[np.ndarray]] = []
    most = 0

    def made() -> Iterator[Rows]:
        nonlocal most
        for number, (rows, clusters, part) in enumerate(batches):
            copy = rows.copy()
            alive.append(weakref.ref(copy))
            yield copy, clusters, part, np.full(len(rows), number == 0)
            del copy
            most = max(most, sum(one() is not None for one in alive))

    at_once = LinearDiscriminant.fit_batches(made(), CLASS_OF)
    assert most == len(batches)
    monkeypatch.setattr(discriminant, "MAX_ROWS", 100)
    alive.clear()
    most = 0
    summed = LinearDiscriminant.fit_batches(made(), CLASS_OF)
    assert_close(summed, at_once, batches[0][0])
    # The first has the rows that are tested, the second took the rows beyond the limit.
    assert most <= 3


def test_single_part() -> None:
    rows, clusters, part = rows_of(n_parts=1)
    given = rows, clusters, part, np.ones(len(rows), bool), CLASS_OF
    fitted = LinearDiscriminant.fit_rows(*given)
    assert_close(fitted, by_moments(*given), rows)
    assert_close(fitted, LinearDiscriminant.of_rows(rows, clusters, 4), rows)


def test_class_without_rows_is_never_predicted() -> None:
    rows, clusters, part = rows_of()
    clusters = np.where(clusters == 1, 0, clusters)
    given = rows, clusters, part, np.ones(len(rows), bool), np.arange(4)
    fitted = LinearDiscriminant.fit_rows(*given)
    assert_close(fitted, by_moments(*given), rows)
    unseen = np.random.default_rng(9).normal(0, 5, (200, rows.shape[1])).astype(np.float32)
    assert (fitted.scores(unseen).argmax(axis=1) != 1).all()
    assert (LinearDiscriminant.of_rows(rows, clusters, 4).scores(unseen).argmax(axis=1) != 1).all()


def test_class_in_one_part_only() -> None:
    rows, clusters, part = rows_of()
    part[clusters == 1] = 0
    given = rows, clusters, part, np.ones(len(rows), bool), CLASS_OF
    assert_close(LinearDiscriminant.fit_rows(*given), by_moments(*given), rows)


@pytest.mark.parametrize("n", [2, 3])
def test_as_few_rows_as_there_can_be(n: int) -> None:
    rows, _, _ = rows_of(n, 500)
    clusters = np.arange(n)
    fitted = LinearDiscriminant.of_rows(rows, clusters, n)
    assert np.isfinite(fitted.weights).all()
    assert (fitted.scores(rows).argmax(axis=1) == clusters).all()
