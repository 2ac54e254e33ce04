"""Thresholds are chosen from streams for a number of false activations an hour."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from movement_stubs import clip, dataset_of

from handlore.datasets.dataset import LandmarkDataset, Samples
from handlore.landmarks.errors import InvalidDataError
from handlore.models.encoders import PoseEncoder
from handlore.models.stream.calibration import (
    CANDIDATE_THRESHOLDS,
    _poisson_bound,
    calibrate,
)
from handlore.models.stream.ground_truth import dataset_streams


@dataclass
class TurnModel:
    """A model of poses: the rotation of the hand is the probability of ``a`` or ``b``."""

    labels: tuple[str, ...] = ("a", "b", "none")
    thresholds: dict[str, float] = field(default_factory=dict)
    patience: dict[str, float] = field(default_factory=dict)
    seconds: tuple[float, ...] = ()
    encoder: Any = field(default_factory=lambda: PoseEncoder(("orientation",)))

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        # Clockwise is a, anticlockwise is b.
        turn = np.arctan2(X[:, 0], X[:, 1]) / (np.pi / 2)
        a, b = np.clip(turn, 0, 1), np.clip(-turn, 0, 1)
        return np.stack([a, b, 1 - a - b], axis=1).astype(np.float32)

    def predict_known(self, X: np.ndarray, max_novelty: float) -> np.ndarray:
        return self.predict_proba(X)


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


def test_pictures_are_held() -> None:
    """Two frames a second apart would never reach the hold time."""
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
    found = calibrate(TurnModel(), list(dataset_streams(pictures)), 0.5)
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


def test_threshold_separates_gestures_from_others() -> None:
    found = calibrate(TurnModel(), streams(*LESSON), 0.5)
    assert 0.55 < found.thresholds["a"] < 0.85
    assert found.thresholds["b"] < 0.6
    assert (len(found.after.found), found.after.n, found.after.false) == (3, 3, ())
    assert len(found.before.false) == 1
    assert found.per_label == {"a": (2, 2, 0), "b": (1, 1, 0)}
    assert set(found.thresholds.values()) <= set(CANDIDATE_THRESHOLDS)


def test_target_rate() -> None:
    weak = [*LESSON, ("a", 0.5, 2), ("none", 0, 2)]
    strict = calibrate(TurnModel(), streams(*weak), 0.5)
    loose = calibrate(TurnModel(), streams(*weak), 500)
    assert (len(strict.after.found), len(strict.after.false)) == (3, 0)
    assert (len(loose.after.found), len(loose.after.false)) == (4, 1)


def test_absent_label_keeps_its_threshold() -> None:
    only_a = [part for part in LESSON if part[0] != "b"]
    found = calibrate(TurnModel(thresholds={"b": 0.42}), streams(*only_a), 0.5)
    assert found.thresholds["b"] == 0.42
    assert "b" not in calibrate(TurnModel(), streams(*only_a), 0.5).thresholds


@pytest.mark.parametrize("own", [0.33, 0.5, 0.62, 0.8])
def test_label_keeps_a_threshold_that_is_as_good(own: float) -> None:
    """Also one that is no candidate; without one, the default."""
    clear = [("a", 0.9, 2), ("none", 0, 2), ("a", 0.85, 2), ("none", 0.2, 2)]
    model = TurnModel(thresholds={} if own == 0.5 else {"a": own})
    assert calibrate(model, streams(*clear), 0.5).thresholds == {"a": own}
    contradicted = calibrate(TurnModel(thresholds={"a": 0.99}), streams(*clear), 0.5)
    assert 0.2 < contradicted.thresholds["a"] < 0.85


def test_unknown_labels_count_as_none() -> None:
    found = calibrate(TurnModel(), streams(("wave", 0.7, 2), ("none", 0, 1), ("a", 0.95, 2)), 0.5)
    assert (len(found.after.found), found.after.n, found.after.false) == (1, 1, ())
    assert found.unknown == {"wave": 1}
    assert any("1 of 2 gestures" in note for note in found.notes)


def test_labels_in_another_spelling_count() -> None:
    found = calibrate(TurnModel(), streams(("A", 0.95, 2), ("None", 0, 1), ("B", -0.95, 2)), 0.5)
    assert (len(found.after.found), found.after.n, found.unknown) == (2, 2, {})
    assert found.summary()["counted_as"] == {"A": "a", "B": "b", "None": "none"}
    assert found.notes[0] == "A counts as a, B as b, None as none"


def test_labels_that_the_model_does_not_know_are_refused() -> None:
    """Else the thresholds would only avoid false activations, and silence the model."""
    both = r"none of the labels of the data \(swipe, wave; the model: a, b\)"
    with pytest.raises(InvalidDataError, match=both):
        calibrate(TurnModel(), streams(("wave", 0.7, 2), ("none", 0, 1), ("swipe", 0.9, 2)), 0.5)


def test_streams_without_gestures_are_enough() -> None:
    found = calibrate(TurnModel(), streams(("none", 0, 2), ("none", 0.6, 2)), 0.5)
    assert (found.after.n, found.after.false, found.unknown) == (0, (), {})
    assert found.thresholds["a"] > 0.6


def test_poisson_bound() -> None:
    assert _poisson_bound(0) == pytest.approx(2.996, abs=0.001)
    assert _poisson_bound(3) == pytest.approx(7.754, abs=0.001)
    found = calibrate(TurnModel(), streams(*LESSON), 0.5)
    assert found.hours == pytest.approx(18 / 3600, rel=0.02)
    assert found.upper_bound == pytest.approx(2.996 / found.hours, rel=0.001)
    assert found.hours_needed == pytest.approx(5.99, abs=0.01)


def test_no_streams() -> None:
    with pytest.raises(InvalidDataError, match="nothing to calibrate on"):
        calibrate(TurnModel(), [], 0.5)


def test_number_of_hands() -> None:
    (stream,) = streams(*LESSON)
    model = TurnModel(encoder=PoseEncoder(("orientation",), 2))
    with pytest.raises(
        InvalidDataError, match=r"r\.txt has room for 1 hand .* takes 2; .*-hands 2"
    ):
        calibrate(model, [stream], 0.5)
