"""Tilted copies of poses: what changes, what must not, and who is trained on them."""

from dataclasses import replace

import numpy as np
import pytest

from handlore.classifiers.evaluation.scores import fit_samples
from handlore.classifiers.factory import make_estimator
from handlore.classifiers.tilts import tilted
from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.geometry import palm_length
from handlore.models.encoders import PoseEncoder


@pytest.fixture
def seen(dataset: LandmarkDataset) -> LandmarkDataset:
    return dataset.select(dataset.has_hand)


def copy_of(dataset: LandmarkDataset, seed: int = 0) -> LandmarkDataset:
    return tilted(dataset, np.random.default_rng(seed))


def test_bones_keep_their_lengths_and_the_hand_its_place(
    seen: LandmarkDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlore.classifiers.tilts._NOISE", 0.0)
    copy = copy_of(seen)
    np.testing.assert_allclose(palm_length(copy.world), palm_length(seen.world), rtol=1e-4)
    np.testing.assert_allclose(copy.image[:, :, 0], seen.image[:, :, 0], atol=1e-6)
    flat = [np.linalg.norm((d.image[:, :, 9] - d.image[:, :, 0])[..., :2]) for d in (copy, seen)]
    assert abs(flat[0] - flat[1]) > 0.01 * flat[1]


def test_only_landmarks_change(seen: LandmarkDataset) -> None:
    copy = copy_of(seen)
    np.testing.assert_array_equal(copy.samples.label, seen.samples.label)
    np.testing.assert_array_equal(copy.handedness, seen.handedness)
    assert np.abs(copy.image - seen.image).max() > 0.01
    np.testing.assert_array_equal(copy.image, copy_of(seen).image)
    assert not np.array_equal(copy.image, copy_of(seen, 1).image)


def test_unknown_stays_unknown(seen: LandmarkDataset) -> None:
    image = seen.image.copy()
    image[..., 2] = np.nan
    copy = copy_of(replace(seen, image=image, world=np.full_like(seen.world, np.nan)))
    assert np.isfinite(copy.image[..., :2]).all()
    assert np.isnan(copy.image[..., 2]).all()
    assert np.isnan(copy.world).all()


@pytest.mark.parametrize(("repeated", "n_copies", "rows"), [(5, 1, 2), (5, 0, 1), (1, 1, 1)])
def test_many_samples_are_trained_on_with_copies(
    seen: LandmarkDataset,
    monkeypatch: pytest.MonkeyPatch,
    repeated: int,
    n_copies: int,
    rows: int,
) -> None:
    """With few samples of each label, pretrained directions take the place of copies."""
    many = seen.select(np.tile(np.arange(seen.n_samples), repeated))
    estimator = make_estimator("kernel", {"tilted_copies": n_copies})
    shapes = []
    monkeypatch.setattr(type(estimator), "fit", lambda self, X, y, groups: shapes.append(X.shape))
    fit_samples(estimator, many, PoseEncoder())
    assert shapes[0][0] == rows * many.n_samples


def test_hands_seen_from_other_sides(seen: LandmarkDataset) -> None:
    """A classifier is more certain of them if it was trained on copies."""
    many = seen.select(np.tile(np.arange(seen.n_samples), 5))
    encoder, other = PoseEncoder(), copy_of(copy_of(copy_of(seen, 1), 2), 3)
    certain = []
    for n_copies in (0, 1):
        fitted = fit_samples(make_estimator("kernel", {"tilted_copies": n_copies}), many, encoder)
        probabilities = fitted.predict_proba(encoder.encode_samples(other))
        truth = np.searchsorted(fitted.classes_, other.samples.label)
        certain.append(probabilities[np.arange(len(truth)), truth].mean())
    assert certain[1] > certain[0] + 0.05, certain
