"""Scores taken apart, against numbers worked out by hand."""

import numpy as np
import pytest

from handlore.classifiers.evaluation.breakdown import (
    Reliability,
    _first_stages,
    detection_rates,
    scores_by_stage,
    scores_by_unit,
)
from handlore.classifiers.evaluation.scores import Predictions
from handlore.datasets.dataset import Header, LandmarkDataset, Samples

LABELS = ["a", "a", "b", "b", "b", "none"]
STAGES = [0, 3, 0, -1, 3, -1]


def data(groups: list[str] | None = None, views: list[int] | None = None) -> LandmarkDataset:
    n = len(LABELS)
    stage = np.array(STAGES, np.int8)[:, None]
    image = np.ones((n, 1, 21, 3), np.float32)
    image[stage[:, 0] < 0] = np.nan
    side = np.where(stage < 0, np.nan, 1).astype(np.float32)
    samples = Samples.make(LABELS, group=groups, view=views, source=[f"{i}" for i in range(n)])
    return LandmarkDataset(
        image,
        image.copy(),
        side,
        side.copy(),
        stage,
        np.zeros(n),
        np.arange(n + 1),
        samples,
        Header(),
    )


def predictions() -> Predictions:
    """The second and the fourth are wrong."""
    said = np.array(["a", "b", "b", "none", "b", "none"])
    sure = np.array([0.95, 0.55, 0.91, np.nan, 0.52, np.nan], np.float32)
    return Predictions(np.array(LABELS), said, sure, np.array(STAGES) < 0, np.arange(6))


def test_people_come_the_worst_first() -> None:
    over, parts = scores_by_unit(predictions(), data(["x", "y", "x", "y", "y", "x"]))
    assert over == "group"
    assert [(part.name, part.n, part.n_right) for part in parts] == [("y", 3, 1), ("x", 3, 3)]
    assert parts[0].accuracy == pytest.approx(1 / 3)
    assert scores_by_unit(predictions(), data()) == ("item", [])


def test_stages_and_misses_are_distinguished() -> None:
    parts = [(part.name, part.n, part.n_right) for part in scores_by_stage(predictions(), data())]
    assert parts == [("-1", 2, 1), ("0", 2, 2), ("3", 2, 1)]


def test_yields_count_items_not_views() -> None:
    found = [(one.label, one.n, one.by_stage, one.n_found) for one in detection_rates(data())]
    assert found == [("a", 2, {0: 1, 3: 1}, 2), ("b", 3, {0: 1, 3: 1}, 2), ("none", 1, {}, 0)]
    assert [one.n for one in detection_rates(data(views=[0, 1, 0, 1, 0, 0]))] == [1, 2, 1]


def test_of_a_clip_the_earliest_stage_counts() -> None:
    still = data()
    clips = LandmarkDataset(
        still.image,
        still.world,
        still.handedness,
        still.score,
        still.stage,
        np.array([0.0, 1, 2, 0, 1, 2]),
        np.array([0, 3, 6]),
        still.samples.take(np.array([0, 2])),
        Header(kind="sequence"),
    )
    assert _first_stages(clips).tolist() == [0, 3]


def test_reliability_by_hand() -> None:
    """Half of two predictions near 0.53 is right, and both of those near 0.93."""
    found = Reliability.of(predictions())
    assert found is not None
    assert [(one.low, one.n, one.accuracy) for one in found.bins] == [(0.5, 2, 0.5), (0.9, 2, 1)]
    assert found.error == pytest.approx((2 * 0.035 + 2 * 0.07) / 4, abs=1e-6)
    low, high = found.bins[0].interval
    assert low < 0.5 < high
    nobody = Predictions(
        *(
            getattr(predictions(), name)[3:4]
            for name in ("truth", "predicted", "probability", "no_hand", "sample")
        )
    )
    assert Reliability.of(nobody) is None
