from dataclasses import replace
from pathlib import Path

import numpy as np

import handlore
from handlore.classifiers.direction import direction_matters
from handlore.classifiers.factory import make_pipeline
from handlore.datasets.dataset import LandmarkDataset, concatenate
from handlore.landmarks.features import DEFAULT_FEATURES


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
