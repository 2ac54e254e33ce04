"""Cross-validation evaluates what training would write."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from movement_stubs import movements

from handlore.classifiers.evaluation.crossval import cross_val_predict
from handlore.classifiers.factory import make_estimator
from handlore.datasets.dataset import LandmarkDataset


def copies(dataset: LandmarkDataset, n_people: int, each: int) -> LandmarkDataset:
    """Some of the hands of each pose again and again, by several people."""
    seen = np.flatnonzero(dataset.has_hand)
    first = seen[np.unique(dataset.samples.label[seen], return_index=True)[1]]
    many = dataset.select(np.tile(first, n_people * each))
    people = np.repeat([f"p{number}" for number in range(n_people)], each * len(first))
    return replace(many, samples=replace(many.samples, group=people))


def uses_of(
    name: str, data: LandmarkDataset, uses: Callable[[Any], bool], **params: str
) -> list[bool]:
    """What the estimator of each fold does."""
    estimator, found = make_estimator(name, params), list[bool]()
    cross_val_predict(
        estimator,
        data,
        estimator.encoder(1),
        "group",
        watch=lambda one, *_: found.append(uses(one)),
    )
    return found


@pytest.mark.parametrize(("each", "uses"), [(4, False), (3, True)])
def test_movements_are_few_as_in_training(each: int, uses: bool) -> None:
    """Of 12 clips a label a fold has 8; training would draw kernels of its own."""
    data = movements(3, each)
    found = uses_of("rocket", data, lambda one: one.pretrained_ is not None, n_augmented="0")
    assert found == [uses] * 3


@pytest.mark.parametrize(("each", "uses"), [(9, False), (7, True)])
def test_poses_are_few_as_in_training(dataset: LandmarkDataset, each: int, uses: bool) -> None:
    """Of 27 hands a label a fold has 18; training would tilt them and learn no directions."""
    data = copies(dataset, 3, each)
    in_fold = data.n_samples * 2 // 3, len(data.labels)
    assert uses_of("kernel", data, lambda one: one.n_tilted(*in_fold) == 0) == [uses] * 3
