"""The kernel estimator with few samples: what it knows of other people's hands."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from handlore.classifiers.base import HandEstimator
from handlore.classifiers.evaluation.scores import fit_samples
from handlore.classifiers.evaluation.streams import StreamOutputs
from handlore.classifiers.factory import make_estimator
from handlore.classifiers.pretrained import pretrained_directions
from handlore.datasets.conversion.convert import convert
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.sources import make_source
from handlore.datasets.storage import load_dataset
from handlore.landmarks.detector import HandDetector
from handlore.landmarks.features import DEFAULT_FEATURES, FEATURE_GROUPS, feature_names
from handlore.models.encoders import PoseEncoder

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


def unsteady(dataset: LandmarkDataset, copies: int) -> LandmarkDataset:
    """The hands of a dataset again and again, with landmarks that were not found exactly."""
    rng = np.random.default_rng(0)
    seen = dataset.select(dataset.has_hand)
    many = seen.select(np.tile(np.arange(seen.n_samples), copies))
    palm = np.linalg.norm(many.image[:, :, 9] - many.image[:, :, 0], axis=-1)[..., None, None]
    bent = rng.normal(0, 0.12, many.image.shape).astype(np.float32)
    return replace(many, image=many.image + palm * bent, world=many.world + 0.1 * bent)


def accuracy_of_one_example(
    X: np.ndarray, y: np.ndarray, below: int, n_draws: int = 8
) -> np.floating:
    found = []
    for seed in range(n_draws):
        order = np.random.default_rng(seed).permutation(len(y))
        first = order[np.unique(y[order], return_index=True)[1]]
        fitted = kernel(below).fit(X[first], y[first])
        others = np.setdiff1d(order, first)
        found.append((fitted.predict(X[others]) == y[others]).mean())
    return np.mean(found)


def kernel(below: int) -> HandEstimator:
    return make_estimator("kernel", {"pretrained_below": below}, seed=0)


def test_one_example_of_each_pose(dataset: LandmarkDataset) -> None:
    many = unsteady(dataset, 10)
    X, y = PoseEncoder().encode_samples(many), many.samples.label
    assert accuracy_of_one_example(X, y, 20) > accuracy_of_one_example(X, y, 0) + 0.05


def test_one_photo_of_each_sign(real_data: Path, detector: HandDetector) -> None:
    """HGR1 has other people, cameras and signs than what the directions were learnt from."""
    dataset = convert(make_source("hgr1", {}), real_data / "hgr1", detector).dataset
    seen = dataset.select(dataset.has_hand)
    X, y = PoseEncoder().encode_samples(seen), seen.samples.label
    assert accuracy_of_one_example(X, y, 20) > accuracy_of_one_example(X, y, 0) + 0.04


def test_one_example_of_each_pose_is_recognised_live(dataset: LandmarkDataset) -> None:
    """A model that is right but never sure would never fire."""
    seen = dataset.select(dataset.has_hand)
    first = np.unique(seen.samples.label, return_index=True)[1]
    others = seen.select(np.setdiff1d(np.arange(seen.n_samples), first))
    outputs = StreamOutputs.of_left_out(
        fit_samples(kernel(20), seen.select(first), PoseEncoder()),
        PoseEncoder(), seen.select(first), others, 100,
    )  # fmt: skip
    score = outputs.counted({})
    assert score.n_found > 0.8 * score.n


def test_only_with_few_samples(dataset: LandmarkDataset) -> None:
    seen = dataset.select(dataset.has_hand)
    X, y = PoseEncoder().encode_samples(seen), seen.samples.label
    each = len(y) // len(np.unique(y))
    never, at_most = (kernel(below).fit(X, y).predict_proba(X) for below in (0, each))
    more = kernel(each + 1).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(never, at_most)
    assert np.abs(more - never).max() > 1e-3


@pytest.mark.parametrize("groups", [DEFAULT_FEATURES, tuple(FEATURE_GROUPS)])
def test_directions_are_for_these_features(groups: tuple[str, ...]) -> None:
    n_features = len(feature_names(groups))
    directions = pretrained_directions(n_features)
    assert directions is not None
    assert directions.shape == (n_features, 40)


def test_directions_are_learnt_from_datasets(npz: Path, tmp_path: Path) -> None:
    out = tmp_path / "directions.npz"
    program = runpy.run_path(str(BENCHMARKS / "pretraining.py"))
    done = CliRunner().invoke(program["main"], ["poses", str(npz), str(npz), str(out)])
    assert done.exit_code == 0, done.output
    with np.load(out) as arrays:
        assert arrays["plain"].shape == pretrained_directions(len(feature_names())).shape
        along = PoseEncoder().encode_samples(load_dataset(npz)) @ arrays["plain"].astype(float)
    labels = load_dataset(npz).samples.label
    means = np.stack([along[labels == label].mean(axis=0) for label in np.unique(labels)])
    nearest = ((along[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (np.unique(labels)[nearest] == labels).all()


def test_other_features_have_none() -> None:
    assert pretrained_directions(len(feature_names(["world"]))) is None
