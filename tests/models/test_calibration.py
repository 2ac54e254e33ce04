"""Thresholds chosen from streams: as few false activations as asked for, and honest about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from movement_stubs import clip, dataset_of

from handlore.datasets.dataset import LabelledInterval, LandmarkDataset, Samples
from handlore.landmarks.errors import InvalidDataError
from handlore.models.pose_encoder import PoseEncoder
from handlore.models.stream.calibration import CANDIDATE_THRESHOLDS, calibrate, poisson_bound
from handlore.models.stream.ground_truth import PICTURE_SECONDS, dataset_streams


@dataclass
class Told:
    """A model of poses that reads its probability of ``a`` or ``b`` from where the hand is."""

    labels: tuple[str, ...] = ("a", "b", "none")
    thresholds: dict[str, float] = field(default_factory=dict)
    seconds: tuple[float, ...] = ()
    encoder: Any = field(default_factory=lambda: PoseEncoder(("orientation",)))

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        # The turn of the hand is the probability: a to the one side, b to the other.
        turn = np.arctan2(X[:, 0], X[:, 1]) / (np.pi / 2)
        a, b = np.clip(turn, 0, 1), np.clip(-turn, 0, 1)
        return np.stack([a, b, 1 - a - b], axis=1).astype(np.float32)

    predict_known = predict_proba


def turned(*parts: tuple[str, float, float]) -> LandmarkDataset:
    """Parts (label, turn, seconds) of one recording, one sample each."""
    clips, labels = [], []
    for label, turn, seconds in parts:
        image, side, time = clip("still", fps=30, seconds=seconds)
        angle = turn * np.pi / 2
        turning = np.array(
            [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
        )
        clips.append((((image - 0.5) @ turning.T).astype(np.float32), side, time))
        labels.append(label)
    n = len(parts)
    return dataset_of(clips, labels, recording=["r"] * n, source=[f"r.txt#{k}" for k in range(n)])


def test_parts_of_a_recording_are_one_stream_again() -> None:
    data = turned(("none", 0, 1), ("a", 0.9, 2), ("none", 0, 1))
    (stream,) = dataset_streams(data)
    assert stream.name == "r.txt"
    assert stream.video.n_frames == data.n_frames
    assert np.diff(stream.video.time) == pytest.approx(1 / 30)
    (truth,) = stream.truths
    assert truth == LabelledInterval("a", pytest.approx(1 + 1 / 30), pytest.approx(3 + 1 / 30))


def test_other_clips_and_pictures_are_streams_of_their_own() -> None:
    clips = dataset_of([clip("left"), clip("still")], ["left", "none"])
    assert [stream.truths for stream in dataset_streams(clips)] == [
        (LabelledInterval("left", 0, 1.0),),
        (),
    ]
    image = clip("still")[0][:3]
    flat = np.full((3, 1), np.nan, np.float32)
    pictures = LandmarkDataset(
        image,
        image,
        flat,
        flat,
        np.zeros((3, 1), np.int8),
        np.zeros(3),
        np.arange(4),
        Samples.make(["a", "a", "none"], source=["1", "1", "2"], view=[0, 1, 0]),
    )
    first, second = dataset_streams(pictures)
    assert first.truths == (LabelledInterval("a", 0, PICTURE_SECONDS),)
    assert (second.truths, second.seconds) == ((), PICTURE_SECONDS)


def test_pictures_of_poses_are_held_long_enough_to_be_told() -> None:
    """Two frames a second apart are no hold; a model would be praised for saying nothing."""
    images = np.concatenate(
        [turned((label, turn, 0.01)).image[:1] for label, turn in (("a", 0.9), ("none", 0.8))]
    )
    flat = np.full((2, 1), np.nan, np.float32)
    pictures = LandmarkDataset(
        images,
        images,
        flat,
        flat,
        np.zeros((2, 1), np.int8),
        np.zeros(2),
        np.arange(3),
        Samples.make(["a", "none"], source=["1", "2"]),
    )
    found = calibrate(Told(), list(dataset_streams(pictures)), 0.5)
    assert len(found.before.found) == 1
    assert [event.label for event in found.before.false] == ["a"]
    assert (len(found.after.found), found.after.false) == (1, ())
    assert 0.8 < found.thresholds["a"] <= 0.9


def streams(*parts: tuple[str, float, float]) -> Sequence[Any]:
    return list(dataset_streams(turned(*parts)))


LESSON = [
    ("none", 0, 2),
    ("a", 0.9, 2),
    ("none", 0, 2),
    ("none", 0.55, 2),
    ("none", 0, 2),
    ("a", 0.85, 2),
    ("none", 0, 2),
    ("b", -0.6, 2),
    ("none", 0, 2),
]


def test_a_threshold_lies_between_what_is_meant_and_what_is_not() -> None:
    found = calibrate(Told(), streams(*LESSON), 0.5)
    assert 0.55 < found.thresholds["a"] < 0.85
    assert found.thresholds["b"] < 0.6
    assert (len(found.after.found), found.after.n, found.after.false) == (3, 3, ())
    assert len(found.before.false) == 1
    assert found.per_label == {"a": (2, 2, 0), "b": (1, 1, 0)}
    assert set(found.thresholds.values()) <= set(CANDIDATE_THRESHOLDS)


def test_more_false_activations_may_be_allowed() -> None:
    weak = [*LESSON, ("a", 0.5, 2), ("none", 0, 2)]
    strict = calibrate(Told(), streams(*weak), 0.5)
    loose = calibrate(Told(), streams(*weak), 500)
    assert (len(strict.after.found), len(strict.after.false)) == (3, 0)
    assert (len(loose.after.found), len(loose.after.false)) == (4, 1)


def test_a_label_that_is_not_there_keeps_what_it_had() -> None:
    only_a = [part for part in LESSON if part[0] != "b"]
    found = calibrate(Told(thresholds={"b": 0.42}), streams(*only_a), 0.5)
    assert found.thresholds["b"] == 0.42
    assert "b" not in calibrate(Told(), streams(*only_a), 0.5).thresholds


def test_what_the_model_does_not_know_means_nothing() -> None:
    found = calibrate(Told(), streams(("wave", 0.7, 2), ("none", 0, 1), ("a", 0.95, 2)), 0.5)
    assert (len(found.after.found), found.after.n, found.after.false) == (1, 1, ())


def test_bounds_are_those_of_poisson() -> None:
    assert poisson_bound(0) == pytest.approx(2.996, abs=0.001)
    assert poisson_bound(3) == pytest.approx(7.754, abs=0.001)
    found = calibrate(Told(), streams(*LESSON), 0.5)
    assert found.hours == pytest.approx(18 / 3600, rel=0.02)
    assert found.upper_bound == pytest.approx(2.996 / found.hours, rel=0.001)
    assert found.hours_needed == pytest.approx(5.99, abs=0.01)


def test_nothing_to_calibrate_on() -> None:
    with pytest.raises(InvalidDataError, match="no stream lasts any time"):
        calibrate(Told(), [], 0.5)


def test_streams_of_more_hands_than_the_model_takes_are_refused() -> None:
    (stream,) = streams(*LESSON)
    model = Told(encoder=PoseEncoder(("orientation",), 2))
    with pytest.raises(
        InvalidDataError, match=r"r\.txt has room for 1 hand\(s\).* takes 2; .*-hands 2"
    ):
        calibrate(model, [stream], 0.5)
