from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from movement_stubs import hand_shape

import handlore
from handlore.classifiers.direction import _find_pointing_pairs, direction_matters, pointing_advice
from handlore.classifiers.evaluation.scores import Predictions
from handlore.classifiers.factory import make_pipeline
from handlore.datasets.dataset import Header, LandmarkDataset, Samples, concatenate
from handlore.landmarks.features import DEFAULT_FEATURES
from handlore.landmarks.geometry import rotate
from handlore.models.encoders import PoseEncoder


def turned(dataset: LandmarkDataset, suffix: str) -> LandmarkDataset:
    """Return the same hands upside down, under other labels."""
    signs = np.float32([-1, -1, 1])
    samples = replace(
        dataset.samples,
        label=np.char.add(dataset.samples.label, suffix),
        source=np.char.add(dataset.samples.source, suffix),
    )
    return replace(
        dataset, image=dataset.image * signs, world=dataset.world * signs, samples=samples
    )


def test_direction_is_a_feature_where_labels_differ_by_it(
    dataset: LandmarkDataset, tmp_path: Path
) -> None:
    both = concatenate([dataset, turned(dataset, "_down")])
    assert direction_matters(both)
    found = handlore.cross_validate(both)
    assert found.scores.accuracy > 0.9
    assert any("the direction in which the hand points" in note for note in found.notes)
    trained = handlore.train(both, tmp_path / "m.onnx")
    assert trained.card.features[-2:] == ("orientation", "heights")
    chosen = handlore.cross_validate(both, features=DEFAULT_FEATURES)
    assert chosen.scores.accuracy < 0.7


def test_direction_is_none_where_labels_do_not_differ_by_it(dataset: LandmarkDataset) -> None:
    turned_too = concatenate([dataset, turned(dataset, "")])
    for some in (dataset, turned_too):
        assert not direction_matters(some)
        assert make_pipeline(some).encoder.groups == DEFAULT_FEATURES


def test_direction_is_found_in_image_landmarks_alone(dataset: LandmarkDataset) -> None:
    both = concatenate([dataset, turned(dataset, "_down")])
    flat = replace(both, world=np.full_like(both.world, np.nan))
    assert make_pipeline(flat).encoder.groups == (
        "image",
        "image_distances",
        "orientation",
        "heights",
    )


N = 100
TRUTH = np.array(["up", "down"] * (N // 2))


def pointing(degrees: np.ndarray) -> LandmarkDataset:
    """One shape of the hand turned so far, of four people in turn."""
    hands = rotate(np.repeat(hand_shape()[None], N, axis=0), degrees)[:, None].astype(np.float32)
    side, people = np.ones((N, 1), np.float32), [f"p{k // 2 % 4}" for k in range(N)]
    return LandmarkDataset(
        hands,
        hands.copy(),
        side,
        side.copy(),
        np.zeros((N, 1), np.int8),
        np.zeros(N),
        np.arange(N + 1),
        Samples.make(TRUTH.tolist(), group=people),
        Header(),
    )


def predicted_up(wrong: np.ndarray) -> Predictions:
    said = np.where(np.isin(np.arange(N), wrong), "up", TRUTH)
    return Predictions(TRUTH, said, np.ones(N, np.float32), np.zeros(N, bool), np.arange(N))


@pytest.mark.parametrize(("n_wrong", "expected"), [(0, False), (4, False), (5, True), (20, True)])
def test_min_share_of_errors(n_wrong: int, expected: bool) -> None:
    found = _find_pointing_pairs(
        predicted_up(np.arange(1, 2 * n_wrong, 2)), pointing(np.where(TRUTH == "up", 0.0, 180.0))
    )
    assert found == ([(("down", "up"), n_wrong)] if expected else [])


@pytest.mark.parametrize(("n_strays", "expected"), [(4, True), (8, False)])
def test_direction_of_each_label(n_strays: int, expected: bool) -> None:
    """Of 50 hands that are to point down some point up, though none of the mistakes."""
    degrees = np.where(TRUTH == "up", 0.0, 180.0)
    degrees[N - 1 - 2 * np.arange(n_strays)] = 0
    assert (
        bool(_find_pointing_pairs(predicted_up(np.arange(1, 20, 2)), pointing(degrees))) == expected
    )


def test_direction_corrects_errors() -> None:
    """Only those that point up are predicted as up, which no direction separates."""
    degrees = np.where(TRUTH == "up", 0.0, 180.0)
    degrees[[1, 3, 5, 7, 9]] = 0
    assert _find_pointing_pairs(predicted_up(np.array([1, 3, 5, 7, 9])), pointing(degrees)) == []


def test_advice_does_without_world_landmarks_where_the_model_does() -> None:
    data = pointing(np.where(TRUTH == "up", 0.0, 180.0))
    encoder = PoseEncoder(("image", "image_distances"))
    advice = pointing_advice(predicted_up(np.arange(1, 20, 2)), data, encoder)
    assert advice is not None
    assert advice.endswith("try --features image,image_distances,orientation")
